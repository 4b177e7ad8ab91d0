"""What ``mkfs`` makes a volume on: a new file, an old one (which gives its space back), or a
partition.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from watosfs.block.device import BlockDevice
from watosfs.block.file import FileDevice
from watosfs.block.partitions import open_partition
from watosfs.cli.location import image_parts


@contextmanager
def blank(image: str, size_bytes: int | None, block_size_bytes: int) -> Iterator[BlockDevice]:
    """A device in blocks of that size for a volume to be made on. ``size_bytes`` is that of a new
    file, and the new one of a file that is there. Raises OSError; ENXIO: no such partition.
    """
    file, number = image_parts(image)
    if not os.path.lexists(file):
        device = FileDevice.open(file, create_size=size_bytes, block_size_bytes=block_size_bytes)
    else:
        device = FileDevice.open(file, block_size_bytes=block_size_bytes)
    with device:
        if number is not None:
            part = open_partition(device, number)
            part.discard(0, part.block_count)
            yield part
            return
        if size_bytes is not None and size_bytes != device.block_count * block_size_bytes:
            device.resize(size_bytes)
        device.discard(0, device.block_count)
        yield device
