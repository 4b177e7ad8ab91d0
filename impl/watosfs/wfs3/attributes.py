"""What ``stat`` and ``statfs`` tell."""

from typing import NamedTuple

from watosfs.wfs3.format import BLOCK_SIZE
from watosfs.wfs3.records import Inode


class Stat(NamedTuple):
    """What ``stat`` tells; times in ns since 1970 UTC, ``st_blocks`` in units of 512 bytes."""

    st_ino: int
    st_mode: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_size: int
    st_blocks: int
    st_blksize: int
    st_atime_ns: int
    st_mtime_ns: int
    st_ctime_ns: int


class SpaceUse(NamedTuple):
    """What ``statfs`` tells, in blocks of ``block_size`` bytes.

    ``free`` counts everything that the working tree does not use; ``available`` leaves out what is
    held back for an older superblock copy, promised to pending changes, or reserved for operations
    that free space.
    """

    block_size: int
    total: int
    free: int
    available: int
    inodes_used: int
    name_max: int


def stat_of(inode: Inode) -> Stat:
    """The attributes of an inode."""
    return Stat(
        inode.number,
        inode.mode,
        inode.nlink,
        inode.uid,
        inode.gid,
        inode.size,
        inode.blocks * (BLOCK_SIZE // 512),
        BLOCK_SIZE,
        inode.atime_ns,
        inode.mtime_ns,
        inode.ctime_ns,
    )
