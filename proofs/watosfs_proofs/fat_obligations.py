"""What is proved of chains of clusters: no cluster in two chains, no cycle, every cluster free or
accounted for, and nothing that is on disk led astray before its write.
"""

import errno
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import Mock

import z3

from watosfs.fat import chains
from watosfs_proofs.executor import Path
from watosfs_proofs.fat_world import END, NEW_RUNS_MAX, RUNS_MAX, Run, World
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.symbolic import SymInt, term

PIECES_RUNS_MAX = 3
BOUND = f"any table; chains of at most {RUNS_MAX} runs of any length"


def _clusters(runs: list[Run]) -> z3.ArithRef:
    return z3.Sum(z3.IntVal(0), *(count for _, count in runs))


def _at(runs: list[Run], index: z3.ArithRef) -> z3.ArithRef:
    """The cluster at an index of a chain of these runs."""
    if not runs:
        return z3.IntVal(0)
    (first, count), *rest = runs
    return z3.If(index < count, first + index, _at(rest, index - count))


def _prove_chain(world: World, runs: list[Run]) -> None:
    """The runs are a chain in the table with what waits: no cycle, no cluster twice, none free."""
    path, c = world.path, world.cluster
    path.prove("the chain is as long as its runs", _clusters(runs) == term(world.chain.count))
    for number, (first, count) in enumerate(runs):
        path.prove("no run is empty", count >= 1)
        if number:
            before, length = runs[number - 1]
            path.prove("a run that follows the last is joined with it", first != before + length)
        for other, length in runs[:number]:
            apart = z3.Or(first >= other + length, first + count <= other)
            path.prove("no cluster is in the chain twice", apart)
    path.prove("each cluster leads to the next", world.leads(runs, c, world.effective()))
    mine = world.member(runs, c)
    path.prove("no cluster of the chain is free", z3.Not(z3.And(mine, world.free(c))))
    follower = world.effective()(c)
    world.facts.touch(follower)
    path.prove("what follows a fresh cluster is fresh", z3.Implies(
        z3.And(mine, world.fresh(c), follower != END), world.fresh(follower)))  # fmt: skip


def _prove_waiting(world: World) -> None:
    """What waits is still what may wait."""
    path, c = world.path, world.cluster
    links, cuts = world.chains.links, world.chains.cuts
    runs = world.runs_now()
    linked = z3.And(world.member(runs, c), links.has(c))
    world.facts.touch(links.value(c))
    path.prove("a link leads from where the table has an end to what is fresh", z3.Implies(
        linked, z3.And(z3.Not(world.fresh(c)), world.entry(c) == END,
                       world.fresh(links.value(c)))))  # fmt: skip
    path.prove("an end mark waits only for what is on disk, and for no link", z3.Implies(
        cuts.has(c), z3.Not(z3.Or(world.fresh(c), world.free(c), links.has(c)))))  # fmt: skip


def _extend(path: Path, module: ModuleType) -> str:
    """Of what is there only the last run matters: nothing is there, or one run."""
    world = World(path, module, runs_max=1)
    c, wanted = world.cluster, path.integer("wanted")
    path.assume(wanted >= 1)
    had, old = term(world.chain.count), world.runs
    total = term(world.chains.free_count)
    entry, fresh, free, held = world.entry, world.fresh, world.free, world.held
    effective = world.effective()
    tail = old[-1][0] + old[-1][1] - 1 if old else None
    cannot_wait = z3.Or(
        z3.And(term(world.chains.held_count) > 0, wanted > term(world.free_count)),
        z3.BoolVal(False) if tail is None else world.chains.cuts.has(tail),
    )
    try:
        world.chains.extend(world.chain, SymInt(wanted))
    except OSError as failure:
        path.prove("ENOSPC", failure.errno == errno.ENOSPC)
        _prove_written_back(world, cannot_wait)
        path.prove("only when there are too few", total < wanted)
        path.prove("ENOSPC leaves the chain", term(world.chain.count) == had)
        path.prove("ENOSPC leaves what leads where", z3.Implies(
            z3.Not(held(c)), world.effective()(c) == effective(c)))  # fmt: skip
        return "refused"
    _prove_written_back(world, cannot_wait)
    nearest = z3.IntVal(0) if tail is None else tail + 1
    path.prove("asked for next to the last cluster", z3.And(
        world.near[0] == nearest, len(world.near) == 1))  # fmt: skip
    runs = world.runs_now()
    path.prove("longer by what was asked", term(world.chain.count) == had + wanted)
    index = path.integer("index")
    path.prove(
        "the first clusters stay", z3.Implies(index < had, _at(runs, index) == _at(old, index))
    )
    _prove_chain(world, runs)
    _prove_waiting(world)
    mine = world.member(runs, c)
    path.prove("no other chain is led elsewhere", z3.Implies(
        z3.And(z3.Not(mine), z3.Not(held(c))), world.effective()(c) == effective(c)))  # fmt: skip
    added = z3.And(mine, z3.Not(world.member(old, c)))
    path.prove("what is added was free", z3.Implies(added, z3.Or(free(c), held(c))))
    path.prove("clusters are counted", term(world.chains.free_count) == total - wanted)
    if not world.written_back:
        path.prove("on disk nothing leads to what is not there yet", z3.Implies(
            z3.Not(z3.Or(fresh(c), free(c))), world.entry(c) == entry(c)))  # fmt: skip
        return "extended"
    return "after a write-back"


