"""Renaming: one name moves and may replace another, in one step (``docs/SEMANTICS.md``)."""

import errno

from watosfs.errors import failure
from watosfs.wfs3 import directory
from watosfs.wfs3.format import LINK_MAX
from watosfs.wfs3.namespace import Namespace
from watosfs.wfs3.paths import Place
from watosfs.wfs3.records import TYPE_DIRECTORY


def rename(names: Namespace, source: Place, target: Place) -> None:
    """Move a name, replacing what the new one led to, in one step.

    EBUSY for ``.``, ``..`` and the root; EINVAL into its own subtree; EISDIR, ENOTDIR, ENOTEMPTY
    as POSIX; nothing happens when both names lead to one inode.
    """
    refuse(names, source, target)
    if source.number == target.number:
        return
    if target.number:
        names.refuse_miscounted(target)
    if source.kind == TYPE_DIRECTORY and source.parent != target.parent:
        names.refuse_miscounted(source)
    engine = names.engine
    trees = [names.tree_of(source.parent), names.tree_of(target.parent)]
    drops = 0
    if target.number:
        replaced = engine.inode(target.number)
        trees.append(engine.tree(replaced))
        drops = names.runs_of(replaced)
    names.admit(*trees, drops=drops)
    now = engine.clock()
    moved = engine.modify(source.number)
    enter_moved(names, source, target)
    names.remove_name(source)
    if target.number:
        if target.kind == TYPE_DIRECTORY:
            engine.modify(target.parent).nlink -= 1
            names.drop_directory(target.number)
        else:
            names.drop_link(target.number)
    moved.ctime_ns = now
    new_parent = engine.modify(target.parent)
    new_parent.mtime_ns = new_parent.ctime_ns = now
    if source.kind == TYPE_DIRECTORY and source.parent != target.parent:
        engine.modify(source.parent).nlink -= 1
        new_parent.nlink += 1


def enter_moved(names: Namespace, source: Place, target: Place) -> None:
    """Let the target name lead to the source's inode."""
    engine = names.engine
    tree = engine.changing_tree(engine.modify(target.parent))
    if target.number:
        directory.replace(tree, target.name, source.number, source.kind)
    else:
        directory.add(tree, target.name, source.number, source.kind)
    names.names[target.parent, target.name] = (source.number, source.kind)


def refuse(names: Namespace, source: Place, target: Place) -> None:
    """Raise the errno that forbids a rename."""
    old, new = source.path, target.path
    if source.special or target.special:
        raise failure(errno.EBUSY, old)
    if not source.number:
        raise failure(errno.ENOENT, old)
    is_directory = source.kind == TYPE_DIRECTORY
    if not is_directory and (source.trailing_slash or target.trailing_slash):
        raise failure(errno.ENOTDIR, old)
    if source.number in target.ancestors:
        raise failure(errno.EINVAL, new, "a directory cannot move into itself")
    if target.number and target.number in source.ancestors:
        raise failure(errno.ENOTEMPTY, new)
    if not target.number or source.number == target.number:
        moves_directory = is_directory and source.parent != target.parent
        if moves_directory and names.engine.inode(target.parent).nlink >= LINK_MAX:
            raise failure(errno.EMLINK, new)
        return
    if is_directory:
        if target.kind != TYPE_DIRECTORY:
            raise failure(errno.ENOTDIR, new)
        if not directory.is_empty(names.tree_of(target.number)):
            raise failure(errno.ENOTEMPTY, new)
    elif target.kind == TYPE_DIRECTORY:
        raise failure(errno.EISDIR, new)
