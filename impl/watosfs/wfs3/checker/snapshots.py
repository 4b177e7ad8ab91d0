"""Snapshots: each is held to the rules of a volume, and the dead lists hold exactly what snapshots
show and the volume does not.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple

from watosfs.wfs3.checker.contents import StoredExtent
from watosfs.wfs3.checker.population import Roots, check_population
from watosfs.wfs3.checker.report import Findings
from watosfs.wfs3.checker.space import merged_runs, without_runs
from watosfs.wfs3.checker.trees import TreeWalker
from watosfs.wfs3.format import Superblock
from watosfs.wfs3.node import DEAD, SNAPSHOTS
from watosfs.wfs3.snapshot_records import (
    EXISTS,
    OPEN_LIST,
    SnapshotRecord,
    record_problem,
    unpack_record,
)


class DeadRun(NamedTuple):
    """Blocks in the list ``closing``, in the leaf at block ``leaf``."""

    start: int
    size: int
    birth: int
    closing: int
    leaf: int


class Stored(NamedTuple):
    """A record of the snapshot tree, in the leaf at block ``leaf``."""

    key: int
    record: SnapshotRecord
    leaf: int


class SnapshotFindings(Findings):
    """Findings in what a snapshot shows, without those that were made before: most of it is
    shared.
    """

    __slots__ = ("outer", "shown_in")

    def __init__(self, outer: Findings, shown_in: str) -> None:
        super().__init__()
        self.outer = outer
        self.shown_in = shown_in

    def problem(self, structure: str, block: int, field: str, text: str) -> None:
        made = ((p.structure, p.block, p.field) for p in self.outer.problems)
        if (structure, block, field) not in made:
            self.outer.problem(structure, block, field, f"{text} ({self.shown_in})")

    def note(self, text: str) -> None:
        self.outer.note(f"{text} ({self.shown_in})")


def read_snapshots(
    walker: TreeWalker, superblock: Superblock, slot: int
) -> tuple[list[Stored], list[DeadRun]]:
    """All records and dead runs; their nodes and runs are claimed."""
    if not superblock.snapshot_root:
        return [], []
    pointer = ("superblock", slot, "snapshot_root")
    owner = (SNAPSHOTS.name, 0)
    records: list[Stored] = []
    runs: list[DeadRun] = []
    for leaf, facts in walker.leaves(superblock.snapshot_root, SNAPSHOTS, owner, pointer):
        for key, raw in zip(facts.keys, facts.values, strict=True):
            record, length = unpack_record(raw)
            if record_problem(record, length) is None and key <= OPEN_LIST:
                records.append(Stored(key, record, leaf))
                if record.dead_root:
                    runs += _read_list(walker, key, record.dead_root, leaf)
    return records, runs


def _read_list(walker: TreeWalker, key: int, root: int, leaf: int) -> list[DeadRun]:
    owner = (DEAD.name, key)
    found: list[DeadRun] = []
    for block, facts in walker.leaves(root, DEAD, owner, ("snapshot", leaf, "dead_root")):
        for birth, (start, count) in zip(facts.keys, facts.values, strict=True):
            if start + count > walker.total:
                walker.findings.problem(
                    "dead run", block, "count", f"{start} + {count} is outside the volume"
                )
                continue
            found.append(DeadRun(start, count, birth, key, block))
            walker.claims.append((start, count, owner))
    return found


def check_snapshots(
    walker: TreeWalker,
    superblock: Superblock,
    slot: int,
    records: Sequence[Stored],
    runs: Sequence[DeadRun],
    used: list[tuple[int, int]],
    wanted: list[StoredExtent] | None,
    progress: Callable[[str, int, int], None] | None,
) -> int:
    """Judge every snapshot; how many there are. ``used`` are the runs that the volume itself
    reaches.
    """
    findings = walker.findings
    deleting = superblock.snapshot_deleting
    shown = [stored for stored in records if stored.record.state == EXISTS]
    if deleting and all(stored.key != deleting for stored in shown):
        findings.problem(
            "superblock", slot, "snapshot_deleting", f"{deleting} is no snapshot's generation"
        )
    _judge_names(walker, shown)
    _judge_dead(walker, shown, runs)
    existing = [stored for stored in shown if stored.key != deleting]
    for number, stored in enumerate(existing):
        if stored.key >= superblock.root_generation:
            findings.problem(
                "snapshot", stored.leaf, "generation",
                f"{stored.key} is not below the volume's {superblock.root_generation}",
            )  # fmt: skip
        expected = [
            (run.start, run.size, ("", 0)) for run in runs if run.birth <= stored.key < run.closing
        ]
        _check_one(walker, superblock, stored, merged_runs(expected), used, wanted)
        if progress is not None:
            progress("snapshots", number + 1, len(existing))
    return len(existing)


def _judge_names(walker: TreeWalker, shown: Sequence[Stored]) -> None:
    seen: set[bytes] = set()
    for stored in shown:
        if stored.record.name in seen:
            walker.findings.problem(
                "snapshot", stored.leaf, "name", f"{stored.record.name!r} is there twice"
            )
        seen.add(stored.record.name)


def _judge_dead(walker: TreeWalker, shown: Sequence[Stored], runs: Sequence[DeadRun]) -> None:
    generations = [stored.key for stored in shown]
    if SNAPSHOTS.name in walker.damaged:
        return
    for run in runs:
        first = bisect_left(generations, run.birth)
        if first == len(generations) or generations[first] >= run.closing:
            walker.findings.problem(
                "dead run", run.leaf, "generation",
                f"blocks {run.start}..{run.start + run.size} of generation {run.birth} in the "
                f"list {run.closing:#x}: no snapshot shows them",
            )  # fmt: skip


def _check_one(
    outer: TreeWalker,
    superblock: Superblock,
    stored: Stored,
    dead: list[tuple[int, int]],
    used: list[tuple[int, int]],
    wanted: list[StoredExtent] | None,
) -> None:
    record = stored.record
    view = superblock._replace(
        root_tree_block=record.root_tree_block,
        orphan_root=record.orphan_root,
        root_generation=stored.key,
    )
    findings = SnapshotFindings(outer.findings, f"in snapshot {record.name!r}")
    walker = TreeWalker(outer.device, view, findings, outer.memo)
    walker.read_before = outer.read_before
    own: list[StoredExtent] | None = None if wanted is None else []
    check_population(walker, Roots("snapshot", stored.leaf, view), own, None)
    if wanted is not None and own:
        wanted += own
    reached = merged_runs(walker.claims)
    if sum(count for _, count, _ in walker.claims) != sum(count for _, count in reached):
        findings.problem("snapshot", stored.leaf, "owner", "it reaches a block twice")
    only_here = without_runs(reached, used)
    if walker.damaged or outer.damaged:
        findings.note("its dead blocks were not checked: a tree is damaged")
        return
    for what, runs in (
        ("shown, but neither in use nor in a dead list for it", without_runs(only_here, dead)),
        ("in a dead list, but not what it shows", without_runs(dead, only_here)),
    ):
        if runs:
            start, count = runs[0]
            findings.problem(
                "snapshot", stored.leaf, "dead_root", f"blocks {start}..{start + count}: {what}"
            )
