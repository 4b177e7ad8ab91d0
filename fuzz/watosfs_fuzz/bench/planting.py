"""Planted faults of the benchmark: edits of one function's source, applied in memory.

An edit names the text that it replaces (its anchor). Where that text is gone the code has changed
under the fault, and measuring on would count a fault that is not there: an error says so.
"""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from watosfs_fuzz.canaries.kernels import edited
from watosfs_fuzz.canaries.registry import Canary, canary

#: The faults of the benchmark that are no canaries, by identity: a trace's header may name them.
PLANTED: dict[str, Canary] = {}


class StaleFault(ValueError):
    """The source that a fault edits no longer has its anchor exactly once."""


def edit_of(identity: str, function: Any, old: str, new: str) -> Callable[..., object]:
    """The function with ``old`` replaced. Raises StaleFault when it does not occur exactly once."""
    count = textwrap.dedent(inspect.getsource(function)).count(old)
    if count != 1:
        where = f"{function.__module__}.{function.__qualname__}"
        raise StaleFault(f"fault {identity}: {where} has its anchor {count} times: {old!r}")
    return edited(function, old, new)


def plant_edit(
    identity: str, description: str, place: tuple[object, str], old: str, new: str,
    target: str = "wfs3",
) -> None:  # fmt: skip
    """Register a fault that is one edit of the function at ``place``."""

    def breaks(original: Any) -> Callable[..., object]:
        return edit_of(identity, original, old, new)

    canary(identity, description, place, registry=PLANTED, target=target)(breaks)
