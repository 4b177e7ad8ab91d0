"""Whether a WFS v3 volume surely has room for an operation: then ENOSPC is a lie."""

from watosfs.wfs3.volume import Volume
from watosfs_model import operations as ops
from watosfs_model.operations import Operation

#: More blocks than any operation but a write can need on small volumes (see
#: ``Engine.namespace_cost``).
_FOR_NAMES = 64
_FOR_CHUNK = 28
_HIGH_TREES = 16
#: What is given up is entered in a dead list, and stays.
_WITH_SNAPSHOTS = 3


def has_room_for(volume: Volume, operation: Operation) -> bool:
    """By a bound of its own: no tree is looked at."""
    need = _FOR_NAMES
    if isinstance(operation, ops.Setxattr):
        need += 2 * _FOR_CHUNK
    if isinstance(operation, ops.Pwrite):
        need += (len(operation.data) // 65536 + 2) * _FOR_CHUNK
    if volume.engine.store.node_entries_max is not None:
        need *= _HIGH_TREES
    if volume.snapshots():
        need *= _WITH_SNAPSHOTS
    return volume.statfs().available > need
