"""Traces: what is printed parses back without loss, and bad text says where it is bad."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watosfs_model.data import Data, Fill, Literal, Repeat
from watosfs_model.operations import OPERATION_TYPES, Operation
from watosfs_model.trace import Trace, format_trace, parse_operation, parse_trace

DATA = st.one_of(
    st.builds(Fill, st.integers(), st.integers(min_value=0)),
    st.builds(Repeat, st.integers(), st.integers(min_value=0)),
    st.builds(Literal, st.binary()),
)
BY_TYPE: dict[object, st.SearchStrategy[object]] = {
    int: st.integers(),
    bytes: st.binary(),
    Data: DATA,
}


def operations_of(kind: type[Operation]) -> st.SearchStrategy[Operation]:
    arguments = [BY_TYPE[field.type] for field in fields(kind)]  # type: ignore[arg-type]
    # Modes and flags are printed in octal, which has no sign.
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for index, name in enumerate(names):
        if name in ("mode", "flags"):
            arguments[index] = st.integers(min_value=0)
    return st.builds(kind, *arguments)


OPERATIONS = st.sampled_from(OPERATION_TYPES).flatmap(operations_of)


@given(st.lists(OPERATIONS, max_size=8))
def test_a_trace_comes_back_as_it_was(operations: list[Operation]) -> None:
    trace = Trace.of(operations, seed="7", id="3f2a")
    assert parse_trace(format_trace(trace)) == trace


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("nonsense", "line 1, column 1"),
        ("sync\nmkdir", "line 2, column 6"),
        ('mkdir "/a', "line 1, column 7"),
        ('mkdir "/a" 0o755 5', "line 1, column 18"),
        ('mkdir "/a"0o755', "line 1, column 11"),
        ('mkdir "/\\q" 0o755', "line 1, column 7"),
        ('open "/a" O_NONSENSE 0o644', "line 1, column 11"),
        ("pwrite 3 fill(1,-4) 0", "line 1, column 10"),
        ("close three", "line 1, column 7"),
    ],
)
def test_bad_text_says_where(text: str, place: str) -> None:
    with pytest.raises(ValueError, match=place):
        parse_trace(text)


@given(st.text(max_size=40))
def test_any_text_parses_or_is_a_value_error(text: str) -> None:
    line = text.replace("\n", " ")
    try:
        operation = parse_operation(line)
    except ValueError as error:
        message = str(error)
    else:
        message = f"line 1 is {operation.name()}"
    assert message.startswith("line 1")
