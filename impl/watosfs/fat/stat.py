"""What ``stat`` says of a node: owner and mode are made up, times as exact as FAT has them."""

from typing import NamedTuple

from watosfs.fat.engine import Engine
from watosfs.fat.node import Node


class FatStat(NamedTuple):
    """The fields of ``os.stat_result``; times in ns. ``st_ctime_ns`` is the time of change."""

    st_ino: int
    st_mode: int
    st_nlink: int
    st_uid: int
    st_gid: int
    st_size: int
    #: In units of 512 bytes, whole clusters.
    st_blocks: int
    st_atime_ns: int
    st_mtime_ns: int
    st_ctime_ns: int
    st_birthtime_ns: int
    #: The attribute bits of the entry.
    attributes: int


def stat_of(engine: Engine, node: Node) -> FatStat:
    """The attributes of a node. A directory's link count is 2 and one for each directory in it."""
    cluster_size, nlink, size = engine.geometry.cluster_size, 1, node.size
    if node.is_directory:
        nlink, size = 2, 0
        if not node.is_removed:
            nlink += engine.directory(node).subdirectory_count
    clusters = -(-size // cluster_size)
    modified = node.modified_ns(engine.offset_s)
    return FatStat(
        node.number,
        node.mode,
        0 if node.is_removed else nlink,
        0,
        0,
        size,
        clusters * cluster_size // 512,
        node.accessed_ns(engine.offset_s),
        modified,
        modified,
        node.created_ns(engine.offset_s),
        node.attributes,
    )
