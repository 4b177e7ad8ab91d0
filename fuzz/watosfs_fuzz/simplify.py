"""Simpler forms of operations: shorter data, smaller numbers, plainer names. Simplest first."""

from collections.abc import Iterator
from dataclasses import fields, replace

from watosfs_fuzz import parameters as p
from watosfs_model.data import Data, Fill, Literal, Repeat
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import Link, Mkdir, Operation, Symlink

#: Borders that a number is tried at, besides a half and one less.
_BORDERS = (0, 1, p.INLINE_MAX, p.INLINE_MAX + 1, p.BLOCK, p.BLOCK + 1, p.CHUNK, p.CHUNK + 1)
_NUMBERS = ("offset", "size", "count", "uid", "gid", "atime_ns", "mtime_ns")
_PATHS = ("path", "old", "new")


def simpler_operations(operation: Operation) -> Iterator[Operation]:
    """What makes a name made a plain directory; the operation with one argument made simpler."""
    match operation:
        case Link(_, path) | Symlink(_, path):
            yield Mkdir(path, 0o755)
    for field in fields(operation):  # type: ignore[arg-type]
        old = getattr(operation, field.name)
        for value in simpler_values(field.name, old, plain_mode(operation)):
            yield replace(operation, **{field.name: value})  # type: ignore[type-var]


def plain_mode(operation: Operation) -> int:
    """The mode that says nothing: 0755 for a directory, 0644 for all else."""
    return 0o755 if isinstance(operation, Mkdir) else 0o644


def simpler_values(name: str, value: object, mode: int) -> Iterator[object]:
    """Simpler values for the argument called ``name``; ``mode`` is the plain one."""
    match value:
        case Fill() | Repeat() | Literal():
            yield from simpler_data(value)
        case bytes() if name in _PATHS:
            yield from (path for path in simpler_paths(value) if path != value)
        case bytes() if name == "target" and value != b"a":
            yield b"a"
            if len(value) > 1:
                yield value[: len(value) // 2]
        case int() if name == "mode" and value != mode:
            yield mode
        case int() if name == "flags" and value != O_CREAT | O_RDWR:
            yield O_CREAT | O_RDWR
            yield from (value & ~bit for bit in _bits(value))
        case int() if name in _NUMBERS:
            yield from smaller_numbers(value)


def simpler_data(data: Data) -> Iterator[Data]:
    """One byte; fewer bytes of the same kind; a plainer seed."""
    if data != Literal(b"a"):
        yield Literal(b"a")
    match data:
        case Literal(value):
            yield from (Literal(value[:n]) for n in smaller_numbers(len(value)) if n)
        case Fill(seed, length):
            yield from (Fill(seed, n) for n in smaller_numbers(length) if n)
            yield from (Fill(simpler, length) for simpler in range(min(seed, 2)))
        case Repeat(seed, length):
            yield from (Repeat(seed, n) for n in smaller_numbers(length) if n)
            yield from (Repeat(simpler, length) for simpler in range(min(seed, 2)))


def simpler_paths(path: bytes) -> Iterator[bytes]:
    """A name in the root; one component less; an unusual form straightened."""
    parts = [part for part in path.split(b"/") if part]
    if len(parts) > 1:
        yield from (b"/" + name for name in p.NAMES_TINY[:3])
        yield from (b"/" + b"/".join(parts[:i] + parts[i + 1 :]) for i in range(len(parts)))
    straight = b"/" + b"/".join(parts)
    if straight != path:
        yield straight
    if len(path) > p.BLOCK // 8:
        yield path[: len(path) // 2]


def smaller_numbers(value: int) -> Iterator[int]:
    """Zero, one, borders below, a half, one less; for a negative number -1."""
    if value < 0:
        yield from (-1,) if value != -1 else ()
        return
    candidates = {*_BORDERS, value // 2, value - 1, value - value % p.BLOCK}
    yield from sorted(number for number in candidates if 0 <= number < value)


def _bits(value: int) -> Iterator[int]:
    return (1 << i for i in range(value.bit_length()) if value >> i & 1)
