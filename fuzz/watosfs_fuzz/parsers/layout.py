"""Structures as fields: where each number is, so that a mutator changes numbers and not bytes."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

_TOKEN = re.compile(r"(\d*)([xBHIQqs])")
#: Sizes and counts that break things: edges of types, blocks, chunks, sectors, entries in a node.
NUMBERS: Final = (
    0, 1, 2, 3, 4, 5, 7, 8, 11, 14, 15, 16, 31, 32, 63, 64, 84, 127, 128, 159, 160, 161, 254, 255,
    256, 511, 512, 513, 1023, 2048, 4064, 4095, 4096, 4097, 8192, 32768, 65535, 65536, 65537,
    0x0FF7, 0x0FF8, 0x0FFF, 0xFFF7, 0xFFF8, 0x0FFFFFF7, 0x0FFFFFF8, 0x0FFFFFFF, 0xF0000002,
    (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 52, (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
)  # fmt: skip
#: What seals a structure after a change: called with the buffer and the structure's start.
Seal = Callable[[bytearray, int], None]


class Field(NamedTuple):
    """One number or string of a structure; offset and size in bytes."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Layout:
    """A structure's fields, in bytes from its start."""

    name: str
    size: int
    fields: tuple[Field, ...]

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def get(self, buffer: bytes | bytearray, start: int, name: str) -> int:
        """A field's number."""
        field = self[name]
        at = start + field.offset
        return int.from_bytes(buffer[at : at + field.size], "little")

    def put(self, buffer: bytearray, start: int, name: str, value: int) -> None:
        """Set a field's number, cut to its size."""
        field = self[name]
        _put(buffer, start + field.offset, field.size, value)


def layout_of(name: str, form: str, names: str) -> Layout:
    """From a little-endian format of ``struct`` and the names of its fields, padding left out."""
    fields: list[Field] = []
    waiting, offset = iter(names.split()), 0
    for count, kind in _TOKEN.findall(form):
        number = int(count or 1)
        if kind == "x":
            offset += number
            continue
        sizes = [number] if kind == "s" else [struct.calcsize("<" + kind)] * number
        for size in sizes:
            fields.append(Field(next(waiting), offset, size))
            offset += size
    assert next(waiting, None) is None, f"{name}: more names than fields"
    assert offset == struct.calcsize("<" + form)
    return Layout(name, offset, tuple(fields))


def mutate_field(buffer: bytearray, start: int, layout: Layout, random: Random) -> str:
    """Change one field of the structure at ``start``; its name."""
    field = random.choice(layout.fields)
    at, size = start + field.offset, field.size
    if size > 8:
        mutate_bytes(buffer, at, at + size, random)
    else:
        old = int.from_bytes(buffer[at : at + size], "little")
        _put(buffer, at, size, new_number(old, size, random))
    return field.name


def new_number(old: int, size: int, random: Random) -> int:
    """Another value for a number of ``size`` bytes: an edge, a neighbour, a bit, anything."""
    kind = random.random()
    if kind < 0.4:
        return random.choice(NUMBERS) & ((1 << 8 * size) - 1)
    if kind < 0.65:
        return old + random.choice((-16, -4, -2, -1, 1, 2, 4, 16))
    if kind < 0.85:
        return old ^ 1 << random.randrange(8 * size)
    if kind < 0.95:
        return random.randrange(64)
    return random.getrandbits(8 * size)


def mutate_bytes(buffer: bytearray, start: int, end: int, random: Random) -> None:
    """Change one byte of a range, or a few."""
    end = min(end, len(buffer))
    if start >= end:
        return
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(start, end)
        buffer[at] = random.choice(
            (0, 1, 0x2F, 0x7F, 0xE5, 0xFF, buffer[at] ^ 1 << random.randrange(8))
        )


def _put(buffer: bytearray, at: int, size: int, value: int) -> None:
    raw = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    buffer[at : at + size] = raw
