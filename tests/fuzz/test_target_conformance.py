"""Every target keeps the contract of targets, and the contract catches one that does not."""

import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from watosfs_fuzz.dialect import Observed
from watosfs_fuzz.target import Geometry, Target
from watosfs_fuzz.target_conformance import TargetConformance
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_fuzz.targets.registry import make_target
from watosfs_model import Outcome
from watosfs_model.operations import Operation

EXAMPLE = Path(__file__).parents[2] / "fuzz" / "examples" / "journal_store.py"
EXEC = "exec:" + shlex.join([sys.executable, str(EXAMPLE)])
NEEDS = {"littlefs": "littlefs", "pyfatfs": "pyfatfs"}
SETTINGS = settings(
    max_examples=10,
    stateful_step_count=8,
    deadline=None,
    derandomize=True,
    report_multiple_bugs=False,
)
UNSHRUNK = settings(SETTINGS, phases=(Phase.generate,))


def machine(make: "type[Target] | str") -> type[TargetConformance]:
    class Conforms(TargetConformance):
        def make_target(self) -> Target:
            return make_target(make, Geometry(256)) if isinstance(make, str) else make()

    return Conforms


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["model", "fat12", "wfs2", "wfs3", "littlefs", "pyfatfs", EXEC])
def test_a_target_conforms(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"pip install 'watosfs[targets]' for {name}")
    run_state_machine_as_test(machine(name), settings=SETTINGS)  # type: ignore[no-untyped-call]


class ForgetsOnFailure(ModelTarget):
    """A failing operation is not without effect."""

    def apply(self, pid: int, operation: Operation) -> Outcome:
        outcome = super().apply(pid, operation)
        if outcome.errno:
            self.start()
        return outcome


class Flickers(ModelTarget):
    """Every other look shows one file less."""

    looks = 0

    def observe(self) -> Observed:
        tree, files = super().observe()
        self.looks += 1
        if self.looks % 2 and len(tree) > 1:
            del tree[max(tree)]
        return tree, files


class Remembers(ModelTarget):
    """Starting again is not starting anew."""

    is_started = False

    def start(self) -> None:
        if not self.is_started:
            super().start()
        self.is_started = True


@pytest.mark.parametrize("broken", [ForgetsOnFailure, Flickers, Remembers])
def test_a_target_that_breaks_the_contract_is_caught(broken: type[Target]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine(broken), settings=UNSHRUNK)  # type: ignore[no-untyped-call]
