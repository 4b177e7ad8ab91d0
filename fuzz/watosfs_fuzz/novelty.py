"""What a trace showed, as names: whatever has a new one is worth keeping and varying.

Names come from what the model and the crash explorer see, not from lines of code: operations with
their outcomes and what came before them, how much of a crash there was to explore, the shape of
the trees at the end. Counts enter by their size in powers of two, so that names run out.
"""

from collections.abc import Hashable

from watosfs_fuzz.run import RunReport, outcome_word
from watosfs_fuzz.search.walk import Shaped
from watosfs_fuzz.target import Target


def features_of(report: RunReport, target: Target) -> frozenset[str]:
    """The names of one trace that ended without failure; ``target`` is as the trace left it."""
    names = set(report.features)
    before = "start"
    for operation, outcome in zip(report.operations, report.outcomes, strict=True):
        name = operation.name()
        names.add(f"{before}, then {name} {outcome_word(outcome)}")
        before = name
    explored = report.exploration
    if explored.windows:
        names.add(f"crash points {size_of(explored.windows)}")
        names.add(f"crash images {size_of(size_of(explored.images))}")
        names.add(f"crash recoveries {size_of(explored.recoveries)}")
        names.add(f"crash recoveries recalled {size_of(explored.recalled)}")
    if isinstance(target, Shaped):
        names |= shape_names(target.shape())
    return frozenset(names)


def shape_names(shape: Hashable) -> set[str]:
    """Each part of a shape by itself: all of it at once would be new in every trace."""
    if not isinstance(shape, tuple):
        return {f"shape {coarse(shape)}"}
    names = set()
    for index, part in enumerate(shape):
        parts = part if isinstance(part, tuple) and part and isinstance(part[0], tuple) else (part,)
        names |= {f"shape {index} {coarse(each)}" for each in parts}
    return names


def coarse(value: object) -> str:
    """The value with its numbers as powers of two."""
    if isinstance(value, tuple):
        return "(" + " ".join(coarse(part) for part in value) + ")"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(size_of(value))
    return str(value)


def size_of(count: int) -> int:
    """How many binary digits a count has."""
    return count.bit_length()
