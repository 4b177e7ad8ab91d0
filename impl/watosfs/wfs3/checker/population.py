"""One tree of inodes with all that hangs on it: the volume's, or that of a snapshot."""

from collections.abc import Callable
from typing import NamedTuple

from watosfs.wfs3.checker.attributes import judge_attributes
from watosfs.wfs3.checker.contents import StoredExtent, check_contents
from watosfs.wfs3.checker.inode_facts import InodeFacts
from watosfs.wfs3.checker.names import Names, judge_orphans
from watosfs.wfs3.checker.trees import TreeWalker
from watosfs.wfs3.format import ROOT_INODE, Superblock
from watosfs.wfs3.node import INODES, ORPHANS
from watosfs.wfs3.records import TYPE_DIRECTORY


class Roots(NamedTuple):
    """Where a tree of inodes begins: ``structure`` at ``block`` names both roots."""

    structure: str
    block: int
    superblock: Superblock


class Population(NamedTuple):
    """The inodes by number, each with the block of its leaf, and how many of them are orphans."""

    inodes: dict[int, tuple[int, InodeFacts]]
    orphans: int


def check_population(
    walker: TreeWalker,
    roots: Roots,
    wanted: list[StoredExtent] | None,
    progress: Callable[[str, int, int], None] | None,
) -> Population:
    """Hold every rule about inodes, names, contents and orphans; blocks are claimed, and extents
    appended to ``wanted`` when data is to be verified.
    """
    inodes = _read_inodes(walker, roots)
    names = Names(walker, inodes)
    done = 0
    for leaf, inode in inodes.values():
        if inode.kind == TYPE_DIRECTORY:
            names.read_directory(leaf, inode)
        elif inode.extent_root:
            check_contents(walker, leaf, inode, wanted)
        if progress is not None:
            done += 1
            if done % 64 == 0 or done == len(inodes):
                progress("inodes", done, len(inodes))
    names.judge_links()
    judge_attributes(walker, inodes, wanted or ())
    root = roots.superblock.orphan_root
    pointer = (roots.structure, roots.block, "orphan_root")
    leaves = walker.leaves(root, ORPHANS, (ORPHANS.name, 0), pointer) if root else ()
    return Population(inodes, judge_orphans(walker, leaves, inodes, names.populated))


def _read_inodes(walker: TreeWalker, roots: Roots) -> dict[int, tuple[int, InodeFacts]]:
    superblock = roots.superblock
    inodes: dict[int, tuple[int, InodeFacts]] = {}
    pointer = (roots.structure, roots.block, "root_tree_block")
    leaves = walker.leaves(superblock.root_tree_block, INODES, (INODES.name, 0), pointer)
    for block, facts in leaves:
        for inode in facts.inodes:
            inodes[inode.number] = (block, inode)
    problem = walker.findings.problem
    if inodes and (highest := max(inodes)) >= superblock.next_inode:
        problem(
            roots.structure, roots.block, "next_inode",
            f"{superblock.next_inode} is not above inode {highest}",
        )  # fmt: skip
    root = inodes.get(ROOT_INODE)
    if root is None:
        if INODES.name not in walker.damaged:
            block = leaves[0][0] if leaves else superblock.root_tree_block
            problem(INODES.name, block, "inode_num", "there is no root inode")
    elif root[1].kind != TYPE_DIRECTORY:
        problem("inode", root[0], "mode", "the root inode is not a directory")
    return inodes
