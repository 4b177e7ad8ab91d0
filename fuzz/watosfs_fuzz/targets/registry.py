"""Targets by name; later ones plug in here."""

from collections.abc import Callable
from importlib import import_module

from watosfs_fuzz.program.target import PREFIX, ExecTarget
from watosfs_fuzz.target import Geometry, Target
from watosfs_fuzz.targets.fat import Fat12Target, Fat16Target, Fat32Target
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_fuzz.targets.wfs2 import Wfs2Target
from watosfs_fuzz.targets.wfs3 import Wfs3Target
from watosfs_fuzz.targets.wfs3_cached import CachedWfs3Target


def extra(module: str, class_name: str, package: str) -> Callable[[Geometry], Target]:
    """A target that needs a package which may be missing: imported when it is asked for."""

    def make(geometry: Geometry) -> Target:
        try:
            found = import_module(f"watosfs_fuzz.targets.{module}")
        except ModuleNotFoundError as error:
            text = f"target {module} needs {package} ({error}): pip install 'watosfs[targets]'"
            raise ValueError(text) from None
        target: Target = getattr(found, class_name)(geometry)
        return target

    return make


TARGETS: dict[str, tuple[str, Callable[[Geometry], Target]]] = {
    "fat12": ("our FAT12, in process, on a recorded device", Fat12Target),
    "fat16": ("our FAT16, in process, on a recorded device", Fat16Target),
    "fat32": ("our FAT32, in process, on a recorded device", Fat32Target),
    "littlefs": (
        "littlefs in C, by littlefs-python; what docs/FOUND.md has is stepped around",
        extra("littlefs", "LittlefsTarget", "littlefs-python"),
    ),
    "littlefs-plain": (
        "the same as it comes",
        extra("littlefs", "PlainLittlefsTarget", "littlefs-python"),
    ),
    "model": ("the model against itself: what a target without a fault looks like", ModelTarget),
    "pyfatfs": (
        "FAT in Python, by pyfatfs; what docs/FOUND.md has is stepped around",
        extra("pyfatfs", "PyfatfsTarget", "pyfatfs"),
    ),
    "pyfatfs-plain": (
        "the same as it comes",
        extra("pyfatfs", "PlainPyfatfsTarget", "pyfatfs"),
    ),
    "wfs2": ("our WFS v2, in process, on a recorded device, each operation synced", Wfs2Target),
    "wfs3": ("our WFS v3, in process, on a recorded device", Wfs3Target),
    "wfs3-cached": ("the same over the write-back cache of blocks", CachedWfs3Target),
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
