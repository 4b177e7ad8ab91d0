"""The file allocation table: pages read when they are needed, sectors written when told to.

Nothing here decides an order: what is put into the table reaches the disk, in every copy, with the
next ``write``. ``watosfs.fat.chains`` keeps back what must not be written yet.
"""

from collections.abc import Iterator
from typing import Final

from watosfs.block.byte_access import ByteAccess
from watosfs.errors import DamageError
from watosfs.fat.format import Geometry
from watosfs.fat.pages import PAGES, Page

PAGE_ENTRIES: Final = 16384
#: Bits of entry 1 that say, when clear, that the volume is in use or that I/O has failed.
_CLEAN_BITS: Final = {12: 0, 16: 0x8000, 32: 0x08000000}


class FatTable:
    """Entries by cluster number, of the active table.

    Every read raises what the device raises. ``end``: the end mark that we write; ``end_min``: the
    least that counts as one; ``bad``: the mark of a bad cluster.
    """

    def __init__(self, access: ByteAccess, geometry: Geometry) -> None:
        self.access = access
        self.geometry = geometry
        mask = (1 << min(geometry.bits, 28)) - 1
        self.end, self.end_min, self.bad = mask, mask & ~7, mask & ~8
        self.cluster_end = geometry.cluster_end
        self._start = geometry.fat_start + geometry.active_fat * geometry.fat_size
        sector = geometry.sector_size
        #: As much of the table as has entries, in whole sectors.
        self._size = -(-geometry.cluster_end * geometry.bits // (8 * sector)) * sector
        if geometry.bits == 12:
            self.page_entries, self._page_size = geometry.cluster_end, self._size
        else:
            self.page_entries, self._page_size = PAGE_ENTRIES, PAGE_ENTRIES * geometry.bits // 8
        self.page_count = -(-geometry.cluster_end // self.page_entries)
        self._pages: list[Page | None] = [None] * self.page_count
        self._dirty: set[int] = set()

    def page(self, number: int) -> Page:
        """A page, read when it is not there."""
        page = self._pages[number]
        if page is None:
            start = number * self._page_size
            raw = self.access.read(self._start + start, min(self._page_size, self._size - start))
            page = PAGES[self.geometry.bits](raw, number * self.page_entries)
            self._pages[number] = page
        return page

    def get(self, cluster: int) -> int:
        """An entry; clusters 0 and 1 too."""
        number, index = divmod(cluster, self.page_entries)
        return self.page(number).get(index)

    def put(self, cluster: int, value: int) -> None:
        """Change an entry."""
        number, index = divmod(cluster, self.page_entries)
        page = self.page(number)
        if page.get(index) != value:
            page.put(index, value)
            self._touch(cluster, 1)

    def put_run(self, first: int, count: int, following: int) -> None:
        """Chain ``count`` clusters from ``first`` on; the last leads to ``following``."""
        for number, index, piece in self._pieces(first, count - 1):
            self.page(number).put_chain(index, piece)
        last = first + count - 1
        self.page(last // self.page_entries).put(last % self.page_entries, following)
        self._touch(first, count)

    def clear_run(self, first: int, count: int) -> None:
        """Mark ``count`` clusters free."""
        for number, index, piece in self._pieces(first, count):
            self.page(number).clear(index, piece)
        self._touch(first, count)

    def _pieces(self, first: int, count: int) -> Iterator[tuple[int, int, int]]:
        """(page, index in it, count) of a run."""
        while count > 0:
            number, index = divmod(first, self.page_entries)
            piece = min(count, self.page_entries - index)
            yield number, index, piece
            first += piece
            count -= piece

    def _touch(self, first: int, count: int) -> None:
        bits, sector = self.geometry.bits, self.geometry.sector_size
        low = first * bits // 8 // sector
        high = ((first + count) * bits - 1) // 8 // sector
        if low == high:
            self._dirty.add(low)
        else:
            self._dirty.update(range(low, high + 1))

    def runs(self, first: int) -> Iterator[tuple[int, int]]:
        """(first cluster, count) of each run of the chain that begins at ``first``.

        EUCLEAN when the chain leaves the volume, meets a free or a bad cluster, or itself. Each
        run is given before what follows it is judged.
        """
        cluster, starts = first, set[int]()
        while True:
            if not 2 <= cluster < self.cluster_end:
                raise self.damage(cluster, "a chain leads outside the volume")
            if cluster in starts:
                raise self.damage(cluster, "a chain leads back into itself")
            starts.add(cluster)
            start = cluster
            while True:
                number, index = divmod(cluster, self.page_entries)
                page = self.page(number)
                cluster += page.run_length(index)
                if cluster >= self.cluster_end:
                    raise self.damage(self.cluster_end - 1, "a chain leads outside the volume")
                if cluster // self.page_entries == number:
                    break
            following = self.get(cluster)
            if following == self.bad or following < 2:
                kind = "bad" if following == self.bad else "free"
                raise self.damage(cluster, f"a chain ends with a {kind} cluster")
            yield start, cluster - start + 1
            if following >= self.end_min:
                return
            cluster = following

    def damage(self, cluster: int, problem: str) -> DamageError:
        """The error for an entry."""
        offset = self._start + cluster * self.geometry.bits // 8
        return DamageError(f"FAT entry {cluster}", offset // self.access.unit, problem)

    @property
    def is_dirty(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._dirty)

    def write(self) -> None:
        """Write the sectors that changed, to every copy."""
        if not self._dirty:
            return
        sector = self.geometry.sector_size
        pieces = []
        for low, high in _ranges(sorted(self._dirty), self._page_size // sector):
            page, start = divmod(low * sector, self._page_size)
            raw = self.page(page).encoded(start, start + (high - low) * sector)
            pieces.append((low * sector, raw))
        for start in self.geometry.fat_starts():
            for offset, raw in pieces:
                self.access.write(start + offset, raw)
        self._dirty.clear()

    def is_clean(self) -> bool:
        """Whether entry 1 says that the volume was unmounted; FAT12 has no such bit."""
        clean = _CLEAN_BITS[self.geometry.bits]
        return self.get(1) & clean == clean

    def set_clean(self, clean: bool) -> None:
        """Set or clear the bit of entry 1."""
        bit = _CLEAN_BITS[self.geometry.bits]
        if bit:
            self.put(1, self.get(1) | bit if clean else self.get(1) & ~bit)


def _ranges(numbers: list[int], per_page: int) -> Iterator[tuple[int, int]]:
    """(first, one after the last) of stretches of numbers that do not cross a page."""
    low = high = -1
    for number in numbers:
        if number != high or number % per_page == 0:
            if high > low:
                yield low, high
            low = number
        high = number + 1
    if high > low:
        yield low, high
