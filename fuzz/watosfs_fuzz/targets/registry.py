"""Targets by name; later ones plug in here."""

from collections.abc import Callable

from watosfs_fuzz.target import Geometry, Target
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_fuzz.targets.wfs3 import Wfs3Target

TARGETS: dict[str, tuple[str, Callable[[Geometry], Target]]] = {
    "model": ("the model against itself: what a target without a fault looks like", ModelTarget),
    "wfs3": ("our WFS v3, in process, on a recorded device", Wfs3Target),
}


def make_target(name: str, geometry: Geometry) -> Target:
    """A target that has not been started. Raises KeyError for an unknown name."""
    return TARGETS[name][1](geometry)
