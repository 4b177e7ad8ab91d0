"""Runs a decoded case on the real Allocator over real ExtentSets, and compares with plain sets."""

from types import ModuleType
from typing import Any

from watosfs.wfs3.extents import ExtentSet
from watosfs_proofs.extent_replay import problem_with, shown
from watosfs_proofs.obligation import Replay
from watosfs_proofs.verdicts import Case

Blocks = set[int]

#: Volumes of the cases whose sets may have been decoded in part are at most this large.
BLOCKS_MAX = 64


def runs_of(blocks: Blocks) -> list[tuple[int, int]]:
    """The maximal runs of the blocks."""
    runs: list[tuple[int, int]] = []
    for block in sorted(blocks):
        if runs and runs[-1][1] == block:
            runs[-1] = runs[-1][0], block + 1
        else:
            runs.append((block, block + 1))
    return runs


class Books:
    """What each set should hold; changed by the reference, compared with the real allocator."""

    def __init__(self, case: Case, hold: int) -> None:
        world: Any = case["world"]
        self.case = case
        self.free: Blocks = set(world["free"])
        self.unloaded: Blocks = set(world["unloaded"])
        self.fresh: Blocks = set(world["fresh"])
        self.limbo: list[Blocks] = [set(world[f"limbo{k}"]) for k in range(hold)]
        self.lo, self.hi = self.number("lo"), self.number("hi")
        self.frontier, self.generation = self.number("frontier"), self.number("generation_now")

    def number(self, name: str) -> int:
        """An integer of the case; 0 when the path did not ask for it."""
        return int(str(self.case.get(name, 0)))

    def run(self, start: str, end: str) -> Blocks:
        """The blocks between two integers of the case."""
        return set(range(self.number(start), self.number(end)))

    def real(self, module: ModuleType) -> Any:
        """A real allocator in this state."""
        allocator = module.Allocator(self.lo, self.hi, self.generation, 0, len(self.limbo))
        allocator.lo, allocator.hi, allocator.generation = self.lo, self.hi, self.generation
        allocator.frontier, allocator.unloaded = self.frontier, len(self.unloaded)
        allocator.free, allocator.fresh = filled(self.free), filled(self.fresh)
        allocator.limbo = [filled(dead) for dead in self.limbo]
        return allocator

    def problem(self, real: Any) -> str | None:
        """The first thing that is not as it should be."""
        named = [("free", real.free, self.free), ("fresh", real.fresh, self.fresh)]
        if len(real.limbo) != len(self.limbo):
            return f"{len(real.limbo)} generations of pending blocks, not {len(self.limbo)}"
        pairs = zip(real.limbo, self.limbo, strict=True)
        named += [(f"limbo[{k}]", now, right) for k, (now, right) in enumerate(pairs)]
        for name, now, right in named:
            problem = problem_with(now, right)
            if problem:
                return f"{name}: {problem}"
        for name in ("lo", "hi", "generation", "frontier"):
            if getattr(real, name) != getattr(self, name):
                return f"{name} is {getattr(real, name)}, not {getattr(self, name)}"
        sums = [("unloaded", len(self.unloaded)), ("held", sum(map(len, self.limbo)))]
        sums.append(("available", len(self.free) + len(self.unloaded)))
        for name, total in sums:
            if getattr(real, name) != total:
                return f"{name} is {getattr(real, name)}, not {total}"
        return None


def filled(blocks: Blocks) -> ExtentSet:
    """A real set of the blocks."""
    runs = ExtentSet()
    for start, end in runs_of(blocks):
        runs.add(start, end)
    return runs


def replay(module: ModuleType, operation: str, case: Case, hold: int) -> Replay:
    """The outcome of ``operation`` on the case, with the name the obligation gives it."""
    is_whole = "world" in case and (case.get("is_whole") or int(str(case["hi"])) <= BLOCKS_MAX)
    if not is_whole:
        return Replay("too large to replay")
    books = Books(case, hold)
    try:
        return REPLAYS[operation](books, module)
    except module.ExtentError as error:
        return Replay("raised", f"ExtentError: {error}")
    except (IndexError, TypeError, AttributeError, NameError, ValueError) as failure:
        return Replay("raised", f"{type(failure).__name__}: {failure}")