def _prove_written_back(world: World, cannot_wait: z3.BoolRef) -> None:
    wanted = z3.If(cannot_wait, 1, 0)
    world.path.prove("written back exactly when a change cannot wait, once",
                     wanted == world.written_back)  # fmt: skip


def _cut(path: Path, module: ModuleType) -> str:
    world = World(path, module)
    c, keep = world.cluster, path.integer("keep")
    had, old = term(world.chain.count), world.runs
    entry, fresh, free = world.entry, world.fresh, world.free
    total, held_count = term(world.chains.free_count), term(world.chains.held_count)
    effective, cuts = world.effective(), world.chains.cuts.has
    world.chains.cut(world.chain, SymInt(keep))
    runs, kept = world.runs_now(), z3.If(keep < had, keep, had)
    path.prove("as long as asked", term(world.chain.count) == kept)
    index = path.integer("index")
    path.prove(
        "the first clusters stay", z3.Implies(index < kept, _at(runs, index) == _at(old, index))
    )
    _prove_chain(world, runs)
    _prove_waiting(world)
    marked = z3.And(world.chains.cuts.has(c), z3.Not(cuts(c)))
    path.prove("an end mark waits only where the table leads on, and something is cut",
               z3.Implies(marked, z3.And(entry(c) != END, keep < had)))  # fmt: skip
    links = world.chains.links
    dropped = z3.And(world.member(old, c), z3.Not(world.member(runs, c)))
    frees = [(term(first), term(count)) for first, count in world.chains.frees]
    waits = world.member(frees, c)
    was_fresh = z3.And(dropped, fresh(c))
    path.prove("fresh clusters are free at once", z3.Implies(
        was_fresh, z3.And(world.free(c), world.entry(c) == 0)))  # fmt: skip
    path.prove("others wait to be freed", z3.Implies(z3.And(dropped, z3.Not(fresh(c))), waits))
    path.prove("only what was dropped is freed", z3.Implies(
        z3.Or(waits, z3.And(world.free(c), z3.Not(free(c)))), dropped))  # fmt: skip
    path.prove("none both waits and is free", z3.Not(z3.And(waits, world.free(c))))
    path.prove("no link is left from what was dropped", z3.Implies(dropped, z3.Not(links.has(c))))
    path.prove("on disk no old entry changes yet", z3.Implies(
        z3.Not(fresh(c)), world.entry(c) == entry(c)))  # fmt: skip
    path.prove("no other chain is led elsewhere", z3.Implies(
        z3.Not(world.member(old, c)), world.effective()(c) == effective(c)))  # fmt: skip
    path.prove("clusters are counted", term(world.chains.free_count) == total + had - kept)
    path.prove("what waits is counted", term(world.chains.held_count)
               == held_count + _clusters(frees))  # fmt: skip
    return "cut" if path.decide(kept < had) else "kept"


def _pieces(path: Path, module: ModuleType) -> str:
    """Where a chain of up to PIECES_RUNS_MAX runs has what is asked for."""
    world = World(path, module, PIECES_RUNS_MAX)
    chain, runs = world.chain, world.runs
    index, count, j = path.integer("from"), path.integer("asked"), path.integer("j")
    total = _clusters(runs)
    path.assume(index + count <= total)
    found = [(term(a), term(b)) for a, b in chain.pieces(SymInt(index), SymInt(count))]
    path.prove("as many as asked", _clusters(found) == count)
    for _, length in found:
        path.prove("no piece is empty", length >= 1)
    right = z3.Implies(j < count, _at(found, j) == _at(runs, index + j))
    path.prove("each cluster in its turn", right)
    if path.decide(index < total):
        path.prove(
            "the cluster at an index", term(chain.cluster(SymInt(index))) == _at(runs, index)
        )
    path.prove("as many runs as given, none of them joined", len(chain.firsts) == len(runs))
    for (first, length), start, given in zip(runs, chain.starts, chain.firsts, strict=True):
        at = _at(runs, term(start))
        path.prove("a run begins where it begins", z3.And(
            at == first, term(given) == first, length >= 1))  # fmt: skip
    if runs:
        path.prove("the first and the last cluster", z3.And(
            term(chain.first) == _at(runs, z3.IntVal(0)),
            term(chain.tail) == _at(runs, total - 1)))  # fmt: skip
    else:
        path.prove("an empty chain has no cluster", chain.first == 0)
    return f"{len(runs)} runs"


