"""The operating system's own file system, through ``os``: the physical reference."""

import os
import shutil
import tempfile
from collections.abc import Callable


class HostDirectory:
    """A temporary directory (``TMPDIR`` chooses where); it cannot be remounted from here."""

    name = "host"

    def start(self) -> None:
        self.root = tempfile.mkdtemp(prefix="watosfs-bench-")

    def path(self, i: int) -> str:
        return f"{self.root}/d{i % 50}/file{i}"

    def make_files(self, count: int, payload: bytes) -> None:
        for i in range(50):
            os.mkdir(f"{self.root}/d{i}")
        for i in range(count):
            fd = os.open(self.path(i), os.O_CREAT | os.O_WRONLY)
            os.write(fd, payload)
            os.close(fd)

    def stat_files(self, count: int) -> None:
        for i in range(count):
            os.stat(self.path(i))

    def delete_files(self, count: int) -> None:
        for i in range(count):
            os.unlink(self.path(i))

    def write(self, piece: bytes, pieces: int) -> None:
        fd = os.open(f"{self.root}/big", os.O_CREAT | os.O_WRONLY)
        for _ in range(pieces):
            os.write(fd, piece)
        os.close(fd)

    def read(self, size: int, pieces: int) -> None:
        fd = os.open(f"{self.root}/big", os.O_RDONLY)
        for _ in range(pieces):
            assert len(os.read(fd, size)) == size
        os.close(fd)

    def remount(self) -> Callable[[], None] | None:
        return None

    def stop(self) -> None:
        shutil.rmtree(self.root)
