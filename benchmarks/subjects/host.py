"""The operating system's own file systems, through ``os``: the physical reference."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.subject import DIRECTORIES


class TemporaryDirectory:
    """A temporary directory (``TMPDIR`` chooses where); it cannot be remounted from here."""

    files = 5000
    parent: str | None = None

    def start(self) -> None:
        self.root = tempfile.mkdtemp(prefix="watosfs-bench-", dir=self.parent)

    def path(self, i: int) -> str:
        """Where file ``i`` is."""
        return f"{self.root}/d{i % DIRECTORIES}/file{i}"

    def make_files(self, count: int, payload: bytes) -> None:
        for i in range(DIRECTORIES):
            os.mkdir(f"{self.root}/d{i}")
        for i in range(count):
            descriptor = os.open(self.path(i), os.O_CREAT | os.O_WRONLY)
            os.write(descriptor, payload)
            os.close(descriptor)
        # The commit: everything in the file system, whoever else writes to it.
        descriptor = os.open(self.root, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def make_durable_files(self, count: int, payload: bytes) -> None:
        for i in range(count):
            descriptor = os.open(f"{self.root}/d0/durable{i}", os.O_CREAT | os.O_WRONLY)
            os.write(descriptor, payload)
            os.fsync(descriptor)
            os.close(descriptor)

    def stat_files(self, count: int) -> None:
        for i in range(count):
            os.stat(self.path(i))

    def delete_files(self, count: int) -> None:
        for i in range(count):
            os.unlink(self.path(i))

    def write(self, piece: bytes, pieces: int) -> None:
        descriptor = os.open(f"{self.root}/big", os.O_CREAT | os.O_WRONLY)
        for _ in range(pieces):
            os.write(descriptor, piece)
        os.fdatasync(descriptor)
        os.close(descriptor)

    def read(self, size: int, pieces: int) -> None:
        descriptor = os.open(f"{self.root}/big", os.O_RDONLY)
        for _ in range(pieces):
            assert len(os.read(descriptor, size)) == size
        os.close(descriptor)

    def read_at(self, offsets: list[int], size: int) -> None:
        descriptor = os.open(f"{self.root}/big", os.O_RDONLY)
        for offset in offsets:
            assert len(os.pread(descriptor, size, offset)) == size
        os.close(descriptor)

    def remount(self) -> Callable[[], None] | None:
        return None

    def stop(self) -> None:
        shutil.rmtree(self.root)


class SharedMemory(TemporaryDirectory):
    """The same on the system's tmpfs, where there is one at the usual place."""

    parent = "/dev/shm"

    def start(self) -> None:
        assert self.parent is not None
        if not Path(self.parent).is_dir():
            raise ImportError("no tmpfs in the usual place")
        super().start()