class _Items:
    """What waits, as known keys: for the code that goes through all of it."""

    def __init__(self, pairs: list[tuple[Any, Any]]) -> None:
        self.pairs = pairs

    def items(self) -> list[tuple[Any, Any]]:
        """As ``dict.items``."""
        return self.pairs

    def __iter__(self) -> Any:
        return iter(key for key, _ in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)


def _put(path: Path, module: ModuleType) -> str:
    """What waits is put into the table, each in its turn."""
    world = World(path, module)
    books, c = world.chains, world.cluster
    size = 0
    while size < 2 and path.decide(path.boolean("one_more")):
        size += 1
    keys = [path.integer("key") for _ in range(size)]
    path.assume(z3.BoolVal(True) if size < 2 else keys[0] != keys[1])
    targets = [path.integer("target") for _ in keys]
    given: Any = [(SymInt(key), SymInt(target)) for key, target in zip(keys, targets, strict=True)]
    entry = world.entry
    books.links = _Items(given)
    path.prove("says whether there were links", books.put_links() == (size > 0))
    path.prove("no link waits any more", books.links == {})
    for key, target in zip(keys, targets, strict=True):
        path.prove("a link is in the table", world.entry(key) == target)
    named = z3.Or(*(c == key for key in keys))
    path.prove("nothing else is", z3.Implies(z3.Not(named), world.entry(c) == entry(c)))
    books.cuts = _Items(given)
    path.prove("says whether there were cuts", books.put_cuts() == (size > 0))
    path.prove("no cut waits any more", books.cuts == set())
    for key in keys:
        path.prove("a cut is in the table", world.entry(key) == term(world.end))
    books.frees = list(world.chain_runs())
    free, total = world.free, term(world.free_count)
    books.put_frees()
    dropped = world.member(world.runs, c)
    path.prove("exactly what waited is free", world.free(c) == z3.Or(free(c), dropped))
    path.prove("in the table too", z3.Implies(dropped, world.entry(c) == 0))
    path.prove("and counted", term(world.free_count) == total + _clusters(world.runs))
    path.prove("nothing waits any more", books.frees == [] and books.held_count == 0)
    return f"{size} waited"


def _begin(path: Path, module: ModuleType) -> str:
    """The books of a volume that was just mounted, and a chain that is loaded."""
    first, free = SymInt(path.integer("first")), path.integer("free")
    run, length = path.integer("run"), path.integer("length")
    path.assume(length >= 1)
    runs = Mock(return_value=[(SymInt(run), SymInt(length))])
    table, allocator = SimpleNamespace(runs=runs), SimpleNamespace(free_count=SymInt(free))
    books = module.Chains(table, allocator, runs)
    given = (books.table is table, books.allocator is allocator, books._write_back is runs)
    path.prove("it works on what it was given", all(given))
    path.prove("nothing waits", (books.links, books.cuts, books.frees) == ({}, set(), []))
    path.prove("what is free is what the allocator has", term(books.free_count) == free)
    chain = books.load(first)
    if not path.decide(term(first) != 0):
        path.prove("no chain begins at 0", (runs.called, chain.firsts, chain.count) == (0, [], 0))
        return "none"
    path.prove("the chain that begins there", [c.args[0] is first for c in runs.mock_calls] == [1])
    path.prove("nothing is cut off", chain.cut(chain.count) == [])
    held = list(zip(chain.firsts, [chain.count], strict=True))
    path.prove("as the table has it", held == runs.return_value)
    return "loaded"


Check = Callable[[Path, ModuleType], str]

CHECKS: dict[str, tuple[Check, str, str, tuple[str, ...]]] = {
    "extend": (_extend, "no cross-link, no cycle, counted",
               f"any table; a run of any length and at most {NEW_RUNS_MAX} new ones",
               ("extended", "after a write-back", "refused")),
    "cut": (_cut, "frees exactly what is cut, when it is safe", BOUND, ("cut", "kept")),
    "pieces": (_pieces, "each cluster of a chain, in order",
               f"any table; chains of at most {PIECES_RUNS_MAX} runs of any length",
               tuple(f"{size} runs" for size in range(PIECES_RUNS_MAX + 1))),
    "put": (_put, "what waits reaches the table", "at most 2 links, cuts and runs",
            ("0 waited", "1 waited", "2 waited")),
    "begin": (_begin, "at first nothing waits", "any table", ("none", "loaded")),
}  # fmt: skip


def fat_obligations(module: ModuleType = chains) -> list[Obligation]:
    """The obligations of ``module``, which is production's or a broken variant of it."""

    def bound_to(check: Check) -> Callable[[Path], str]:
        return lambda path: check(path, module)

    return [
        Obligation(f"fat_chains.{name}", statement, bound, bound_to(check), outcomes)
        for name, (check, statement, bound, outcomes) in CHECKS.items()
    ]
