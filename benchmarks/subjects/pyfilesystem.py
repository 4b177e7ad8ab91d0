"""What file systems of PyFilesystem (package ``fs``) have in common: pyfatfs and MemoryFS."""

import warnings
from collections.abc import Callable
from typing import Any

from benchmarks.subject import DIRECTORIES


class PyFilesystem:
    """The works over an ``fs.base.FS``; they know no flush but closing."""

    files = 5000
    fs: Any

    def start(self) -> None:
        warnings.simplefilter("ignore")  # deprecations of pkg_resources
        self.open()

    def open(self) -> None:
        """Mount as ``self.fs``."""
        raise NotImplementedError

    def make_files(self, count: int, payload: bytes) -> None:
        for i in range(DIRECTORIES):
            self.fs.makedir(f"/d{i}")
        for i in range(count):
            self.fs.writebytes(f"/d{i % DIRECTORIES}/file{i}", payload)

    def make_durable_files(self, count: int, payload: bytes) -> None:
        for i in range(count):
            self.fs.writebytes(f"/d0/durable{i}", payload)
            self.flush()

    def flush(self) -> None:
        """Make what was written durable, from outside, where there is a disk."""

    def stat_files(self, count: int) -> None:
        for i in range(count):
            self.fs.getinfo(f"/d{i % DIRECTORIES}/file{i}", namespaces=["details"])

    def delete_files(self, count: int) -> None:
        for i in range(count):
            self.fs.remove(f"/d{i % DIRECTORIES}/file{i}")

    def write(self, piece: bytes, pieces: int) -> None:
        with self.fs.openbin("/big", "w") as file:
            for _ in range(pieces):
                file.write(piece)
        self.flush()

    def read(self, size: int, pieces: int) -> None:
        with self.fs.openbin("/big", "r") as file:
            for _ in range(pieces):
                assert len(file.read(size)) == size

    def read_at(self, offsets: list[int], size: int) -> None:
        with self.fs.openbin("/big", "r") as file:
            for offset in offsets:
                file.seek(offset)
                assert len(file.read(size)) == size

    def remount(self) -> Callable[[], None] | None:
        return None

    def stop(self) -> None:
        self.fs.close()
