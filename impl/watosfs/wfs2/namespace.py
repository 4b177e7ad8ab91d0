"""Names: folders are made of the slashes in the paths of a flat table.

A path is at most 55 bytes in all, so a name may be too long here and not there. Names are exact
bytes; the published reader ignores case and finds the first of two that differ in it only.
"""

import errno
from dataclasses import replace

from watosfs.errors import failure
from watosfs.wfs2.commit import require_name, sync
from watosfs.wfs2.drafts import write_blocks
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.entries import DIRECTORY, NAME_BYTES_MAX, Entry
from watosfs.wfs2.node import Draft, Node


def lookup(engine: Engine, parent: Node, name: bytes) -> Node | None:
    """The node of a name. ENOTDIR: ``parent`` is a file."""
    engine.require_mounted()
    if parent.children is None:
        raise failure(errno.ENOTDIR)
    return parent.children.get(name)


def create(engine: Engine, parent: Node, name: bytes, flags: int = 0) -> Node:
    """A new empty file. EEXIST, ENAMETOOLONG, ENOSPC (no entry or no block is free), EROFS."""
    path = _new_path(engine, parent, name)
    start = engine.allocate(1)
    if start is None and engine.pending:
        sync(engine)
        start = engine.allocate(1)
    if start is None:
        raise failure(errno.ENOSPC, path)
    try:
        node = _add(engine, parent, name, Entry(path, flags=flags))
    except OSError:
        engine.release(start, 1)
        raise
    node.draft = Draft(start, 1, 0)
    write_blocks(engine, node, 0, b"")
    return node


def mkdir(engine: Engine, parent: Node, name: bytes, flags: int = 0) -> Node:
    """A new directory: an entry without blocks. Fails as ``create`` does."""
    path = _new_path(engine, parent, name)
    return _add(engine, parent, name, Entry(path, flags=flags | DIRECTORY))


def _new_path(engine: Engine, parent: Node, name: bytes) -> bytes:
    engine.begin_change()
    if lookup(engine, parent, name) is not None:
        raise failure(errno.EEXIST, name)
    if parent.is_removed:
        raise failure(errno.ENOENT, name)
    path = _path_below(parent.path, name)
    require_name(engine, path)
    return path


def _path_below(above: bytes, name: bytes) -> bytes:
    path = above + b"/" + name if above else name
    if not name or name in (b".", b"..") or b"/" in name or b"\0" in name:
        raise failure(errno.EINVAL, name)
    _require_length(path)
    return path


def _require_length(path: bytes) -> None:
    if len(path) > NAME_BYTES_MAX:
        text = f"{len(path)} bytes with its folders, WFS v2 has {NAME_BYTES_MAX}"
        raise failure(errno.ENAMETOOLONG, path, text)


def _add(engine: Engine, parent: Node, name: bytes, entry: Entry) -> Node:
    if not engine.free_slots and engine.replaced:
        sync(engine)
    slot = engine.take_slot()
    now = engine.clock()
    node = engine.tree.add(parent, name, slot, replace(entry, created=now, modified=now))
    engine.touch(node)
    return node


def unlink(engine: Engine, parent: Node, name: bytes) -> None:
    """Remove a file; its blocks stay as long as it is open. ENOENT, EISDIR."""
    engine.begin_change()
    node = _found(engine, parent, name)
    if node.is_directory:
        raise failure(errno.EISDIR, name)
    _remove(engine, node)


def rmdir(engine: Engine, parent: Node, name: bytes) -> None:
    """Remove an empty directory. ENOENT, ENOTDIR, ENOTEMPTY."""
    engine.begin_change()
    node = _found(engine, parent, name)
    if node.children is None:
        raise failure(errno.ENOTDIR, name)
    if node.children:
        raise failure(errno.ENOTEMPTY, name)
    _remove(engine, node)


def _found(engine: Engine, parent: Node, name: bytes) -> Node:
    node = lookup(engine, parent, name)
    if node is None:
        raise failure(errno.ENOENT, name)
    return node


def _remove(engine: Engine, node: Node, *, replaced: bool = False) -> None:
    assert node.parent is not None
    assert node.parent.children is not None
    if not replaced:
        engine.vacate(node)
    engine.free_slot(node, replaced=replaced)
    del node.parent.children[node.name]
    node.is_removed = True
    if not node.handle_count:
        engine.reclaim(node)


def rename(
    engine: Engine, old_parent: Node, old_name: bytes, new_parent: Node, new_name: bytes
) -> None:
    """Move a name, replacing a file or an empty directory; replacing is durable on return.

    ENOENT, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL (into itself), ENAMETOOLONG (it or what is below).
    """
    engine.begin_change()
    node = _found(engine, old_parent, old_name)
    target = lookup(engine, new_parent, new_name)
    if new_parent.is_removed:
        raise failure(errno.ENOENT, new_name)
    if node in new_parent.ancestry():
        raise failure(errno.EINVAL, new_name, "a directory does not move into itself")
    if target is node:
        return
    if target is not None:
        if target in old_parent.ancestry():
            raise failure(errno.ENOTEMPTY, new_name)
        _require_replaceable(node, target)
    path = _path_below(new_parent.path, new_name)
    cut, members = len(node.path), node.below()
    paths = [path + member.path[cut:] for member in members]
    for new in paths:
        _require_length(new)
    for new in paths:
        require_name(engine, new)
    was_durable = target is not None and target.durable is not None
    if target is not None and target.durable is not None:
        # Of two entries of a name the newer counts, should the power go before the older is gone.
        later = newer(engine.clock(), target.durable.modified + 1, node.entry.modified)
        node.entry = replace(node.entry, modified=later)
    if target is not None:
        _remove(engine, target, replaced=was_durable)
    for member in members:
        engine.vacate(member)
        engine.touch(member)
    assert old_parent.children is not None
    assert new_parent.children is not None
    del old_parent.children[old_name]
    node.parent, node.name = new_parent, new_name
    new_parent.children[new_name] = node
    if was_durable:
        sync(engine)


newer = max


def _require_replaceable(node: Node, target: Node) -> None:
    if node.is_directory and target.children is None:
        raise failure(errno.ENOTDIR, target.name)
    if target.is_directory and not node.is_directory:
        raise failure(errno.EISDIR, target.name)
    if target.children:
        raise failure(errno.ENOTEMPTY, target.name)


def set_flags(engine: Engine, node: Node, mask: int, flags: int) -> None:
    """Set those flags of an entry that ``mask`` has; the root has none to keep."""
    engine.begin_change()
    if node.entry.flags & mask != flags and node is not engine.root:
        node.entry = replace(node.entry, flags=node.entry.flags & ~mask | flags)
        engine.touch(node)
