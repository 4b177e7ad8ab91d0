"""What a user can see of one WFS v3 inode, built from what the volume reads."""

from watosfs.wfs3.records import Inode
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.target import WHOLE_CONTENT_BYTES_MAX, Entry, content_blocks


def entry_of(volume: Volume, inode: Inode, identity: bytes) -> Entry:
    """What ``docs/DESIGN.md`` section 2.3 says of one inode."""
    kind = "file"
    content: object = None
    if inode.is_directory:
        kind = "directory"
    elif inode.is_symlink:
        kind, content = "symlink", volume.namespace.target_of(inode.number)
    else:
        content = content_of(volume, inode)
    return (
        kind,
        inode.mode & 0o7777,
        inode.uid,
        inode.gid,
        inode.nlink,
        inode.size,
        inode.atime_ns,
        inode.mtime_ns,
        inode.ctime_ns,
        content,
        identity,
    )


def content_of(volume: Volume, inode: Inode) -> object:
    """A small file's bytes; of a large one the blocks that are not zero."""
    data = volume.engine.data
    if inode.size <= WHOLE_CONTENT_BYTES_MAX:
        return data.read(inode, 0, inode.size)
    pieces: list[tuple[int, bytes]] = []
    at: int | None = data.seek(inode, 0, data=True)
    while at is not None:
        end = data.seek(inode, at, data=False)
        assert end is not None
        pieces.append((at, data.read(inode, at, end - at)))
        at = data.seek(inode, end, data=True) if end < inode.size else None
    assert not any(data.read(inode, inode.size // 2 + 1, 64)) or pieces, "a hole is not zero"
    return content_blocks(pieces)
