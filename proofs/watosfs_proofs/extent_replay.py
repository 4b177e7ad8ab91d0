"""Runs a decoded case on the real ExtentSet, and compares with sets of blocks."""

from itertools import pairwise
from types import ModuleType
from typing import Any

from watosfs_proofs.obligation import Replay
from watosfs_proofs.verdicts import Case

#: Sets are compared block by block up to this many blocks; beyond, only the outcome is told.
BLOCKS_MAX = 1 << 16
#: As many blocks are listed; more are told as runs.
FEW = 8


def blocks(runs: Any) -> set[int]:
    """The blocks of (start, end) pairs."""
    return {block for start, end in runs for block in range(start, end)}


def shown(held: set[int]) -> str:
    """A few blocks one by one, many as runs."""
    if len(held) <= FEW:
        return str(sorted(held))
    firsts = sorted(block for block in held if block - 1 not in held)
    lasts = sorted(block for block in held if block + 1 not in held)
    return " and ".join(f"{a} to {b}" for a, b in zip(firsts, lasts, strict=True))


def problem_with(runs: Any, expected: set[int]) -> str | None:
    """What is wrong with a set that should hold exactly ``expected``."""
    pairs = list(zip(runs.starts, runs.ends, strict=False))
    if len(runs.starts) != len(runs.ends):
        return f"starts {runs.starts}, ends {runs.ends}"
    if any(start >= end for start, end in pairs):
        return f"an empty run in {pairs}"
    if any(left[1] >= right[0] for left, right in pairwise(pairs)):
        return f"{pairs} is not sorted, disjoint and coalesced"
    if blocks(pairs) != expected:
        return f"holds {shown(blocks(pairs))}, not {shown(expected)}"
    if runs.count != len(expected):
        return f"count is {runs.count}, not {len(expected)}"
    return None


def replay(module: ModuleType, operation: str, case: Case) -> Replay:
    """The outcome of ``operation`` on the case, with the name the obligation gives it."""
    runs = module.ExtentSet()
    pairs: Any = case.get("runs", [])
    if sum(end - start for start, end in pairs) > BLOCKS_MAX:
        return Replay("too large to replay")
    for start, end in pairs:
        runs.starts.append(start)
        runs.ends.append(end)
        runs.count += end - start
    try:
        return _judge(module, runs, operation, case, blocks(pairs), pairs)
    except module.ExtentError as error:
        return Replay("raised", f"ExtentError: {error}")
    except (IndexError, TypeError, AttributeError, NameError, ValueError) as failure:
        return Replay("raised", f"{type(failure).__name__}: {failure}")


def _judge(
    module: ModuleType, runs: Any, operation: str, case: Case, held: set[int], pairs: Any
) -> Replay:
    if operation == "__init__":
        return Replay("empty", problem_with(runs, set()))
    if operation == "absorb":
        return _judge_absorb(module, runs, case, held)
    if operation in ("add", "remove"):
        return _judge_change(module, runs, operation, case, held)
    if operation in ("covers", "meets"):
        run = set(range(int(str(case["start"])), int(str(case["end"]))))
        answer = bool(getattr(runs, operation)(case["start"], case["end"]))
        truth = run <= held if operation == "covers" else bool(run & held)
        problem = None if answer == truth else f"answers {answer}"
        return Replay("yes" if answer else "no", problem or problem_with(runs, held))
    if operation == "largest":
        found = runs.largest()
        sizes = [end - start for start, end in pairs]
        right = sizes.index(max(sizes)) if sizes else None
    else:
        wanted = int(str(case["wanted"]))
        fits = [i for i, (start, end) in enumerate(pairs) if end - start >= wanted]
        right = fits[0] if fits else None
        if operation == "take":
            return _judge_take(runs, wanted, held, None if right is None else pairs[right][0])
        found = runs.first_fit(wanted)
    problem = None if found == right else f"answers {found}, not {right}"
    return Replay("none" if found is None else "found", problem or problem_with(runs, held))


def _judge_change(
    module: ModuleType, runs: Any, operation: str, case: Case, held: set[int]
) -> Replay:
    run = set(range(int(str(case["start"])), int(str(case["end"]))))
    allowed = run and (not run & held if operation == "add" else run <= held)
    try:
        getattr(runs, operation)(case["start"], case["end"])
    except module.ExtentError as refusal:
        problem = f"refuses: {refusal}" if allowed else problem_with(runs, held)
        return Replay("refused", problem)
    if not allowed:
        return Replay("added" if operation == "add" else "removed", "accepts what it must refuse")
    expected = held | run if operation == "add" else held - run
    return Replay("added" if operation == "add" else "removed", problem_with(runs, expected))


def _judge_absorb(module: ModuleType, runs: Any, case: Case, held: set[int]) -> Replay:
    """The cases of its proof name no runs: then two sets that show the loop."""
    other, others = module.ExtentSet(), [(2, 3), (5, 7)]
    if "others" in case:
        others = list(case["others"])  # type: ignore[call-overload]
    else:
        runs.add(3, 5)
        held = held | {3, 4}
    for start, end in others:
        other.add(start, end)
    runs.absorb(other)
    problem = problem_with(other, blocks(others))
    return Replay("absorbed", problem or problem_with(runs, held | blocks(others)))


def _judge_take(runs: Any, wanted: int, held: set[int], right: int | None) -> Replay:
    taken = runs.take(wanted)
    if taken != right:
        return Replay("none" if taken is None else "taken", f"answers {taken}, not {right}")
    if taken is None:
        return Replay("none", problem_with(runs, held))
    problem = problem_with(runs, held - set(range(taken, taken + wanted)))
    if problem is None:
        runs.add(taken, taken + wanted)
        problem = problem_with(runs, held)
    return Replay("taken", problem)
