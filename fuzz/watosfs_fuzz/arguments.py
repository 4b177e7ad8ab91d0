"""Choosing the arguments of one operation: near what was used, or on a boundary.

Faults live where two values are related (a write that ends one byte before the end of another), so
names, descriptors, offsets and sizes are mostly drawn from those that exist, moved by a nudge.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

from watosfs_fuzz import parameters as p
from watosfs_fuzz.sketch import FileSketch, Sketch
from watosfs_model.data import Data, Fill, Repeat
from watosfs_model.state import BLOCK_BYTES

T = TypeVar("T")


class Arguments:
    """Draws arguments for the tree that ``sketch`` remembers. ``names`` is this trace's choice.

    A draw of 0 everywhere gives the plainest of each: that is where Hypothesis shrinks to.
    """

    __slots__ = ("errors", "names", "offsets", "random", "rng", "sketch", "wide_sizes")

    def __init__(
        self, rng: random.Random, sketch: Sketch, names: Sequence[bytes], errors: float
    ) -> None:
        self.rng = rng
        self.random = rng.random
        self.sketch = sketch
        self.names = names
        self.errors = errors
        #: Offsets and sizes that the trace used lately.
        self.offsets: list[int] = [0]
        self.wide_sizes = self.random() < 0.5

    def pick(self, values: Sequence[T]) -> T:
        """One of some values."""
        return values[int(self.random() * len(values))]

    def is_error(self) -> bool:
        """Whether to aim at an error path this time."""
        return self.random() >= 1 - self.errors

    # -- paths

    def name(self) -> bytes:
        """A name for something new."""
        if self.random() >= 0.98:
            return self.pick(p.NAMES_ODD + p.NAMES_LONG + p.NAMES_TOO_LONG + p.NAMES_SPECIAL)
        return self.pick(self.names)

    def fresh_path(self) -> bytes:
        """A path that may not exist yet, in a directory that does."""
        directory = self.directory()
        return (b"" if directory == b"/" else directory) + b"/" + self.name()

    def new_path(self) -> bytes:
        """The same, trying harder for one that does not exist."""
        if self.is_error():
            return self.wild_path()
        path = self.fresh_path()
        nodes = self.sketch.nodes
        for _ in range(3):
            if path not in nodes:
                break
            path = self.fresh_path()
        return path

    def directory(self) -> bytes:
        """A directory; the root and the newest ones most."""
        directories = self.sketch.directories
        draw = self.random()
        if draw < 0.45:
            return b"/"
        return directories[-1] if draw < 0.6 else self.pick(directories)

    def existing(self, paths: Sequence[bytes]) -> bytes:
        """One of some paths, the newest most; something else when there is none, or at times."""
        if not paths or self.is_error():
            return self.wild_path()
        return paths[-1] if self.random() < 0.2 else self.pick(paths)

    def file(self) -> bytes:
        """A file (now and then through a symlink)."""
        sketch = self.sketch
        if sketch.symlinks and self.random() >= 0.9:
            return self.pick(sketch.symlinks)
        return self.existing(sketch.files)

    def any_path(self) -> bytes:
        """Anything that exists."""
        sketch = self.sketch
        draw = self.random()
        if draw < 0.6:
            return self.existing(sketch.files)
        if draw < 0.85 or not sketch.symlinks:
            return self.existing(sketch.directories[1:])
        return self.existing(sketch.symlinks)

    def wild_path(self) -> bytes:
        """Whatever a caller might pass."""
        draw = self.random()
        if draw < 0.35:
            return self.fresh_path()
        if draw < 0.5:
            return self.pick(tuple(self.sketch.nodes)) + self.pick((b"/", b"/.", b"/..", b"/a"))
        if draw < 0.7:
            return self.pick(tuple(self.sketch.nodes))
        return self.pick(p.PATHS_WILD)

    def target(self) -> bytes:
        """Where a symlink leads: mostly somewhere."""
        draw = self.random()
        if draw < 0.5:
            return self.pick(tuple(self.sketch.nodes))
        return self.pick(self.names) if draw < 0.7 else self.pick(p.TARGETS)

    # -- descriptors and numbers

    def fd(self) -> int:
        """A descriptor that is open, or at times one that is not."""
        descriptors = self.sketch.descriptors
        if not descriptors or self.is_error():
            return self.pick(p.DESCRIPTORS_WRONG)
        return self.pick(tuple(descriptors))

    def file_fd(self, *, writing: bool) -> int:
        """A descriptor that is open on a file and mostly one that may be written."""
        sketch = self.sketch
        if self.is_error():
            return self.fd()
        fit = [
            fd
            for fd, node in sketch.descriptors.items()
            if node is not None and not (writing and fd in sketch.read_only)
        ]
        return self.pick(fit) if fit and self.random() < 0.97 else self.fd()

    def size_of(self, fd: int) -> int:
        """Roughly how long an open file is."""
        file = self.sketch.descriptors.get(fd)
        return file.size if isinstance(file, FileSketch) else 0

    def offset(self, size: int) -> int:
        """A place in (or beyond) a file of ``size`` bytes."""
        draw = self.random()
        if draw < 0.15:
            found = 0
        elif draw < 0.40:
            found = size
        elif draw < 0.55:
            found = size + self.pick(p.NUDGES)
        elif draw < 0.70:
            found = self.pick(self.offsets) + self.pick(p.NUDGES)
        elif draw < 0.85:
            blocks = min(size // p.BLOCK, 255) + 3
            found = int(self.random() * blocks) * p.BLOCK + self.pick((-1, 0, 0, 0, 1))
        elif draw < 0.97 or not self.wide_sizes:
            found = self.pick(p.SIZES_SMALL + p.SIZES_BLOCK + p.SIZES_CHUNK)
        else:
            found = self.pick(p.SIZES_HUGE)
        if found < 0:
            found = 0
        if self.is_error():
            found = self.pick(p.SIZES_WRONG + p.SIZES_HUGE)
        else:
            self.offsets.append(found)
            if len(self.offsets) > 12:
                del self.offsets[0]
        return found

    def length(self) -> int:
        """How many bytes to write: small ones most, for the comparisons' sake too."""
        draw = self.random()
        if draw < 0.35:
            return 1 + int(self.random() * 300)
        if draw < 0.60:
            return self.pick(p.SIZES_SMALL)
        if draw < 0.92:
            return self.pick(p.SIZES_BLOCK)
        return self.pick(p.SIZES_CHUNK)

    def key(self) -> bytes:
        """A key of an extended attribute."""
        return self.pick(p.KEYS_ODD if self.is_error() else p.KEYS)

    def value_length(self) -> int:
        """How long a value is: mostly such that it stays in the inode."""
        draw = self.random()
        return int(draw * 200) if draw < 0.4 else self.pick(p.VALUE_LENGTHS)

    def xattr_flags(self) -> int:
        """How an attribute is set."""
        return self.pick((3, 4, -1)) if self.is_error() else self.pick(p.XATTR_FLAGS)

    def data(self, length: int) -> Data:
        """That many bytes, different from most written before."""
        seeds = p.FILL_SEEDS if length <= p.SIZES_BLOCK[-1] else p.FILL_SEEDS_LARGE
        kind = Repeat if length > BLOCK_BYTES and self.random() < p.REPEATED else Fill
        return kind(int(self.random() * seeds), length)
