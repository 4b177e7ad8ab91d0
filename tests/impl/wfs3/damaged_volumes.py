"""Volumes to damage: everything that can be in one, who owns a block, copies with one changed."""

import os
import random
import stat
from collections.abc import Iterator

from watosfs.block.device import BlockDevice
from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.format import decode_superblock
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.node import HEADER, node_crc
from watosfs.wfs3.repair import blocks_of
from watosfs.wfs3.repairer.salvage import Salvage
from watosfs.wfs3.volume import Volume

BLOCKS = 2048
#: path -> (kind, content, attributes)
Tree = dict[bytes, tuple[int, bytes | None, dict[bytes, bytes]]]


def clock() -> int:
    return 1_000_000_000


def a_volume(entries_max: int | None = 4) -> MemoryDevice:
    """Every kind of thing, in trees of some height."""
    device = MemoryDevice(BLOCKS)
    mkfs(device, clock=clock)
    rng = random.Random(5)
    with Volume.mount(device, clock=clock, node_entries_max=entries_max) as volume:
        for d in range(3):
            volume.mkdir(b"/d%d" % d, 0o755)
            volume.mkdir(b"/d%d/sub" % d, 0o750)
            for f in range(4):
                path = b"/d%d/sub/f%d" % (d, f)
                write(volume, path, rng.randbytes((0, 90, 5000, 90000)[f]))
        volume.link(b"/d0/sub/f2", b"/hard")
        volume.symlink(b"d0/sub/f1", b"/short")
        volume.symlink(b"x" * 1000, b"/long")
        volume.setxattr(b"/d1/sub/f3", b"user.small", b"1", 0)
        volume.setxattr(b"/d2/sub", b"user.large", rng.randbytes(900), 0)
        handle = volume.open(b"/sparse", os.O_CREAT | os.O_WRONLY, 0o600)
        handle.pwrite(b"end", 200_000)
        handle.close()
    return device


def write(volume: Volume, path: bytes, data: bytes) -> None:
    handle = volume.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
    handle.pwrite(data, 0)
    handle.close()


def walk(volume: Volume, base: bytes = b"") -> Iterator[tuple[bytes, int, int]]:
    """(path, inode number, mode) of everything below the root."""
    for name, *_ in volume.readdir(base or b"/"):
        path = base + b"/" + name
        found = volume.stat(path, follow=False)
        yield path, found.st_ino, found.st_mode
        if stat.S_ISDIR(found.st_mode):
            yield from walk(volume, path)


def tree_of(device: MemoryDevice) -> dict[int, tuple[list[bytes], object]]:
    """Everything by inode number: its paths, and what it holds (None for a directory)."""
    found: dict[int, tuple[list[bytes], object]] = {}
    with Volume.mount(device, read_only=True) as volume:
        for path, number, mode in walk(volume):
            content: object = None
            if stat.S_ISLNK(mode):
                content = volume.readlink(path)
            elif stat.S_ISREG(mode):
                handle = volume.open(path, os.O_RDONLY, 0)
                content = (handle.pread(1 << 20, 0), attributes_of(volume, path))
                handle.close()
            found.setdefault(number, ([], content))[0].append(path)
    return found


def attributes_of(volume: Volume, path: bytes) -> dict[bytes, bytes]:
    return {key: volume.getxattr(path, key) for key in volume.listxattr(path)}


def owners_of(device: MemoryDevice) -> dict[int, tuple[str, int]]:
    """(structure, inode number) of every block that a node is in."""
    superblock = decode_superblock(bytes(device.read(0)))
    assert superblock is not None
    salvage = Salvage(device, superblock)
    salvage.read(None)
    owners = {start: owner for start, _, owner in salvage.walker.claims}
    for number, saved in salvage.saved.items():
        for extent in saved.data.extents:
            for block in range(*blocks_of(extent)):
                owners[block] = ("data", number)
    for start, end in salvage.known_free():
        assert not set(range(start, end)) & set(owners)
    return owners


def with_block(device: BlockDevice, block: int, data: bytes) -> MemoryDevice:
    """A copy in which one block is another."""
    copy = MemoryDevice(device.block_count)
    for index in range(device.block_count):
        copy.write(index, bytes(device.read(index)))
    copy.write(block, data)
    return copy


def resealed(data: bytes) -> bytes:
    """A node with the CRC that it should have."""
    head = bytearray(data)
    HEADER.pack_into(head, 0, *HEADER.unpack_from(head)[:5], 0)
    HEADER.pack_into(head, 0, *HEADER.unpack_from(head)[:5], node_crc(bytes(head)))
    return bytes(head)
