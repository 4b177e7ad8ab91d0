"""Open file descriptions: what descriptors of one or several processes share."""

import errno
from typing import TypeAlias

from watosfs.errors import failure
from watosfs.kernel.numbers import O_ACCMODE, O_NONBLOCK, O_RDONLY, O_WRONLY
from watosfs.vfs.filesystem import Attributes, Cursor, Filesystem, Pin
from watosfs.vfs.nodes import Node

#: Which inode or pipe: (file system or pipe, inode number).
Identity: TypeAlias = tuple[int, int]

START = Cursor(-1, b"")


class GonePin:
    """In the place of a pin on an inode that an abort took."""

    is_stale = True

    def __init__(self, number: int) -> None:
        self.number = number

    def close(self) -> None:
        """Nothing is held."""


class Description:
    """``flags`` are the access mode, O_APPEND and O_NONBLOCK; ``references`` counts descriptors."""

    kind = ""

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.references = 0
        self.offset = 0

    @property
    def identity(self) -> Identity:
        """Equal for descriptions of one inode or pipe."""
        raise NotImplementedError

    @property
    def is_nonblocking(self) -> bool:
        return self.flags & O_NONBLOCK != 0

    def require_readable(self) -> None:
        """Raise EBADF when it is open for writing only."""
        if self.flags & O_ACCMODE == O_WRONLY:
            raise failure(errno.EBADF)

    def require_writable(self) -> None:
        """Raise EBADF when it is open for reading only."""
        if self.flags & O_ACCMODE == O_RDONLY:
            raise failure(errno.EBADF)

    def require_fresh(self) -> None:
        """Raise ESTALE when an abort has taken the file, or it came with somebody else's
        transaction.
        """

    def release(self) -> None:
        """The last descriptor is gone."""


class InodeDescription(Description):
    """Anything with an inode on a volume."""

    def __init__(self, flags: int, filesystem: Filesystem, pin: Pin) -> None:
        super().__init__(flags)
        self.filesystem = filesystem
        self.pin = pin
        self.number = pin.number

    @property
    def identity(self) -> Identity:
        return id(self.filesystem), self.number

    def attributes(self) -> Attributes:
        """The inode, as the acting process sees it."""
        return self.filesystem.attributes(self.number)

    def require_fresh(self) -> None:
        if self.pin.is_stale or not self.filesystem.is_visible(self.number):
            raise failure(errno.ESTALE)

    def release(self) -> None:
        self.pin.close()


class OpenFile(InodeDescription):
    """A regular file."""

    kind = "file"


class OpenDirectory(InodeDescription):
    """A directory; ``cursor`` is where getdents goes on."""

    kind = "directory"

    def __init__(self, flags: int, node: Node, pin: Pin) -> None:
        super().__init__(flags, node.filesystem, pin)
        self.node = node
        self.cursor = START


class Pipe:
    """The bytes between the ends of a pipe or FIFO, and how many descriptions each end has."""

    def __init__(self, owner: tuple[int, int] = (0, 0), now_ns: int = 0) -> None:
        self.buffer = bytearray()
        self.readers = 0
        self.writers = 0
        self.owner = owner
        self.made_ns = now_ns

    def join(self, flags: int) -> None:
        """One more description."""
        access = flags & O_ACCMODE
        self.readers += access != O_WRONLY
        self.writers += access != O_RDONLY

    def leave(self, flags: int) -> None:
        """One less; what nobody can read any more is gone."""
        access = flags & O_ACCMODE
        self.readers -= access != O_WRONLY
        self.writers -= access != O_RDONLY
        if not self.readers and not self.writers:
            self.buffer.clear()


class PipeEnd(Description):
    """One end of an anonymous pipe."""

    kind = "pipe"

    def __init__(self, flags: int, pipe: Pipe) -> None:
        super().__init__(flags)
        self.pipe = pipe
        pipe.join(flags)

    @property
    def identity(self) -> Identity:
        return id(self.pipe), 0

    def release(self) -> None:
        self.pipe.leave(self.flags)


class OpenFifo(InodeDescription):
    """One end, or both, of a FIFO."""

    kind = "fifo"

    def __init__(self, flags: int, filesystem: Filesystem, pin: Pin, pipe: Pipe) -> None:
        super().__init__(flags, filesystem, pin)
        self.pipe = pipe
        pipe.join(flags)

    def release(self) -> None:
        self.pipe.leave(self.flags)
        super().release()
