"""Arithmetic on sorted runs of blocks: double use, lost blocks, and free + reachable = total.

Runs are never expanded into blocks, so a free range of 2^60 blocks costs as much as one of 2.
"""

from collections.abc import Iterable, Sequence

from watosfs.wfs3.checker.facts import NodeFacts
from watosfs.wfs3.checker.trees import Claim, Owner, TreeWalker, owner_text
from watosfs.wfs3.format import FIRST_USABLE_BLOCK, Superblock

FREE_SPACE: Owner = ("free space", 0)


def merged_runs(claims: Iterable[Claim]) -> list[tuple[int, int]]:
    """The (start, count) of all claimed blocks: sorted, disjoint, joined where they touch."""
    runs: list[tuple[int, int]] = []
    start = end = 0
    for first, count, _owner in sorted(claims):
        if first > end or not end:
            if end:
                runs.append((start, end - start))
            start, end = first, first + count
        else:
            end = max(end, first + count)
    if end:
        runs.append((start, end - start))
    return runs


def without_runs(
    runs: Sequence[tuple[int, int]], taken: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """What of ``runs`` is not in ``taken``: both (start, count), sorted and disjoint."""
    left: list[tuple[int, int]] = []
    i = 0
    for start, count in runs:
        end = start + count
        while i < len(taken) and taken[i][0] + taken[i][1] <= start:
            i += 1
        at = i
        while start < end and at < len(taken) and taken[at][0] < end:
            first, size = taken[at]
            if first > start:
                left.append((start, first - start))
            start = max(start, first + size)
            at += 1
        if start < end:
            left.append((start, end - start))
    return left


def free_claims(
    leaves: Sequence[tuple[int, NodeFacts]], superblock: Superblock, walker: TreeWalker
) -> list[Claim]:
    """The free ranges, cut to the volume; their order across leaves and their sum are judged."""
    findings = walker.findings
    total = superblock.total_blocks
    claims: list[Claim] = []
    counted = 0
    before = 0
    for block, facts in leaves:
        if not facts.item_count:
            continue
        if before and facts.low <= before:
            what = "touches" if facts.low == before else "overlaps"
            findings.problem(
                "free range", block, "start",
                f"{facts.low} {what} the last range of the leaf before, which ends at {before}",
            )  # fmt: skip
        for start, count in zip(facts.keys, facts.values, strict=True):
            counted += count
            if start + count > total:
                findings.problem(
                    "free range", block, "count",
                    f"{start} + {count} is beyond the volume's {total} blocks",
                )  # fmt: skip
                count = max(0, total - start)
            if count:
                claims.append((start, count, FREE_SPACE))
        before = facts.keys[-1] + facts.values[-1]
    if counted != superblock.free_blocks and "free tree" not in walker.damaged:
        findings.problem(
            "superblock", 0, "free_blocks",
            f"{superblock.free_blocks}, but the free tree holds {counted}",
        )  # fmt: skip
    return claims


def account(walker: TreeWalker, free: list[Claim], *, complement: bool) -> None:
    """No block has two owners (free space is one); with ``complement``, none is without."""
    findings = walker.findings
    lost_blocks = 0
    end = FIRST_USABLE_BLOCK
    holder = FREE_SPACE
    last: Claim = (walker.total, 0, FREE_SPACE)
    for start, count, owner in [*sorted(walker.claims + free), last]:
        if start > end:
            if complement and not walker.damaged:
                findings.problem(
                    "free space", end, "blocks",
                    f"{start - end} blocks from {end} are neither free nor in use",
                )  # fmt: skip
            lost_blocks += start - end
        elif start < end and count:
            structure = owner[0] if owner is not FREE_SPACE else holder[0]
            findings.problem(
                structure, start, "owner",
                f"used twice: by {owner_text(holder)} and by {owner_text(owner)}",
            )  # fmt: skip
        if start + count > end:
            end = start + count
            holder = owner
    if lost_blocks and complement and walker.damaged:
        findings.note(
            f"{lost_blocks} blocks are neither free nor reached; what is damaged may hold them"
        )
