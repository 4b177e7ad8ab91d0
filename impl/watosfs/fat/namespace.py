"""Changes of names, by directory and name: create, mkdir, unlink, rmdir, rename."""

import errno

from watosfs.errors import failure
from watosfs.fat.chains import Chain
from watosfs.fat.directory import Directory
from watosfs.fat.engine import Engine
from watosfs.fat.entries import ARCHIVE, DIRECTORY, encode_dots
from watosfs.fat.names import decode_name, new_name, stripped
from watosfs.fat.node import Node
from watosfs.fat.times import encode_time


def lookup(engine: Engine, parent: Node, name: bytes) -> Node | None:
    """The node of a name in a directory, or None. ENOTDIR, EINVAL, and what reading raises."""
    return engine.directory(parent).lookup(stripped(decode_name(name)))


def create(engine: Engine, parent: Node, name: bytes) -> Node:
    """A new empty file. EEXIST, EINVAL, ENAMETOOLONG, ENOSPC."""
    text = new_name(name)
    engine.begin_change()
    directory = engine.directory(parent)
    _require_new(directory, text, name)
    node = _stamped(engine, text, ARCHIVE)
    node.chain = Chain()
    _add(engine, parent, directory, node)
    return node


def mkdir(engine: Engine, parent: Node, name: bytes) -> Node:
    """A new directory. EEXIST, EINVAL, ENAMETOOLONG, ENOSPC."""
    text = new_name(name)
    engine.begin_change()
    directory = engine.directory(parent)
    _require_new(directory, text, name)
    node = _stamped(engine, text, DIRECTORY)
    place = directory.prepare(engine.chains, text)
    chain = Chain()
    engine.chains.extend(chain, 1)
    up = 0 if parent is engine.root else _first(parent)
    size = engine.geometry.cluster_size
    raw = bytearray(encode_dots(chain.first, up, node.created, size))
    engine.access.write(engine.geometry.cluster_offset(chain.first), raw)
    node.chain, node.first = chain, chain.first
    directory.insert(node, place)
    _added(engine, parent, node)
    engine.adopt(node, chain, raw)
    return node


def _first(node: Node) -> int:
    return node.first if node.chain is None else node.chain.first


def _require_new(directory: Directory, text: str, name: bytes) -> None:
    if directory.node is not None and directory.node.is_removed:
        raise failure(errno.ENOENT, name)
    if directory.lookup(text) is not None:
        raise failure(errno.EEXIST, name)


def _stamped(engine: Engine, text: str, attributes: int) -> Node:
    node = Node(engine.new_number(), text, b"", attributes)
    node.created = encode_time(engine.clock(), engine.offset_s)
    node.modified = node.created[:2]
    node.accessed_date = node.created[0]
    return node


def _add(engine: Engine, parent: Node, directory: Directory, node: Node) -> None:
    directory.insert(node, directory.prepare(engine.chains, node.name))
    _added(engine, parent, node)


def _added(engine: Engine, parent: Node, node: Node) -> None:
    engine.unsaved.append(node)
    engine.nodes[node.number] = node
    _changed(engine, parent)


def _changed(engine: Engine, directory: Node) -> None:
    directory.set_modified(engine.clock(), engine.offset_s)
    engine.touch(directory)


def unlink(engine: Engine, parent: Node, name: bytes) -> None:
    """Remove a file's name; its clusters are free once no handle needs them. EISDIR, ENOENT."""
    node = _existing(engine, parent, name)
    if node.is_directory:
        raise failure(errno.EISDIR, name)
    engine.begin_change()
    _remove(engine, parent, node)


def rmdir(engine: Engine, parent: Node, name: bytes) -> None:
    """Remove an empty directory. ENOTDIR, ENOTEMPTY, ENOENT."""
    node = _existing(engine, parent, name)
    if not node.is_directory:
        raise failure(errno.ENOTDIR, name)
    if not engine.directory(node).is_empty:
        raise failure(errno.ENOTEMPTY, name)
    engine.begin_change()
    _remove(engine, parent, node)


def _existing(engine: Engine, parent: Node, name: bytes) -> Node:
    node = lookup(engine, parent, name)
    if node is None:
        raise failure(errno.ENOENT, name)
    return node


def _remove(engine: Engine, parent: Node, node: Node) -> None:
    engine.directory(parent).remove(node)
    _unnamed(engine, node)
    _changed(engine, parent)


def _unnamed(engine: Engine, node: Node) -> None:
    node.is_removed = True
    engine.dirty_nodes.discard(node)
    if not node.handle_count:
        engine.forget(node)


def rename(
    engine: Engine, old_parent: Node, old_name: bytes, new_parent: Node, new_name_: bytes
) -> None:
    """Give a node another name, replacing what had it.

    ENOENT, EINVAL (also: a directory into itself), EISDIR, ENOTDIR, ENOTEMPTY, ENOSPC.
    """
    node = _existing(engine, old_parent, old_name)
    text = new_name(new_name_)
    old_directory, new_directory = engine.directory(old_parent), engine.directory(new_parent)
    _require_outside(engine, node, new_parent, new_name_)
    target = new_directory.lookup(text)
    if target is node and node.name == text:
        return
    if target is not None and target is not node:
        _require_replaceable(engine, node, target, new_name_)
    engine.begin_change()
    if target is not None and target is not node and target.name == text:
        old_slots = engine.slots_on_disk(node)
        old_directory.remove(node)
        new_directory.replace(target, node)
        engine.moved_away(node, old_slots)
        _unnamed(engine, target)
    else:
        _move(engine, node, text, target, new_directory)
    engine.touch(node)
    if node.is_directory and old_parent is not new_parent:
        up = 0 if new_parent is engine.root else _first(new_parent)
        engine.directory(node).set_parent_cluster(up)
        engine.reparented.append(engine.directory(node))
    _changed(engine, old_parent)
    _changed(engine, new_parent)


def _move(
    engine: Engine, node: Node, text: str, target: Node | None, new_directory: Directory
) -> None:
    """Take new slots, then give up the old ones and those of a target of another case."""
    old_directory = node.directory
    assert old_directory is not None
    leaving = [node] if target is None or target is node else [node, target]
    place = new_directory.prepare(engine.chains, text, leaving)
    old_slots = engine.slots_on_disk(node)
    old_directory.remove(node)
    if target is not None and target is not node:
        new_directory.remove(target)
        _unnamed(engine, target)
    node.name = text
    new_directory.insert(node, place)
    engine.moved_away(node, old_slots)


def _require_outside(engine: Engine, node: Node, parent: Node, name: bytes) -> None:
    """EINVAL when ``parent`` is ``node`` or below it; ENOENT when it was removed."""
    above: Node | None = parent
    while above is not None and above is not engine.root:
        if above is node:
            raise failure(errno.EINVAL, name, "a directory cannot go into itself")
        if above.is_removed:
            raise failure(errno.ENOENT, name)
        above = above.directory.node if above.directory is not None else None


def _require_replaceable(engine: Engine, node: Node, target: Node, name: bytes) -> None:
    if target.is_directory and not node.is_directory:
        raise failure(errno.EISDIR, name)
    if node.is_directory and not target.is_directory:
        raise failure(errno.ENOTDIR, name)
    if target.is_directory and not engine.directory(target).is_empty:
        raise failure(errno.ENOTEMPTY, name)
