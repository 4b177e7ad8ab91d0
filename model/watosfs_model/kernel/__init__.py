"""What processes see: descriptors, credentials, pipes, locks, mounts, over volumes of the base
model.
"""

from watosfs_model.kernel import attribute_calls, calls, path_calls, process_calls
from watosfs_model.kernel.calls import Call
from watosfs_model.kernel.observation import observe
from watosfs_model.kernel.state import Kernel
from watosfs_model.kernel.stepping import checks, follow, power_cut, step

__all__ = [
    "CALL_TYPES",
    "Call",
    "Kernel",
    "checks",
    "follow",
    "observe",
    "power_cut",
    "step",
]

CALL_TYPES: tuple[type[Call], ...] = tuple(
    kind
    for module in (calls, path_calls, process_calls, attribute_calls)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Call) and kind is not Call
)
