"""Images of WFS v3 to begin with: made by this project's own tools, small, with every structure."""

import stat
from functools import cache
from hashlib import shake_128
from itertools import count
from typing import Final

from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.format import ROOT_INODE, name_hash
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.node import DIRECTORY, INODES, Node, encode_node
from watosfs.wfs3.paths import Follow
from watosfs.wfs3.records import TYPE_FILE, Inode, encode_entry
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.parsers.images import SparseImage

BLOCKS: Final = 256
_UUID: Final = bytes(range(16))


def _device(blocks: int = BLOCKS) -> MemoryDevice:
    device = MemoryDevice(blocks)
    mkfs(device, label=b"seed", uuid=_UUID, clock=lambda: 1)
    return device


def _volume(device: MemoryDevice, entries: int | None = None) -> Volume:
    ticks = count(1_000_000_000, 1_000_000_000)
    return Volume.mount(device, clock=lambda: next(ticks), node_entries_max=entries)


def _fill(volume: Volume, files: int) -> None:
    volume.mkdir(b"/d")
    volume.mkdir(b"/d/e")
    volume.symlink(b"d/f0", b"/short")
    volume.symlink(b"x" * 300, b"/d/long")
    for number in range(files):
        with volume.create(b"/d/f%d" % number) as handle:
            handle.pwrite(b"%d" % number * (100 + number * 40), number % 3 * 4096)
    with volume.create(b"/sparse") as handle:
        handle.pwrite(b"end", 200_000)
        handle.pwrite(b"begin" * 2000, 0)
    volume.link(b"/sparse", b"/d/linked")
    volume.setxattr(b"/sparse", b"user.small", b"value")
    volume.setxattr(b"/d", b"user.large", b"v" * 500)


@cache
def images() -> tuple[bytes, ...]:
    """As inputs of the image harness."""
    found = [_device()]
    for files, entries in ((4, None), (12, 3), (24, 4)):
        # High trees need a reserve that a volume of 256 blocks has not.
        device = _device(4 * BLOCKS if entries else BLOCKS)
        volume = _volume(device, entries)
        _fill(volume, files)
        volume.sync()
        volume.unlink(b"/d/f0")
        volume.unmount()
        found.append(device)
    found += [_orphaned(), _with_fifo(), _shared_nodes(), _compressed()]
    found += [_with_snapshots()]
    return tuple(SparseImage.of_device(device).encode() for device in found)


def _orphaned() -> MemoryDevice:
    """A volume that was cut off with an unlinked file open, one generation apart."""
    device = _device()
    volume = _volume(device)
    _fill(volume, 2)
    volume.open(b"/d/f1", 2)
    volume.unlink(b"/d/f1")
    volume.sync()
    return device


def _compressed() -> MemoryDevice:
    """Files whose extents are compressed, and some that would save nothing."""
    device = _device()
    with _volume(device) as volume:
        volume.compress(b"/", 3)
        _fill(volume, 3)
        with volume.create(b"/pattern") as handle:
            handle.pwrite(b"pattern " * 10_000, 4096)
        with volume.create(b"/noise") as handle:
            handle.pwrite(shake_128(b"noise").digest(9000), 0)
    return device


def _with_snapshots() -> MemoryDevice:
    """Two snapshots and the list that a third left, of a volume that has changed since."""
    device = _device()
    with _volume(device) as volume:
        _fill(volume, 2)
        for name in (b"first", b"second", b"third"):
            volume.snapshot_create(name)
            with volume.open(b"/sparse", 2) as handle:
                handle.pwrite(name * 500, 0)
        volume.unlink(b"/d/f1")
        volume.snapshot_delete(b"second")
    return device


def _with_fifo() -> MemoryDevice:
    device = _device()
    with _volume(device) as volume:
        volume.mkdir(b"/d")
        with volume.change():
            volume.namespace.create(volume.place(b"/pipe", Follow.NEVER), 0o644, stat.S_IFIFO)
    return device


def _shared_nodes() -> MemoryDevice:
    """A directory whose nodes have one child 254 times: 254 to the 14th leaves in 15 blocks."""
    device = _device()
    key = name_hash(b"a")
    leaf = Node(DIRECTORY, 0, [key], [encode_entry(1, TYPE_FILE, key, b"a")])
    device.write(100, encode_node(leaf, 1))
    for level in range(1, 15):
        inner = Node(DIRECTORY, level, [key] * 254, [99 + level] * 254)
        device.write(100 + level, encode_node(inner, 1))
    root = Inode(ROOT_INODE, stat.S_IFDIR | 0o755, 1, 2)
    root.extent_root = 114
    device.write(2, encode_node(Node(INODES, 0, [ROOT_INODE], [root]), 1))
    return device


@cache
def nodes() -> dict[int, tuple[bytes, ...]]:
    """Every node in these images, by magic."""
    found: dict[int, list[bytes]] = {}
    for encoded in images():
        for block in SparseImage.parse(encoded, 4096).blocks.values():
            found.setdefault(int.from_bytes(block[:4], "little"), []).append(block)
    return {magic: tuple(dict.fromkeys(blocks)) for magic, blocks in found.items()}
