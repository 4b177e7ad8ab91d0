"""littlefs-python, in memory (its own context) or on an image file."""

import os
from collections.abc import Callable
from typing import Any

from littlefs import LittleFS, UserContext

from benchmarks.subject import DIRECTORIES
from benchmarks.subjects.image import Image

_BLOCK_SIZE, _BLOCKS = 4096, 1 << 15


class FileContext:
    """littlefs' block device over an image file; ``sync`` is the host's fdatasync."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self.descriptor = os.open(image.path, os.O_RDWR | os.O_CREAT)
        os.ftruncate(self.descriptor, _BLOCK_SIZE * _BLOCKS)

    def read(self, _config: Any, block: int, offset: int, size: int) -> bytes:
        return os.pread(self.descriptor, size, block * _BLOCK_SIZE + offset)

    def prog(self, _config: Any, block: int, offset: int, data: bytes) -> int:
        os.pwrite(self.descriptor, data, block * _BLOCK_SIZE + offset)
        return 0

    def erase(self, _config: Any, block: int) -> int:
        return 0

    def sync(self, _config: Any) -> int:
        os.fdatasync(self.descriptor)
        return 0


class LittlefsInMemory:
    """littlefs over its own in-memory context, 4096-byte blocks."""

    files = 5000

    def start(self) -> None:
        self.context = self.new_context()
        self.fs = self.open(mount=False)
        self.fs.format()
        self.fs.mount()

    def new_context(self) -> Any:
        return UserContext(_BLOCK_SIZE * _BLOCKS)

    def open(self, *, mount: bool) -> LittleFS:
        return LittleFS(
            context=self.context, block_size=_BLOCK_SIZE, block_count=_BLOCKS, mount=mount
        )

    def make_files(self, count: int, payload: bytes) -> None:
        for i in range(DIRECTORIES):
            self.fs.mkdir(f"/d{i}")
        for i in range(count):
            with self.fs.open(f"/d{i % DIRECTORIES}/file{i}", "wb") as file:
                file.write(payload)

    def make_durable_files(self, count: int, payload: bytes) -> None:
        # Closing a file is littlefs' point of durability.
        for i in range(count):
            with self.fs.open(f"/d0/durable{i}", "wb") as file:
                file.write(payload)

    def stat_files(self, count: int) -> None:
        for i in range(count):
            self.fs.stat(f"/d{i % DIRECTORIES}/file{i}")

    def delete_files(self, count: int) -> None:
        for i in range(count):
            self.fs.remove(f"/d{i % DIRECTORIES}/file{i}")

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

    def remount(self) -> Callable[[], None]:
        self.fs.unmount()
        self.forget_pages()

        def mount() -> None:
            self.fs = self.open(mount=True)

        return mount

    def forget_pages(self) -> None:
        """Memory is always warm."""

    def stop(self) -> None:
        del self.fs, self.context


class LittlefsOnFile(LittlefsInMemory):
    """The same over an image file. A file in it costs milliseconds: fewer of them."""

    files = 1000

    def new_context(self) -> FileContext:
        self.image = Image()
        return FileContext(self.image)

    def forget_pages(self) -> None:
        self.image.forget_pages()

    def stop(self) -> None:
        os.close(self.context.descriptor)
        super().stop()
        self.image.remove()
