"""What a user can see of one WFS v3 inode, built from what the volume reads."""

from collections.abc import Hashable

from watosfs.wfs3.compressing import level_of
from watosfs.wfs3.records import Inode
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.dialect import Entry
from watosfs_fuzz.target import WHOLE_CONTENT_BYTES_MAX, content_blocks

#: Of the largest hole of a large file so much is read: it must be zeros.
HOLE_SAMPLE_BYTES = 64
_CONTENT = 9


def entry_of(volume: Volume, inode: Inode, identity: bytes, *, contents: bool = True) -> Entry:
    """What ``docs/DESIGN.md`` section 2.3 says of one inode, or all but a file's contents."""
    kind = "file"
    content: object = None
    if inode.is_directory:
        kind = "directory"
    elif inode.is_symlink:
        kind, content = "symlink", volume.namespace.target_of(inode.number)
    elif contents:
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
        (*shown_level(inode), *sorted(volume.attributes.of(inode).items())),
        identity,
    )


def shown_level(inode: Inode) -> tuple[tuple[bytes, bytes], ...]:
    """The level of compression as the model shows it, before the attributes [C1]."""
    level = level_of(inode)
    return ((b"compression", b"%d" % level),) if level else ()


def without_contents(tree: Hashable) -> Hashable:
    """A frozen tree as it is seen when no file is read."""
    assert isinstance(tree, tuple)
    return tuple(
        (path, (*entry[:_CONTENT], None, *entry[_CONTENT + 1 :]) if entry[0] == "file" else entry)
        for path, entry in tree
    )


def content_of(volume: Volume, inode: Inode) -> object:
    """A small file's bytes; of a large one the blocks that are not zero."""
    data = volume.engine.data
    if inode.size <= WHOLE_CONTENT_BYTES_MAX:
        return data.read(inode, 0, inode.size)
    size = inode.size
    pieces: list[tuple[int, bytes]] = []
    hole, hole_length, end = 0, 0, 0
    for start, length in data.present(inode, 0):
        if start >= size:
            break
        if start - end > hole_length:
            hole, hole_length = end, start - end
        end = min(start + length, size)
        pieces.append((start, data.read(inode, start, end - start)))
    if size - end > hole_length:
        hole, hole_length = end, size - end
    sample = data.read(inode, hole + hole_length // 2, HOLE_SAMPLE_BYTES) if hole_length else b""
    assert not any(sample[: hole_length - hole_length // 2]), f"the hole at {hole} is not zero"
    return content_blocks(pieces)
