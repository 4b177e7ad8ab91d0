"""Broken variants of WFS v3 that only a failing device shows."""

import errno
from collections.abc import Callable
from typing import Any

from watosfs.block.device import BlockDevice, Buffer
from watosfs.wfs3 import commit as commit_module
from watosfs.wfs3 import mounting, volume
from watosfs.wfs3.engine import Engine
from watosfs.wfs3.filereading import FileReader
from watosfs.wfs3.format import BLOCK_SIZE, SUPERBLOCK_SLOTS
from watosfs.wfs3.records import Extent
from watosfs_fuzz.canaries.registry import Canary, canary

Function = Callable[..., Any]

#: By name; ``PROFILE_OF`` says which profile must catch each.
FAULT_CANARIES: dict[str, Canary] = {}
PROFILE_OF = {
    "crc-unchecked": "bit-rot",
    "flush-error-swallowed": "flush-once",
    "second-superblock-ignored": "bit-rot",
    "read-error-as-zeros": "read-bad-block",
    "failed-write-clean": "write-once",
}


def plant(
    name: str, description: str, *places: tuple[object, str]
) -> Callable[[Function], Function]:
    """Register a canary of the fault profiles."""
    return canary(name, description, *places, registry=FAULT_CANARIES)


@plant("crc-unchecked", "file data is not compared with its CRC", (FileReader, "load_extent"))
def crc_unchecked(_: Function) -> Function:
    def load_extent(self: FileReader, key: int, extent: Extent) -> Buffer:
        self.validate(key, extent)
        return self.engine.device.read(extent.disk_block, extent.length // BLOCK_SIZE)

    return load_extent


@plant("flush-error-swallowed", "an EIO of a flush counts as done", (commit_module, "commit"))
def flush_error_swallowed(_: Function) -> Function:
    def commit(medium: Any, allocator: Any, slot: int, writes: Any, superblock: Any) -> int:
        for block, data in writes:
            medium.write(block, data)
        quietly(medium.flush)
        medium.write_superblock(1 - slot, superblock)
        quietly(medium.flush)
        allocator.committed()
        return 1 - slot

    return commit


def quietly(run: Callable[[], object]) -> None:
    """Forget an EIO: the fault."""
    try:
        run()
    except OSError as error:
        if error.errno != errno.EIO:
            raise


@plant("second-superblock-ignored", "mount looks at block 0 only", (volume, "read_superblocks"))
def second_superblock_ignored(original: Function) -> Function:
    class FirstOnly:
        """A device whose second superblock cannot be seen."""

        def __init__(self, device: BlockDevice) -> None:
            self.device = device

        def __getattr__(self, name: str) -> Any:
            return getattr(self.device, name)

        def read(self, block: int, count: int = 1) -> Buffer:
            return self.device.read(SUPERBLOCK_SLOTS[0] if block == 1 else block, count)

    def read_superblocks(device: BlockDevice) -> mounting.Found:
        found: mounting.Found = original(FirstOnly(device))
        return found

    return read_superblocks


@plant("read-error-as-zeros", "what cannot be read is zeros", (FileReader, "load_extent"))
def read_error_as_zeros(original: Function) -> Function:
    def load_extent(self: FileReader, key: int, extent: Extent) -> Any:
        try:
            return original(self, key, extent)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return bytes(extent.length)

    return load_extent


@plant(
    "failed-write-clean", "a commit whose writes failed says that it is done", (Engine, "commit")
)
def failed_write_clean(original: Function) -> Function:
    def commit(self: Engine, *, force: bool = False) -> None:
        try:
            original(self, force=force)
        except OSError as error:
            if error.errno != errno.EIO:
                raise

    return commit
