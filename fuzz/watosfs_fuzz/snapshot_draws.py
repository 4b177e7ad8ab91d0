"""Snapshot operations between those of a trace: drawn apart from the rest, with a randomness of
their own, so that the rest stays as it is.
"""

from random import Random

from watosfs_fuzz import parameters as p
from watosfs_fuzz.sketch import Sketch
from watosfs_model import operations as ops
from watosfs_model.operations import Operation

_KINDS = (ops.Snapshot, ops.Dropsnapshot, ops.Rollback)


class SnapshotDraws:
    """For one trace. Some traces have none; some keep making and deleting them."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.share = rng.choice(p.SNAPSHOT_SHARES) if rng.random() < p.SNAPSHOT_TRACES else 0.0
        self.waiting: Operation | None = None

    def next(self, sketch: Sketch) -> Operation | None:
        """One that comes now, or None. Before a rollback all files are closed."""
        if self.waiting is not None:
            waiting, self.waiting = self.waiting, None
            return waiting
        if self.rng.random() >= self.share:
            return None
        operation = make(self.rng, sketch)
        if isinstance(operation, ops.Rollback) and sketch.descriptors and self.rng.random() < 0.9:
            self.waiting = operation
            return ops.Remount()
        return operation


def make(rng: Random, sketch: Sketch) -> Operation:
    """Any, most of them with a chance to succeed."""
    known = list(sketch.snapshots)
    draw = rng.random()
    if draw < p.SNAPSHOT_ERRORS:
        return rng.choice(_KINDS)(rng.choice(p.SNAPSHOT_LABELS_ODD))
    if not known or draw < 0.55:
        return ops.Snapshot(rng.choice(p.SNAPSHOT_LABELS))
    if draw < 0.85:
        return ops.Dropsnapshot(rng.choice(known))
    return ops.Rollback(known[-1])
