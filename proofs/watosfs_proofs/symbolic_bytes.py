"""Bytes of unknown number and value, in place of bytes, bytearray and memoryview.

Trusted: that slicing, replacing and deleting mean here what they mean on Python's bytes. A slice
must lie within the bytes (it is a goal that it does), but for the tail ``[n:]``, which may be
empty.
"""

from collections.abc import Callable
from typing import Any

import z3

from watosfs_proofs.executor import current
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.verdicts import unsupported

Read = Callable[[z3.ArithRef], z3.ArithRef]


class SymBytes:
    """``length`` bytes; ``read(i)`` is the one at index i."""

    __slots__ = ("length", "read")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, length: z3.ArithRef, read: Read) -> None:
        self.length, self.read = length, read

    @classmethod
    def arbitrary(cls, name: str, length: z3.ArithRef) -> "SymBytes":
        """Bytes of which nothing is known but how many there are."""
        return cls(length, z3.Function(name, z3.IntSort(), z3.IntSort()))

    def _range(self, index: object) -> tuple[z3.ArithRef, z3.ArithRef]:
        if not isinstance(index, slice) or index.step is not None:
            raise unsupported("an index or a step where a slice of unknown bytes is expected")
        low = term(0 if index.start is None else index.start)
        if index.stop is not None:
            high = term(index.stop)
            within = z3.And(low >= 0, low <= high, high <= self.length)
            current().prove("a slice lies within the bytes", within)
            return low, high
        current().prove("a slice starts at no negative index", low >= 0)
        return z3.If(low < self.length, low, self.length), self.length

    def __getitem__(self, index: object) -> "SymBytes":
        low, high = self._range(index)
        read = self.read
        return SymBytes(high - low, lambda i: read(low + i))

    def __setitem__(self, index: object, piece: "SymBytes") -> None:
        low, high = self._range(index)
        current().prove("a slice is replaced by as many bytes", piece.length == high - low)
        old, new = self.read, piece.read
        self.read = lambda i: z3.If(z3.And(low <= i, i < high), new(i - low), old(i))

    def __delitem__(self, index: object) -> None:
        if not isinstance(index, slice) or index.stop is not None:
            raise unsupported("deleting anything but a tail of unknown bytes")
        self.length, _ = self._range(index)

    def __iadd__(self, more: "SymBytes") -> "SymBytes":
        length, old, new = self.length, self.read, more.read
        self.length = length + more.length
        self.read = lambda i: z3.If(i < length, old(i), new(i - length))
        return self


def symbolic_bytes(value: Any) -> Any:
    """``bytes``: a number of zeros, or a copy."""
    if isinstance(value, SymBytes):
        return SymBytes(value.length, value.read)
    if isinstance(value, SymInt):
        current().prove("no negative number of bytes", value.term >= 0)
        return SymBytes(value.term, lambda _: z3.IntVal(0))
    return bytes(value)


def bytes_length(value: Any) -> Any:
    """``len``."""
    return SymInt(value.length) if isinstance(value, SymBytes) else len(value)


def same_bytes(value: Any) -> Any:
    """``memoryview``: views are not told from copies, so nothing may be written through one."""
    return value if isinstance(value, SymBytes) else memoryview(value)


#: The globals of code about bytes that are replaced.
BYTES: dict[str, Any] = {"bytes": symbolic_bytes, "len": bytes_length, "memoryview": same_bytes}
