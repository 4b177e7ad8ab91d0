"""Walking a tree in a volume, parents first and again afterwards, siblings in the order of bytes.

A hostile image may have directories that contain themselves, and trees deeper than Python's stack:
the walk is a loop, enters no directory twice and goes on after what it cannot read.
"""

import errno
from collections.abc import Callable, Iterator
from typing import NamedTuple

from watosfs.cli.names import join
from watosfs.errors import failure
from watosfs.wfs3.attributes import Stat
from watosfs.wfs3.volume import Volume

_TYPE_MASK, _DIRECTORY = 0o170000, 0o040000


class Step(NamedTuple):
    """A place on the walk. A directory comes twice: ``is_leaving`` the second time.

    ``depth`` is 0 for where the walk began, ``is_last`` true for the last of its siblings.
    """

    path: bytes
    name: bytes
    stat: Stat
    depth: int
    is_last: bool
    is_leaving: bool = False

    @property
    def is_directory(self) -> bool:
        return self.stat.st_mode & _TYPE_MASK == _DIRECTORY


class Walk:
    """Iterate to walk; call ``skip`` to stay out of the directory that was just yielded.

    ``on_error`` is told of what cannot be read (path, OSError) and the walk goes on; it may raise.
    """

    def __init__(
        self,
        volume: Volume,
        path: bytes,
        on_error: Callable[[bytes, OSError], None],
        *,
        follow: bool = False,
    ) -> None:
        self._volume = volume
        self._path = path
        self._on_error = on_error
        self._follow = follow
        self._is_skipped = False
        self._entered: set[int] = set()

    def skip(self) -> None:
        """Do not enter the directory that was just yielded; it is not left either."""
        self._is_skipped = True

    def __iter__(self) -> Iterator[Step]:
        """Raises OSError if there is nothing at the path."""
        start = self._volume.stat(self._path, follow=self._follow)
        step = Step(self._path, b"", start, 0, True)
        yield step
        open_directories = self._enter(step)
        while open_directories:
            directory, names = open_directories[-1]
            name = names.pop() if names else None
            if name is None:
                open_directories.pop()
                yield directory._replace(is_leaving=True)
                continue
            path = join(directory.path, name)
            try:
                stat = self._volume.stat(path, follow=False)
            except OSError as error:
                self._on_error(path, error)
                continue
            step = Step(path, name, stat, directory.depth + 1, not names)
            yield step
            open_directories += self._enter(step)

    def _enter(self, step: Step) -> list[tuple[Step, list[bytes]]]:
        """The directory with its names, last first; nothing when it is not to be entered."""
        if self._is_skipped or not step.is_directory:
            self._is_skipped = False
            return []
        try:
            if step.stat.st_ino in self._entered:
                raise failure(errno.EUCLEAN, reason="a directory is in the tree twice")
            entries = self._volume.readdir(step.path)
        except OSError as error:
            self._on_error(step.path, error)
            entries = []
        self._entered.add(step.stat.st_ino)
        return [(step, sorted((entry.name for entry in entries), reverse=True))]
