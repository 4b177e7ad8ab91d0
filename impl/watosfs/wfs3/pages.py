"""Pages of clean files that small reads have seen: verified once, then found by file and offset.

A small read costs the CRC of a whole extent, and finding the extent costs a walk down a tree; of a
page that is here it costs two dict lookups. Only whole pages of files that nothing has changed
since the last commit are kept: the first change of an inode (``InodeTable.modify``) drops them, so
nothing else has to.
"""

from itertools import islice

PAGE_SIZE_BYTES = 4096
#: 16 MiB.
PAGES_MAX = 4096


class PageCache:
    """At most ``pages_max`` pages by inode number and file offset; the oldest go first."""

    __slots__ = ("count", "files", "hits", "misses", "pages_max")

    def __init__(self, pages_max: int = PAGES_MAX) -> None:
        self.files: dict[int, dict[int, bytes]] = {}
        self.count = 0
        self.pages_max = pages_max
        #: Small reads that found their page here, and those that brought one in.
        self.hits = 0
        self.misses = 0

    def find(self, number: int, offset: int, count: int) -> bytes | None:
        """``count`` bytes at ``offset`` of a file; None unless they lie within a page that is
        here.
        """
        pages = self.files.get(number)
        if pages is None:
            return None
        inside = offset & (PAGE_SIZE_BYTES - 1)
        page = pages.get(offset - inside)
        if page is None or inside + count > PAGE_SIZE_BYTES:
            return None
        self.hits += 1
        return page if count == PAGE_SIZE_BYTES else page[inside : inside + count]

    def keep(self, number: int, offset: int, page: bytes) -> None:
        """Remember a whole page of a clean file."""
        assert len(page) == PAGE_SIZE_BYTES, len(page)
        self.misses += 1
        if self.count >= self.pages_max:
            self.make_room()
        pages = self.files.setdefault(number, {})
        if offset not in pages:
            self.count += 1
        pages[offset] = page

    def make_room(self) -> None:
        """Forget the oldest quarter: of the file that came first, then of the next."""
        excess = max(1, self.pages_max // 4)
        while excess and self.files:
            number = next(iter(self.files))
            pages = self.files[number]
            if len(pages) <= excess:
                excess -= len(pages)
                self.drop(number)
                continue
            for offset in list(islice(pages, excess)):
                del pages[offset]
            self.count -= excess
            excess = 0

    def drop(self, number: int) -> None:
        """Forget a file: it is about to change."""
        self.count -= len(self.files.pop(number, ()))

    def clear(self) -> None:
        """Forget all."""
        self.files.clear()
        self.count = 0
