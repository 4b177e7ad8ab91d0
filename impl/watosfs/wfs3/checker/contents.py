"""Files and symbolic links: the extent tree of one inode against its size and block count.

Data is not read here; each extent is noted for ``data``, which reads in disk order afterwards.
"""

from collections.abc import Sequence
from typing import NamedTuple

from watosfs.wfs3.checker.inode_facts import InodeFacts
from watosfs.wfs3.checker.trees import TreeWalker
from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.node import EXTENTS
from watosfs.wfs3.records import Extent


class StoredExtent(NamedTuple):
    """An extent whose data is wanted; ``tail`` is how many bytes the file has from there on.
    ``length`` is how many bytes a compressed one stands for, else 0.
    """

    disk_block: int
    block_count: int
    crc32: int
    tail: int
    inode_number: int
    file_offset: int
    length: int


def check_contents(
    walker: TreeWalker, leaf: int, inode: InodeFacts, wanted: list[StoredExtent] | None
) -> None:
    """Check the extents of ``inode``, found in the inode leaf at block ``leaf``.

    Its blocks are claimed; its extents are appended to ``wanted`` when their data is to be
    verified.
    """
    number = inode.number
    owner = ("extent tree", number)
    data_owner = ("data", number)
    claims = walker.claims
    strict = walker.strict
    blocks = 0
    end_before = 0
    limit = -(-inode.size // BLOCK_SIZE) * BLOCK_SIZE if strict else inode.size
    damaged_before = EXTENTS.name in walker.damaged
    walker.damaged.discard(EXTENTS.name)
    pointer = ("inode", leaf, "extent_root")
    for block, facts in walker.leaves(inode.extent_root, EXTENTS, owner, pointer):
        extents = facts.extents
        runs = extents.runs
        if not runs:
            continue
        if (
            extents.end > limit
            or extents.first < end_before
            or extents.block_end > walker.total
            or (strict and extents.generation_max > walker.generation)
            or (extents.is_compressed and not walker.may_compress)
        ):
            _judge_place(walker, block, number, extents.extents, end_before, limit)
            runs = [run for run in runs if run[0] + run[1] <= walker.total]
        blocks += extents.blocks
        end_before = extents.end
        for start, count in runs:
            claims.append((start, count, data_owner))
        if wanted is not None:
            for extent, (start, count) in zip(extents.extents, extents.runs, strict=True):
                if start + count <= walker.total:
                    tail = inode.size - extent.file_offset
                    wanted.append(
                        StoredExtent(
                            start,
                            count,
                            extent.crc32,
                            tail,
                            number,
                            extent.file_offset,
                            extent.length if extent.flags else 0,
                        )
                    )
    if strict and EXTENTS.name not in walker.damaged and blocks != inode.blocks:
        walker.findings.problem(
            "inode",
            leaf,
            "blocks",
            f"inode {number}: {inode.blocks}, but its extents hold {blocks}",
        )
    if damaged_before:
        walker.damaged.add(EXTENTS.name)


def _judge_place(
    walker: TreeWalker,
    block: int,
    number: int,
    extents: Sequence[Extent],
    end_before: int,
    limit: int,
) -> None:
    """Say which extents of a leaf break a rule of their surroundings."""
    findings = walker.findings
    for extent in extents:
        offset, start, length = extent[:3]
        what = f"inode {number}, extent at file offset {offset}: "
        count = extent.stored_blocks if walker.strict else 1
        if extent.flags and walker.strict and not walker.may_compress:
            findings.problem("extent", block, "flags", f"{what}compressed without that feature")
        if offset < end_before:
            findings.problem(
                "extent", block, "file_offset",
                f"{what}it overlaps the leaf before, which ends at {end_before}",
            )  # fmt: skip
        if offset + length > limit:
            findings.problem(
                "extent", block, "length", f"{what}it ends beyond the size, {limit} in whole blocks"
            )
        if start + count > walker.total:
            findings.problem(
                "extent",
                block,
                "disk_block",
                f"{what}block {start} + {count} is outside the volume",
            )
        if walker.strict and extent.generation > walker.generation:
            findings.problem(
                "extent", block, "generation",
                f"{what}{extent.generation} is above {walker.generation}",
            )  # fmt: skip
