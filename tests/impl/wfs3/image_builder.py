"""Small WFS v3 volumes built by hand from the format modules, to be broken one field at a time.

``VolumeImage`` takes files and directories, ``lay_out`` turns them into nodes at block numbers, and
``device`` packs whatever those nodes say by then: a test changes one value in between, so that the
CRC is right and the value is wrong. Nothing of the trees or the volume is used, so this is no copy
of their mistakes.
"""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from watosfs.block.device import Accept, Buffer, Capabilities
from watosfs.wfs3 import format as f
from watosfs.wfs3.node import (
    DIRECTORY,
    EXTENTS,
    FREE,
    INODES,
    ORPHANS,
    Node,
    NodeKind,
    encode_node,
)
from watosfs.wfs3.records import Extent, Inode, encode_entry

NOW_NS = 1_700_000_000_123_456_789
GENERATION = 9
_TYPES = {0o100000: 1, 0o040000: 2, 0o120000: 3}


class ImageDevice:
    """A read-only device over bytes that counts the blocks read and fails where it is told to."""

    block_size_bytes = f.BLOCK_SIZE
    capabilities = Capabilities(read_only=True)

    def __init__(self, contents: bytes, failing: Sequence[int] = ()) -> None:
        self.contents = bytes(contents)
        self.block_count = len(contents) // f.BLOCK_SIZE
        self.failing = frozenset(failing)
        self.blocks_read = 0
        self._blocks: dict[tuple[int, int], bytes] = {}

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        self.blocks_read += count
        if not 0 <= block < block + count <= self.block_count:
            raise OSError(22, "outside the device")
        if self.failing.intersection(range(block, block + count)):
            raise OSError(5, "medium error")
        found = self._blocks.get((block, count))
        if found is None:
            found = self.contents[block * f.BLOCK_SIZE : (block + count) * f.BLOCK_SIZE]
            self._blocks[block, count] = found
        return found

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        raise OSError(30, "read-only")

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        raise OSError(30, "read-only")

    def flush(self) -> None: ...

    def discard(self, block: int, count: int) -> None: ...

    def close(self) -> None: ...


