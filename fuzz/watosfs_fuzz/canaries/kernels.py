"""Planted faults of the pure kernels, as edits of their source: what `watosfs-prove` refutes and
`watosfs-fuzz` finds.

The broken function has the globals and the name of the original, so that a proof can run it too.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

from watosfs.wfs3.allocator import Allocator
from watosfs.wfs3.extents import ExtentSet
from watosfs_fuzz.canaries.registry import canary


def edited(function: Any, old: str, new: str) -> FunctionType:
    """The function with one text of its source replaced, which must occur exactly once."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, f"{function.__qualname__}: {old!r} is gone or not alone"
    made: dict[str, Any] = {}
    namespace = vars(sys.modules[function.__module__])
    exec(compile(source.replace(old, new), function.__code__.co_filename, "exec"), namespace, made)
    code = made[function.__name__].__code__.replace(co_qualname=function.__qualname__)
    result = FunctionType(code, namespace, function.__name__, function.__defaults__)
    result.__qualname__ = function.__qualname__
    return result


def edit(name: str, description: str, owner: type, attribute: str, old: str, new: str) -> None:
    """Register a canary that is one edit of one function."""

    def breaks(original: Any) -> Callable[..., object]:
        return edited(original, old, new)

    canary(name, description, (owner, attribute))(breaks)


edit(
    "coalescing-off-by-one",
    "a run joins one that ends a block before it: the block between becomes free",
    ExtentSet,
    "add",
    "joins_left = i > 0 and ends[i - 1] == start",
    "joins_left = i > 0 and ends[i - 1] >= start - 1",
)
edit(
    "count-drifts",
    "taking blocks out of a set counts one too few",
    ExtentSet,
    "remove",
    "self.count = self.count - (end - start)",
    "self.count = self.count - (end - start) + 1",
)
edit(
    "freed-twice",
    "what a transaction made and dropped is free, and free again when it ends without commit",
    Allocator,
    "drop",
    "self.fresh.remove(start, end)",
    "self.fresh.covers(start, end)",
)
