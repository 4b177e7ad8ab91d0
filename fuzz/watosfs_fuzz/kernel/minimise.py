"""Shorter traces of calls that fail in the same way: delta debugging, then simpler arguments."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import combinations

from watosfs_fuzz.kernel.lockstep import KernelReport, Step
from watosfs_model.data import Fill, Literal
from watosfs_model.kernel import Call
from watosfs_model.kernel.calls import Getdents
from watosfs_model.kernel.numbers import AT_FDCWD

#: In traces of at most so many calls every pair is tried to be left out.
PAIRS_MAX = 14

_DESCRIPTORS = ("fd", "old", "new", "fd_in", "fd_out", "dirfd", "old_dirfd", "new_dirfd")
_MODES = (0o750, 0o070, 0o707, 0o4777)
_SIMPLE_PATHS = (b"a", b"d", b"/a", b"/d", b"b", b"/b")


def minimise(steps: Sequence[Step], run: Callable[[Sequence[Step]], KernelReport]) -> KernelReport:
    """The report of the shortest trace found; ``run`` is deterministic."""
    best = run(steps)
    key = best.key
    assert key is not None, "nothing fails"

    def fails(candidate: Sequence[Step]) -> bool:
        nonlocal best
        report = run(candidate)
        if report.key != key:
            return False
        best = report
        return True

    again = True
    while again:
        before = best.steps
        drop_pieces(lambda: best.steps, fails)
        merge_processes(lambda: best.steps, fails)
        simplify(lambda: best.steps, fails)
        drop_pairs(lambda: best.steps, fails)
        drop_and_adapt(lambda: best.steps, fails)
        again = len(best.steps) < len(before)
    return best


def drop_pieces(now: Callable[[], list[Step]], fails: Callable[[list[Step]], bool]) -> None:
    """Remove ever smaller pieces, from the end to the start."""
    size = max(len(now()) // 2, 1)
    while size:
        end = len(now())
        while end > 0:
            steps = now()
            end = min(end, len(steps))
            fails(steps[: max(end - size, 0)] + steps[end:])
            end -= size
        size //= 2


def drop_pairs(now: Callable[[], list[Step]], fails: Callable[[list[Step]], bool]) -> None:
    """Remove two calls at once, while the trace is short enough to try all pairs."""
    again = len(now()) <= PAIRS_MAX
    while again:
        steps = now()
        again = any(
            fails([step for index, step in enumerate(steps) if index not in pair])
            for pair in combinations(range(len(steps)), 2)
        )


def drop_and_adapt(now: Callable[[], list[Step]], fails: Callable[[list[Step]], bool]) -> None:
    """Remove one call while the others take its place: later descriptors move down, or another
    call makes the mode that it made.
    """
    again = len(now()) <= PAIRS_MAX
    while again:
        steps = now()
        again = any(
            fails(other)
            for index in range(len(steps))
            for other in adapted(steps[:index] + steps[index + 1 :])
        )


def adapted(steps: list[Step]) -> Iterator[list[Step]]:
    """The steps with lower descriptors, one with another mode, or a shorter listing."""
    for first in range(1, 4):
        yield [(pid, lowered(call, first)) for pid, call in steps]
    for index, (pid, call) in enumerate(steps):
        for mode in _MODES if hasattr(call, "mode") else ():
            changed = replace(call, mode=mode)  # type: ignore[type-var]
            yield [*steps[:index], (pid, changed), *steps[index + 1 :]]

    yield from with_fewer_entries(steps)


def with_fewer_entries(steps: list[Step]) -> Iterator[list[Step]]:
    """A listing that gives one name less, and another call about any of the names: which name comes
    first is the directory's affair.
    """
    paths = sorted({call.path for _, call in steps if hasattr(call, "path")})
    for index, (pid, call) in enumerate(steps):
        if not isinstance(call, Getdents) or call.count < 2:
            continue
        shorter = [*steps[:index], (pid, replace(call, count=call.count - 1)), *steps[index + 1 :]]
        yield shorter
        for other, (its_pid, its_call) in enumerate(shorter):
            for path in paths if hasattr(its_call, "path") else ():
                changed = replace(its_call, path=path)  # type: ignore[type-var]
                yield [*shorter[:other], (its_pid, changed), *shorter[other + 1 :]]


def lowered(call: Call, first: int) -> Call:
    """The call with descriptor numbers from ``first`` on one less."""
    changes = {
        field.name: getattr(call, field.name) - 1
        for field in fields(call)  # type: ignore[arg-type]
        if field.name in _DESCRIPTORS
        and isinstance(getattr(call, field.name), int)
        and getattr(call, field.name) >= first
    }
    return replace(call, **changes) if changes else call  # type: ignore[type-var]


def merge_processes(now: Callable[[], list[Step]], fails: Callable[[list[Step]], bool]) -> None:
    """One process less: another makes its calls."""
    for pid in sorted({pid for pid, _ in now()}, reverse=True):
        for other in sorted({other for other, _ in now()}):
            if other < pid and fails([(other if p == pid else p, call) for p, call in now()]):
                break


def simplify(now: Callable[[], list[Step]], fails: Callable[[list[Step]], bool]) -> None:
    """The simplest process and arguments that still fail."""
    index = 0
    while index < len(now()):
        steps = now()
        pid, call = steps[index]
        for simpler in simpler_steps(pid, call):
            if fails([*steps[:index], simpler, *steps[index + 1 :]]):
                break
        else:
            index += 1


def simpler_steps(pid: int, call: Call) -> Iterator[Step]:
    """The step with one thing made simpler."""
    if pid > 1:
        yield 1, call
    for field in fields(call):  # type: ignore[arg-type]
        value = getattr(call, field.name)
        for simpler in simpler_values(field.name, value):
            yield pid, replace(call, **{field.name: simpler})  # type: ignore[type-var]


def simpler_values(name: str, value: object) -> Iterator[object]:
    """Simpler values, the simplest first."""
    match value:
        case bytes():
            rank = _SIMPLE_PATHS.index(value) if value in _SIMPLE_PATHS else len(_SIMPLE_PATHS)
            yield from _SIMPLE_PATHS[:rank]
        case Literal() | Fill():
            if value != Literal(b"x"):
                yield Literal(b"x")
            if isinstance(value, Fill) and value.length > 1:
                yield Fill(0, value.length // 2)
        case int() if "dirfd" in name and value != AT_FDCWD:
            yield AT_FDCWD
        case int() if name == "mode":
            yield from (mode for mode in (0o777,) if value != mode)
        case int() if name == "flags":
            yield from (
                value & ~(1 << bit) for bit in range(value.bit_length()) if value >> bit & 1
            )
        case int() if "dirfd" not in name and value > 0:
            yield from sorted({0, 1, value // 2, value - 1} - {value})
