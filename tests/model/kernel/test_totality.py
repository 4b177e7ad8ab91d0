"""Any call with any arguments has an outcome, and no call changes the state that it was given.

Checks: no exception; input untouched; `checks`, `step` and `follow` agree; tables consistent after
every call; `observe` gives hashable plain values.
Does not check: that the outcome is the right one.
"""

from copy import deepcopy
from dataclasses import fields

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watosfs_model import Outcome
from watosfs_model.data import Data, Fill, Literal
from watosfs_model.kernel import CALL_TYPES, Call, Kernel, checks, follow, observe, power_cut, step
from watosfs_model.kernel.calls import PreadFd, Read
from watosfs_model.kernel.numbers import AT_FDCWD
from watosfs_model.kernel.state import PIPES
from watosfs_model.trace import format_operation, parse_operation

NUMBERS = st.one_of(
    st.integers(-3, 9),
    st.sampled_from([AT_FDCWD, 1030, 0o102, 0o1102, 0o2102, 0o4001, 0o6000, 0o200000, 0o2000000]),
    st.sampled_from(
        [4095, 4096, 65536, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, -(2**63), 2**64]
    ),
    st.integers(),
)
NAMES = [b"a", b"b", b"d", b".", b"..", b"", b"x" * 256, b"z\0", b"\xff"]
PATHS = st.one_of(
    st.lists(st.sampled_from(NAMES), max_size=4).map(b"/".join),
    st.sampled_from([b"/", b"/a", b"/d", b"/d/a", b"/d/b/", b"a/", b"a/" * 2100]),
    st.binary(max_size=8),
)
DATA = st.one_of(
    st.builds(Fill, st.integers(0, 3), st.sampled_from([0, 1, 4096, 5000, 65536, 70000])),
    st.builds(Literal, st.binary(max_size=5)),
)
BY_TYPE: dict[object, st.SearchStrategy[object]] = {
    int: NUMBERS,
    bytes: PATHS,
    Data: DATA,
    tuple[int, ...]: st.lists(NUMBERS, max_size=18).map(tuple),
}
#: Reading as much as a sparse file of exabytes holds would be no test.
COUNTS = st.one_of(st.integers(-2, 5000), st.just(70000))


def calls_of(kind: type[Call]) -> st.SearchStrategy[Call]:
    arguments = [
        COUNTS if field.name == "count" and kind in (Read, PreadFd) else BY_TYPE[field.type]
        for field in fields(kind)  # type: ignore[arg-type]
    ]
    return st.builds(kind, *arguments)


CALLS = st.sampled_from(CALL_TYPES).flatmap(calls_of)


def assert_consistent(kernel: Kernel) -> None:
    """Nothing is left that nobody holds."""
    held = {
        descriptor.description
        for process in kernel.processes.values()
        for descriptor in process.descriptors.values()
    }
    assert held == set(kernel.descriptions)
    files = {d.file for d in kernel.descriptions.values() if not d.is_stale}
    assert set(kernel.flocks) <= held
    assert set(kernel.ranges) <= files
    assert set(kernel.pipes) == {
        file for file in files if file[0] == PIPES or _is_fifo(kernel, file)
    }
    used = files | {process.cwd for process in kernel.processes.values()}
    for volume, disk in enumerate(kernel.disks):
        begun = disk.begun.inodes if disk.begun else {}
        assert not disk.begun or disk.owner in kernel.processes
        for number, inode in disk.volume.inodes.items():
            assert inode.nlink or (volume, number) in used or number in begun
    for locks in kernel.ranges.values():
        assert locks
        assert all(lock.start < lock.end and lock.pid in kernel.processes for lock in locks)


def _is_fifo(kernel: Kernel, file: tuple[int, int]) -> bool:
    return kernel.disks[file[0]].volume.inodes[file[1]].kind == "fifo"


@given(st.lists(st.tuples(st.sampled_from([1, 1, 1, 2, 2, 3, 0, -1]), CALLS), max_size=25))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_calls_have_outcomes_and_leave_their_input_alone(
    script: list[tuple[int, Call]],
) -> None:
    kernel = Kernel.fresh()
    for pid, call in script:
        copy = deepcopy(kernel)
        permitted = checks(kernel, pid, call)
        outcome, after = step(kernel, pid, call)
        assert kernel == copy
        assert isinstance(outcome, Outcome)
        assert (outcome.errno in permitted) if permitted else not outcome.errno
        assert follow(kernel, pid, call, outcome) == after
        assert after.calls == kernel.calls + 1
        observe(after)
        assert_consistent(after)
        assert observe(power_cut(after))[1].keys() == {1}
        kernel = after


@given(CALLS)
def test_calls_survive_printing_and_parsing(call: Call) -> None:
    assert parse_operation(format_operation(call)) == call
