"""Broken variants of the write-back cache of blocks (target ``wfs3-cached``)."""

from collections.abc import Callable
from typing import Any

from watosfs.block.cache import CachedDevice
from watosfs.block.device import Buffer
from watosfs_fuzz.canaries.registry import canary

Function = Callable[..., Any]
TARGET = "wfs3-cached"


@canary(
    "cache-drops-dirty",
    "eviction takes the oldest block, written or not",
    (CachedDevice, "make_room"),
    (CachedDevice, "can_take"),
    target=TARGET,
)
def cache_drops_dirty(_: Function, __: Function) -> tuple[Function, Function]:
    def make_room(self: CachedDevice, count: int) -> bool:
        while len(self.blocks) + count > self.blocks_max:
            self.drop(next(iter(self.blocks)))
        return True

    def can_take(self: CachedDevice, block: int, count: int) -> bool:
        return not self.is_closed and count <= self.blocks_max

    return make_room, can_take


@canary(
    "cache-two-keys",
    "a run is kept under its first block and length too",
    (CachedDevice, "read"),
    target=TARGET,
)
def cache_two_keys(original: Function) -> Function:
    def read(self: CachedDevice, block: int, count: int = 1, accept: Any = None) -> Buffer:
        runs = self.__dict__.setdefault("runs", {})
        if (block, count) not in runs:
            runs[block, count] = original(self, block, count, accept)
        data: Buffer = runs[block, count]
        return data

    return read


@canary(
    "cache-ignores-epochs",
    "a flush leaves the youngest dirty block to eviction",
    (CachedDevice, "write_back"),
    target=TARGET,
)
def cache_ignores_epochs(original: Function) -> Function:
    def write_back(self: CachedDevice) -> None:
        youngest = next(reversed(self.blocks), None)
        held = self.dirty & {youngest}
        self.dirty -= held
        original(self)
        self.dirty |= held

    return write_back
