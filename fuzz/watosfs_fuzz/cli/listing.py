"""``watosfs-fuzz targets`` and ``canaries``."""

import argparse

from watosfs_fuzz.canaries.registry import CANARIES, applied
from watosfs_fuzz.targets.registry import TARGETS


def targets(options: argparse.Namespace) -> int:
    """One line a target."""
    for name, (description, _) in sorted(TARGETS.items()):
        print(f"{name:10} {description}")
    return 0


def canaries(options: argparse.Namespace) -> int:
    """One line a canary."""
    with applied(None):
        for name, canary in sorted(CANARIES.items()):
            print(f"{name:28} {canary.description}")
    return 0
