"""Runs a decoded case of commit or recovery on the production code over a device of real blocks.

The volume is always the same: the old tree is blocks 10 and 11, the new one 11, 20 and 21, where
21 was written before the commit; the older superblock copy names block 12. Of the case come the
slots, which operation fails, where the power goes and what becomes of each write.
"""

import errno
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from watosfs.block.device import Capabilities
from watosfs.wfs3 import format
from watosfs_proofs.binding import bind
from watosfs_proofs.commit_world import Modules
from watosfs_proofs.engine_stand_in import engine_over
from watosfs_proofs.obligation import Replay
from watosfs_proofs.verdicts import Case, HarnessError

BLOCK_COUNT = format.BLOCK_COUNT_MIN
TREES = {12: {12: b"before"}, 10: {10: b"old root", 11: b"kept"},
         20: {11: b"kept", 20: b"new root", 21: b"written early"}}  # fmt: skip
GENERATIONS = {12: 1, 10: 2, 20: 3}


def padded(data: bytes) -> bytes:
    """A block that begins with the data."""
    return data.ljust(format.BLOCK_SIZE, b"\0")


def superblock(root: int) -> format.Superblock:
    """The superblock of the tree whose root lies in a block."""
    return format.Superblock(
        format.MAGIC_WFS3, 3, 0, b"", format.BLOCK_SIZE, format.CHUNK_SIZE, BLOCK_COUNT, 9, root,
        GENERATIONS[root], 0, 1, 2, format.DATA_START_BLOCK, format.COMPAT_KNOWN,
        format.RO_COMPAT_KNOWN, format.INCOMPAT_RAW_DATA, b"", b"", 0, 0, 0, 0,
    )  # fmt: skip


def writes_and_flushes(story: list[str]) -> list[str]:
    """The lines of a story that tell of an operation on the device, one for each."""
    return [line for line in story if line != "crash" and not line.startswith("transfers so far")]


class ReplayDevice:
    """A device with a volatile cache; ``fails`` names the operations that end with EIO, and
    ``story`` what becomes of each write (without one, all are kept). The cache shows of a failed
    write what became of it.
    """

    block_size_bytes, block_count = format.BLOCK_SIZE, BLOCK_COUNT
    capabilities = Capabilities()

    def __init__(self, durable: dict[int, bytes], fails: set[str], story: list[str]) -> None:
        self.durable, self.fails = durable, fails
        self.told = writes_and_flushes(story)
        self.events: list[tuple[int, bytes] | None] = []
        self.failed: set[int] = set()
        self.released: list[int] = []
        self.has_lost_writes = False
        self._done: dict[str, int] = {}

    def _check(self, what: str) -> None:
        number = self._done.get(what, 0)
        self._done[what] = number + 1
        if f"{what}_fails" + (f"!{number}" if number else "") in self.fails:
            self.has_lost_writes |= what == "flush"
            self.failed.add(len(self.events) - 1)
            raise OSError(errno.EIO, what)

    def write(self, block: int, data: bytes) -> None:
        """One block."""
        self.events.append((block, data))
        self._check("superblock_write" if block in (0, 1) else "write")

    def flush(self) -> None:
        """Fails ever after it failed once."""
        self.events.append(None)
        if self.has_lost_writes:
            raise OSError(errno.EIO, "flush")
        self._check("flush")

    def read(self, block: int) -> bytes:
        """As the cache has it."""
        return self._after(lambda number: number not in self.failed).get(block, padded(b""))

    def crash(self) -> "ReplayDevice":
        """What is left after the fates of the story, which tells of each operation."""
        done = [event is None for event in self.events]
        if self.told and done != ["flush" in line for line in self.told]:
            raise HarnessError(f"{self.told} does not tell of {self.events}")
        return ReplayDevice(self._after(lambda _: False), set(), [])

    def _after(self, is_seen: Callable[[int], bool]) -> dict[int, bytes]:
        """The blocks, with each write seen, or as its fate is told."""
        left = dict(self.durable)
        for number, event in enumerate(self.events):
            if event is None:
                continue
            told = self.told[number] if self.told else ": kept"
            if is_seen(number) or told.endswith(": kept"):
                left[event[0]] = event[1]
            elif told.endswith(": torn"):
                left[event[0]] = padded(b"torn")
        return left


class Books:
    """Stands in for the allocator."""

    available, held = 9, 0

    def __init__(self, device: ReplayDevice) -> None:
        self.device = device
        self.fresh = SimpleNamespace(count=1, covers=lambda start, end: start >= 20)

    def committed(self) -> None:
        """Notes when."""
        self.device.released.append(len(self.device.events))

    def unload(self, keep: int) -> None:
        """Only memory."""


