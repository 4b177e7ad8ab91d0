"""Names of a WFS v2 volume: the table has whole paths, here they are a tree.

A name is compared by its bytes. A path has at most 55 bytes without its first slash. A folder
that only names of files make goes with the last of them.
"""

import errno

from watosfs.errors import failure
from watosfs.wfs2.engine import Engine
from watosfs.wfs2.format import NAME_MAX
from watosfs.wfs2.node import Node


def lookup(node: Node, name: bytes) -> Node | None:
    """A name in a folder. ENOTDIR below a file."""
    if node.children is None:
        raise failure(errno.ENOTDIR)
    return node.children.get(name)


def _require_fits(parent: Node, name: bytes) -> None:
    above = parent.path
    length = len(name) + (len(above) + 1 if above else 0)
    if length > NAME_MAX:
        text = f"a path of {length} bytes; WFS v2 keeps {NAME_MAX}"
        raise failure(errno.ENAMETOOLONG, name, text)


def _require_new(engine: Engine, parent: Node, name: bytes) -> None:
    engine.require_change()
    if parent.is_removed:
        raise failure(errno.ENOENT, name)
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
        raise failure(errno.EINVAL, name)
    if lookup(parent, name) is not None:
        raise failure(errno.EEXIST, name)
    _require_fits(parent, name)


def create(engine: Engine, parent: Node, name: bytes, *, is_directory: bool = False) -> Node:
    """A new empty file or folder. EEXIST, ENAMETOOLONG, ENOSPC, EINVAL, EROFS."""
    _require_new(engine, parent, name)
    if engine.has_moved:
        # What an entry was called before must be gone before something else has that name.
        engine.write_back()
    slot = engine.take_slot()
    node = Node(engine.next_number, name, parent, {} if is_directory else None, slot)
    if not is_directory:
        try:
            node.reserved = (engine.take_blocks(1), 1)
        except OSError:
            engine.give_slot(slot)
            raise
        node.data = bytearray()
        engine.waiting[node] = None
    engine.next_number += 1
    assert parent.children is not None
    parent.children[name] = engine.nodes[node.number] = node
    engine.owners[slot] = node
    engine.touch(node)
    return node


def _take_away(engine: Engine, node: Node) -> None:
    """The name goes; the node stays while it is open."""
    parent = node.parent
    assert parent is not None
    assert parent.children is not None
    del parent.children[node.name]
    node.is_removed = True
    if node.slot is not None:
        engine.changed.add(node.slot)
        del engine.owners[node.slot]
        node.slot = None
    if not node.handle_count:
        engine.forget(node)
    _drop_implied(engine, parent)


def _drop_implied(engine: Engine, node: Node) -> None:
    """Folders without an entry go with the last name in them."""
    while node.parent is not None and node.slot is None and not node.children:
        if node.is_removed:
            return
        assert node.parent.children is not None
        del node.parent.children[node.name]
        node.is_removed = True
        if not node.handle_count:
            engine.forget(node)
        node = node.parent


def unlink(engine: Engine, parent: Node, name: bytes) -> None:
    """Remove a file. ENOENT, EISDIR."""
    engine.require_change()
    node = lookup(parent, name)
    if node is None:
        raise failure(errno.ENOENT, name)
    if node.is_directory:
        raise failure(errno.EISDIR, name)
    _take_away(engine, node)


def rmdir(engine: Engine, parent: Node, name: bytes) -> None:
    """Remove an empty folder. ENOENT, ENOTDIR, ENOTEMPTY."""
    engine.require_change()
    node = lookup(parent, name)
    if node is None:
        raise failure(errno.ENOENT, name)
    if node.children is None:
        raise failure(errno.ENOTDIR, name)
    if node.children:
        raise failure(errno.ENOTEMPTY, name)
    _take_away(engine, node)


def rename(engine: Engine, old_parent: Node, old: bytes, new_parent: Node, new: bytes) -> None:
    """Move a name, replacing a file or an empty folder; a folder with everything in it.

    ENOENT, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL (into itself), ENAMETOOLONG (any path below).
    """
    engine.require_change()
    node, target = lookup(old_parent, old), lookup(new_parent, new)
    if node is None or new_parent.is_removed:
        raise failure(errno.ENOENT, old)
    above: Node | None = new_parent
    while above is not None:
        if above is node:
            raise failure(errno.EINVAL, new, "into itself")
        above = above.parent
    if target is node:
        return
    if target is not None:
        _require_replaceable(node, target, new)
    elif new in (b"", b".", b"..") or b"/" in new or b"\0" in new:
        raise failure(errno.EINVAL, new)
    _require_all_fit(node, new_parent, new)
    # Whatever waits goes first, and nothing joins: see CRASH_MODEL 29.
    engine.write_back()
    if target is not None:
        _take_away(engine, target)
    assert old_parent.children is not None
    assert new_parent.children is not None
    del old_parent.children[old]
    node.name, node.parent = new, new_parent
    new_parent.children[new] = node
    engine.touch(node)
    for below in node.below():
        engine.touch(below)
    engine.has_moved = True
    _drop_implied(engine, old_parent)


def _require_replaceable(node: Node, target: Node, new: bytes) -> None:
    if target.children is None:
        if node.is_directory:
            raise failure(errno.ENOTDIR, new)
        return
    if not node.is_directory:
        raise failure(errno.EISDIR, new)
    if target.children:
        raise failure(errno.ENOTEMPTY, new)


def _require_all_fit(node: Node, parent: Node, name: bytes) -> None:
    _require_fits(parent, name)
    above = parent.path
    length = len(name) + (len(above) + 1 if above else 0)
    grown = length - len(node.path)
    for below in node.below():
        if len(below.path) + grown > NAME_MAX:
            text = f"{below.name!r} in it would have a path over {NAME_MAX} bytes"
            raise failure(errno.ENAMETOOLONG, name, text)
