"""Clusters that are in use and belong to nobody: chains that get a name again.

What a power cut leaves behind is found here. A chain that begins like a directory becomes one
again, with all that is below it; any other becomes a file ``FSCKnnnn.REC`` in the root.
"""

from typing import Final

from watosfs.block.device import SECTOR_SIZE_BYTES
from watosfs.fat.aliases import SHORT_NAME_SIZE
from watosfs.fat.checker.image import Image
from watosfs.fat.checker.report import Report
from watosfs.fat.checker.tree import Tree
from watosfs.fat.entries import ARCHIVE, DIRECTORY, DOT, END, FREE, decode_entry, encode_entry
from watosfs.fat.format import DIRECTORY_SLOTS_MAX, ENTRY_SIZE, FILE_SIZE_MAX

_NAMES_MAX: Final = 10_000
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
        found = []
        self.report.clusters_bad = 0
        for cluster in range(2, image.cluster_end):
            value = image.entries[cluster] & mask
            if value == bad:
                self.report.clusters_bad += 1
            elif value and not owned[cluster]:
                found.append(cluster)
        return found

    def reclaim(self, reconnect: bool) -> None:
        """Report what is lost and give it a name, or free it where the root is full."""
        lost = self.clusters()
        if not lost:
            return
        self.report.clusters_lost = len(lost)
        self.report.add("lost", "table", f"{len(lost)} clusters in use that belong to nothing")
        while lost and reconnect:
            # Directories first: the files below them are no heads once they are found.
            heads = self._heads(lost)
            directories = [head for head in heads if self._is_directory(head)]
            if not self._reconnect((directories or heads or lost)[0]):
                break
            owned = self.image.owned
            lost = [cluster for cluster in lost if not owned[cluster] and self.image.get(cluster)]
        for cluster in lost:
            self.image.put(cluster, 0)

    def _heads(self, lost: list[int]) -> list[int]:
        led_to = {self.image.get(cluster) for cluster in lost}
        heads = [cluster for cluster in lost if cluster not in led_to]
        below = {first for head in heads for first in self._firsts_below(head)}
        return [head for head in heads if head not in below] or heads

    def _first_cluster(self, head: int) -> bytearray:
        return self.image.load([head])

    def _is_directory(self, head: int) -> bool:
        entry = decode_entry(self._first_cluster(head))
        bits = self.image.geometry.bits
        return entry.name == DOT and entry.is_directory and entry.cluster(bits) == head

    def _firsts_below(self, head: int) -> list[int]:
        """What the entries in the first cluster of a lost directory lead to."""
        if not self._is_directory(head):
            return []
        raw, found = self._first_cluster(head), []
        for start in range(2 * ENTRY_SIZE, len(raw), ENTRY_SIZE):
            if raw[start] == 0:
                break
            if raw[start] != FREE:
                found.append(decode_entry(raw, start).cluster(self.image.geometry.bits))
        return found

    def _reconnect(self, head: int) -> bool:
        """Give a chain a name in the root; False when the root has no room."""
        place = self._root_slot()
        if place is None:
            return False
        offset, names = place
        number = next(n for n in range(_NAMES_MAX) if b"FSCK%04dREC" % n not in names)
        name = b"FSCK%04dREC" % number
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
        return True

    def _root_slot(self) -> tuple[int, set[bytes]] | None:
        """Where an entry can go in the root, on the volume, and the short names that are there."""
        names, free = set[bytes](), -1
        for offset, size in self._root_pieces():
            raw = self.image.read(offset, size)
            for start in range(0, len(raw), ENTRY_SIZE):
                if raw[start] not in (END, FREE):
                    names.add(bytes(raw[start : start + SHORT_NAME_SIZE]))
                elif free < 0:
                    free = offset + start
        if free < 0:
            free = self._grow_root()
        return None if free < 0 or len(names) >= _NAMES_MAX else (free, names)

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
