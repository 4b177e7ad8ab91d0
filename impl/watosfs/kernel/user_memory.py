"""A process's memory as the kernel sees it: pages that are mapped or not, some read-only.

Every pointer of a system call goes through here. Nothing but EFAULT (and ENAMETOOLONG for a string
without an end) can come of it.
"""

import errno

from watosfs.errors import failure

PAGE = 4096
#: Addresses from here on are the kernel's.
LIMIT = 0x0000_8000_0000_0000


class UserMemory:
    """An empty address space; ``map`` makes parts of it usable."""

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}
        self.read_only: set[int] = set()

    def map(self, address: int, length: int, *, writable: bool = True) -> None:
        """Map the pages that hold the range, zeroed. EINVAL for a range that is not the user's."""
        if address < PAGE or length < 0 or address + length > LIMIT:
            raise failure(errno.EINVAL)
        for page in range(address // PAGE, -(-(address + length) // PAGE)):
            self.pages.setdefault(page, bytearray(PAGE))
            (self.read_only.discard if writable else self.read_only.add)(page)

    def require(self, address: int, length: int, *, writable: bool = False) -> None:
        """Raise EFAULT unless the whole range may be read (or written). A length of 0 is right at
        any address.
        """
        if not length:
            return
        if not 0 < address < LIMIT or address + length > LIMIT:
            raise failure(errno.EFAULT)
        first, last = address // PAGE, (address + length - 1) // PAGE
        if last - first >= len(self.pages):
            raise failure(errno.EFAULT)
        for page in range(first, last + 1):
            if page not in self.pages or (writable and page in self.read_only):
                raise failure(errno.EFAULT)

    def read(self, address: int, length: int) -> bytes:
        """Copy in. Raises EFAULT."""
        self.require(address, length)
        found = bytearray()
        while length:
            page, start = divmod(address, PAGE)
            piece = self.pages[page][start : start + length]
            found += piece
            address += len(piece)
            length -= len(piece)
        return bytes(found)

    def write(self, address: int, data: bytes) -> None:
        """Copy out: all of it, or EFAULT and nothing."""
        self.require(address, len(data), writable=True)
        done = 0
        while done < len(data):
            page, start = divmod(address + done, PAGE)
            count = min(PAGE - start, len(data) - done)
            self.pages[page][start : start + count] = data[done : done + count]
            done += count

    def string(self, address: int, longest: int = PAGE) -> bytes:
        """A string that ends with NUL, without it. EFAULT where it runs out of mapped memory,
        ENAMETOOLONG without an end in ``longest`` bytes.
        """
        found = b""
        while len(found) < longest:
            count = min(PAGE - address % PAGE, longest - len(found))
            piece = self.read(address, count)
            end = piece.find(b"\0")
            if end >= 0:
                return found + piece[:end]
            found += piece
            address += count
        raise failure(errno.ENAMETOOLONG)
