"""The arguments of one system call: register values as the types that the call means."""

import errno
from collections.abc import Sequence

from watosfs.errors import failure
from watosfs.kernel.layouts import IOVEC
from watosfs.kernel.user_memory import UserMemory

PATH_MAX = 4096
KEY_MAX = 255
IOVECS_MAX = 1024
#: No call moves more (Linux).
TRANSFER_MAX = 0x7FFFF000


class Registers:
    """Six 64-bit values, and the memory that pointers point into."""

    __slots__ = ("memory", "values")

    def __init__(self, memory: UserMemory, values: Sequence[int]) -> None:
        self.memory = memory
        self.values = values

    def unsigned(self, index: int) -> int:
        """A 64-bit number, or an address."""
        return self.values[index]

    def unsigned32(self, index: int) -> int:
        """The low half: flags, modes, ids."""
        return self.values[index] & 0xFFFFFFFF

    def signed(self, index: int) -> int:
        """A 64-bit offset."""
        value = self.values[index]
        return value - (1 << 64) if value >> 63 else value

    def fd(self, index: int) -> int:
        """The low half, signed: descriptors."""
        value = self.values[index] & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value

    def string(self, index: int) -> bytes:
        """A path that ends with NUL, of any bytes."""
        return self.memory.string(self.values[index], PATH_MAX)

    def key(self, index: int) -> bytes:
        """The key of an extended attribute; ERANGE without a NUL in 256 bytes."""
        try:
            return self.memory.string(self.values[index], KEY_MAX + 1)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise failure(errno.ERANGE, reason="a key of more than 255 bytes") from None

    def text(self, index: int, length: int | None = None) -> bytes:
        """A path by pointer and length (in the next register), as the published calls have it:
        EINVAL unless it is UTF-8.
        """
        count = self.values[index + 1] if length is None else length
        if count >= PATH_MAX:
            self.memory.require(self.values[index], 1)
            raise failure(errno.ENAMETOOLONG)
        path = self.memory.read(self.values[index], count)
        try:
            path.decode()
        except UnicodeDecodeError:
            raise failure(errno.EINVAL, reason="a path that is not UTF-8") from None
        return path

    def data(self, index: int) -> bytes:
        """A buffer by pointer and length, copied in."""
        return self.memory.read(self.values[index], min(self.values[index + 1], TRANSFER_MAX))

    def room(self, index: int, length: int) -> int:
        """The address of a buffer for a result, checked for writing."""
        self.memory.require(self.values[index], length, writable=True)
        return self.values[index]

    def vectors(self, index: int) -> list[tuple[int, int]]:
        """(base, length) of an array of iovec; EINVAL for too many or too much."""
        count = self.values[index + 1]
        if count > IOVECS_MAX:
            raise failure(errno.EINVAL)
        raw = self.memory.read(self.values[index], count * IOVEC.size)
        found = [IOVEC.unpack_from(raw, at) for at in range(0, len(raw), IOVEC.size)]
        if sum(length for _, length in found) > TRANSFER_MAX:
            raise failure(errno.EINVAL)
        return found
