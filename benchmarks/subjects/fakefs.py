"""pyfakefs: the fake ``os`` that tests use."""

import os
from collections.abc import Callable

from pyfakefs.fake_filesystem import FakeFilesystem
from pyfakefs.fake_os import FakeOsModule

from benchmarks.subject import DIRECTORIES


class Pyfakefs:
    """Its ``os`` functions; it verifies nothing, and its memory is all there is."""

    files = 5000

    def start(self) -> None:
        self.os = FakeOsModule(FakeFilesystem())

    def make_files(self, count: int, payload: bytes) -> None:
        for i in range(DIRECTORIES):
            self.os.mkdir(f"/d{i}")
        for i in range(count):
            self.put(f"/d{i % DIRECTORIES}/file{i}", payload)

    def put(self, path: str, payload: bytes) -> None:
        """A new file."""
        descriptor = self.os.open(path, os.O_CREAT | os.O_WRONLY)
        self.os.write(descriptor, payload)
        self.os.close(descriptor)

    def make_durable_files(self, count: int, payload: bytes) -> None:
        for i in range(count):
            self.put(f"/d0/durable{i}", payload)

    def stat_files(self, count: int) -> None:
        for i in range(count):
            self.os.stat(f"/d{i % DIRECTORIES}/file{i}")

    def delete_files(self, count: int) -> None:
        for i in range(count):
            self.os.unlink(f"/d{i % DIRECTORIES}/file{i}")

    def write(self, piece: bytes, pieces: int) -> None:
        descriptor = self.os.open("/big", os.O_CREAT | os.O_WRONLY)
        for _ in range(pieces):
            self.os.write(descriptor, piece)
        self.os.close(descriptor)

    def read(self, size: int, pieces: int) -> None:
        descriptor = self.os.open("/big", os.O_RDONLY)
        for _ in range(pieces):
            assert len(self.os.read(descriptor, size)) == size
        self.os.close(descriptor)

    def read_at(self, offsets: list[int], size: int) -> None:
        # Its pread is the real one's: it knows no fake descriptors.
        descriptor = self.os.open("/big", os.O_RDONLY)
        for offset in offsets:
            self.os.lseek(descriptor, offset, os.SEEK_SET)
            assert len(self.os.read(descriptor, size)) == size
        self.os.close(descriptor)

    def remount(self) -> Callable[[], None] | None:
        return None

    def stop(self) -> None:
        del self.os
