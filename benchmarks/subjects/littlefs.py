"""littlefs-python in memory: the peer named in the project's targets."""

from collections.abc import Callable

from littlefs import LittleFS, UserContext

_BLOCK_SIZE, _BLOCKS = 4096, 1 << 15


class LittlefsInMemory:
    """littlefs over its own in-memory context, 4096-byte blocks."""

    name = "littlefs-mem"

    def start(self) -> None:
        self.context = UserContext(_BLOCK_SIZE * _BLOCKS)
        self.fs = self.open(mount=False)
        self.fs.format()
        self.fs.mount()

    def open(self, *, mount: bool) -> LittleFS:
        return LittleFS(
            context=self.context, block_size=_BLOCK_SIZE, block_count=_BLOCKS, mount=mount
        )

    def make_files(self, count: int, payload: bytes) -> None:
        for i in range(50):
            self.fs.mkdir(f"/d{i}")
        for i in range(count):
            with self.fs.open(f"/d{i % 50}/file{i}", "wb") as file:
                file.write(payload)

    def stat_files(self, count: int) -> None:
        for i in range(count):
            self.fs.stat(f"/d{i % 50}/file{i}")

    def delete_files(self, count: int) -> None:
        for i in range(count):
            self.fs.remove(f"/d{i % 50}/file{i}")

    def write(self, piece: bytes, pieces: int) -> None:
        with self.fs.open("/big", "wb") as file:
            for _ in range(pieces):
                file.write(piece)

    def read(self, size: int, pieces: int) -> None:
        with self.fs.open("/big", "rb") as file:
            for _ in range(pieces):
                assert len(file.read(size)) == size

    def remount(self) -> Callable[[], None]:
        self.fs.unmount()

        def mount() -> None:
            self.fs = self.open(mount=True)

        return mount

    def stop(self) -> None:
        del self.fs, self.context
