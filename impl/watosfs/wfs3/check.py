"""The independent checker of WFS v3: every rule of ``docs/FORMAT.md``, from the blocks alone.

Checks: superblocks, node CRCs, key order and bounds, generations, inodes, names, link counts,
reachability and cycles of directories, orphans, extents, double use, free + reachable = total and,
on request, the CRC of all file data. Images of the published tools are read more laxly
(``Report.layout`` says so).

Does not check: the times, owners and permission bits of inodes (every value is legal), the older
superblock's tree unless asked for (it is legal for its blocks to be gone two commits later), bytes
of a node after its last entry (they are under the CRC and carry nothing).

Nothing an image says makes ``check`` raise, loop, or read a block twice: what a device cannot read
and what cannot be right become problems in the report.
"""

from collections.abc import Callable

from watosfs.block.device import BlockDevice
from watosfs.wfs3.checker.contents import StoredExtent
from watosfs.wfs3.checker.data import verify_data
from watosfs.wfs3.checker.population import Roots, check_population
from watosfs.wfs3.checker.report import Findings, Problem, Report
from watosfs.wfs3.checker.snapshots import check_snapshots, read_snapshots
from watosfs.wfs3.checker.space import account, free_claims, merged_runs
from watosfs.wfs3.checker.superblocks import Copy, is_usable, newest, read_copies
from watosfs.wfs3.checker.trees import Memo, TreeWalker
from watosfs.wfs3.format import SUPERBLOCK_SLOTS, Superblock
from watosfs.wfs3.node import DIRECTORY, EXTENTS, FREE, INODES, ORPHANS
from watosfs.wfs3.records import TYPE_DIRECTORY, TYPE_FILE, TYPE_SYMLINK

__all__ = ["Memo", "Problem", "Progress", "Report", "check", "reachable_runs"]

#: Called with (phase, done, total).
Progress = Callable[[str, int, int], None]


def check(
    device: BlockDevice,
    *,
    data: bool = False,
    memo: Memo | None = None,
    progress: Progress | None = None,
    slot: int | None = None,
) -> Report:
    """Check the volume on ``device``; whatever it holds or fails to read, this never raises.

    ``data`` also reads all file data and verifies its CRCs. ``memo`` is a dict that the caller
    keeps between checks of almost equal volumes. ``slot`` checks the tree of that superblock copy
    instead of the newest.
    """
    findings = Findings()
    copies = read_copies(device, findings)
    generations: list[int | None] = [None, None]
    for copy in copies:
        generations[copy.slot] = copy.superblock.root_generation
    found = (generations[0], generations[1])
    if slot is not None:
        copies = [copy for copy in copies if copy.slot == slot]
    if not copies or not is_usable(newest(copies), device.block_count, findings):
        superblock = newest(copies).superblock if copies else None
        return Report(
            tuple(findings.problems), tuple(findings.notes), superblock, found,
        )  # fmt: skip
    return _check_tree(device, newest(copies), findings, found, data, memo, progress)


def _check_tree(
    device: BlockDevice,
    copy: Copy,
    findings: Findings,
    generations: tuple[int | None, int | None],
    data: bool,
    memo: Memo | None,
    progress: Progress | None,
) -> Report:
    superblock = copy.superblock
    walker = TreeWalker(device, superblock, findings, memo)
    strict = walker.strict
    if not strict:
        findings.note(
            "published layout: read as its tools wrote it; free space, link counts and generations "
            "are not held to this project's rules"
        )
    if superblock.snapshot_root and strict:
        walker.read_before = {}
    wanted: list[StoredExtent] | None = [] if data else None
    roots = Roots("superblock", copy.slot, superblock)
    inodes, orphans = check_population(walker, roots, wanted, progress)
    used = merged_runs(walker.claims) if superblock.snapshot_root else []
    records, dead = read_snapshots(walker, superblock, copy.slot) if strict else ([], [])
    snapshots = check_snapshots(
        walker, superblock, copy.slot, records, dead, used, wanted, progress
    )
    free = _free_space(walker, copy)
    account(walker, free, complement=strict)
    verified = verify_data(walker, wanted, progress) if wanted else 0
    seen = [inode for _, inode in inodes.values() if inode.nlink and not inode.holds_attributes]
    kinds = [inode.kind for inode in seen]
    reachable = sum(count for _, count in merged_runs(walker.claims))
    return Report(
        problems=tuple(findings.problems),
        notes=tuple(findings.notes),
        superblock=superblock,
        copies=generations,
        layout="raw" if strict else "published",
        files=kinds.count(TYPE_FILE),
        directories=kinds.count(TYPE_DIRECTORY),
        symlinks=kinds.count(TYPE_SYMLINK),
        orphans=orphans,
        snapshots=snapshots,
        blocks_reachable=reachable + len(SUPERBLOCK_SLOTS),
        blocks_free=sum(count for _, count, _ in free),
        blocks_total=superblock.total_blocks,
        data_bytes_verified=verified,
        problems_omitted=findings.problems_omitted,
    )


def _free_space(walker: TreeWalker, copy: Copy) -> list[tuple[int, int, tuple[str, int]]]:
    superblock = copy.superblock
    root = superblock.free_tree_block
    if not root:
        return []
    pointer = ("superblock", copy.slot, "free_tree_block")
    leaves = walker.leaves(root, FREE, (FREE.name, 0), pointer)
    if not walker.strict:
        return []
    return free_claims(leaves, superblock, walker)


def reachable_runs(
    device: BlockDevice, superblock: Superblock, *, memo: Memo | None = None
) -> list[tuple[int, int]]:
    """(start, count) of all blocks that ``superblock`` reaches: nodes, data, free and orphan tree,
    snapshots.

    Sorted, disjoint, joined where they touch; the superblock slots are not among them. What is
    damaged is left out with all below it: this is for trees that ``check`` finds clean.
    """
    walker = TreeWalker(device, superblock, Findings(), memo)
    roots = (
        (superblock.free_tree_block, FREE),
        (superblock.orphan_root, ORPHANS),
    )
    for root, kind in roots:
        if root:
            walker.leaves(root, kind, (kind.name, 0), ("superblock", 0, kind.name))
    read_snapshots(walker, superblock, 0)
    pointer = ("superblock", 0, "root_tree_block")
    for leaf, facts in walker.leaves(superblock.root_tree_block, INODES, (INODES.name, 0), pointer):
        below = ("inode", leaf, "extent_root")
        for inode in facts.inodes:
            if not inode.extent_root:
                continue
            is_directory = inode.kind == TYPE_DIRECTORY
            kind = DIRECTORY if is_directory else EXTENTS
            owner = (kind.name, inode.number)
            for _, found in walker.leaves(inode.extent_root, kind, owner, below):
                for start, count in found.extents.runs:
                    if start + count <= walker.total:
                        walker.claims.append((start, count, ("data", inode.number)))
    return merged_runs(walker.claims)
