"""Executable specification of watosfs: pure steps over immutable states (``docs/SEMANTICS.md``)."""

from watosfs_model.durability import crash_states, power_cut
from watosfs_model.observation import observe
from watosfs_model.state import Difference, Outcome, System
from watosfs_model.stepping import checks, follow, step

__all__ = [
    "Difference",
    "Outcome",
    "System",
    "checks",
    "crash_states",
    "follow",
    "observe",
    "power_cut",
    "step",
]
