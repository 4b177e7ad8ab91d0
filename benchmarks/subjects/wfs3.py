"""WFS v3 of this project, in memory or on an image file."""

from collections.abc import Callable

from watosfs.block.device import BlockDevice
from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

_BLOCKS = 1 << 16


class Wfs3InMemory:
    """WFS v3 over the memory device (data CRCs on, as always)."""

    name = "wfs3"

    def start(self) -> None:
        self.device: BlockDevice = self.open_device()
        mkfs(self.device)
        self.volume = Volume.mount(self.device)

    def open_device(self) -> BlockDevice:
        return MemoryDevice(_BLOCKS)

    def make_files(self, count: int, payload: bytes) -> None:
        volume = self.volume
        for i in range(50):
            volume.mkdir(b"/d%d" % i)
        for i in range(count):
            with volume.create(b"/d%d/file%d" % (i % 50, i)) as handle:
                handle.pwrite(payload, 0)
        volume.sync()

    def stat_files(self, count: int) -> None:
        for i in range(count):
            self.volume.stat(b"/d%d/file%d" % (i % 50, i))

    def delete_files(self, count: int) -> None:
        for i in range(count):
            self.volume.unlink(b"/d%d/file%d" % (i % 50, i))
        self.volume.sync()

    def write(self, piece: bytes, pieces: int) -> None:
        with self.volume.create(b"/big") as handle:
            for i in range(pieces):
                handle.pwrite(piece, i * len(piece))
            handle.fsync()

    def read(self, size: int, pieces: int) -> None:
        with self.volume.open(b"/big") as handle:
            for i in range(pieces):
                assert len(handle.pread(size, i * size)) == size

    def remount(self) -> Callable[[], None]:
        self.volume.unmount()

        def mount() -> None:
            self.volume = Volume.mount(self.device)

        return mount

    def stop(self) -> None:
        self.device.close()