class ReplayVolume:
    """The case's device, and the code over it."""

    def __init__(self, modules: Modules, case: Case) -> None:
        protocol = bind(modules.commit, {})
        medium = bind(modules.writing, {}).Medium
        replaced = {"protocol": protocol, "Medium": medium, "joined": list}
        self.engine_class = bind(modules.engine, replaced).Engine
        elected = {"elect": protocol.elect}
        self.read_superblocks = bind(modules.mounting, elected).read_superblocks
        self.at = int(bool(case["newest_in_slot_1"]))
        older = superblock(12)
        if case.get("other_root_generation") == case.get("old_root_generation"):
            older = superblock(10)
        copies = [superblock(10), older] if self.at == 0 else [older, superblock(10)]
        durable = {slot: format.encode_superblock(copy) for slot, copy in enumerate(copies)}
        if not case["other_valid"]:
            durable[1 - self.at] = padded(b"torn")
        for root in (12, 10):
            durable |= {block: padded(data) for block, data in TREES[root].items()}
        fails = {name for name, value in case.items() if "_fails" in name and value}
        story: Any = case.get("story", [])
        self.story: list[str] = story
        self.device = ReplayDevice(durable, fails, self.story)
        # As in the proof, data went to fresh blocks before anything else is done.
        self.device.events.append((21, padded(b"written early")))

    def engine(self, found: format.Superblock, slot: int) -> Any:
        """Production's Engine with the new tree to commit."""
        new = superblock(20)
        prepared = {name: getattr(new, name) for name in new._fields}
        engine = engine_over(self.engine_class, self.device, found, slot, prepared)
        engine.allocator = Books(self.device)
        engine.spill = lambda: [(20, padded(b"new root"))]
        return engine

    def begin(self) -> Any:
        """Mounted, and nothing is committed yet."""
        return self.engine(superblock(10), self.at)

    def found(self, device: ReplayDevice) -> int | str:
        """The root of the tree that is found, or what is wrong with it."""
        try:
            found, slot, *_ = self.read_superblocks(device)
        except OSError as failure:
            return f"no superblock is found: {failure}"
        root = found.root_tree_block
        if device.read(slot) != format.encode_superblock(found):
            return f"the superblock found is not slot {slot}'s"
        for block, data in TREES[root].items():
            if device.read(block) != padded(data):
                return f"generation {found.root_generation} is found, and block {block} is damaged"
        return int(root)


def _problem(volume: ReplayVolume, *, acknowledged: bool) -> str | None:
    """What is wrong after the crash of the story."""
    device = volume.device
    root = volume.found(device.crash())
    if isinstance(root, str):
        return root
    point = len(device.events)
    if volume.story:
        point = len(writes_and_flushes(volume.story[: volume.story.index("crash")]))
    if root != 20 and acknowledged and point >= len(device.events):
        return "an acknowledged commit is lost"
    if root != 20 and device.released and point >= device.released[0]:
        return "blocks of the tree that is found were released"
    return None if root in (10, 20) else f"generation {GENERATIONS[root]} is found"


def replay(modules: Modules, name: str, case: Case) -> Replay:
    """The outcome of an obligation's case on the real code."""
    volume = ReplayVolume(modules, case)
    try:
        return _RUNS[name](volume)
    except (AssertionError, AttributeError, TypeError, ValueError, NameError) as failure:
        return Replay("raised", f"{type(failure).__name__}: {failure}")


def _commit(volume: ReplayVolume) -> Replay:
    engine = volume.begin()
    engine.commit()
    problem = _problem(volume, acknowledged=True)
    if problem is None and engine.superblock.root_generation != GENERATIONS[20]:
        problem = f"the generation is {engine.superblock.root_generation}"
    if problem is None and engine.store.generation != GENERATIONS[20] + 1:
        problem = f"the next nodes are of generation {engine.store.generation}"
    if problem is None and engine.slot == volume.at:
        problem = "the engine takes the slot of the generation before for the newest"
    if problem is None and len(volume.device.released) != 1:
        problem = f"blocks are released {len(volume.device.released)} times"
    return Replay("new" if volume.found(volume.device.crash()) == 20 else "old", problem)


def _failing_commit(volume: ReplayVolume) -> Replay:
    engine = volume.begin()
    try:
        engine.commit()
    except OSError:
        problem = _problem(volume, acknowledged=False)
        if problem is None and not (engine.has_failed and engine.read_only_reason):
            problem = "the volume goes on after a failed commit"
        return Replay("failed", problem)
    if volume.device.has_lost_writes:
        return Replay("committed", "acknowledged although a flush failed")
    return Replay("committed", _problem(volume, acknowledged=True))


def _recover(volume: ReplayVolume, outcomes: tuple[str, str]) -> Replay:
    found = volume.read_superblocks(volume.device)
    engine = volume.engine(found.superblock, found.slot)
    try:
        engine.recover(copies_agree=found.copies_agree)
    except OSError:
        return Replay("refused", _problem(volume, acknowledged=False))
    outcome = outcomes[0] if found.copies_agree else outcomes[1]
    after = volume.device.crash()
    root = volume.found(after)
    if isinstance(root, str):
        return Replay(outcome, root)
    if volume.story[-1:] == ["crash"] and root != found.superblock.root_tree_block:
        return Replay(outcome, "another root is found than the mount found")
    if root not in (10, 20):
        return Replay(outcome, "an older root is found")
    return Replay(outcome, _disagreement(volume, after))


def _disagreement(volume: ReplayVolume, after: ReplayDevice) -> str | None:
    """Both copies agree once a mount or an unmount has ended."""
    if volume.story[-1:] == ["crash"] and after.read(0) != after.read(1):
        return "the copies differ"
    return None


def _remount(volume: ReplayVolume) -> Replay:
    engine = volume.begin()
    try:
        engine.commit()
    except OSError:
        volume.device.fails = set()
    return _recover(volume, ("remounted", "remounted"))


def _mirror(volume: ReplayVolume) -> Replay:
    engine = volume.begin()
    engine.mirror()
    problem = _problem(volume, acknowledged=False)
    after = volume.device.crash()
    return Replay("mirrored", problem or _disagreement(volume, after))


def _lost_copy(volume: ReplayVolume) -> Replay:
    engine = volume.begin()
    engine.commit()
    after = volume.device.crash()
    after.durable[volume.at] = padded(b"lost")
    root = volume.found(after)
    return Replay("survived", None if root == 12 else f"{root} is found")


_RUNS: dict[str, Callable[[ReplayVolume], Replay]] = {
    "commit": _commit,
    "failing commit": _failing_commit,
    "remount": _remount,
    "recovery": lambda volume: _recover(volume, ("agreed", "repaired")),
    "mirror": _mirror,
    "lost copy": _lost_copy,
}
