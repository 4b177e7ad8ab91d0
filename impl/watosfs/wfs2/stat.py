"""What ``stat`` says of a node: owner and most of the mode are made up; one time is kept."""

from typing import NamedTuple

from watosfs.wfs2.format import BLOCK_SIZE
from watosfs.wfs2.node import Node


class Wfs2Stat(NamedTuple):
    """The fields of ``os.stat_result``; times in ns, all three of them the time of change."""

    st_ino: int
    st_mode: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_size: int
    #: In units of 512 bytes, whole blocks.
    st_blocks: int
    st_atime_ns: int
    st_mtime_ns: int
    st_ctime_ns: int
    st_birthtime_ns: int
    #: The flags of the entry.
    flags: int


def stat_of(node: Node) -> Wfs2Stat:
    """The attributes of a node. A directory's link count is 2 and one for each directory in it."""
    entry, nlink = node.entry, 1
    if node.children is not None:
        nlink = 2 + sum(child.is_directory for child in node.children.values())
    blocks = node.draft.blocks if node.draft is not None else entry.blocks
    return Wfs2Stat(
        node.number,
        node.mode,
        0 if node.is_removed else nlink,
        0,
        0,
        node.size,
        blocks * (BLOCK_SIZE // 512),
        entry.modified,
        entry.modified,
        entry.modified,
        entry.created,
        entry.flags,
    )
