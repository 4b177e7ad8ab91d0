"""A sparse array of bytes kept as a dict of chunks: memory for what was written, nothing else.

The memory device uses it where the system refuses a mapping as large as the device (a limit on
address space, or strict overcommit). It copies on read, so it is slower than a mapping and never
wrong.
"""

CHUNK_SIZE_BYTES = 1 << 16


class SparseBytes:
    """Bytes 0, 1, 2, ... without end; those never written are zero."""

    __slots__ = ("_chunks",)

    def __init__(self) -> None:
        self._chunks: dict[int, bytearray] = {}

    def read(self, start: int, end: int) -> bytes:
        """A copy of the bytes from ``start`` up to ``end``."""
        pieces = []
        for number, first, last in _pieces(start, end):
            chunk = self._chunks.get(number)
            pieces.append(bytes(last - first) if chunk is None else chunk[first:last])
        return b"".join(pieces)

    def write(self, start: int, data: memoryview) -> None:
        """Copy ``data``, a view of bytes, in at ``start``."""
        taken = 0
        for number, first, last in _pieces(start, start + data.nbytes):
            chunk = self._chunks.get(number)
            if chunk is None:
                chunk = self._chunks[number] = bytearray(CHUNK_SIZE_BYTES)
            chunk[first:last] = data[taken : taken + last - first]
            taken += last - first

    def clear(self, start: int, end: int) -> None:
        """Zero the bytes from ``start`` up to ``end``; whole chunks give their memory back."""
        first_number, last_number = start // CHUNK_SIZE_BYTES, -(-end // CHUNK_SIZE_BYTES)
        if last_number - first_number > len(self._chunks):
            touched = [n for n in self._chunks if first_number <= n < last_number]
        else:
            touched = [n for n in range(first_number, last_number) if n in self._chunks]
        for number in touched:
            base = number * CHUNK_SIZE_BYTES
            first, last = max(start - base, 0), min(end - base, CHUNK_SIZE_BYTES)
            if last - first == CHUNK_SIZE_BYTES:
                del self._chunks[number]
            else:
                self._chunks[number][first:last] = bytes(last - first)


def _pieces(start: int, end: int) -> list[tuple[int, int, int]]:
    """(chunk, first byte, last byte + 1) for each chunk that the range touches, in order."""
    pieces = []
    while start < end:
        number, first = divmod(start, CHUNK_SIZE_BYTES)
        last = min(first + end - start, CHUNK_SIZE_BYTES)
        pieces.append((number, first, last))
        start += last - first
    return pieces
