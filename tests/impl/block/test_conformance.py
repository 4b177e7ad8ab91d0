"""Every block device keeps the contract, and the contract catches devices that do not."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from watosfs.block import memory
from watosfs.block.device import Accept, BlockDevice, Buffer
from watosfs.block.file import FileDevice
from watosfs.block.memory import MemoryDevice
from watosfs.block.statistics import CountingDevice
from watosfs.block.sub_device import SubDevice
from watosfs_fuzz.device_conformance import BLOCK_COUNT, DeviceConformance

SMOKE = settings(max_examples=60, stateful_step_count=30, derandomize=True, database=None)

#: Hunting a canary: the first bug found is enough, and nobody reads the explanation.
HUNT = settings(SMOKE, report_multiple_bugs=False, phases=[Phase.generate, Phase.shrink])
#: Lines of a trace that are no steps.
FRAME = {
    "state.open_it",
    "state.teardown",
    "state.every_block_reads_as_last_written",
    "state.buffers_stay_as_they_were",
}


class OnMemory(DeviceConformance):
    def make_device(self) -> BlockDevice:
        return MemoryDevice(BLOCK_COUNT)


class OnMemoryOfSectors(DeviceConformance):
    def make_device(self) -> BlockDevice:
        return MemoryDevice(BLOCK_COUNT, 512)


class OnCounting(DeviceConformance):
    def make_device(self) -> BlockDevice:
        return CountingDevice(MemoryDevice(BLOCK_COUNT))


class OnFile(DeviceConformance):
    block_size_bytes = 4096

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "image")

    def make_device(self) -> BlockDevice:
        size = self.block_size_bytes
        return FileDevice.open(self.path, create_size=BLOCK_COUNT * size, block_size_bytes=size)

    def reopen_device(self) -> BlockDevice:
        return FileDevice.open(self.path, block_size_bytes=self.block_size_bytes)

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


class OnFileOfSectors(OnFile):
    block_size_bytes = 512


class OnSubDevice(DeviceConformance):
    def make_device(self) -> BlockDevice:
        below = MemoryDevice(BLOCK_COUNT + 9)
        return SubDevice(below, 3 * 4096, BLOCK_COUNT * 4096)


class OnSubDeviceThatIsNotAligned(DeviceConformance):
    def make_device(self) -> BlockDevice:
        below = MemoryDevice(BLOCK_COUNT + 9)
        return SubDevice(below, 63 * 512, BLOCK_COUNT * 512)


@pytest.mark.parametrize(
    "machine",
    [
        OnMemory,
        OnMemoryOfSectors,
        OnCounting,
        OnFile,
        OnFileOfSectors,
        OnSubDevice,
        OnSubDeviceThatIsNotAligned,
    ],
)
def test_device_keeps_the_contract(machine: type[DeviceConformance]) -> None:
    run_state_machine_as_test(machine, settings=SMOKE)


def test_memory_keeps_the_contract_where_the_mapping_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_mapping", lambda size_bytes: None)
    run_state_machine_as_test(OnMemory, settings=SMOKE)


class LosesWrites(MemoryDevice):
    """Drops the second block of every write."""

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        super().write(block, memoryview(data)[: self.block_size_bytes])
        rest = memoryview(data)[2 * self.block_size_bytes :]
        if rest.nbytes:
            super().write(block + 2, rest)


class AliasesBlocks(MemoryDevice):
    """Wraps around: blocks that differ by eight are one."""

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        super().read(block, count)
        inner = super().read
        return b"".join(bytes(inner(b % 8)) for b in range(block, block + count))

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        super().read(block, len(data) // self.block_size_bytes)
        for i in range(len(data) // self.block_size_bytes):
            piece = memoryview(data)[i * self.block_size_bytes : (i + 1) * self.block_size_bytes]
            super().write((block + i) % 8, piece)


class KeepsTheCallersBuffer(MemoryDevice):
    """Writes when flushed, from a buffer that the caller may have changed by then."""

    def __init__(self, block_count: int) -> None:
        super().__init__(block_count)
        self.pending: list[tuple[int, Buffer]] = []

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        self.pending.append((block, data))

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        for start, data in self.pending:
            super().write(start, data)
        self.pending.clear()
        return super().read(block, count)


class GivesOutOneBuffer(MemoryDevice):
    """Reuses the buffer of the last read."""

    def __init__(self, block_count: int) -> None:
        super().__init__(block_count)
        self.buffer = bytearray(block_count * self.block_size_bytes)

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        data = super().read(block, count)
        self.buffer[: len(data)] = data
        return memoryview(self.buffer)[: len(data)]


class ReadsRunsSorted(MemoryDevice):
    """Answers readv in the order of the disk."""

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        return super().readv(sorted(runs))


class WritesBeforeItChecks(MemoryDevice):
    """Cuts off data that reaches past the end, then complains."""

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        if 0 <= block < self.block_count:
            fits = (self.block_count - block) * self.block_size_bytes
            super().write(block, memoryview(data)[:fits])
        super().write(block, data)


class ForgetsToClose(MemoryDevice):
    """Goes on after close."""

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("broken", "steps_max"),
    [
        (LosesWrites, 1),
        (AliasesBlocks, 1),
        (KeepsTheCallersBuffer, 1),
        (GivesOutOneBuffer, 3),
        (ReadsRunsSorted, 2),
        (WritesBeforeItChecks, 2),
        (ForgetsToClose, 0),
    ],
)
def test_canary_a_broken_device_is_caught_in_few_steps(
    broken: type[MemoryDevice], steps_max: int
) -> None:
    class OnBroken(DeviceConformance):
        def make_device(self) -> BlockDevice:
            return broken(BLOCK_COUNT)

    with pytest.raises((AssertionError, OSError)) as caught:
        run_state_machine_as_test(OnBroken, settings=HUNT)
    lines = "\n".join(getattr(caught.value, "__notes__", ())).splitlines()
    assert any(line.startswith("state.open_it") for line in lines), lines
    called = [line.partition("(")[0] for line in lines if line.startswith("state.")]
    assert len([name for name in called if name not in FRAME]) <= steps_max, lines
