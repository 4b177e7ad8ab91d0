"""Clusters that are in use and belong to nobody: chains that get a name again.

What a power cut leaves behind is found here. A chain that begins like a directory becomes one
again, with all that is below it; any other becomes a file ``FSCKnnnn.REC`` in the root.
"""

from collections.abc import Iterator
from typing import Final

from watosfs.block.device import SECTOR_SIZE_BYTES
from watosfs.fat.aliases import SHORT_NAME_SIZE
from watosfs.fat.checker.image import Image
from watosfs.fat.checker.report import Report
from watosfs.fat.checker.tree import Tree
from watosfs.fat.entries import (
    ARCHIVE,
    DIRECTORY,
    DOT,
    DOT_DOT,
    END,
    FREE,
    decode_entry,
    encode_entry,
)
from watosfs.fat.format import DIRECTORY_SLOTS_MAX, ENTRY_SIZE, FILE_SIZE_MAX

_NAME: Final = b"FSCK%04dREC"
_NAMES_MAX: Final = 10_000
_DOTS: Final = (DOT, DOT_DOT)
_DATE: Final = 1 << 5 | 1


class Lost:
    """Finds lost chains; with ``reconnect`` they get names, else they are freed."""

    def __init__(self, image: Image, report: Report, tree: Tree) -> None:
        self.image = image
        self.report = report
        self.tree = tree

    def clusters(self) -> list[int]:
        """Every cluster in use that nobody owns; bad ones are in nobody's use."""
        image = self.image
        mask, bad, owned = image.mask, image.bad, image.owned
        used = [
            (cluster, entry & mask)
            for cluster, entry in enumerate(image.entries[2:], 2)
            if entry and not owned[cluster]
        ]
        self.report.clusters_bad = sum(value == bad for _, value in used)
        return [cluster for cluster, value in used if value and value != bad]

    def reclaim(self, reconnect: bool) -> None:
        """Report what is lost and give it a name, or free it where the root is full."""
        lost = self.clusters()
        if not lost:
            return
        self.report.clusters_lost = len(lost)
        self.report.add("lost", "table", f"{len(lost)} clusters in use that belong to nothing")
        if reconnect:
            places = self._root_places()
            for head in self._heads(lost):
                if not self.image.owned[head] and self.image.get(head):
                    place = next(places, None)
                    if place is None:
                        break
                    self._reconnect(head, *place)
        for cluster in lost:
            if not self.image.owned[cluster]:
                self.image.put(cluster, 0)

    def _heads(self, lost: list[int]) -> list[int]:
        """Where to begin: directories that no other leads to, other directories, beginnings of
        chains, and what is left of circles. Who comes first owns what both lead to.
        """
        led_to = {self.image.get(cluster) for cluster in lost}
        heads = [cluster for cluster in lost if cluster not in led_to]
        directories = [head for head in heads if self._is_directory(head)]
        members, below = set(lost), set[int]()
        for head in directories:
            below.update(self._firsts_below(head, members))
        first = [head for head in directories if head not in below]
        return [*first, *directories, *heads, *lost]

    def _first_cluster(self, head: int) -> bytearray:
        return self.image.load([head])

    def _is_directory(self, head: int) -> bool:
        entry = decode_entry(self._first_cluster(head))
        bits = self.image.geometry.bits
        return entry.name == DOT and entry.is_directory and entry.cluster(bits) == head

    def _firsts_below(self, head: int, lost: set[int]) -> list[int]:
        """What the entries of a lost directory lead to."""
        found, cluster, seen = list[int](), head, set[int]()
        while cluster in lost and cluster not in seen:
            seen.add(cluster)
            raw = self.image.load([cluster])
            for start in range(0, len(raw), ENTRY_SIZE):
                if raw[start] == END:
                    return found
                if raw[start] != FREE and raw[start : start + SHORT_NAME_SIZE] not in _DOTS:
                    found.append(decode_entry(raw, start).cluster(self.image.geometry.bits))
            cluster = self.image.get(cluster)
        return found

    def _reconnect(self, head: int, offset: int, number: int) -> None:
        """Give a chain a name in the root, in the slot at ``offset`` of the volume."""
        name = _NAME % number
        clusters, kind, _ = self.image.walk(head)
        if kind:
            self.image.put(clusters[-1], self.image.end)
        is_directory = self._is_directory(head)
        size = 0
        if not is_directory:
            cluster_size = self.image.geometry.cluster_size
            most = FILE_SIZE_MAX // cluster_size
            if len(clusters) > most:
                self.image.cut(clusters, most)
            size = len(clusters) * cluster_size
            self.report.files += 1
        entry = encode_entry(
            name, DIRECTORY if is_directory else ARCHIVE, 0, 0, 0, _DATE, _DATE, head >> 16, 0,
            _DATE, head & 0xFFFF, size if size <= FILE_SIZE_MAX else FILE_SIZE_MAX,
        )  # fmt: skip
        sector = offset // SECTOR_SIZE_BYTES * SECTOR_SIZE_BYTES
        raw = self.image.read(sector, SECTOR_SIZE_BYTES)
        raw[offset - sector : offset - sector + ENTRY_SIZE] = entry
        self.image.change(sector, raw)
        if is_directory:
            self.tree.reconnected(f"/FSCK{number:04}.REC", clusters)

    def _root_places(self) -> Iterator[tuple[int, int]]:
        """(slot on the volume, number of a name) for one lost chain after another."""
        names, free = set[bytes](), list[int]()
        for offset, size in self._root_pieces():
            raw = self.image.read(offset, size)
            for start in range(0, len(raw), ENTRY_SIZE):
                if raw[start] in (END, FREE):
                    free.append(offset + start)
                else:
                    names.add(bytes(raw[start : start + SHORT_NAME_SIZE]))
        free.reverse()
        for number in range(_NAMES_MAX):
            if _NAME % number in names:
                continue
            if not free:
                grown = self._grow_root()
                if grown < 0:
                    return
                size = self.image.geometry.cluster_size
                free = list(range(grown, grown + size, ENTRY_SIZE))[::-1]
            yield free.pop(), number

    def _root_pieces(self) -> list[tuple[int, int]]:
        geometry = self.image.geometry
        if geometry.bits != 32:
            return [(geometry.root_start, geometry.data_start - geometry.root_start)]
        return [
            (geometry.cluster_offset(cluster), geometry.cluster_size)
            for cluster in self.image.root_clusters
        ]

    def _grow_root(self) -> int:
        """One more cluster for FAT32's root; where it is, or -1."""
        image = self.image
        clusters, geometry = image.root_clusters, image.geometry
        most = DIRECTORY_SLOTS_MAX * ENTRY_SIZE // geometry.cluster_size
        free = next((c for c in range(2, image.cluster_end) if not image.get(c)), 0)
        if not clusters or not free or len(clusters) >= most:
            return -1
        image.change(geometry.cluster_offset(free), bytearray(geometry.cluster_size))
        image.put(clusters[-1], free)
        image.put(free, image.end)
        image.owned[free] = 1
        clusters.append(free)
        return geometry.cluster_offset(free)
