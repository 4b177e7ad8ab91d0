"""Targets by name; later ones plug in here."""

from collections.abc import Callable

from watosfs_fuzz.program.target import PREFIX, ExecTarget
from watosfs_fuzz.target import Geometry, Target
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_fuzz.targets.wfs3 import Wfs3Target

TARGETS: dict[str, tuple[str, Callable[[Geometry], Target]]] = {
    "model": ("the model against itself: what a target without a fault looks like", ModelTarget),
    "wfs3": ("our WFS v3, in process, on a recorded device", Wfs3Target),
}
#: Families of targets: what follows the prefix says which.
FAMILIES: dict[str, tuple[str, Callable[[str, Geometry], Target]]] = {
    PREFIX: ("COMMAND, a program that speaks JSON lines (docs/TARGETS.md)", ExecTarget),
}


def is_target(name: str) -> bool:
    """Whether there is such a target, or such a family."""
    return name in TARGETS or any(name.startswith(p) and name != p for p in FAMILIES)


def make_target(name: str, geometry: Geometry) -> Target:
    """A target that has not been started. Raises KeyError for an unknown name, ValueError for one
    that cannot be had (a package is missing, a program does not start).
    """
    for prefix, (_, make) in FAMILIES.items():
        if name.startswith(prefix):
            return make(name.removeprefix(prefix), geometry)
    return TARGETS[name][1](geometry)
