"""Every planted fault of the kernel is found, made short, and replays."""

import pytest

from watosfs_fuzz.kernel.canaries import KERNEL_CANARIES
from watosfs_fuzz.kernel.lockstep import run_generated, run_steps
from watosfs_fuzz.kernel.minimise import minimise
from watosfs_fuzz.kernel.watosfs_target import WatosfsKernelTarget

CALLS_MAX = 6
TRACES, LENGTH = 1500, 60


@pytest.mark.parametrize("name", sorted(KERNEL_CANARIES))
def test_a_canary_is_caught_made_short_and_replays(name: str) -> None:
    with KERNEL_CANARIES[name].plant():
        reports = (
            run_generated(WatosfsKernelTarget(), 0, number, LENGTH) for number in range(TRACES)
        )
        found = next((report for report in reports if report.failure), None)
        assert found is not None, f"{name} was not caught in {TRACES} traces"
        best = minimise(found.steps, lambda steps: run_steps(WatosfsKernelTarget(), steps))
        assert run_steps(WatosfsKernelTarget(), best.steps).key == found.key
    assert len(best.steps) <= CALLS_MAX
    assert run_steps(WatosfsKernelTarget(), best.steps).failure is None


def test_the_kernel_agrees_with_its_model() -> None:
    target = WatosfsKernelTarget()
    for number in range(150):
        report = run_generated(target, 7, number, LENGTH)
        assert report.failure is None, report.failure
    target.close()