class VolumeImage:
    """A volume in the making. A low ``leaf_entries_max`` makes trees of several levels."""

    def __init__(
        self, total_blocks: int = 256, leaf_entries_max: int = 1000, gaps: bool = True
    ) -> None:
        self.total_blocks = total_blocks
        self.leaf_entries_max = leaf_entries_max
        self.gaps = gaps
        self.inodes: dict[int, Inode] = {}
        self.names: dict[int, list[tuple[bytes, int, int]]] = {}
        self.extents: dict[int, list[tuple[int, bytes]]] = {}
        self.orphans: list[int] = []
        self.nodes: dict[int, Node] = {}
        self.data: dict[int, bytes] = {}
        #: Root block of each tree by name: "inodes", "free", "orphans", "directory 1", "extents 4".
        self.root: dict[str, int] = {}
        self._next = 2
        root = Inode(1, 0o040755, NOW_NS, nlink=2)
        self.inodes[1] = root
        self.names[1] = [(b".", 1, 2), (b"..", 1, 2)]

    # -- what is in it

    def _add(self, parent: int | None, name: bytes, mode: int, nlink: int) -> Inode:
        inode = Inode(len(self.inodes) + 1, mode, NOW_NS, nlink)
        self.inodes[inode.number] = inode
        if parent is not None:
            self.names[parent].append((name, inode.number, _TYPES[mode & 0o170000]))
        return inode

    def add_directory(self, parent: int, name: bytes) -> int:
        inode = self._add(parent, name, 0o040755, 2)
        self.names[inode.number] = []
        self.inodes[parent].nlink += 1
        return inode.number

    def add_file(
        self,
        parent: int | None,
        name: bytes,
        contents: bytes = b"",
        pieces: Sequence[tuple[int, bytes]] | None = None,
        size: int | None = None,
    ) -> int:
        """A file, inline up to 160 bytes, else in extents; ``pieces`` are (file offset, bytes)."""
        inode = self._add(parent, name, 0o100644, 1 if parent is not None else 0)
        inode.size = len(contents) if size is None else size
        if pieces is None and len(contents) <= f.INLINE_SIZE_MAX:
            inode.inline = contents
        else:
            whole = [
                (offset, contents[offset : offset + f.CHUNK_SIZE])
                for offset in range(0, len(contents), f.CHUNK_SIZE)
            ]
            self.extents[inode.number] = list(pieces) if pieces is not None else whole
        if parent is None:
            self.orphans.append(inode.number)
        return inode.number

    def add_symlink(self, parent: int, name: bytes, target: bytes) -> int:
        number = self.add_file(parent, name, target)
        self.inodes[number].mode = 0o120777
        self.names[parent][-1] = (name, number, 3)
        return number

    def add_link(self, parent: int, name: bytes, number: int) -> None:
        self.names[parent].append((name, number, _TYPES[self.inodes[number].mode & 0o170000]))
        self.inodes[number].nlink += 1

    # -- where it goes

    def take(self, count: int = 1) -> int:
        block = self._next
        self._next += count
        return block

    def _tree(self, name: str, kind: NodeKind, keys: list[int], values: list[Any]) -> int:
        size = min(kind.capacity, self.leaf_entries_max)
        level = 0
        while True:
            row: list[tuple[int, int]] = []
            for start in range(0, max(len(keys), 1), size):
                part_keys, part_values = keys[start : start + size], values[start : start + size]
                block = self.take()
                node = Node(kind, level, list(part_keys), list(part_values), block)
                node.generation = GENERATION
                self.nodes[block] = node
                row.append((part_keys[0] if start else 0, block))
            if len(row) == 1:
                self.root[name] = row[0][1]
                return row[0][1]
            keys, values = [key for key, _ in row], [block for _, block in row]
            size = max(2, min(254, self.leaf_entries_max))
            level += 1

    def _lay_out_extents(self, number: int, pieces: list[tuple[int, bytes]]) -> None:
        inode = self.inodes[number]
        extents: list[Extent] = []
        for offset, contents in pieces:
            count = f.block_count_of(len(contents))
            stored = contents.ljust(count * f.BLOCK_SIZE, b"\0")
            block = self.take(count)
            self.data[block] = stored
            if self.gaps:
                self.take()
            extents.append(Extent(offset, block, len(stored), 0, 1, crc32(stored), GENERATION - 1))
            inode.blocks += count
        keys = [extent.file_offset for extent in extents]
        inode.extent_root = self._tree(f"extents {number}", EXTENTS, keys, list(extents))

    def lay_out(self) -> "VolumeImage":
        """Give everything a block; afterwards ``nodes``, ``data`` and ``copies`` may be changed."""
        for number, pieces in self.extents.items():
            if pieces:
                self._lay_out_extents(number, pieces)
        for number, names in self.names.items():
            if names:
                entries = sorted((f.name_hash(name), name, to, kind) for name, to, kind in names)
                self.inodes[number].extent_root = self._tree(
                    f"directory {number}",
                    DIRECTORY,
                    [hashed for hashed, _, _, _ in entries],
                    [encode_entry(to, kind, hashed, name) for hashed, name, to, kind in entries],
                )
        numbers = sorted(self.inodes)
        root = self._tree("inodes", INODES, numbers, [self.inodes[number] for number in numbers])
        orphan_root = 0
        if self.orphans:
            orphan_root = self._tree(
                "orphans", ORPHANS, sorted(self.orphans), [GENERATION] * len(self.orphans)
            )
        starts, _counts = self._free_ranges(self._next)
        free_root = self._tree("free", FREE, starts, [0] * len(starts))
        self.fill_free_tree()
        _, counts = self._free_ranges(self._next)
        self.superblock = f.Superblock(
            f.MAGIC_WFS3, 3, 0, f.SIGNATURE, f.BLOCK_SIZE, f.CHUNK_SIZE, self.total_blocks,
            sum(counts), root, GENERATION, free_root, len(numbers), len(numbers) + 1,
            f.DATA_START_BLOCK, f.COMPAT_NANOSECOND_TIMES, f.RO_COMPAT_ORPHAN_TREE,
            f.INCOMPAT_RAW_DATA, bytes(range(16)), b"built by hand", 0, 0, NOW_NS, orphan_root,
        )  # fmt: skip
        self.copies = [self.superblock, self.superblock]
        return self

    def fill_free_tree(self) -> None:
        """Write the complement of all that is used into the free tree, keeping its shape."""
        starts, counts = self._free_ranges(self._next)
        for block in sorted(self.nodes):
            node = self.nodes[block]
            if node.kind is FREE and not node.level:
                size = len(node.keys)
                node.keys, node.values = starts[:size], counts[:size]
                starts, counts = starts[size:], counts[size:]
        parents = [node for node in self.nodes.values() if node.kind is FREE and node.level == 1]
        for parent in parents:
            for position, child in enumerate(parent.values):
                if position:
                    parent.keys[position] = self.nodes[child].keys[0]

    def _free_ranges(self, end: int) -> tuple[list[int], list[int]]:
        used = set(self.nodes)
        for block, contents in self.data.items():
            used.update(range(block, block + len(contents) // f.BLOCK_SIZE))
        starts: list[int] = []
        counts: list[int] = []
        before = -1
        for block in [block for block in range(2, end) if block not in used]:
            if block == before + 1:
                counts[-1] += 1
            else:
                starts.append(block)
                counts.append(1)
            before = block
        if before == end - 1:
            counts[-1] += self.total_blocks - end
        elif end < self.total_blocks:
            starts.append(end)
            counts.append(self.total_blocks - end)
        return starts, counts

    # -- what a test takes hold of

    def leaf(self, name: str, position: int = 0) -> Node:
        """The leaf number ``position`` of the tree of that name."""
        return self.leaves(name)[position]

    def leaves(self, name: str) -> list[Node]:
        row = [self.nodes[self.root[name]]]
        while row[0].level:
            row = [self.nodes[child] for node in row for child in node.values]
        return row

    def set_superblock(self, **fields: Any) -> None:
        """Change fields in both copies."""
        self.copies = [copy._replace(**fields) for copy in self.copies]

    def contents(self) -> bytearray:
        """The packed volume."""
        image = bytearray(self.total_blocks * f.BLOCK_SIZE)

        def put(block: int, data: bytes) -> None:
            image[block * f.BLOCK_SIZE : block * f.BLOCK_SIZE + len(data)] = data

        for slot, superblock in enumerate(self.copies):
            put(slot, f.encode_superblock(superblock))
        for block, node in self.nodes.items():
            put(block, encode_node(node, node.generation))
        for block, contents in self.data.items():
            put(block, contents)
        return image

    def device(self, failing: Sequence[int] = ()) -> ImageDevice:
        return ImageDevice(bytes(self.contents()), failing)


COLLIDING_NAMES = (b"7mohtcOFVz", b"c1E51sSEyx")


def sample_image(**shape: Any) -> VolumeImage:
    """A volume with one of everything: used by most tests of the checker.

    Inodes: 1 root, 2 /d, 3 /d/e, 4 /inline, 5 /big (three extents), 6 /sparse, 7 /short-link, 8
    /long-link, 9 an orphan with data, 10 /d/linked (also /again), 11 /d/e/empty, 12 and 13 the
    colliding names in /d.
    """
    image = VolumeImage(**shape)
    d = image.add_directory(1, b"d")
    e = image.add_directory(d, b"e")
    image.add_file(1, b"inline", b"hello")
    image.add_file(1, b"big", bytes(range(256)) * 600)
    pieces = [(8192, b"x" * 100), (1 << 33, b"y" * 5000)]
    image.add_file(1, b"sparse", pieces=pieces, size=(1 << 33) + 5000)
    image.add_symlink(1, b"short-link", b"d/e")
    image.add_symlink(1, b"long-link", b"t" * 300)
    image.add_file(None, b"", b"o" * 5000)
    linked = image.add_file(d, b"linked", b"z" * 200)
    image.add_link(1, b"again", linked)
    image.add_file(e, b"empty")
    for name in COLLIDING_NAMES:
        image.add_file(d, name, b"same hash")
    return image.lay_out()
