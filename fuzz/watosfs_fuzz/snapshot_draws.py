"""Snapshot operations between those of a trace: drawn apart from the rest, with a randomness of
their own, so that the rest stays as it is.
"""

from collections.abc import Sequence
from random import Random

from watosfs_fuzz import parameters as p
from watosfs_fuzz.sketch import Sketch
from watosfs_model import operations as ops
from watosfs_model.operations import Operation


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
    draw = rng.random()
    if not sketch.snapshots or draw < 0.55:
        return snapshot(rng, sketch)
    return dropsnapshot(rng, sketch) if draw < 0.85 else rollback(rng, sketch)


def snapshot(rng: Random, sketch: Sketch) -> Operation:
    return ops.Snapshot(label(rng, p.SNAPSHOT_LABELS))


def dropsnapshot(rng: Random, sketch: Sketch) -> Operation:
    return ops.Dropsnapshot(label(rng, list(sketch.snapshots)))


def rollback(rng: Random, sketch: Sketch) -> Operation:
    return ops.Rollback(label(rng, list(sketch.snapshots)[-1:]))


def label(rng: Random, known: Sequence[bytes]) -> bytes:
    """One of these names, rarely one that is none."""
    if not known or rng.random() < p.SNAPSHOT_ERRORS:
        return rng.choice(p.SNAPSHOT_LABELS_ODD)
    return rng.choice(known)
