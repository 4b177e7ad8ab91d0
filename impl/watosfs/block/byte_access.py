"""Bytes of a device at any offset: what file systems with small sectors stand on.

A device moves whole blocks; FAT and partition tables count in sectors that may be smaller than a
block and lie anywhere. Parts of blocks are read, changed and written back: within the crash model
that is safe, for a sector that is written with what it held cannot change.
"""

import errno

from watosfs.block.device import BlockDevice, Buffer
from watosfs.errors import failure


class ByteAccess:
    """A device as ``size_bytes`` bytes. Offsets and sizes are in bytes.

    Raises what the device raises; EINVAL for a range outside it.
    """

    __slots__ = ("device", "size_bytes", "unit")

    def __init__(self, device: BlockDevice) -> None:
        self.device = device
        self.unit = device.block_size_bytes
        self.size_bytes = device.block_count * self.unit

    def read(self, offset: int, size: int) -> Buffer:
        """``size`` bytes; maybe a view of the device, valid until they are next written."""
        unit = self.unit
        first, skip = divmod(offset, unit)
        if not skip and not size % unit:
            return self.device.read(first, size // unit)
        self.require(offset, size)
        end = -(-(offset + size) // unit)
        return memoryview(self.device.read(first, end - first))[skip : skip + size]

    def write(self, offset: int, data: Buffer) -> None:
        """Write ``data``; blocks that it covers in part keep their other bytes."""
        view = memoryview(data)
        unit, size = self.unit, view.nbytes
        first, skip = divmod(offset, unit)
        if not skip and not size % unit:
            self.device.write(first, view)
            return
        self.require(offset, size)
        if not size:
            return
        if skip + size <= 4 * unit:
            count = -(-(skip + size) // unit)
            block = bytearray(self.device.read(first, count))
            block[skip : skip + size] = view
            self.device.write(first, block)
            return
        head = -skip % unit
        body = head + (size - head) // unit * unit
        self.write(offset, view[:head])
        self.device.write((offset + head) // unit, view[head:body])
        self.write(offset + body, view[body:])

    def require(self, offset: int, size: int) -> None:
        """EINVAL unless the range lies on the device."""
        if offset < 0 or size < 0 or offset + size > self.size_bytes:
            reason = f"bytes {offset} to {offset + size} of a device of {self.size_bytes}"
            raise failure(errno.EINVAL, reason=reason)
