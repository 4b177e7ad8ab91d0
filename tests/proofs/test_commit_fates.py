"""The replay of commit and recovery agrees with the proof on every crash, not only on the one that
Z3 happens to name; and the witnesses that Z3 names are the same in every process.

A replay that reads a story differently from the proof makes an obligation vacuous in the runs in
which Z3 names such a story, and only in those.
"""

import os
import subprocess
import sys
from collections import Counter
from unittest.mock import patch

import pytest
import z3

from watosfs_proofs import commit_replay
from watosfs_proofs.commit_obligations import CHECKS, commit_obligations
from watosfs_proofs.executor import Path, concrete, explore
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.verdicts import Case, HarnessError


def _obligation(name: str) -> Obligation:
    (found,) = [each for each in commit_obligations() if each.name == f"commit.{name}"]
    return found


def _every_case(obligation: Obligation) -> list[tuple[str, Case]]:
    """Each outcome with each crash point and each fate of every write that its path allows."""
    found: list[tuple[str, Case]] = []

    def run(path: Path) -> str:
        outcome = obligation.run(path)
        path.flush()
        choices = [
            term
            for name, term in path.inputs.items()
            if z3.is_bool(term) or name.startswith("crash_point")
        ]
        path.solver.push()
        while path.solver.check() == z3.sat:
            model = path.solver.model()
            case: Case = {name: concrete(model, term) for name, term in path.inputs.items()}
            case |= {name: decode(model) for name, decode in path.decoders.items()}
            found.append((outcome, case))
            values = (model.eval(term, model_completion=True) for term in choices)
            others = (term != value for term, value in zip(choices, values, strict=True))
            path.solver.add(z3.Or(*others))
        path.solver.pop()
        return outcome

    explore(run)
    return found


@pytest.mark.parametrize("name", CHECKS)
def test_the_replay_of_every_fate_ends_as_the_proof_says_survives_crash(name: str) -> None:
    obligation = _obligation(name)
    assert obligation.replay is not None
    cases = _every_case(obligation)
    assert {outcome for outcome, _ in cases} == set(obligation.outcomes)
    for outcome, case in cases:
        replayed = obligation.replay(case)
        assert replayed == commit_replay.Replay(outcome), case


def test_recovery_is_replayed_to_its_end_and_cut_at_each_point() -> None:
    stories = [case["story"] for _, case in _every_case(_obligation("recovery"))]
    ends: Counter[int] = Counter()
    for story in stories:
        assert isinstance(story, list)
        ends[story.index("crash")] += 1
    assert sorted(ends) == [0, 1, 2, 3, 4]


def test_a_replay_that_leaves_out_an_operation_of_the_story_is_an_error() -> None:
    """The fault that this module was written after: the early write was told, not done."""
    obligation = _obligation("recovery")
    assert obligation.replay is not None
    case = next(case for outcome, case in _every_case(obligation) if outcome == "repaired")
    device = commit_replay.ReplayDevice

    class Forgetful(device):
        def crash(self) -> commit_replay.ReplayDevice:
            del self.events[0]
            return super().crash()

    with patch.object(commit_replay, "ReplayDevice", Forgetful), pytest.raises(HarnessError):
        obligation.replay(case)


SCRIPT = """
import contextlib, gc, sys
from watosfs_proofs import executor
from watosfs_proofs.commit_obligations import commit_obligations
gc.set_threshold(int(sys.argv[1]))
if sys.argv[2] == "at any time":
    executor._collected_at_the_end = contextlib.nullcontext
for each in commit_obligations():
    if each.name in ("commit.commit", "commit.recovery", "commit.mirror"):
        print(executor.explore(each.run).witnesses)
"""


def _witnesses(threshold: int, when: str) -> bytes:
    """What another process finds, with another order of hashes and other collections."""
    command = [sys.executable, "-c", SCRIPT, str(threshold), when]
    environment = {**os.environ, "PYTHONHASHSEED": str(threshold)}
    return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


def test_when_python_collects_does_not_decide_what_z3_finds() -> None:
    assert _witnesses(20, "at the end") == _witnesses(100_000, "at the end")


def test_it_would_if_terms_were_freed_at_any_time() -> None:
    assert _witnesses(20, "at any time") != _witnesses(100_000, "at any time")
