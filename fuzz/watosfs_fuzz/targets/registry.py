"""Targets by name; later ones plug in here."""

from collections.abc import Callable

from watosfs_fuzz.target import Target
from watosfs_fuzz.targets.wfs3 import Wfs3Target

TARGETS: dict[str, tuple[str, Callable[[int], Target]]] = {
    "wfs3": ("our WFS v3, in process, on a recorded device", Wfs3Target),
}


def make_target(name: str, block_count: int) -> Target:
    """A target that has not been started. Raises KeyError for an unknown name."""
    return TARGETS[name][1](block_count)
