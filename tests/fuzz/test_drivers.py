"""Campaign generator and Hypothesis machine draw from one space of operations and arguments."""

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from watosfs_fuzz.argument_classes import classes_of
from watosfs_fuzz.generate import Generator
from watosfs_fuzz.machine import LockstepMachine, operations, traces
from watosfs_fuzz.makers import ALL_MAKERS
from watosfs_fuzz.sketch import Sketch
from watosfs_fuzz.target import Geometry
from watosfs_model.operations import OPERATION_TYPES, Operation

#: Classes of the makers alone: names and shapes that only the campaign's long bursts make.
FROM_BURSTS_ONLY = ("one of many names", "many names")


def generated() -> set[str]:
    found: set[str] = set()
    for number in range(2200):
        for operation in Generator(1, number):
            found |= classes_of(operation)
    return found


def drawn() -> set[str]:
    found: set[str] = set()

    @settings(
        max_examples=700,
        database=None,
        derandomize=True,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def draw_many(data: Any) -> None:
        _, plan = data.draw(traces((Geometry(256),)))
        sketch = Sketch()
        for _ in range(12):
            name = data.draw(st.sampled_from(sorted(ALL_MAKERS)))
            operation: Operation = data.draw(operations(name, plan, sketch))
            sketch.apply(operation)
            found.update(classes_of(operation))

    draw_many()
    return found


def test_both_drivers_draw_from_the_same_space() -> None:
    campaign, machine = generated(), drawn()
    kinds = {kind.name() for kind in OPERATION_TYPES}
    assert kinds <= campaign
    assert kinds <= machine
    only_machine = machine - campaign
    assert not only_machine, f"the campaign never made {sorted(only_machine)}"
    reachable = {c for c in campaign if not c.endswith(FROM_BURSTS_ONLY)}
    missed = reachable - machine
    assert len(missed) < len(reachable) * 0.25, f"the machine seldom makes {sorted(missed)}"


def test_the_machine_has_a_rule_for_every_operation() -> None:
    used: set[str] = set()

    class Recorder(LockstepMachine):
        def perform(self, data: Any, *names: str) -> None:
            used.update(names)

        def perform_one(self, data: Any, operation: Operation) -> None:
            used.add(operation.name())

    recorder = Recorder()
    for rule in recorder.rules() if callable(recorder.rules) else recorder.rules:
        if rule.function.__name__ != "go_on_for_a_while":
            rule.function(recorder, **dict.fromkeys(rule.arguments))
    assert used == {kind.name() for kind in OPERATION_TYPES}
