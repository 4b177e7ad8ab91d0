"""Our FAT in memory, in lockstep with the model.

Checks: names, kinds, sizes and bytes after every operation. Does not check: power cuts, which
``tests/impl/fat/test_power_cut.py`` judges by the weaker contract of CRASH_MODEL; modes and times,
of which FAT keeps little; ENOSPC, which is taken as the target says it.
"""

import errno
from typing import ClassVar

from watosfs.block.device import BLOCK_SIZE_BYTES
from watosfs.block.memory import MemoryDevice
from watosfs.fat.handle import Handle
from watosfs.fat.mkfs import Options
from watosfs.fat.mkfs import mkfs as mkfs_fat
from watosfs.fat.volume import FatVolume
from watosfs_fuzz.dialect import Dialect
from watosfs_fuzz.target import NANOSECONDS_PER_OPERATION, Geometry
from watosfs_fuzz.targets.descriptors import (
    FIELDS,
    FLAGS,
    OPERATIONS,
    DescriptorTarget,
    NativeFile,
)
from watosfs_model.operations import Operation

FILE_BYTES_MAX = 200_000
DEFAULT_GEOMETRY = Geometry()
#: Sectors of 512 bytes that FAT16 and FAT32 need with the default clusters.
_SECTORS_MIN = {12: 0, 16: 18_000, 32: 70_000}
_O_RDWR = 2


class FatFile:
    """An open file, writable whatever the descriptor's access mode (the adapter knows that)."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle

    def read(self, offset: int, count: int) -> bytes:
        return self.handle.pread(count, offset)

    def write(self, offset: int, data: bytes) -> int:
        return self.handle.pwrite(data, offset)

    def truncate(self, size: int) -> None:
        self.handle.truncate(size)

    def size(self) -> int:
        return self.handle.stat().st_size

    def sync(self) -> None:
        self.handle.fsync()

    def close(self) -> None:
        self.handle.close()


class FatTarget(DescriptorTarget):
    """FAT of 12, 16 or 32 bits; names in lower case, for FAT finds them in any."""

    bits: ClassVar[int] = 12
    dialect = Dialect(
        OPERATIONS,
        can_crash=False,
        fields=FIELDS,
        names="[a-z0-9]{1,100}",
        file_bytes_max=FILE_BYTES_MAX,
        open_flags=FLAGS,
        may_refuse=True,
    )

    device: MemoryDevice
    volume: FatVolume

    def __init__(self, geometry: Geometry = DEFAULT_GEOMETRY) -> None:
        super().__init__(geometry)

    def make(self) -> MemoryDevice:
        """An empty volume."""
        sectors = self.geometry.block_count * BLOCK_SIZE_BYTES // 512
        device = MemoryDevice(max(sectors, _SECTORS_MIN[self.bits]), 512)
        mkfs_fat(device, Options(bits=self.bits))
        return device

    def mount(self) -> FatVolume:
        """The volume on the device."""
        return FatVolume.mount(self.device, clock=self.clock)

    def clock(self) -> int:
        """The time of the operation under way, ns."""
        return self.operations_done * NANOSECONDS_PER_OPERATION

    def start(self) -> None:
        self.operations_done = self.refusals = 0
        self.opened = {}
        self.device = self.make()
        self.volume = self.mount()

    def remount(self) -> None:
        self.opened = {}
        self.volume.unmount()
        self.volume = self.mount()

    def sync(self) -> None:
        self.volume.sync()

    def has_room_for(self, operation: Operation) -> bool:
        return False

    def errno_of(self, error: Exception) -> int | None:
        return error.errno if isinstance(error, OSError) else None

    def mkdir(self, path: bytes) -> None:
        self.volume.mkdir(path)

    def rmdir(self, path: bytes) -> None:
        self.volume.rmdir(path)

    def remove(self, path: bytes) -> None:
        self.volume.unlink(path)

    def move(self, old: bytes, new: bytes) -> None:
        self.volume.rename(old, new)

    def readdir(self, path: bytes) -> list[tuple[bytes, str]]:
        return [(entry.name, entry.kind) for entry in self.volume.readdir(path)]

    def kind(self, path: bytes) -> str | None:
        try:
            node = self.volume.node(path)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return None
            raise
        return "directory" if node.is_directory else "file"

    def open_native(self, path: bytes, flags: int) -> NativeFile:
        return FatFile(self.volume.open(path, flags & ~0o3 & ~0o2000 | _O_RDWR))

    def content(self, path: bytes) -> bytes:
        return self.volume.read_file(path)


class Fat12Target(FatTarget):
    """FAT12."""

    name = "fat12"


class Fat16Target(FatTarget):
    """FAT16."""

    name = "fat16"
    bits = 16


class Fat32Target(FatTarget):
    """FAT32."""

    name = "fat32"
    bits = 32
