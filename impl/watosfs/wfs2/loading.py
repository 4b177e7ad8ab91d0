"""What a mount reads: the superblock that counts, and the file table as a tree.

Bounded: three blocks and the table (at most 2048 blocks), whatever the image says.
"""

import errno

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError, failure
from watosfs.wfs2.format import (
    BLOCK_SIZE,
    EMPTY_ENTRY,
    ENTRIES_IN_BLOCK,
    ENTRY_SIZE,
    FLAG_DIRECTORY,
    MAGIC,
    NAME_MAX,
    Entry,
    Layout,
    Superblock,
    decode_entry,
    decode_superblock,
    is_proper_name,
)
from watosfs.wfs2.node import ROOT_NUMBER, Node
from watosfs.wfs2.space import Space


def read_superblock(device: BlockDevice) -> Superblock:
    """The first copy that is right: of block 0, the middle or the end of the device.

    EINVAL: no WFS v2 volume. EUCLEAN: one whose copies are all damaged.
    """
    if device.block_size_bytes != BLOCK_SIZE:
        raise failure(errno.EINVAL, reason=f"blocks of {device.block_size_bytes} bytes")
    count, first = device.block_count, None
    for block in dict.fromkeys((0, count // 2, count - 1)):
        raw = bytes(device.read(block))
        try:
            return decode_superblock(raw, block, count)
        except DamageError as error:
            if raw[:4] == MAGIC.to_bytes(4, "little"):
                first = first or error
    raise first or failure(errno.EINVAL, reason="no WFS v2 volume")


def read_table(device: BlockDevice, layout: Layout) -> list[bytes]:
    """Every entry as its 128 bytes; zeros for those that the middle copies cover."""
    entries: list[bytes] = []
    for at in range(0, layout.table_blocks, 256):
        count = min(256, layout.table_blocks - at)
        raw = bytes(device.read(layout.table_block + at, count))
        entries += [raw[i : i + ENTRY_SIZE] for i in range(0, len(raw), ENTRY_SIZE)]
    for block in range(layout.mid - 1, layout.mid + 2):
        at = (block - layout.table_block) * ENTRIES_IN_BLOCK
        if 0 <= at < len(entries):
            entries[at : at + ENTRIES_IN_BLOCK] = [EMPTY_ENTRY] * ENTRIES_IN_BLOCK
    return entries[: layout.max_files]


class Loaded:
    """The tree, the free space, and what is wrong: ``damage`` says why nothing may be changed.

    ``leftovers`` are slots that a power cut left behind: replaced names, and what lies below a
    name that became a file's.
    """

    def __init__(self, device: BlockDevice) -> None:
        self.superblock = read_superblock(device)
        self.layout = Layout(self.superblock.total_blocks, self.superblock.max_files)
        self.raw = read_table(device, self.layout)
        self.space = Space(self.layout.data_runs())
        self.damage = ""
        self.leftovers: list[int] = []
        self.owners: dict[int, Node] = {}
        self.root = Node(ROOT_NUMBER, b"", None, {})
        self.nodes = {ROOT_NUMBER: self.root}
        self.modified_ns = 0
        self._build(self._entries())

    def _entries(self) -> dict[int, Entry]:
        found: dict[int, Entry] = {}
        for slot, raw in enumerate(self.raw):
            if not raw[0]:
                continue
            try:
                entry = decode_entry(raw, self.layout, slot)
            except DamageError as error:
                self.damage = self.damage or str(error.strerror)
                continue
            assert entry is not None
            found[slot] = entry
            self.modified_ns = max(self.modified_ns, entry.modified_ns)
            if entry.is_directory:
                continue
            if not self.space.take_at(entry.start_block, entry.block_count):
                where = f"{entry.start_block} to {entry.start_block + entry.block_count}"
                self.damage = self.damage or f"blocks {where} belong to others as well"
        return found

    def _build(self, entries: dict[int, Entry]) -> None:
        """The newest entry of a name counts, the first of equals."""
        best: dict[bytes, int] = {}
        for slot in sorted(entries, key=lambda slot: (-entries[slot].modified_ns, slot)):
            entry = entries[slot]
            if not is_proper_name(entry.name):
                continue
            if entry.name not in best:
                best[entry.name] = slot
            elif len(entry.name) < NAME_MAX or entry.modified_ns:
                self.leftovers.append(slot)
        # Shorter names first, so that folders are there before what is in them.
        for name in sorted(best, key=lambda name: name.count(b"/")):
            slot, entry = best[name], entries[best[name]]
            parent = self._folder(name.split(b"/")[:-1])
            if parent is None:
                self.leftovers.append(slot)
                continue
            self._add(parent, name.rpartition(b"/")[2], slot, entry)

    def _folder(self, parts: list[bytes]) -> Node | None:
        """The folder of a path, made where only names of files make it; None below a file."""
        node = self.root
        for part in parts:
            children = node.children
            if children is None:
                return None
            if part not in children:
                number = len(self.nodes) + ROOT_NUMBER
                children[part] = self.nodes[number] = Node(number, part, node, {})
            node = children[part]
        return node if node.is_directory else None

    def _add(self, parent: Node, name: bytes, slot: int, entry: Entry) -> None:
        number = len(self.nodes) + ROOT_NUMBER
        node = Node(number, name, parent, {} if entry.is_directory else None, slot)
        node.flags = entry.flags & ~FLAG_DIRECTORY
        node.size, node.data_crc = entry.size, entry.data_crc
        node.extent = (entry.start_block, entry.block_count)
        node.modified_ns = entry.modified_ns
        assert parent.children is not None
        parent.children[name] = self.nodes[number] = node
        self.owners[slot] = node
