"""A power cut anywhere leaves every file as it was or as it became (CRASH_MODEL, 40 to 44).

Checks: seeded random images that clause 3 of the crash model permits (any subset of the sectors
written since the last flush), at every flush of random traces: what the checker finds, what a
mount makes of it, and what each file holds.
Does not check: every image (``watosfs-fuzz campaign --target wfs2`` does); files changed in place.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.impl.wfs2.images import mounted
from tests.impl.wfs2.traces import Trace, tree_on
from watosfs.block.device import Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.wfs2 import commit
from watosfs.wfs2.check import check
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.mkfs import mkfs

#: What a mount for writing takes away.
HARMLESS = {"lost", "counts", "duplicate"}


class Cut(NamedTuple):
    image: bytes
    synced: dict[str, bytes | None]
    touched: set[str]
    versions: dict[str, set[bytes | None]]


class CutDevice(MemoryDevice):
    """Remembers what each epoch wrote, sector by sector, and what it began with."""

    trace: Trace | None = None

    def start(self, trace: Trace, rng: random.Random) -> None:
        self.rng = rng
        self.durable = bytearray(self.snapshot())
        self.epoch: list[tuple[int, bytes]] = []
        self.cuts: list[Cut] = []
        self.trace = trace

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        super().write(block, data)
        if self.trace is not None:
            view = memoryview(data)
            for i in range(view.nbytes // 512):
                self.epoch.append((block * 8 + i, bytes(view[i * 512 : (i + 1) * 512])))

    def flush(self) -> None:
        super().flush()
        if self.trace is None:
            return
        if self.epoch and not self.rng.randrange(2):
            self.cut(self.trace)
        for sector, raw in self.epoch:
            self.durable[sector * 512 : (sector + 1) * 512] = raw
        self.epoch = []

    def cut(self, trace: Trace) -> None:
        image = bytearray(self.durable)
        keep = self.rng.choice((0.1, 0.5, 0.9))
        for sector, raw in self.epoch:
            if self.rng.random() < keep:
                image[sector * 512 : (sector + 1) * 512] = raw
        trace.remember()
        versions = {path: set(found) for path, found in trace.versions.items()}
        self.cuts.append(Cut(bytes(image), trace.synced, set(trace.touched), versions))


def judge(seed: int) -> None:
    device = CutDevice(1024)
    mkfs(device, max_files=256)
    trace = Trace(seed, mounted(device))
    device.start(trace, random.Random(seed))
    trace.run(120)
    for cut in device.cuts:
        left = MemoryDevice.from_bytes(cut.image)
        report = check(left, data=True)
        assert report.kinds <= HARMLESS, report.problems
        before = tree_on(left)
        mounted(left).unmount()
        after = check(left, data=True)
        assert after.is_clean, (report.problems, after.problems)
        found = tree_on(left)
        assert found == before
        judge_contents(found, cut)


def judge_contents(found: dict[str, bytes | None], cut: Cut) -> None:
    for path, data in cut.synced.items():
        if not is_touched(path, cut.touched):
            assert path in found, path
            assert found[path] == data, path
    for path, data in found.items():
        assert data in cut.versions.get(path, set()), (path, data and data[:20])


def is_touched(path: str, touched: set[str]) -> bool:
    """Whether an operation named a path, one above it, or one below (that makes a folder)."""
    return any(path == name or path.startswith(name + "/") for name in touched)


@pytest.mark.parametrize("seed", range(8))
def test_every_file_is_old_or_new_survives_crash(seed: int) -> None:
    judge(seed)


@pytest.mark.slow
def test_hundreds_of_traces_leave_every_file_old_or_new_survives_crash() -> None:
    for seed in range(100, 160):
        judge(seed)


def free_at_once(engine: Engine) -> None:
    """What an entry on the medium leads to is given out again before that entry is gone."""
    for start, count in engine.pending:
        engine.release(start, count)
    engine.pending.clear()
    settle_all(engine)


settle_all = commit.settle_all


def entries_first(engine: Engine) -> None:
    """Entries are written in one step with the data that they lead to."""
    commit._write_entries(engine)
    write_bitmap(engine)


write_bitmap = commit._write_bitmap


@pytest.mark.parametrize(
    ("name", "broken"), [("settle_all", free_at_once), ("_write_bitmap", entries_first)]
)
def test_canary_another_order_of_writes_is_caught(
    name: str, broken: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, name, broken)
    with pytest.raises((AssertionError, OSError)):
        judge_many()


def judge_many() -> None:
    for seed in range(40):
        judge(seed)
