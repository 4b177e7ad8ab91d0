"""The Hypothesis machine finds planted faults and shrinks them, power cuts included."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.broken_models import Escapes, WrongErrno
from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.machine import LockstepMachine
from watosfs_fuzz.target import Geometry, Target
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_model.trace import parse_trace

QUICK = settings(
    max_examples=250,
    stateful_step_count=20,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def minimal_operations(machine: type[LockstepMachine]) -> list[str]:
    """The operations of the shrunk failure."""
    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(machine, settings=QUICK)
    trace = str(caught.value).rpartition("\n\n")[2]
    return [operation.name() for operation in parse_trace(trace).operations]


@pytest.mark.parametrize(
    ("target_class", "longest"),
    [(WrongErrno, 3), pytest.param(Escapes, 3, marks=pytest.mark.slow)],
)
def test_a_planted_fault_is_found_and_shrunk(target_class: type[ModelTarget], longest: int) -> None:
    class Machine(LockstepMachine):
        def make_target(self, geometry: Geometry) -> Target:
            return target_class(geometry)

    assert len(minimal_operations(Machine)) <= longest


@pytest.mark.slow
def test_a_missing_flush_is_found_and_shrunk() -> None:
    class Machine(LockstepMachine):
        geometries = (Geometry(256),)

    with applied("second-flush-missing"):
        found = minimal_operations(Machine)
    assert len(found) <= 6
