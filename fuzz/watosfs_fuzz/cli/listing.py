"""``watosfs-fuzz targets`` and ``canaries``."""

import argparse

from watosfs_fuzz.canaries.catalogue import canaries as all_canaries
from watosfs_fuzz.kernel.canaries import KERNEL_CANARIES
from watosfs_fuzz.targets.registry import TARGETS


def targets(options: argparse.Namespace) -> int:
    """One line a target."""
    for name, (description, _) in sorted(TARGETS.items()):
        print(f"{name:10} {description}")
    return 0


def canaries(options: argparse.Namespace) -> int:
    """One line a canary: those of `campaign`, then those of `kernel` and `interleave`."""
    for canary in all_canaries():
        print(f"campaign  {canary.name:28} {canary.description}")
    for name, canary in sorted(KERNEL_CANARIES.items()):
        print(f"kernel    {name:28} {canary.description}")
    return 0
