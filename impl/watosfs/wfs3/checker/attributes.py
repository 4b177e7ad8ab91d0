"""Extended attributes: every holder has one owner, and what it holds can be read as attributes."""

from collections.abc import Sequence
from zlib import crc32

from watosfs.errors import DamageError
from watosfs.wfs3.checker.contents import StoredExtent
from watosfs.wfs3.checker.inode_facts import InodeFacts
from watosfs.wfs3.checker.trees import TreeWalker
from watosfs.wfs3.compression import decompressed
from watosfs.wfs3.format import ATTRIBUTES_MAX
from watosfs.wfs3.node import INODES
from watosfs.wfs3.packed_attributes import decode


def judge_attributes(
    walker: TreeWalker,
    inodes: dict[int, tuple[int, InodeFacts]],
    wanted: Sequence[StoredExtent],
) -> None:
    """Hold owners and holders against one another; ``wanted`` has the extents that may be read."""
    problem = walker.findings.problem
    owners: dict[int, int] = {}
    for number, (leaf, facts) in inodes.items():
        target = facts.attributes_inode
        if not target:
            continue
        found = inodes.get(target)
        if found is None or not found[1].holds_attributes:
            if INODES.name not in walker.damaged:
                problem(
                    "inode", leaf, "attributes_inode",
                    f"inode {number}: inode {target} does not hold attributes",
                )  # fmt: skip
        elif target in owners:
            problem(
                "inode", leaf, "attributes_inode",
                f"inode {number}: inode {target} holds those of inode {owners[target]}",
            )  # fmt: skip
        else:
            owners[target] = number
    for number, (leaf, facts) in inodes.items():
        if not facts.holds_attributes:
            continue
        if number not in owners and INODES.name not in walker.damaged:
            problem("inode", leaf, "flags", f"inode {number} holds the attributes of nobody")
        raw = facts.attributes or _stored(walker, number, facts.size, wanted)
        try:
            decode(raw, number)
        except DamageError as error:
            problem("inode", leaf, "attributes", error.problem)


def _stored(walker: TreeWalker, number: int, size: int, wanted: Sequence[StoredExtent]) -> bytes:
    """The data of a holder, as far as they may be read; damage is told by ``data``."""
    extents = sorted(
        (extent for extent in wanted if extent.inode_number == number),
        key=lambda extent: extent.file_offset,
    )
    raw = b""
    for extent in extents:
        try:
            data = bytes(walker.device.read(extent.disk_block, extent.block_count))
        except OSError:
            return b""
        if crc32(data) != extent.crc32 or extent.file_offset != len(raw):
            return b""
        try:
            raw += decompressed(data, extent.length, extent.disk_block) if extent.length else data
        except DamageError:
            return b""
        if len(raw) > ATTRIBUTES_MAX:
            return b""
    return raw[:size]
