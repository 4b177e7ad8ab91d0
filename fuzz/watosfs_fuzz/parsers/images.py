"""Images as inputs: only the blocks that hold something, so that an input stays small.

An input is the device's block count and then blocks with their numbers. Any bytes are an input:
numbers outside the device are left out, a block that is cut off ends with zeros.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from watosfs.block.device import BlockDevice

_NUMBER = struct.Struct("<I")
#: No input makes a larger device than so many bytes.
DEVICE_BYTES_MAX: Final = 1 << 26


@dataclass(slots=True)
class SparseImage:
    """``blocks`` maps block numbers to contents of ``unit`` bytes; all others are zero."""

    unit: int
    block_count: int
    blocks: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes, unit: int) -> Self:
        """From any input."""
        count = int.from_bytes(data[:4], "little") % (DEVICE_BYTES_MAX // unit + 1)
        image = cls(unit, max(count, 1))
        for at in range(4, len(data) - 4, unit + 4):
            (number,) = _NUMBER.unpack_from(data, at)
            if number < image.block_count:
                image.blocks[number] = data[at + 4 : at + 4 + unit].ljust(unit, b"\0")
        return image

    @classmethod
    def of_device(cls, device: BlockDevice) -> Self:
        """What a device holds."""
        return cls.of_bytes(bytes(device.read(0, device.block_count)), device.block_size_bytes)

    @classmethod
    def of_bytes(cls, raw: bytes, unit: int) -> Self:
        """From a whole image."""
        image, zeros = cls(unit, len(raw) // unit), bytes(unit)
        for number in range(image.block_count):
            block = raw[number * unit : (number + 1) * unit]
            if block != zeros:
                image.blocks[number] = block
        return image

    def copy(self) -> Self:
        """A copy to change."""
        return type(self)(self.unit, self.block_count, dict(self.blocks))

    def read(self, number: int) -> bytes:
        """One block."""
        return self.blocks.get(number) or bytes(self.unit)

    def encode(self) -> bytes:
        """As an input."""
        pieces = [_NUMBER.pack(self.block_count)]
        for number, block in sorted(self.blocks.items()):
            pieces += (_NUMBER.pack(number), block)
        return b"".join(pieces)

    def write_to(self, path: Path) -> None:
        """As an image file that other tools read; holes stay holes."""
        with path.open("wb") as stream:
            stream.truncate(self.block_count * self.unit)
            for number, block in self.blocks.items():
                stream.seek(number * self.unit)
                stream.write(block)
