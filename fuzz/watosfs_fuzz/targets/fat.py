"""Our FAT on a recorded device, in lockstep with the model.

Checks: names, kinds, sizes and bytes after every operation; power cuts anywhere, by the weaker
contract of CRASH_MODEL (clauses 14 to 18 and 47 to 51). Does not check: modes and times, of which
FAT keeps little; ENOSPC, which is taken as the target says it; going on after a power cut.
"""

import errno
from collections.abc import Hashable
from dataclasses import replace
from functools import cache
from typing import ClassVar

from watosfs.block.device import BLOCK_SIZE_BYTES, BlockDevice
from watosfs.fat.check import check
from watosfs.fat.handle import O_APPEND, Handle
from watosfs.fat.mkfs import Options
from watosfs.fat.mkfs import mkfs as mkfs_fat
from watosfs.fat.volume import FatVolume
from watosfs_fuzz.crash.image import CrashImage
from watosfs_fuzz.crash.log import Image, RecordingDevice
from watosfs_fuzz.dialect import Dialect, Observed
from watosfs_fuzz.oracles.parts import contract
from watosfs_fuzz.oracles.permitted import frozen
from watosfs_fuzz.progress import progress_problem
from watosfs_fuzz.target import NANOSECONDS_PER_OPERATION, Geometry, WithoutProbes
from watosfs_fuzz.targets.descriptors import (
    FIELDS,
    FLAGS,
    OPERATIONS,
    DescriptorTarget,
    NativeFile,
    refuse,
)
from watosfs_fuzz.targets.fat_crash import Remains, not_permitted, tree_on
from watosfs_model import Outcome
from watosfs_model import operations as ops
from watosfs_model.operations import Operation

FILE_BYTES_MAX = 200_000
DEFAULT_GEOMETRY = Geometry()
#: (blocks, reserved sectors) with which clusters of a block begin at blocks: what is read of a
#: directory decides nothing of a file then.
_LAYOUTS = {12: (256, 14), 16: (4099, 8), 32: (500, 32)}


class FatFile:
    """An open file of the volume."""

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


@cache
def empty_image(bits: int) -> Image:
    """An empty volume."""
    blocks, reserved = _LAYOUTS[bits]
    device = RecordingDevice(blocks)
    options = Options(bits=bits, sectors_per_cluster=8, volume_id=1, reserved_sectors=reserved)
    geometry = mkfs_fat(device, options, clock=lambda: 0)
    assert not geometry.data_start % BLOCK_SIZE_BYTES, geometry
    return device.image


class FatTarget(WithoutProbes, DescriptorTarget):
    """FAT of 12, 16 or 32 bits; names in lower case, for FAT finds them in any."""

    bits: ClassVar[int] = 12
    dialect = Dialect(
        OPERATIONS,
        can_crash=True,
        fields=FIELDS,
        names="[a-z0-9]{1,100}",
        file_bytes_max=FILE_BYTES_MAX,
        open_flags=FLAGS,
        may_refuse=True,
        contract=contract,
    )

    def __init__(self, geometry: Geometry = DEFAULT_GEOMETRY) -> None:
        super().__init__(replace(geometry, block_count=_LAYOUTS[self.bits][0]))
        #: What a power cut left, on a target that was recovered from one.
        self.remains: Remains | None = None

    # -- life

    def mount(self, device: BlockDevice) -> FatVolume:
        """The volume on a device."""
        return FatVolume.mount(device, clock=self.clock)

    def clock(self) -> int:
        """The time of the operation under way, ns."""
        return self.operations_done * NANOSECONDS_PER_OPERATION

    def start(self) -> None:
        self.refusals = 0
        self.restart_on(dict(empty_image(self.bits)), 0)

    def restart_on(self, image: dict[int, bytes], operations_done: int) -> None:
        self.operations_done = operations_done
        self.opened = {}
        self.base = dict(image)
        self.device = RecordingDevice(self.geometry.block_count, image)
        self.volume = self.mount(self.device)

    def recover(self, device: BlockDevice, operations_done: int) -> "FatTarget":
        target = type(self)(self.geometry)
        target.operations_done = operations_done
        target.remains = Remains(device)
        target.volume = target.mount(device)
        return target

    def remount(self) -> None:
        self.opened = {}
        self.volume.unmount()
        self.volume = self.mount(self.device)

    def apply(self, pid: int, operation: Operation) -> Outcome:
        device = getattr(self, "device", None)
        number = self.operations_done + 1
        if device is not None:
            device.mark(("begin", number))
        outcome = super().apply(pid, operation)
        if device is not None:
            device.mark(("end", number))
        return outcome

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
        return FatFile(self.volume.open(path, flags))

    def handle(self, descriptor: int) -> Handle:
        """The volume's own file: access modes and O_APPEND are its, not the adapter's."""
        file = self.descriptor(descriptor).file
        assert isinstance(file, FatFile)
        return file.handle

    def pread(self, operation: ops.Pread) -> bytes:
        return self.handle(operation.fd).pread(operation.count, operation.offset)

    def pwrite(self, operation: ops.Pwrite) -> int:
        handle, data = self.handle(operation.fd), operation.data.bytes()
        is_append = self.descriptor(operation.fd).flags & O_APPEND and operation.offset >= 0
        if is_append and handle.node.size + len(data) > FILE_BYTES_MAX:
            raise refuse("a file beyond the limit of the dialect")
        return handle.pwrite(data, operation.offset)

    def ftruncate(self, operation: ops.Ftruncate) -> None:
        self.handle(operation.fd).truncate(operation.size)

    def content(self, path: bytes) -> bytes:
        return self.volume.read_file(path)

    def observe(self) -> Observed:
        """What there is; of a crash image what was found on it, and what its repair gives names."""
        if self.remains is not None:
            return self.remains.tree, {}
        return super().observe()

    # -- judging crashes

    def epoch_problem(self) -> str | None:
        return None

    def role(self, block: int) -> str | None:
        """What a block is for, in reports."""
        geometry, offset = self.volume.engine.geometry, block * BLOCK_SIZE_BYTES
        if offset + BLOCK_SIZE_BYTES <= next(iter(geometry.fat_starts())):
            return "boot sector"
        if offset < geometry.data_start:
            return "table or root directory"
        return "clusters"

    def problems(self, device: BlockDevice, memo: dict[object, object]) -> list[str]:
        return [str(problem) for problem in not_permitted(check(device, reconnect=False))]

    def progress_problem(self) -> str | None:
        if self.remains is not None and self.remains.repair_problem is not None:
            return self.remains.repair_problem
        self.remains = None
        return progress_problem(self)

    def read_only_problem(
        self, device: CrashImage, operations_done: int, tree: Hashable
    ) -> str | None:
        found = tree_on(FatVolume.mount(device, read_only=True), device)
        if device.write_count:
            return f"a read-only mount made {device.write_count} writes"
        # What a repair would give names is in the tree too.
        assert isinstance(tree, tuple)
        is_same = set(dict(frozen(found))) <= set(dict(tree))  # type: ignore[call-overload]
        return None if is_same else "a read-only mount shows another tree"


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
