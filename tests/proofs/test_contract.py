"""The real ExtentSet does nothing that its contract (BlockSet) forbids.

Checks: every small state with every argument: the real refusal, answer, members and count are
among those that the contract permits. Does not check: larger states; the obligations of
``extents`` say the same of any.
"""

from typing import Any

import pytest
import z3

from watosfs.wfs3.extents import ExtentError, ExtentSet
from watosfs_proofs.blocks import BlockSet, blocks_of_path
from watosfs_proofs.executor import Path, explore
from watosfs_proofs.extent_replay import blocks
from watosfs_proofs.small_scope import LO, extent_cases
from watosfs_proofs.symbolic import SymInt, term
from watosfs_proofs.verdicts import Case

BLOCKS_MAX = 3
NUMBERS = range(LO + BLOCKS_MAX + 2)


def real_of(runs: Any) -> ExtentSet:
    """A real set of the runs."""
    result = ExtentSet()
    for start, end in runs:
        result.add(start, end)
    return result


def contract_of(runs: Any) -> BlockSet:
    """The contract's set of the same blocks."""
    held = sorted(blocks(runs))
    return BlockSet(lambda b: z3.Or(*(b == block for block in held)), len(held))


def call(made: Any, operation: str, case: Case, make: Any, number: Any) -> tuple[str, Any]:
    """The operation on a set: how it ended ("refused" or "answered"), and the answer."""
    names = ("start", "end") if "start" in case else ("wanted",) if "wanted" in case else ()
    arguments = [number(case[name]) for name in names]
    if operation == "absorb":
        arguments = [make(case["others"])]
    try:
        answer = getattr(made, operation)(*arguments)
    except ExtentError:
        return "refused", None
    return "answered", answer


def permits(operation: str, case: Case, *, members: set[int], ended: str, answer: Any) -> bool:
    """Whether the contract lets the operation end like this."""

    def run(path: Path) -> str:
        for number in NUMBERS:
            blocks_of_path().touch(z3.IntVal(number))
        made = contract_of(case["runs"])
        here, given = call(
            made, operation, case, contract_of, lambda number: SymInt(z3.IntVal(number))
        )
        if here != ended or (given is None) != (answer is None):
            return "other"
        same = [made.member(z3.IntVal(n)) == (n in members) for n in NUMBERS]
        same.append(term(made.count) == len(members))
        if isinstance(answer, bool):
            same.append(z3.BoolVal(bool(given) == answer))
        elif answer is not None:
            same.append(term(given) == answer)
        path.flush()
        return "same" if path.check(*same) else "other"

    return "same" in explore(run).witnesses


def cases(operation: str) -> list[Case]:
    """The small cases up to BLOCKS_MAX blocks."""
    return [
        case for case in extent_cases(operation) if max(blocks(case["runs"]), default=0) in NUMBERS
        and int(str(case.get("end", 0))) in NUMBERS
        and int(str(case.get("wanted", 0))) <= BLOCKS_MAX
        and max(blocks(case.get("others", [])), default=0) in NUMBERS
    ]  # fmt: skip


@pytest.mark.parametrize("operation", ["add", "remove", "covers", "meets", "take", "absorb"])
def test_the_contract_permits_what_the_real_set_does(operation: str) -> None:
    every = cases(operation)
    for case in every[:: max(1, len(every) // 40)]:
        real = real_of(case["runs"])
        ended, answer = call(real, operation, case, real_of, int)
        members = blocks(real)
        assert permits(operation, case, members=members, ended=ended, answer=answer), case


def test_canary_the_contract_forbids_what_the_real_set_does_not_do() -> None:
    case: Case = {"runs": [(1, 3)], "start": 3, "end": 4}
    right = {"members": {1, 2, 3}, "ended": "answered", "answer": None}
    assert permits("add", case, **right)  # type: ignore[arg-type]
    assert not permits("add", case, **{**right, "members": {1, 2}})  # type: ignore[arg-type]
    assert not permits("add", case, **{**right, "ended": "refused"})  # type: ignore[arg-type]
    assert not permits("meets", case, members={1, 2}, ended="answered", answer=True)
