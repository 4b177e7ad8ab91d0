"""A plain reader of FAT, from the specification and a whole image in memory: no caches, no runs.

What ``watosfs.fat`` reads is held against what this reads: the same names, sizes and bytes, and
damage in the same places. Besides the specification it follows these rules of ours: a name counts
once in a directory (the first); a long name that cannot be one gives way to the short name; one
cluster begins one directory only; a directory has at most 65,536 slots.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from watosfs.fat.aliases import short_name_text
from watosfs.fat.names import name_key

_SLOTS_MAX: Final = 65536
_SHOWN_BYTES: Final = 1 << 16


class Damaged(Exception):
    """What is there cannot be what the specification says."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One name: ``first`` is its cluster, ``size`` in bytes."""

    name: str
    is_directory: bool
    first: int
    size: int


class PlainFat:
    """The volume in ``raw``, whose boot sector is known to be sound. Offsets in bytes."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        word, long = self._word, self._long
        self.sector, self.per_cluster = word(11), raw[13]
        reserved, fats, self.root_entries = word(14), raw[16], word(17)
        total, fat_sectors = word(19) or long(32), word(22) or long(36)
        self.root = (reserved + fats * fat_sectors) * self.sector
        root_bytes = -(-self.root_entries * 32 // self.sector) * self.sector
        self.root_bytes = root_bytes
        self.data = self.root + root_bytes
        clusters = (total - self.data // self.sector) // self.per_cluster
        self.end = clusters + 2
        self.bits = 32 if not word(22) else 12 if clusters < 4085 else 16
        flags = word(40) if self.bits == 32 else 0
        active = flags & 15 if flags & 0x80 else 0
        self.fats = fats
        self.fat_bytes = fat_sectors * self.sector
        self.fat_start = reserved * self.sector
        self.fat = self.fat_start + active * self.fat_bytes
        self.root_cluster = long(44) if self.bits == 32 else 0
        self.mask = (1 << min(self.bits, 28)) - 1

    def _word(self, at: int) -> int:
        return int.from_bytes(self.raw[at : at + 2], "little")

    def _long(self, at: int) -> int:
        return int.from_bytes(self.raw[at : at + 4], "little")

    @property
    def cluster_bytes(self) -> int:
        return self.sector * self.per_cluster

    def entry(self, cluster: int) -> int:
        """A cluster's entry of the table."""
        if self.bits == 12:
            word = self._word(self.fat + cluster * 3 // 2)
            return word >> 4 if cluster & 1 else word & 0xFFF
        if self.bits == 16:
            return self._word(self.fat + cluster * 2)
        return self._long(self.fat + cluster * 4) & self.mask

    def chain(self, first: int) -> list[int]:
        """The clusters of a chain. Raises Damaged."""
        clusters: list[int] = []
        seen = set[int]()
        cluster = first
        while True:
            if not 2 <= cluster < self.end or cluster in seen:
                raise Damaged(f"cluster {cluster}")
            seen.add(cluster)
            clusters.append(cluster)
            following = self.entry(cluster)
            if following < 2 or following == self.mask & ~8:
                raise Damaged(f"cluster {cluster} leads to {following:#x}")
            if following >= self.mask & ~7:
                return clusters
            cluster = following

    def cluster(self, number: int) -> bytes:
        """A cluster's bytes."""
        at = self.data + (number - 2) * self.cluster_bytes
        return self.raw[at : at + self.cluster_bytes]

    def directory(self, first: int) -> list[Slot]:
        """The names of a directory; ``first`` 0 is the root of FAT12 and FAT16."""
        if not first and self.bits != 32:
            raw = self.raw[self.root : self.root + self.root_bytes]
        else:
            clusters = self.chain(first)
            if len(clusters) * self.cluster_bytes > _SLOTS_MAX * 32:
                raise Damaged("a directory larger than any")
            raw = b"".join(map(self.cluster, clusters))
        return self.names(raw)

    def names(self, raw: bytes) -> list[Slot]:
        """The names in the slots of a directory."""
        found: dict[str, Slot] = {}
        for slot in self._slots(raw):
            found.setdefault(name_key(slot.name), slot)
        return list(found.values())

    def _slots(self, raw: bytes) -> Iterator[Slot]:
        parts: list[bytes] = []
        due, checksum = -1, 0
        for at in range(0, len(raw), 32):
            slot = raw[at : at + 32]
            short, attributes = slot[:11], slot[11]
            if slot[0] == 0:
                return
            if slot[0] != 0xE5 and attributes & 0x3F == 0x0F:
                if slot[0] & 0x40:
                    due, checksum, parts = slot[0] & ~0x40, slot[13], []
                    due = due if 1 <= due <= 20 else -1
                elif slot[0] != due or slot[13] != checksum or not due:
                    due = -1
                if due > 0:
                    parts.insert(0, slot[1:11] + slot[14:26] + slot[28:32])
                    due -= 1
                continue
            is_named, due = due == 0 and checksum_of(short) == checksum, -1
            if slot[0] == 0xE5 or attributes & 8 or short in (b".          ", b"..         "):
                continue
            long = b"".join(parts).decode("utf-16-le", "surrogatepass") if is_named else ""
            name = long.partition("\0")[0]
            if not name or "/" in name or name in (".", ".."):
                name = short_name_text(short, slot[12]).replace("/", "_").replace("\0", "_")
            first = int.from_bytes(slot[26:28], "little")
            if self.bits == 32:
                first |= int.from_bytes(slot[20:22], "little") << 16
            if name:
                size = int.from_bytes(slot[28:32], "little")
                yield Slot(name, bool(attributes & 0x10), first, size)

    def contents(self, slot: Slot) -> bytes:
        """A file's bytes, the first 64 KiB of it. Raises Damaged."""
        if not slot.size:
            return b""
        clusters = self.chain(slot.first) if slot.first else []
        if len(clusters) * self.cluster_bytes < slot.size:
            raise Damaged("a chain shorter than the size")
        shown = min(slot.size, _SHOWN_BYTES)
        count = -(-shown // self.cluster_bytes)
        return b"".join(map(self.cluster, clusters[:count]))[:shown]


def checksum_of(short: bytes) -> int:
    """The checksum over the 11 bytes of a short name, as the specification writes it."""
    total = 0
    for byte in short:
        total = ((total & 1) << 7 | total >> 1) + byte & 0xFF
    return total
