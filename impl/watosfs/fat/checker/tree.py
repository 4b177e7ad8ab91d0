"""Every directory and file from the root down: chains, sizes, dots."""

from typing import NamedTuple

from watosfs.fat.checker.dots import looks_like_directory, mend_dots
from watosfs.fat.checker.image import Image
from watosfs.fat.checker.report import Report
from watosfs.fat.checker.slots import Item, Slots
from watosfs.fat.format import DIRECTORY_SLOTS_MAX, ENTRY_SIZE


class _Waiting(NamedTuple):
    path: str
    clusters: list[int]
    #: The first cluster of the directory above, 0 for the root.
    above: int


class Tree:
    """Walks the tree of an image; what is owned is left in ``image.owned``."""

    def __init__(self, image: Image, report: Report) -> None:
        self.image = image
        self.report = report
        #: The volume label in the root directory.
        self.label: bytes | None = None
        self._waiting: list[_Waiting] = []

    def walk(self) -> None:
        """The whole tree."""
        geometry, image = self.image.geometry, self.image
        if geometry.bits == 32:
            clusters = self._chain("/", geometry.root_cluster)
            if not clusters:
                # The root cannot be taken away: its first cluster becomes all of it.
                self.image.put(geometry.root_cluster, image.end)
                clusters = [geometry.root_cluster]
                image.owned[geometry.root_cluster] = 1
            image.root_clusters = clusters
            self._directory(_Waiting("", clusters, 0), is_root=True)
        else:
            raw = image.read(geometry.root_start, geometry.data_start - geometry.root_start)
            slots = Slots(raw, "", True, self.report)
            self.label = slots.label
            self._entries(slots, 0)
            image.change(geometry.root_start, raw)
        while self._waiting:
            self._directory(self._waiting.pop(), is_root=False)

    def reconnected(self, path: str, clusters: list[int]) -> None:
        """A directory that was lost, with all that is below it."""
        self.report.directories += 1
        raw = self.image.load(clusters[:1])
        mend_dots(raw, clusters[0], 0, self.image.geometry.bits, path, Report())
        self.image.store(clusters[:1], raw)
        self._waiting.append(_Waiting(path, clusters, 0))
        while self._waiting:
            self._directory(self._waiting.pop(), is_root=False)

    def _chain(self, place: str, first: int) -> list[int]:
        """The clusters that a chain keeps; what is wrong with it is reported and mended."""
        clusters, kind, text = self.image.walk(first)
        if kind:
            self.report.add(kind, place, text)
            if clusters:
                self.image.put(clusters[-1], self.image.end)
        return clusters

    def _directory(self, waiting: _Waiting, is_root: bool) -> None:
        path, clusters, above = waiting
        limit = max(1, DIRECTORY_SLOTS_MAX * ENTRY_SIZE // self.image.geometry.cluster_size)
        if len(clusters) > limit:
            self.report.add("directory", path or "/", "larger than a directory can be")
            self.image.cut(clusters, limit)
            del clusters[limit:]
        raw = self.image.load(clusters)
        if not is_root:
            mend_dots(raw, clusters[0], above, self.image.geometry.bits, path, self.report)
        slots = Slots(raw, path, is_root, self.report)
        if is_root:
            self.label = slots.label
        self._entries(slots, 0 if is_root else clusters[0])
        self.image.store(clusters, raw)

    def _entries(self, slots: Slots, own: int) -> None:
        for item in slots.items:
            path = f"{slots.path}/{item.text}"
            first = item.entry.cluster(self.image.geometry.bits)
            if item.entry.is_directory:
                self._subdirectory(slots, item, path, first, own)
            else:
                self._file(slots, item, path, first)

    def _subdirectory(self, slots: Slots, item: Item, path: str, first: int, own: int) -> None:
        clusters = self._chain(path, first)
        if not clusters:
            slots.remove(item)
            return
        if not looks_like_directory(self.image.load(clusters[:1])):
            self.report.add("directory", path, "holds no names: it becomes a file")
            self.report.files += 1
            slots.make_file(item, len(clusters) * self.image.geometry.cluster_size)
            return
        self.report.directories += 1
        if item.entry.size:
            self.report.add("size", path, f"a directory with a size of {item.entry.size}")
            slots.set_size(item, 0)
        self._waiting.append(_Waiting(path, clusters, own))

    def _file(self, slots: Slots, item: Item, path: str, first: int) -> None:
        self.report.files += 1
        size, cluster_size = item.entry.size, self.image.geometry.cluster_size
        needed = -(-size // cluster_size)
        clusters = self._chain(path, first) if first else []
        if len(clusters) > needed:
            text = f"{len(clusters)} clusters for {size} bytes"
            self.report.add("size", path, text)
            self.image.cut(clusters, needed)
        elif len(clusters) < needed:
            text = f"{size} bytes, but {len(clusters)} clusters"
            self.report.add("size", path, text)
            slots.set_size(item, len(clusters) * cluster_size)
        if first and not min(len(clusters), needed):
            if not needed and not clusters:
                self.report.add("chain", path, "an empty file with a first cluster")
            slots.set_cluster(item.slot, 0)
