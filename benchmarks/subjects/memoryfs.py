"""PyFilesystem's MemoryFS: dicts and BytesIO, nothing to mount and nothing verified."""

from fs.memoryfs import MemoryFS

from benchmarks.subjects.pyfilesystem import PyFilesystem


class PyFilesystemInMemory(PyFilesystem):
    """``fs.memoryfs.MemoryFS``."""

    def open(self) -> None:
        self.fs = MemoryFS()
