"""A power cut anywhere leaves lost clusters at worst, and everything that was synced and let alone.

Checks: seeded random images that clause 3 of the crash model permits (any subset of the sectors
written since the last flush), at every flush of random traces; the checker's verdict on each, what
is left after repair, and that the repaired volume is clean.
Does not check: every image; whether a nested cut during repair is survived.
"""

import random

import pytest

from tests.impl.fat.traces import Trace, key_of, tree_on
from watosfs.block.device import Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.fat.chains import Chains
from watosfs.fat.check import check
from watosfs.fat.engine import Engine
from watosfs.fat.volume import FatVolume

#: Lost clusters, what a mount or a check sets right by the way, and long names torn from theirs.
HARMLESS = {"lost", "dirty", "fsinfo", "mirror", "name", "size"}
Synced = dict[str, tuple[bytes | None, int]]


class CutDevice(MemoryDevice):
    """Remembers what each epoch wrote, sector by sector, and what it began with."""

    def start(self, trace: Trace, rng: random.Random) -> None:
        self.trace, self.rng = trace, rng
        self.durable = bytearray(self.snapshot())
        self.epoch: list[tuple[int, bytes]] = []
        self.images: list[tuple[bytes, Synced, set[str]]] = []

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        super().write(block, data)
        if hasattr(self, "epoch"):
            view = memoryview(data)
            for i in range(len(view) // 512):
                self.epoch.append((block + i, bytes(view[i * 512 : (i + 1) * 512])))

    def flush(self) -> None:
        super().flush()
        if not hasattr(self, "epoch"):
            return
        if self.epoch and not self.rng.randrange(3):
            self.cut()
        for sector, raw in self.epoch:
            self.durable[sector * 512 : (sector + 1) * 512] = raw
        self.epoch = []

    def cut(self) -> None:
        image = bytearray(self.durable)
        keep = self.rng.choice((0.1, 0.5, 0.9))
        for sector, raw in self.epoch:
            if self.rng.random() < keep:
                image[sector * 512 : (sector + 1) * 512] = raw
        self.images.append((bytes(image), self.trace.synced, set(self.trace.touched)))


def is_touched(path: str, touched: set[str]) -> bool:
    """Whether an operation named a path or one above it, in whatever case."""
    parts = [key_of(part) for part in path.split("/")]
    keys = {"/".join(map(key_of, name.split("/"))) for name in touched}
    return any("/".join(parts[:i]) in keys for i in range(2, len(parts) + 1))


@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_left_is_lost_clusters_at_worst_survives_crash(seed: int, bits: int) -> None:
    judge(seed, bits)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [12, 16, 32])
def test_hundreds_of_traces_leave_lost_clusters_at_worst_survives_crash(bits: int) -> None:
    for seed in range(100, 300):
        judge(seed, bits)


def judge(seed: int, bits: int) -> None:
    trace = Trace(seed, bits, is_small=True)
    device = CutDevice(trace.size_bytes // 512, 512)
    trace.prepare(device)
    device.start(trace, random.Random(seed))
    trace.run(device, steps=80)
    for image, synced, touched in device.images:
        cut = MemoryDevice.from_bytes(image, 512)
        report = check(cut, repair=True)
        assert report.kinds <= HARMLESS, report.problems
        for problem in report.problems:
            if problem.kind == "size":
                assert "clusters for" in problem.text, problem
        after = check(cut)
        assert after.is_clean, (report.problems, after.problems)
        found = tree_on(FatVolume.mount(cut, read_only=True))
        for path, (data, _) in synced.items():
            if not is_touched(path, touched):
                assert found.get(path, (b"gone", 0))[0] == data, (path, report.problems)


def free_at_once(chains: Chains, first: int, count: int) -> None:
    """What something on disk may still lead to is given out again."""
    chains.table.clear_run(first, count)
    chains.allocator.give_back(first, count)


def link_at_once(chains: Chains) -> bool:
    """Links go out with the directories, behind which they should have been."""
    for tail, following in chains.links.items():
        chains.table.put(tail, following)
    chains.links = {}
    return False


def entries_first(engine: Engine) -> None:
    """Entries are written before what they lead to."""
    for node in engine.dirty_nodes:
        if node.directory is not None and not node.is_removed:
            node.directory.store(node)
    engine._write_directories()
    write_back(engine)


write_back = Engine._write_back


@pytest.mark.parametrize(
    ("where", "name", "broken"),
    [
        (Chains, "_drop", free_at_once),
        (Chains, "put_links", link_at_once),
        (Engine, "_write_back", entries_first),
    ],
)
def test_canary_another_order_of_writes_is_caught(
    where: type, name: str, broken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, name, broken)
    with pytest.raises((AssertionError, OSError)):
        judge_many()


def judge_many() -> None:
    for seed in range(20):
        judge(seed, 12 if seed % 2 else 32)
