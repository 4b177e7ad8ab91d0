"""WFS v3 of this project, in memory or on an image file (data CRCs on, as always)."""

from collections.abc import Callable

from benchmarks.subject import DIRECTORIES
from benchmarks.subjects.image import Image
from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs.block.file import FileDevice
from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

#: 256 MiB.
_BLOCKS = 1 << 16
_PIECE = 256


class Wfs3InMemory:
    """WFS v3 over the memory device. Its memory is taken before the clock starts, as littlefs'
    context takes it: otherwise the system's clearing of pages is what is measured.
    """

    files = 5000

    def start(self) -> None:
        self.device: BlockDevice = self.new_device()
        mkfs(self.device)
        self.volume = Volume.mount(self.device)

    def new_device(self) -> BlockDevice:
        device = MemoryDevice(_BLOCKS)
        for block in range(0, _BLOCKS, _PIECE):
            device.write(block, bytes(_PIECE * BLOCK_SIZE_BYTES))
        return device

    def make_files(self, count: int, payload: bytes) -> None:
        volume = self.volume
        for i in range(DIRECTORIES):
            volume.mkdir(b"/d%d" % i)
        for i in range(count):
            with volume.create(b"/d%d/file%d" % (i % DIRECTORIES, i)) as handle:
                handle.pwrite(payload, 0)
        volume.sync()

    def make_durable_files(self, count: int, payload: bytes) -> None:
        for i in range(count):
            with self.volume.create(b"/d0/durable%d" % i) as handle:
                handle.pwrite(payload, 0)
                handle.fsync()

    def stat_files(self, count: int) -> None:
        for i in range(count):
            self.volume.stat(b"/d%d/file%d" % (i % DIRECTORIES, i))

    def delete_files(self, count: int) -> None:
        for i in range(count):
            self.volume.unlink(b"/d%d/file%d" % (i % DIRECTORIES, i))
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

    def read_at(self, offsets: list[int], size: int) -> None:
        with self.volume.open(b"/big") as handle:
            for offset in offsets:
                assert len(handle.pread(size, offset)) == size

    def remount(self) -> Callable[[], None]:
        self.volume.unmount()
        self.forget_pages()

        def mount() -> None:
            self.volume = Volume.mount(self.device)

        return mount

    def forget_pages(self) -> None:
        """Memory is always warm."""

    def stop(self) -> None:
        self.volume.unmount()
        self.device.close()


class Wfs3OnFile(Wfs3InMemory):
    """The same over an image file that is flushed."""

    def start(self) -> None:
        self.image = Image()
        super().start()

    def new_device(self) -> BlockDevice:
        return FileDevice.open(self.image.path, create_size=_BLOCKS * BLOCK_SIZE_BYTES)

    def forget_pages(self) -> None:
        self.image.forget_pages()

    def stop(self) -> None:
        super().stop()
        self.image.remove()