def _alloc(books: Books, module: ModuleType) -> Replay:
    real, count = books.real(module), books.number("wanted")
    try:
        start = real.alloc(count)
    except module.ExtentError:
        return Replay("refused", "refuses" if count > 0 else books.problem(real))
    if start is None:
        fits = any(end - start >= count for start, end in runs_of(books.free))
        return Replay("none", "finds nothing" if fits else books.problem(real))
    run = set(range(start, start + count))
    if not run or not run <= books.free:
        return Replay("given", f"hands out {shown(run)}, free is {shown(books.free)}")
    books.free, books.fresh = books.free - run, books.fresh | run
    return Replay("given", books.problem(real))


def _drop(books: Books, module: ModuleType) -> Replay:
    real, start, count = books.real(module), books.number("start"), books.number("count")
    run = set(range(start, start + count))
    idle = books.free.union(books.fresh, *books.limbo)
    inside = run <= set(range(books.lo, books.hi))
    allowed = run and inside and (run <= books.fresh or not run & idle)
    try:
        real.drop(start, count)
    except module.ExtentError as refusal:
        return Replay("refused", f"refuses: {refusal}" if allowed else books.problem(real))
    if not allowed:
        return Replay("pending", f"accepts {shown(run)}, which is not in use")
    if run <= books.fresh:
        books.fresh, books.free = books.fresh - run, books.free | run
        return Replay("free at once", books.problem(real))
    books.limbo[0] |= run
    return Replay("pending", books.problem(real))


def _committed(books: Books, module: ModuleType) -> Replay:
    real = books.real(module)
    real.committed()
    oldest = books.limbo.pop()
    books.limbo.insert(0, set())
    books.fresh = set()
    books.generation += 1
    books.free |= {block for block in oldest if block < books.frontier}
    books.unloaded |= {block for block in oldest if block >= books.frontier}
    return Replay("committed", books.problem(real))


def _aborted(books: Books, module: ModuleType) -> Replay:
    real = books.real(module)
    real.aborted()
    books.free, books.fresh, books.limbo[0] = books.free | books.fresh, set(), set()
    return Replay("aborted", books.problem(real))


def _load(books: Books, module: ModuleType) -> Replay:
    real, run = books.real(module), books.run("start", "end")
    allowed = run and run <= books.unloaded
    try:
        real.load(books.number("start"), books.number("end"))
    except module.ExtentError as refusal:
        return Replay("refused", f"refuses: {refusal}" if allowed else books.problem(real))
    books.free, books.unloaded = books.free | run, books.unloaded - run
    return Replay("loaded", books.problem(real))


def _unload(books: Books, module: ModuleType) -> Replay:
    real, keep = books.real(module), books.number("keep")
    try:
        real.unload(keep)
    except module.ExtentError as refusal:
        return Replay("refused", None if books.fresh else f"refuses: {refusal}")
    if books.fresh:
        return Replay("forgotten", "unloads inside a transaction")
    runs = runs_of(books.free)
    if len(runs) <= keep:
        return Replay("kept", books.problem(real))
    books.frontier = runs[keep][0]
    books.unloaded |= {block for block in books.free if block >= books.frontier}
    books.free = {block for block in books.free if block < books.frontier}
    return Replay("forgotten", books.problem(real))


def _mounted(books: Books, module: ModuleType) -> Replay:
    lo, hi, used = books.lo, books.hi, books.number("used_mounted")
    generation, hold = books.number("generation_mounted"), len(books.limbo)
    real = module.Allocator(lo, hi, generation, hi - lo - used, hold)
    books.free, books.fresh, books.limbo = set(), set(), [set() for _ in range(hold)]
    books.frontier, books.generation = lo, generation
    books.unloaded = set(range(lo, hi - used))
    if real.available != hi - lo - used or real.held != 0:
        return Replay("mounted", f"available {real.available}, held {real.held}")
    default = len(module.Allocator(lo, hi, generation, hi - lo - used).limbo)
    if default != 2:
        return Replay("mounted", f"holds back {default} commits unless told otherwise")
    return Replay("mounted", books.problem(real))


REPLAYS = {
    "mount": _mounted,
    "alloc": _alloc,
    "drop": _drop,
    "committed": _committed,
    "aborted": _aborted,
    "load": _load,
    "unload": _unload,
}
