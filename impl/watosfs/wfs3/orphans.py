"""Nameless inodes: deleting what no handle keeps alive, in pieces when space is short."""

from typing import TYPE_CHECKING

from watosfs.errors import DamageError
from watosfs.wfs3.filereading import tree_extents
from watosfs.wfs3.records import Inode

if TYPE_CHECKING:
    from watosfs.wfs3.namespace import Namespace

_EXTENTS_AT_ONCE = 16
#: Runs of blocks (extents and nodes) that one piece gives up at most.
DROPS_AT_ONCE = 2 * _EXTENTS_AT_ONCE + 2


def shorten(names: "Namespace", inode: Inode) -> None:
    """Give up an orphan's extents from the end while there is no room to do it all at once."""
    engine = names.engine
    pieces = tree_extents(engine.tree(inode)) // _EXTENTS_AT_ONCE if inode.blocks else 0
    while pieces and not engine.has_room(
        engine.namespace_cost(), frees=True, drops=names.runs_of(inode)
    ):
        keys = [key for key, _ in engine.tree(inode).items()]
        engine.admit(engine.namespace_cost(), frees=True, drops=DROPS_AT_ONCE)
        engine.data.remove_extents(inode, keys[-_EXTENTS_AT_ONCE], None)
        if not engine.in_transaction:
            engine.commit()
        pieces -= 1


def reclaim(names: "Namespace", number: int) -> None:
    """Delete an orphan that nobody has open any more, piece by piece if space is short."""
    engine = names.engine
    inode = engine.inode(number)
    shorten(names, inode)
    engine.admit(
        engine.namespace_cost() + 2 * engine.tree(inode).height + 3,
        frees=True,
        drops=names.runs_of(inode),
    )
    path = engine.orphan_tree.lower_bound(number)
    if not path or path[-1][0].keys[path[-1][1]] != number:
        raise DamageError("orphan tree", 0, f"inode {number} is missing")
    engine.orphan_tree.delete(path)
    engine.delete_inode(engine.modify(number))
