"""Images of WFS v2 to begin with: by our own mkfs (whose empty volume is, byte for byte, the
published one), small, with every structure; one as the published mkfs lays a small volume out.
"""

from functools import cache
from itertools import count
from typing import Final

from watosfs.block.memory import MemoryDevice
from watosfs.wfs2.blocks import boundaries
from watosfs.wfs2.format import Geometry, Superblock, encode_superblock
from watosfs.wfs2.mkfs import mkfs
from watosfs.wfs2.space import Space
from watosfs.wfs2.volume import Wfs2Volume
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.wfs2_layouts import BLOCK, ENTRY, SLOTS, SUPERBLOCK

BLOCKS: Final = 256


def _device(blocks: int = BLOCKS, files: int = 256) -> MemoryDevice:
    device = MemoryDevice(blocks)
    mkfs(device, max_files=files)
    return device


def _fill(device: MemoryDevice, files: int) -> MemoryDevice:
    ticks = count(1_000_000_000, 1_000_000_000)
    with Wfs2Volume.mount(device, clock=lambda: next(ticks)) as volume:
        volume.mkdir(b"/d")
        volume.mkdir(b"/d/e")
        for number in range(files):
            volume.write_file(b"/d/f%d" % number, b"%d" % number * (number * 1500))
        volume.write_file(b"/large", b"large" * 8000)
        volume.write_file(b"/" + b"n" * 55, b"the longest name")
        volume.write_file(b"/tool", b"x")
        volume.chmod(b"/tool", 0o755)
        volume.chmod(b"/d/f1", 0o444)
        volume.unlink(b"/d/f0")
    return device


def _overlapped() -> MemoryDevice:
    """As the published mkfs makes 1 MiB with 4,096 files: the second superblock in the table."""
    geometry = Geometry(BLOCKS, 4096)
    device = MemoryDevice(BLOCKS)
    space = Space(geometry.total_blocks, geometry.reserved_runs)
    device.write(2, space.bitmap_block(0))
    for block, raw in boundaries(geometry).items():
        device.write(block, raw)
    for block in geometry.superblocks:
        device.write(block, encode_superblock(Superblock(geometry, space.free_count, 0)))
    return device


def _without_first() -> MemoryDevice:
    """Only the backups are left."""
    device = _fill(_device(), 3)
    device.write(0, bytes(BLOCK))
    return device


def _implied() -> MemoryDevice:
    """Folders that only the paths of files say, as other writers leave them."""
    device = _fill(_device(), 3)
    raw = bytearray(device.read(4))
    for start in range(0, BLOCK, ENTRY.size):
        if ENTRY.get(raw, start, "flags") & 0x10:
            raw[start : start + ENTRY.size] = bytes(ENTRY.size)
    device.write(4, bytes(raw))
    return device


@cache
def images() -> tuple[bytes, ...]:
    """As inputs of the image harness."""
    found = [_device(), _fill(_device(), 4), _fill(_device(1024, 512), 40)]
    found += [_overlapped(), _without_first(), _implied()]
    return tuple(SparseImage.of_device(device).encode() for device in found)


def _parsed() -> list[SparseImage]:
    return [SparseImage.parse(encoded, BLOCK) for encoded in images()]


@cache
def superblocks() -> tuple[bytes, ...]:
    """256 bytes each."""
    blocks = {image.read(number) for image in _parsed() for number in (0, image.block_count // 2)}
    return tuple(sorted(raw[: SUPERBLOCK.size] for raw in blocks if any(raw)))


@cache
def table_blocks() -> tuple[bytes, ...]:
    """Blocks of tables with entries, as one block and as two."""
    found = {image.read(4) for image in _parsed()}
    blocks = sorted(block for block in found if any(block))
    return (*blocks, blocks[0] + blocks[-1])


@cache
def bitmaps() -> tuple[bytes, ...]:
    """The first block of each bitmap."""
    return tuple(sorted({image.read(2) for image in _parsed()}))


@cache
def data_blocks() -> tuple[bytes, ...]:
    """Blocks of files, one and several behind one another."""
    image = _parsed()[1]
    first = SUPERBLOCK.get(image.read(0), 0, "data_start_block")
    blocks = [image.read(number) for number in sorted(image.blocks) if number >= first]
    sealed = [block for block in blocks if block[:8] != image.read(1)[:8]][:8]
    return (*sealed, b"".join(sealed[:3]), sealed[-1][:100])


assert SLOTS * ENTRY.size == BLOCK
