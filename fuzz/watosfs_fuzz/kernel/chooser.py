"""Drawing the arguments of a call: few names, boundary numbers, descriptors that are open."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from watosfs_model.data import Data, Fill, Literal
from watosfs_model.kernel import Kernel
from watosfs_model.kernel import numbers as n
from watosfs_model.open_flags import (
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)

T = TypeVar("T")

NAMES = (b"a", b"b", b"c", b"d")
#: Equal hashes: side by side in a directory.
COLLIDING = (b"7mohtcOFVz", b"c1E51sSEyx")
ODD_PATHS = (
    b"",
    b"/",
    b".",
    b"..",
    b"a/",
    b"a/.",
    b"d/..",
    b"/../a",
    b"a\0b",
    b"x" * 256,
    b"//d//a",
)
MODES = (0o644, 0o755, 0o700, 0o600, 0o000, 0o777, 0o4755, 0o2755, 0o2745, 0o1777, 0o6777, 0o2775)
OFFSETS = (0, 1, 5, 100, 159, 160, 161, 4095, 4096, 4097, 65535, 65536, 65537, 200_000, 1 << 32)
BAD_NUMBERS = (-1, -2, 1 << 31, (1 << 63) - 1, 1 << 63, -(1 << 63))
KEYS = (b"user.a", b"user.b")
ODD_KEYS = (b"", b"user.", b"trusted.x", b"user.a\0", b"user." + b"k" * 251, b"nodot")
COUNTS = (0, 1, 5, 100, 4095, 4096, 4097, 65535, 65536, 65537)
IDS = (0, 1, 2, 3)
KEEP = 0xFFFFFFFF


class Chooser:
    """Draws arguments for one call of a process."""

    def __init__(self, random: Random, kernel: Kernel, pid: int) -> None:
        self.random = random
        self.kernel = kernel
        self.pid = pid
        self.process = kernel.processes[pid]

    def chance(self, share: float) -> bool:
        """True so often."""
        return self.random.random() < share

    def pick(self, values: Sequence[T]) -> T:
        """One of some values."""
        return self.random.choice(values)

    def fd(self) -> int:
        """Mostly a descriptor that is open."""
        table = list(self.process.descriptors)
        if table and self.chance(0.92):
            return self.pick(table)
        return self.pick((0, 1, 2, 5, -1, 63, 64, 1 << 31))

    def fd_of(self, *kinds: str) -> int:
        """Mostly one of these kinds."""
        descriptions = self.kernel.descriptions
        table = [
            fd
            for fd, found in self.process.descriptors.items()
            if descriptions[found.description].kind in kinds
        ]
        return self.pick(table) if table and self.chance(0.9) else self.fd()

    def new_fd(self) -> int:
        """A number for a duplicate."""
        return self.pick((0, 1, 2, 3, 7, self.process.limit - 1, self.process.limit, -1, self.fd()))

    def dirfd(self) -> int:
        """Mostly the working directory."""
        return n.AT_FDCWD if self.chance(0.75) else self.fd_of("directory")

    def path(self) -> bytes:
        """Short paths over few names, sometimes odd ones."""
        if self.chance(0.06):
            return self.pick(ODD_PATHS)
        depth = self.pick((1, 1, 1, 1, 2, 2, 3))
        parts = [self.pick(NAMES) for _ in range(depth)]
        if self.chance(0.08):
            parts[-1] = self.pick(COLLIDING)
        if self.chance(0.08):
            parts.insert(self.random.randrange(depth + 1), self.pick((b"..", b".", b"")))
        path = b"/".join(parts)
        if self.chance(0.08):
            path = self.drive() + self.pick((b"", b"/", b"/", b"/../")) + path
        elif self.chance(0.5):
            path = b"/" + path
        return path + b"/" if self.chance(0.04) else path

    def mode(self) -> int:
        """Permission bits."""
        return self.pick(MODES)

    def offset(self) -> int:
        """Mostly near a boundary, or near the end of an open file."""
        if self.chance(0.04):
            return self.pick(BAD_NUMBERS)
        ends = [found.offset for found in self.kernel.descriptions.values()]
        base = self.pick(ends) if ends and self.chance(0.3) else self.pick(OFFSETS)
        return max(base + self.pick((0, 0, 0, -1, 1)), 0)

    def count(self) -> int:
        """A count of bytes."""
        return self.pick((-1, 1 << 40)) if self.chance(0.03) else self.pick(COUNTS)

    def data(self) -> Data:
        """Bytes to write."""
        if self.chance(0.5):
            return Literal(self.pick((b"x", b"hello", b"", b"\0\0\0")))
        return Fill(self.random.randrange(4), self.pick(COUNTS))

    def open_flags(self) -> int:
        """Access mode and flags; bits that do not go together too."""
        flags = self.pick((0, O_RDWR, O_RDWR, O_WRONLY)) | self.pick((0, O_CREAT, O_CREAT))
        rare = (O_APPEND, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, n.O_CLOEXEC, n.O_NONBLOCK, 3)
        for flag in rare:
            if self.chance(0.12 if flag != 3 else 0.02):
                flags |= flag
        return flags

    def id(self) -> int:
        """A user or group."""
        return self.pick((KEEP, -1, 1 << 33)) if self.chance(0.15) else self.pick(IDS)

    def key(self) -> bytes:
        """A key of an extended attribute."""
        return self.pick(ODD_KEYS if self.chance(0.08) else KEYS)

    def value(self) -> Data:
        """The value of an extended attribute."""
        if self.chance(0.6):
            return Literal(self.pick((b"", b"v", b"value")))
        return Fill(self.random.randrange(4), self.pick((150, 4096, 30_000, 65_524, 65_537)))

    def room(self) -> int:
        """For a value or a list of keys."""
        return self.pick((0, 0, 1, 5, 7, 14, 100, 70_000, 70_000, -1))

    def drive(self) -> bytes:
        """A drive."""
        return self.pick((b"D:", b"D:", b"d:", b"E:"))

    def flag(self, flag: int) -> int:
        """A flag or none; rarely one that is unknown."""
        return 0x8000 if self.chance(0.02) else self.pick((0, flag))
