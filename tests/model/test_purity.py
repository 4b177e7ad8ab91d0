"""The base model is a pure and total function: any operation has an outcome, no input changes."""

from copy import deepcopy
from dataclasses import fields

from hypothesis import given, settings
from hypothesis import strategies as st

from watosfs_model import System, crash_states, observe, step
from watosfs_model.data import Data, Fill, Literal
from watosfs_model.open_flags import O_APPEND, O_CREAT, O_EXCL, O_RDWR, O_TRUNC
from watosfs_model.operations import OPERATION_TYPES, Operation

NUMBERS = st.one_of(
    st.integers(-2, 8),
    st.sampled_from([4096, 65536, 1 << 32, (1 << 63) - 1, 1 << 63, 1 << 64, -(1 << 63)]),
)
PATHS = st.one_of(
    st.lists(st.sampled_from([b"a", b"b", b".", b"..", b"", b"x" * 256]), max_size=4).map(
        lambda parts: b"/" + b"/".join(parts)
    ),
    st.sampled_from([b"", b"a\0b", b"/a" * 2100]),
)
DATA = st.one_of(st.builds(Fill, st.integers(0, 3), st.sampled_from([0, 1, 4096, 70000])),
                 st.builds(Literal, st.binary(max_size=4)))  # fmt: skip
FLAGS = st.sampled_from([0, 1, 2, 3, O_CREAT | O_RDWR, O_CREAT | O_EXCL, O_RDWR | O_TRUNC,
                         O_RDWR | O_APPEND | O_CREAT, 1 << 40])  # fmt: skip
BY_TYPE: dict[object, st.SearchStrategy[object]] = {int: NUMBERS, bytes: PATHS, Data: DATA}


def operations_of(kind: type[Operation]) -> st.SearchStrategy[Operation]:
    arguments = []
    for field in fields(kind):  # type: ignore[arg-type]
        strategy = BY_TYPE[field.type]
        if field.name == "flags":
            strategy = FLAGS
        if field.name == "count":
            strategy = st.integers(-2, 70000)
        arguments.append(strategy)
    return st.builds(kind, *arguments)


OPERATIONS = st.sampled_from(OPERATION_TYPES).flatmap(operations_of)


@given(st.lists(OPERATIONS, max_size=20))
@settings(max_examples=150, deadline=None)
def test_every_operation_has_an_outcome_and_changes_no_input(operations: list[Operation]) -> None:
    system = System.fresh()
    for operation in operations:
        before = deepcopy(system)
        outcome, after = step(system, 1, operation)
        assert system == before
        assert outcome == step(system, 1, operation)[0]
        assert after.operations == system.operations + 1
        assert observe(after) == observe(deepcopy(after))
        assert crash_states(after)
        if outcome.errno:
            assert observe(after) == observe(system)
        system = after
