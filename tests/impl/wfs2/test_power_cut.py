"""A power cut anywhere leaves each file as it was or as it is, and nothing that was synced is lost.

Checks: seeded random images that clause 3 of the crash model permits (any subset of the sectors
written since the last flush), at flushes of random traces: the checker's verdict on each; that
every path is the synced one or one of those since; that a mount and a repair go on from there.
Does not check: every image; nested cuts.
"""

import random
from collections.abc import Iterator

import pytest

from tests.impl.wfs2.test_volume import Tree, clock, made, step, tree_of
from watosfs.block.device import Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.wfs2 import namespace
from watosfs.wfs2.check import check
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.loading import Loaded
from watosfs.wfs2.volume import Wfs2Volume

#: Lost blocks, counts that are behind, and what the next mount takes away.
HARMLESS = {"bitmap", "counts", "name"}
BLOCKS = 320


class CutDevice(MemoryDevice):
    """Remembers what each epoch wrote, sector by sector, and keeps some images of power cuts."""

    def start(self, rng: random.Random, history: list[Tree]) -> None:
        self.rng, self.history = rng, history
        self.durable = bytearray(self.snapshot())
        self.epoch: list[tuple[int, bytes]] = []
        self.images: list[tuple[bytes, list[Tree]]] = []

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        super().write(block, data)
        if hasattr(self, "epoch"):
            view = memoryview(data)
            for i in range(len(view) // 512):
                self.epoch.append((block * 8 + i, bytes(view[i * 512 : (i + 1) * 512])))

    def flush(self) -> None:
        super().flush()
        if not hasattr(self, "epoch"):
            return
        if self.epoch and not self.rng.randrange(2):
            image = bytearray(self.durable)
            keep = self.rng.choice((0.1, 0.5, 0.9))
            for sector, raw in self.epoch:
                if self.rng.random() < keep:
                    image[sector * 512 : (sector + 1) * 512] = raw
            self.images.append((bytes(image), list(self.history)))
        for sector, raw in self.epoch:
            self.durable[sector * 512 : (sector + 1) * 512] = raw
        self.epoch = []


def judge(seed: int) -> None:
    rng = random.Random(seed)
    device = CutDevice(BLOCKS)
    device.write(0, made(BLOCKS).snapshot())
    wanted = Tree()
    history: list[Tree] = [{}]
    device.start(random.Random(seed), history)
    volume = Wfs2Volume.mount(device, clock=clock)
    for number in range(120):
        before = dict(wanted)
        step(volume, wanted, rng)
        if wanted != before:
            history.append(dict(wanted))
        if not number % 9:
            history.append(dict(wanted))
            volume.sync()
            history[:] = [dict(wanted)]
    for image, states in device.images:
        judge_image(image, states)


def judge_image(image: bytes, states: list[Tree]) -> None:
    cut = MemoryDevice.from_bytes(image)
    assert check(cut).kinds <= HARMLESS, check(cut).problems
    found = tree_of(Wfs2Volume.mount(cut, read_only=True))
    named = set().union(*states)
    for path in named | set(found):
        permitted = [state[path] for state in states if path in state]
        if path in found:
            # A folder may be there for what is in it.
            is_implied = found[path] is None and any(p.startswith(path + b"/") for p in found)
            assert is_implied or found[path] in permitted, (path, found[path], permitted)
        else:
            assert len(permitted) < len(states), (path, "was there all the time and is lost")
    with Wfs2Volume.mount(cut) as volume:
        assert volume.engine.read_only_reason == ""
        volume.write_file(b"/.progress", b"x" * 5000)
        assert volume.read_file(b"/.progress") == b"x" * 5000
        volume.unlink(b"/.progress")
    check(cut, repair=True)
    assert check(cut).problems == []
    assert tree_of(Wfs2Volume.mount(cut)) == found


@pytest.mark.parametrize("seed", range(12))
def test_every_file_is_as_it_was_or_as_it_is_survives_crash(seed: int) -> None:
    judge(seed)


@pytest.mark.slow
def test_hundreds_of_traces_survives_crash() -> None:
    for seed in range(100, 400):
        judge(seed)


def entries_first(engine: Engine) -> None:
    """The table is written in the same epoch as the data."""
    flush, engine.device.flush = engine.device.flush, lambda: None  # type: ignore[method-assign]
    try:
        engine_write_back(engine)
    finally:
        engine.device.flush = flush  # type: ignore[method-assign]
    engine.device.flush()


def free_at_once(engine: Engine, node: object) -> None:
    """What the disk still leads to is given out again."""
    engine_forget(engine, node)  # type: ignore[arg-type]
    for extent in engine.pending:
        engine.space.give(*extent)
    engine.pending.clear()


def first_of_equals(self: Loaded, entries: object) -> None:
    """Of two entries of a name the first counts, not the newest."""
    assert isinstance(entries, dict)
    build(self, {slot: entry._replace(modified_ns=1) for slot, entry in entries.items()})


def moves_join(*arguments: object) -> None:
    """A rename goes together with what waits."""
    engine = arguments[0]
    engine.write_back = lambda: None  # type: ignore[attr-defined]
    try:
        namespace_rename(*arguments)  # type: ignore[arg-type]
    finally:
        del engine.write_back  # type: ignore[attr-defined]
        engine.has_moved = False  # type: ignore[attr-defined]


engine_write_back, engine_forget = Engine._write_back, Engine.forget
build, namespace_rename = Loaded._build, namespace.rename


def every_image(device: CutDevice, before: bytes) -> Iterator[bytes]:
    """Every image that a power cut in the first epochs of at most 10 sectors may leave."""
    durable = bytearray(before)
    for epoch in device.epochs:
        if len(epoch) <= 10:
            for mask in range(1 << len(epoch)):
                image = bytearray(durable)
                for i, (sector, raw) in enumerate(epoch):
                    if mask >> i & 1:
                        image[sector * 512 : (sector + 1) * 512] = raw
                yield bytes(image)
        for sector, raw in epoch:
            durable[sector * 512 : (sector + 1) * 512] = raw


class EpochDevice(CutDevice):
    """Keeps every epoch, without what changes no sector."""

    def start(self, rng: random.Random, history: list[Tree]) -> None:
        super().start(rng, history)
        self.epochs: list[list[tuple[int, bytes]]] = []

    def flush(self) -> None:
        if hasattr(self, "epochs"):
            image = self.durable
            changed = {s: raw for s, raw in self.epoch if image[s * 512 : s * 512 + 512] != raw}
            self.epochs.append(sorted(changed.items()))
        super().flush()


def judge_rename(*, through_folder: bool) -> None:
    """A synced file is renamed; its bytes are there under one of its two names, whatever happens.

    Names stand in different sectors of the table.
    """
    device = EpochDevice(BLOCKS)
    device.write(0, made(BLOCKS).snapshot())
    target = b"/b/x" if through_folder else b"/b"
    with Wfs2Volume.mount(device, clock=clock) as volume:
        for name in (b"/b", b"/1", b"/2", b"/3", b"/a", b"/4", b"/5", b"/6"):
            volume.write_file(name, name)
    before = device.snapshot()
    device.start(random.Random(0), [])
    volume = Wfs2Volume.mount(device, clock=clock)
    if through_folder:
        volume.unlink(b"/b")
        volume.mkdir(b"/b")
    volume.rename(b"/a", target)
    volume.unmount()
    for image in every_image(device, before):
        cut = MemoryDevice.from_bytes(image)
        Wfs2Volume.mount(cut, clock=clock).unmount()
        found = tree_of(Wfs2Volume.mount(cut))
        assert b"/a" in (found.get(b"/a"), found.get(target)), found
        if not through_folder:
            assert found.get(b"/b") in (b"/a", b"/b"), found


@pytest.mark.parametrize("through_folder", [False, True])
def test_a_renamed_file_has_one_of_its_names_survives_crash(through_folder: bool) -> None:
    judge_rename(through_folder=through_folder)


@pytest.mark.parametrize(
    ("where", "name", "broken"),
    [
        (Engine, "_write_back", entries_first),
        (Engine, "forget", free_at_once),
        (Loaded, "_build", first_of_equals),
        (namespace, "rename", moves_join),
    ],
)
def test_canary_another_order_is_caught(
    where: object, name: str, broken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, name, broken)
    with pytest.raises((AssertionError, OSError)):
        judge_many()


def judge_many() -> None:
    for through_folder in (False, True):
        judge_rename(through_folder=through_folder)
    for seed in range(20):
        judge(seed)
