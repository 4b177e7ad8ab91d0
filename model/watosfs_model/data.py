"""Data: the bytes that a `pwrite` carries, as a short recipe instead of the bytes themselves.

A trace stays readable and a minimiser can shrink a length or a seed without touching megabytes;
both sides of a lockstep run expand the same recipe.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import shake_128

FILL_PERIOD_BYTES = 65536
REPEATED_BYTES = 16


@lru_cache(maxsize=512)
def fill_bytes(seed: int, length: int) -> bytes:
    """Expand `fill(seed,length)`: `shake_128(b"%d" % seed)`, in 64 KiB periods when longer."""
    period = shake_128(b"%d" % seed).digest(min(length, FILL_PERIOD_BYTES))
    if length <= FILL_PERIOD_BYTES:
        return period
    return (period * (length // FILL_PERIOD_BYTES + 1))[:length]


@dataclass(frozen=True, slots=True)
class Fill:
    """Pseudo-random bytes; text form `fill(SEED,LENGTH)`."""

    seed: int
    length: int

    def __post_init__(self) -> None:
        if self.length < 0:
            raise ValueError(f"fill length {self.length} is negative")

    def bytes(self) -> bytes:
        return fill_bytes(self.seed, self.length)

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return f"fill({self.seed},{self.length})"


@dataclass(frozen=True, slots=True)
class Repeat:
    """The first 16 bytes of a fill, over and over; text form `repeat(SEED,LENGTH)`."""

    seed: int
    length: int

    def __post_init__(self) -> None:
        if self.length < 0:
            raise ValueError(f"repeat length {self.length} is negative")

    def bytes(self) -> bytes:
        return (fill_bytes(self.seed, REPEATED_BYTES) * (self.length // REPEATED_BYTES + 1))[
            : self.length
        ]

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return f"repeat({self.seed},{self.length})"


@dataclass(frozen=True, slots=True)
class Literal:
    """Exactly these bytes; text form `"abc"` with escapes."""

    value: bytes

    def bytes(self) -> bytes:
        return self.value

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return quote(self.value)


Data = Fill | Repeat | Literal


def quote(value: bytes) -> str:
    r"""Write bytes between double quotes: printing ASCII, `\"`, `\\`, all else as `\xNN`."""
    return '"' + "".join(_QUOTED[byte] for byte in value) + '"'


def _quoted_byte(byte: int) -> str:
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}"


_QUOTED = tuple(_quoted_byte(byte) for byte in range(256))
