"""pyfatfs: FAT32 on an image file; an fsync of the image follows where others flush."""

import os
from collections.abc import Callable

from pyfatfs.PyFatFS import PyFatFS

from benchmarks.subjects.image import Image
from benchmarks.subjects.pyfilesystem import PyFilesystem
from watosfs.block.file import FileDevice
from watosfs.fat.mkfs import Options, mkfs

_SIZE = 600_000 * 1024


class PyfatfsOnFile(PyFilesystem):
    """A file costs it milliseconds, and more with each in the directory: fewer of them."""

    files = 1000

    def start(self) -> None:
        self.image = Image()
        with FileDevice.open(self.image.path, create_size=_SIZE, block_size_bytes=512) as device:
            mkfs(device, Options(bits=32))
        super().start()

    def open(self) -> None:
        self.fs = PyFatFS(str(self.image.path))

    def flush(self) -> None:
        descriptor = os.open(self.image.path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def remount(self) -> Callable[[], None]:
        self.fs.close()
        self.image.forget_pages()
        return self.open

    def stop(self) -> None:
        super().stop()
        self.image.remove()
