"""Mutators that know nothing of a structure, and the choice among those that do."""

from collections.abc import Sequence
from random import Random
from typing import Final

from watosfs_fuzz.parsers.harness import Cross, Mutate
from watosfs_fuzz.parsers.layout import Layout, Seal, mutate_bytes, mutate_field

INPUT_BYTES_MAX: Final = 1 << 19
_STRUCTURED: Final = 0.85
_SEALED: Final = 0.9


def any_bytes(data: bytes, random: Random, words: Sequence[bytes] = ()) -> bytes:
    """Change bytes, cut out, double, insert: what every input stands."""
    raw = bytearray(data or b"\0")
    kind = random.randrange(6)
    at = random.randrange(len(raw))
    span = min(random.choice((1, 2, 4, 8, 32, 256)), len(raw) - at)
    if kind < 2:
        mutate_bytes(raw, 0, len(raw), random)
    elif kind == 2:
        del raw[at : at + span]
    elif kind == 3:
        raw[at:at] = raw[at : at + span]
    elif kind == 4 and words:
        word = random.choice(words)
        raw[at : at + random.choice((0, len(word)))] = word
    else:
        raw[at : at + span] = random.randbytes(span)
    return bytes(raw[:INPUT_BYTES_MAX])


def splice(one: bytes, two: bytes, random: Random) -> bytes:
    """The beginning of one input and the end of another."""
    return one[: random.randrange(len(one) + 1)] + two[random.randrange(len(two) + 1) :]


def of_structure(layout: Layout, seal: Seal | None, words: Sequence[bytes] = ()) -> Mutate:
    """A mutator for inputs that are one structure: fields, then its checksum made right."""

    def mutate(data: bytes, random: Random) -> bytes:
        if random.random() > _STRUCTURED:
            return any_bytes(data, random, words)
        raw = bytearray(data.ljust(layout.size, b"\0"))
        for _ in range(random.choice((1, 1, 2, 3))):
            mutate_field(raw, 0, layout, random)
        if seal is not None and random.random() < _SEALED:
            seal(raw, 0)
        return bytes(raw)

    return mutate


def of_structure_cross(layout: Layout, seal: Seal | None) -> Cross:
    """Some fields of one structure in the other."""

    def cross(one: bytes, two: bytes, random: Random) -> bytes:
        raw = bytearray(one.ljust(layout.size, b"\0"))
        other = two.ljust(layout.size, b"\0")
        for field in layout.fields:
            if random.random() < 0.3:
                low, high = field.offset, field.offset + field.size
                raw[low:high] = other[low:high]
        if seal is not None:
            seal(raw, 0)
        return bytes(raw)

    return cross
