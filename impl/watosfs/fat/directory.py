"""One directory in memory: its slots as they are on disk, and its names in dicts.

Changes are made to the slots here; ``dirty`` are the sectors that the next write-back takes. A
directory that grows gets its new cluster zeroed on disk at once, before anything leads there.
"""

# Size: slots and names change together, in one class.

import errno
from collections.abc import Callable, Collection, Iterator
from typing import Final

from watosfs.errors import failure
from watosfs.fat import names
from watosfs.fat.aliases import (
    SHORT_NAME_SIZE,
    alias,
    exact_short_name,
    short_name_text,
)
from watosfs.fat.chains import Chain, Chains
from watosfs.fat.entries import (
    DOT,
    DOT_DOT,
    END,
    FREE,
    VOLUME_LABEL,
    encode_entry,
    is_long_name,
    iter_entries,
)
from watosfs.fat.format import DIRECTORY_SLOTS_MAX, ENTRY_SIZE, Geometry
from watosfs.fat.node import Node

_DELETED: Final = bytes([FREE])


class Directory:
    """``node`` is the directory's own, None for the root. ``chain`` is None for the root of FAT12
    and FAT16, which lies in one place and cannot grow. ``number`` gives a new node its number.
    """

    def __init__(
        self,
        geometry: Geometry,
        node: Node | None,
        chain: Chain | None,
        raw: bytearray,
        number: Callable[[], int],
    ) -> None:
        self.geometry = geometry
        self.node = node
        self.chain = chain
        self.raw = raw
        self.dirty: set[int] = set()
        self._number = number
        self._names: dict[str, Node] = {}
        self.subdirectory_count = 0
        self._shorts: dict[bytes, Node] = {}
        self._used = bytearray(len(raw) // ENTRY_SIZE)
        #: Sectors with rubbish behind the end mark, which must go before the mark may move.
        self._rubbish: set[int] = set()
        self.label: bytes | None = None
        self._label_slot = -1
        self._parse()

    # -- reading

    def _parse(self) -> None:
        parts = names.LongNameParts()
        raw, used = self.raw, self._used
        for slot, fields in enumerate(iter_entries(raw)):
            short, attributes = fields[0], fields[1]
            if short[0] == END:
                self._clear_after(slot)
                break
            if short[0] == FREE:
                parts.drop()
                continue
            used[slot] = 1
            if is_long_name(attributes):
                parts.add(raw[slot * ENTRY_SIZE : (slot + 1) * ENTRY_SIZE], slot)
            elif attributes & VOLUME_LABEL:
                parts.drop()
                if self.label is None:
                    self.label, self._label_slot = short, slot
            elif short in (DOT, DOT_DOT):
                parts.drop()
            else:
                first_slot = parts.first_slot
                text = parts.take(short)
                if text is None:
                    first_slot = slot
                self._adopt(text, first_slot, slot, fields)

    def _clear_after(self, slot: int) -> None:
        start = slot * ENTRY_SIZE
        if self.raw.count(0, start) == len(self.raw) - start:
            return
        size = self.geometry.sector_size
        for sector in range(start // size, len(self.raw) // size):
            if any(self.raw[max(start, sector * size) : (sector + 1) * size]):
                self._rubbish.add(sector)
        self.raw[start:] = bytes(len(self.raw) - start)

    def _adopt(self, text: str | None, first_slot: int, slot: int, fields: tuple[int, ...]) -> None:
        """A node for an entry that was read."""
        short: bytes
        (short, attributes, case, hundredths, created_time, created_date, accessed_date,
         high, time, date, low, size) = fields  # type: ignore[assignment]  # fmt: skip
        if not text or "/" in text or text in (".", ".."):
            text = short_name_text(short, case).replace("/", "_").replace("\0", "_")
        if not text:
            return
        node = Node(self._number(), text, short, attributes)
        node.case = case
        node.created = (created_date, created_time, hundredths)
        node.accessed_date = accessed_date
        node.modified = (date, time)
        node.first = low | high << 16 if self.geometry.bits == 32 else low
        node.size = size
        node.directory, node.slot, node.slot_count = self, first_slot, slot - first_slot + 1
        if self._names.setdefault(names.name_key(text), node) is node:
            self.subdirectory_count += node.is_directory
        self._shorts.setdefault(short, node)

    def lookup(self, text: str) -> Node | None:
        """The node of a name or of an alias."""
        key = names.name_key(text)
        node = self._names.get(key)
        if node is None:
            exact = exact_short_name(key)
            if exact is not None:
                node = self._shorts.get(exact[0])
        return node

    def nodes(self) -> list[Node]:
        """Every node, in the order of the slots."""
        return sorted(self._names.values(), key=lambda node: node.slot)

    @property
    def is_empty(self) -> bool:
        """Whether it has no names but ``.`` and ``..``."""
        return not self._names

    # -- changing

    def prepare(
        self, chains: Chains, text: str, leaving: Collection[Node] = ()
    ) -> tuple[bytes, int, int, int]:
        """(short name, case bits, first slot, slot count) for a new name; grows when it must. What
        the nodes in ``leaving`` have may be taken. ENOSPC: there is no room, nothing has changed.
        """
        left = [node for node in leaving if node.directory is self]
        for node in left:
            self._shorts.pop(node.short_name, None)
            self._used[node.slot : node.slot + node.slot_count] = bytes(node.slot_count)
        try:
            return self._place(chains, text)
        finally:
            for node in left:
                self._shorts[node.short_name] = node
                self._used[node.slot : node.slot + node.slot_count] = b"\1" * node.slot_count

    def _place(self, chains: Chains, text: str) -> tuple[bytes, int, int, int]:
        exact = exact_short_name(text)
        if exact is not None and exact[0] not in self._shorts:
            return *exact, self._room(chains, 1), 1
        short = alias(text, self._shorts)
        count = 1 + -(-names.unit_count(text) // names.UNITS_PER_SLOT)
        return short, 0, self._room(chains, count), count

    def _room(self, chains: Chains, count: int) -> int:
        wanted = bytes(count)
        slot = self._used.find(wanted)
        while slot < 0:
            if self.chain is None or len(self._used) >= DIRECTORY_SLOTS_MAX:
                raise failure(errno.ENOSPC, reason="the directory is full")
            chains.extend(self.chain, 1)
            size = self.geometry.cluster_size
            chains.table.access.write(self.geometry.cluster_offset(self.chain.tail), bytes(size))
            self.raw += bytes(size)
            self._used += bytes(size // ENTRY_SIZE)
            slot = self._used.find(wanted)
        return slot

    def insert(self, node: Node, place: tuple[bytes, int, int, int]) -> None:
        """Put a node, whose ``name`` is set, where ``prepare`` found room."""
        node.short_name, node.case, node.slot, node.slot_count = place
        node.directory = self
        node.is_unsaved = True
        if self._rubbish:
            self.dirty |= self._rubbish
            self._rubbish = set()
        end = node.slot + node.slot_count
        self._used[node.slot : end] = b"\1" * node.slot_count
        if node.slot_count > 1:
            checksum = names.short_name_checksum(node.short_name)
            start = node.slot * ENTRY_SIZE
            self.raw[start : (end - 1) * ENTRY_SIZE] = names.encode_long_name(node.name, checksum)
        self._name(node)
        self.store(node)
        self._touch(node.slot, end)

    def store(self, node: Node) -> None:
        """Put a node's short entry into its slot."""
        start = (node.slot + node.slot_count - 1) * ENTRY_SIZE
        self.raw[start : start + ENTRY_SIZE] = node.encoded()
        self.dirty.add(start // self.geometry.sector_size)

    def remove(self, node: Node) -> None:
        """Take a node's slots away."""
        end = node.slot + node.slot_count
        for slot in range(node.slot, end):
            self.raw[slot * ENTRY_SIZE] = FREE
        self._used[node.slot : end] = bytes(node.slot_count)
        self._touch(node.slot, end)
        self._forget(node)

    def replace(self, old: Node, new: Node) -> None:
        """Let ``new`` take over the slots and names of ``old``, so that one write changes both."""
        self._forget(old)
        new.short_name, new.case = old.short_name, old.case
        new.name, new.slot, new.slot_count = old.name, old.slot, old.slot_count
        new.directory = self
        new.is_unsaved = True
        self._name(new)
        self.store(new)

    def _name(self, node: Node) -> None:
        self._names[names.name_key(node.name)] = node
        self._shorts[node.short_name] = node
        self.subdirectory_count += node.is_directory

    def _forget(self, node: Node) -> None:
        key = names.name_key(node.name)
        if self._names.get(key) is node:
            del self._names[key]
            self.subdirectory_count -= node.is_directory
        if self._shorts.get(node.short_name) is node:
            del self._shorts[node.short_name]

    def _touch(self, slot: int, end: int) -> None:
        size = self.geometry.sector_size
        self.dirty.update(range(slot * ENTRY_SIZE // size, (end * ENTRY_SIZE - 1) // size + 1))

    def set_parent_cluster(self, cluster: int) -> None:
        """Rewrite the ``..`` entry; 0 stands for the root."""
        for slot in (1, 0):
            start = slot * ENTRY_SIZE
            if bytes(self.raw[start : start + SHORT_NAME_SIZE]) == DOT_DOT:
                self.raw[start + 20 : start + 22] = (cluster >> 16).to_bytes(2, "little")
                self.raw[start + 26 : start + 28] = (cluster & 0xFFFF).to_bytes(2, "little")
                self._touch(slot, slot + 1)

    def set_label(self, chains: Chains, raw: bytes | None, stamp: tuple[int, int]) -> None:
        """Set or (None) remove the volume label. ENOSPC when the root has no room for one."""
        slot = self._label_slot
        if raw is None:
            if slot >= 0:
                self.raw[slot * ENTRY_SIZE] = FREE
                self._used[slot] = 0
                self._label_slot = -1
        else:
            if slot < 0:
                slot = self._label_slot = self._room(chains, 1)
                self._used[slot] = 1
                self.dirty |= self._rubbish
                self._rubbish = set()
            date, time = stamp
            self.raw[slot * ENTRY_SIZE : (slot + 1) * ENTRY_SIZE] = encode_entry(
                raw, VOLUME_LABEL, 0, 0, time, date, date, 0, time, date, 0, 0
            )
        self.label = raw
        if slot >= 0:
            self._touch(slot, slot + 1)

    # -- on disk

    def disk_offset(self, offset: int) -> int:
        """Where a byte of the directory is on the volume."""
        if self.chain is None:
            return self.geometry.root_start + offset
        index, rest = divmod(offset, self.geometry.cluster_size)
        return self.geometry.cluster_offset(self.chain.cluster(index)) + rest

    def slot_offsets(self, node: Node) -> Iterator[int]:
        """Where a node's slots are on the volume."""
        for slot in range(node.slot, node.slot + node.slot_count):
            yield self.disk_offset(slot * ENTRY_SIZE)

    def dots_piece(self) -> tuple[int, bytes]:
        """(offset on the volume, bytes) of ``.`` and ``..``."""
        return self.disk_offset(0), bytes(self.raw[: 2 * ENTRY_SIZE])

    def dirty_pieces(self) -> Iterator[tuple[int, bytes]]:
        """(offset on the volume, bytes) of what the next write-back has to write, joined."""
        size, pending = self.geometry.sector_size, list[tuple[int, int]]()
        for sector in sorted(self.dirty):
            if pending and sector == pending[-1][1]:
                start = pending[-1][0]
                there = self.disk_offset(start * size) + (sector - start) * size
                if there == self.disk_offset(sector * size):
                    pending[-1] = (start, sector + 1)
                    continue
            pending.append((sector, sector + 1))
        for low, high in pending:
            yield self.disk_offset(low * size), bytes(self.raw[low * size : high * size])
