"""What processes see: descriptors, credentials, pipes, locks, mounts, over volumes of the base
model.
"""

from watosfs_model.kernel import calls, path_calls, process_calls
from watosfs_model.kernel.calls import Call

CALL_TYPES: tuple[type[Call], ...] = tuple(
    kind
    for module in (calls, path_calls, process_calls)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Call) and kind is not Call
)
