"""The table and the directories of a volume in memory, where a check mends what it finds.

Nothing is written until ``write``: a check that only looks throws the mended copy away.
"""

from array import array

from watosfs.block.byte_access import ByteAccess
from watosfs.block.device import SECTOR_SIZE_BYTES
from watosfs.fat.checker.report import Report
from watosfs.fat.format import Geometry


class Image:
    """``entries``: the table, one number a cluster, with FAT32's top bits. ``owned``: a byte for
    each cluster, 1 once a file or directory was found to have it.
    """

    def __init__(self, access: ByteAccess, geometry: Geometry, report: Report) -> None:
        self.access = access
        self.geometry = geometry
        self.mask = (1 << min(geometry.bits, 28)) - 1
        self.end, self.end_min, self.bad = self.mask, self.mask & ~7, self.mask & ~8
        self.cluster_end = geometry.cluster_end
        self.copies = self._read_copies()
        self.entries = _decode(self._chosen(report), geometry)
        self.owned = bytearray(self.cluster_end)
        #: Sectors that are not as they are on the volume any more, by their place.
        self._changes: dict[int, bytearray] = {}
        #: The clusters of FAT32's root directory.
        self.root_clusters: list[int] = []

    def _read_copies(self) -> list[tuple[int, bytes]]:
        geometry = self.geometry
        size = -(-geometry.cluster_end * geometry.bits // 8)
        return [(start, bytes(self.access.read(start, size))) for start in geometry.fat_starts()]

    def _chosen(self, report: Report) -> bytes:
        """The first copy that begins with the media byte."""
        first = self.copies[0][1]
        for start, raw in self.copies[1:]:
            if raw != first:
                different = sum(
                    first[i : i + 512] != raw[i : i + 512] for i in range(0, len(raw), 512)
                )
                text = f"differs from the first in {different} sectors"
                report.add("mirror", f"table at byte {start}", text)
        for _, raw in self.copies:
            if self._begins_well(raw):
                return raw
        report.add("media", "table", f"does not begin with media byte {self.geometry.media:#x}")
        return first

    def _begins_well(self, raw: bytes) -> bool:
        """The media byte, then ones; of entry 1 the two highest bits have another meaning."""
        first, second = _decode(raw[:12], self.geometry)[:2]
        marks = 0xC000 if self.geometry.bits == 16 else 0x0C000000
        second |= marks & self.mask if self.geometry.bits > 12 else 0
        is_media = first & self.mask == self.mask & ~0xFF | self.geometry.media
        return is_media and second & self.mask >= self.end_min

    def get(self, cluster: int) -> int:
        """An entry's own bits."""
        return self.entries[cluster] & self.mask

    def free_count(self) -> int:
        """How many clusters are free."""
        if self.geometry.bits < 32:
            return self.entries[2:].count(0)
        mask = self.mask
        return sum(not entry & mask for entry in self.entries[2:])

    def put(self, cluster: int, value: int) -> None:
        """Change an entry's own bits."""
        self.entries[cluster] = self.entries[cluster] & ~self.mask | value

    def walk(self, first: int) -> tuple[list[int], str, str]:
        """(clusters that the chain may keep, kind of problem, text). They are owned now."""
        clusters: list[int] = []
        owned, entries, mask = self.owned, self.entries, self.mask
        cluster = first
        while True:
            if not 2 <= cluster < self.cluster_end:
                return clusters, "chain", f"leads to cluster {cluster}, outside the volume"
            value = entries[cluster] & mask
            if owned[cluster]:
                return clusters, "cross-link", f"cluster {cluster} belongs to another chain"
            if value == 0 or value == self.bad:
                kind = "bad" if value else "free"
                return clusters, "chain", f"leads to cluster {cluster}, which is {kind}"
            owned[cluster] = 1
            clusters.append(cluster)
            if value >= self.end_min:
                return clusters, "", ""
            cluster = value

    def cut(self, clusters: list[int], count: int) -> None:
        """Keep ``count`` of a chain's clusters: an end mark behind them, the others free."""
        for cluster in clusters[count:]:
            self.put(cluster, 0)
            self.owned[cluster] = 0
        if count:
            self.put(clusters[count - 1], self.end)

    def read(self, offset: int, size: int) -> bytearray:
        """Bytes of the volume as mended so far; whole sectors of 512 bytes."""
        raw = bytearray(self.access.read(offset, size))
        for start in range(offset, offset + size, SECTOR_SIZE_BYTES) if self._changes else ():
            changed = self._changes.get(start)
            if changed is not None:
                raw[start - offset : start - offset + SECTOR_SIZE_BYTES] = changed
        return raw

    def change(self, offset: int, raw: bytearray) -> None:
        """Mend the volume's bytes; whole sectors of 512 bytes."""
        before = self.read(offset, len(raw))
        for start in range(0, len(raw), SECTOR_SIZE_BYTES):
            piece = raw[start : start + SECTOR_SIZE_BYTES]
            if piece != before[start : start + SECTOR_SIZE_BYTES]:
                self._changes[offset + start] = piece

    def load(self, clusters: list[int]) -> bytearray:
        """The bytes of a directory."""
        size, raw = self.geometry.cluster_size, bytearray()
        for cluster in clusters:
            raw += self.read(self.geometry.cluster_offset(cluster), size)
        return raw

    def store(self, clusters: list[int], raw: bytearray) -> None:
        """Mend the bytes of a directory."""
        size = self.geometry.cluster_size
        for i, cluster in enumerate(clusters):
            self.change(self.geometry.cluster_offset(cluster), raw[i * size : (i + 1) * size])

    def write(self) -> None:
        """Write what was mended: directories, then the table in every copy."""
        for offset, raw in self._changes.items():
            self.access.write(offset, raw)
        self.access.device.flush()
        wanted = _encode(self.entries, self.geometry)
        for start, raw_copy in self.copies:
            for low in range(0, len(wanted), 512):
                piece = wanted[low : low + 512]
                if piece != raw_copy[low : low + 512]:
                    self.access.write(start + low, piece)
        self.access.device.flush()


def _decode(raw: bytes, geometry: Geometry) -> "array[int]":
    count = min(geometry.cluster_end, len(raw) * 8 // geometry.bits)
    if geometry.bits == 12:
        triples = zip(*[iter(raw + bytes(3))] * 3, strict=False)
        pairs = ((a | (b & 15) << 8, b >> 4 | c << 4) for a, b, c in triples)
        return array("I", [value for pair in pairs for value in pair][:count])
    width = geometry.bits // 8
    values = memoryview(raw)[: count * width].cast("H" if width == 2 else "I")
    return array("I", values)


def _encode(entries: "array[int]", geometry: Geometry) -> bytes:
    if geometry.bits == 12:
        raw = bytearray()
        values = [*entries, *([0] * (len(entries) & 1))]
        for low, high in zip(values[::2], values[1::2], strict=True):
            raw += (low | high << 12).to_bytes(3, "little")
        return bytes(raw[: -(-len(entries) * 12 // 8)])
    if geometry.bits == 16:
        return array("H", entries).tobytes()
    return entries.tobytes()
