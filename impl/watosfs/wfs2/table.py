"""The file table read into a tree of nodes, and what does not fit together found on the way.

Bounded by the table: at most 65,536 entries with paths of 55 bytes. A damaged entry is left where
it is and named in ``damage``; the rest of the volume goes on, read-only.
"""

from typing import NamedTuple

from watosfs.block.device import BlockDevice
from watosfs.errors import DamageError
from watosfs.wfs2.entries import DIRECTORY, ENTRY_SIZE, Entry, decode_entry
from watosfs.wfs2.format import ENTRIES_IN_BLOCK, Geometry
from watosfs.wfs2.node import ROOT_NUMBER, Node


class Slot(NamedTuple):
    """An entry in the table, or what is wrong with it."""

    number: int
    entry: Entry | None
    problem: DamageError | None = None


def read_slots(device: BlockDevice, geometry: Geometry) -> tuple[list[Slot], list[int]]:
    """(the slots in use, the free ones), ascending. EIO as the device says."""
    found: list[Slot] = []
    free: list[int] = []
    for block in geometry.table_blocks():
        raw = memoryview(device.read(block))
        first = (block - geometry.filetable_block) * ENTRIES_IN_BLOCK
        for i in range(min(ENTRIES_IN_BLOCK, geometry.max_files - first)):
            data = bytes(raw[i * ENTRY_SIZE : (i + 1) * ENTRY_SIZE])
            try:
                entry = decode_entry(data, block, geometry)
            except DamageError as error:
                found.append(Slot(first + i, None, error))
                continue
            if entry is None:
                free.append(first + i)
            else:
                found.append(Slot(first + i, entry))
    return found, free


class Tree:
    """The nodes of a table.

    ``stale`` are slots of a name that a newer entry has too: a rename was cut between its steps.
    ``damage`` says what is wrong beyond that.
    """

    def __init__(self, slots: list[Slot]) -> None:
        self.root = Node(ROOT_NUMBER, Entry(b"", flags=DIRECTORY), children={})
        self.nodes: dict[int, Node] = {ROOT_NUMBER: self.root}
        self.next_number = ROOT_NUMBER + 1
        self.stale: list[tuple[int, Entry]] = []
        self.damage: list[str] = [str(slot.problem) for slot in slots if slot.problem]
        self.implied: list[Node] = []
        newest = self._newest([slot for slot in slots if slot.entry])
        for number, entry in sorted(newest.values()):
            if entry.is_directory:
                self._directory(entry.name, number, entry)
        for number, entry in sorted(newest.values()):
            if not entry.is_directory:
                self._file(number, entry)
        self._overlaps()

    def _newest(self, slots: list[Slot]) -> dict[bytes, tuple[int, Entry]]:
        """By name; of two entries of a name the one that was changed later, else the first."""
        found: dict[bytes, tuple[int, Entry]] = {}
        for slot in slots:
            entry = slot.entry
            assert entry is not None
            other = found.get(entry.name)
            if other is None:
                found[entry.name] = (slot.number, entry)
            elif entry.modified > other[1].modified:
                self.stale.append(other)
                found[entry.name] = (slot.number, entry)
            else:
                self.stale.append((slot.number, entry))
        return found

    def add(self, parent: Node, name: bytes, slot: int | None, entry: Entry) -> Node:
        """A new node below ``parent``, in memory."""
        assert parent.children is not None
        children: dict[bytes, Node] | None = {} if entry.is_directory else None
        node = Node(self.next_number, entry, name, parent, slot, entry.size, children)
        self.next_number += 1
        self.nodes[node.number] = node
        parent.children[name] = node
        return node

    def _directory(self, path: bytes, slot: int | None, entry: Entry | None) -> Node | None:
        """The directory of a path, made with those above it; None below what is a file."""
        if not path:
            return self.root
        above, _, name = path.rpartition(b"/")
        parent = self._directory(above, None, None)
        if parent is None or parent.children is None:
            return None
        node = parent.children.get(name)
        if node is None:
            node = self.add(parent, name, slot, entry or Entry(path, flags=DIRECTORY))
            if slot is None:
                self.implied.append(node)
        elif slot is not None and entry is not None and node.slot is None:
            node.slot, node.entry = slot, entry
            self.implied.remove(node)
        if slot is not None:
            node.durable = entry
        return node

    def _file(self, slot: int, entry: Entry) -> None:
        above, _, name = entry.name.rpartition(b"/")
        parent = self._directory(above, None, None)
        if parent is None or parent.children is None:
            self.damage.append(f"{entry.name!r} is below a file")
        elif name in parent.children:
            self.damage.append(f"{entry.name!r} is a file and a directory")
        else:
            self.add(parent, name, slot, entry).durable = entry

    def _overlaps(self) -> None:
        """Mark every file whose blocks are another's too."""
        found: list[tuple[Entry, Node | None]] = [
            (node.entry, node) for node in self.nodes.values() if node.entry.blocks
        ]
        found += [(entry, None) for _, entry in self.stale if entry.blocks]
        found.sort(key=lambda pair: pair[0].start_block)
        widest: tuple[Entry, Node | None] | None = None
        for pair in found:
            if widest is not None and pair[0].start_block < end_of(widest[0]):
                for one, other in ((pair, widest), (widest, pair)):
                    text = f"{one[0].name!r} has blocks of {other[0].name!r}"
                    self.damage.append(text)
                    if one[1] is not None and not one[1].damage:
                        one[1].damage = text
            if widest is None or end_of(pair[0]) > end_of(widest[0]):
                widest = pair


def end_of(entry: Entry) -> int:
    """The block behind a file's last."""
    return entry.start_block + entry.blocks
