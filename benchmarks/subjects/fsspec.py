"""fsspec's memory file system: one dict of paths, nothing to mount and nothing verified."""

from collections.abc import Callable

from fsspec.implementations.memory import MemoryFileSystem

from benchmarks.subject import DIRECTORIES


class FsspecInMemory:
    """``memory://`` of fsspec; its store belongs to the class, hence to the process."""

    files = 5000

    def start(self) -> None:
        self.fs = MemoryFileSystem()

    def make_files(self, count: int, payload: bytes) -> None:
        for i in range(DIRECTORIES):
            self.fs.mkdir(f"/d{i}")
        for i in range(count):
            self.fs.pipe_file(f"/d{i % DIRECTORIES}/file{i}", payload)

    def make_durable_files(self, count: int, payload: bytes) -> None:
        for i in range(count):
            self.fs.pipe_file(f"/d0/durable{i}", payload)

    def stat_files(self, count: int) -> None:
        for i in range(count):
            self.fs.info(f"/d{i % DIRECTORIES}/file{i}")

    def delete_files(self, count: int) -> None:
        for i in range(count):
            self.fs.rm_file(f"/d{i % DIRECTORIES}/file{i}")

    def write(self, piece: bytes, pieces: int) -> None:
        with self.fs.open("/big", "wb") as file:
            for _ in range(pieces):
                file.write(piece)

    def read(self, size: int, pieces: int) -> None:
        with self.fs.open("/big", "rb") as file:
            for _ in range(pieces):
                assert len(file.read(size)) == size

    def read_at(self, offsets: list[int], size: int) -> None:
        with self.fs.open("/big", "rb") as file:
            for offset in offsets:
                file.seek(offset)
                assert len(file.read(size)) == size

    def remount(self) -> Callable[[], None] | None:
        return None

    def stop(self) -> None:
        self.fs.store.clear()
        del self.fs.pseudo_dirs[1:]
