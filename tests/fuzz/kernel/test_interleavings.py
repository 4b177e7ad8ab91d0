"""The walk of all interleavings: what it counts, and what it merges."""

from collections.abc import Iterator
from itertools import product

import pytest

from watosfs_fuzz.kernel.canaries import KERNEL_CANARIES
from watosfs_fuzz.kernel.canonical import canonical
from watosfs_fuzz.kernel.edge_checks import ForkedChecks, InlineChecks
from watosfs_fuzz.kernel.interleavings import ALPHABET, SETUP, Explorer
from watosfs_fuzz.kernel.lockstep import Step, run_steps
from watosfs_fuzz.kernel.watosfs_target import WatosfsKernelTarget
from watosfs_model.kernel import Call, Kernel, process_calls, step
from watosfs_model.kernel import numbers as n
from watosfs_model.kernel.numbers import PARKED


def ends(
    kernel: Kernel, left: tuple[tuple[Call, ...], ...], made: tuple[Step, ...] = ()
) -> Iterator[tuple[tuple[Step, ...], bool]]:
    """Every schedule of a program by brute force: the steps made, and whether one stays parked."""
    moved = False
    for index, calls in enumerate(left):
        pid = index + 1
        process = kernel.processes.get(pid)
        if process is None:
            continue
        if process.parked is not None:
            resume = process_calls.Resume()
            outcome, after = step(kernel, pid, resume)
            if outcome.value != PARKED:
                moved = True
                yield from ends(after, left, (*made, (pid, resume)))
        elif calls:
            moved = True
            after = step(kernel, pid, calls[0])[1]
            rest = (*left[:index], calls[1:], *left[index + 1 :])
            yield from ends(after, rest, (*made, (pid, calls[0])))
    if not moved:
        yield made, any(process.parked is not None for process in kernel.processes.values())


def started(processes: int) -> Kernel:
    """The state after the setup."""
    kernel = Kernel.fresh()
    for pid, call in (*SETUP, *((1, process_calls.Fork()) for _ in range(1, processes))):
        kernel = step(kernel, pid, call)[1]
    return kernel


#: With a lock on a description that others do not share, so that some schedules end parked.
FEW = (
    ALPHABET[0],
    process_calls.Flock(0, n.LOCK_EX),
    process_calls.Flock(2, n.LOCK_EX),
    ALPHABET[6],
    process_calls.Exit(),
)


@pytest.mark.parametrize(
    ("alphabet", "processes", "longest"), [(ALPHABET, 2, 1), (ALPHABET, 3, 1), (FEW, 2, 2)]
)
def test_the_walk_counts_what_brute_force_counts(
    alphabet: tuple[Call, ...], processes: int, longest: int
) -> None:
    checks = InlineChecks(WatosfsKernelTarget())
    found = Explorer(checks, processes, longest, alphabet=alphabet).explore()
    kernel = started(processes)
    # What a process would have called after its exit, or where it waits for ever, is no difference.
    programs = product(product(alphabet, repeat=longest), repeat=processes)
    every = dict(end for program in programs for end in ends(kernel, program))
    parked = sum(every.values())
    assert (found.interleavings, found.ends_parked) == (len(every), parked)
    assert (parked > 0) == (alphabet is FEW)


def test_forks_check_the_same_transitions() -> None:
    inline = Explorer(InlineChecks(WatosfsKernelTarget()), 2, 2).explore()
    forked = Explorer(ForkedChecks(WatosfsKernelTarget(), 3, batch_length=100), 2, 2).explore()
    assert forked.transitions == inline.transitions
    assert forked.is_complete


def test_a_difference_found_by_a_fork_is_told() -> None:
    target = WatosfsKernelTarget()
    with KERNEL_CANARIES["fork-copies-offset"].plant():
        found = Explorer(ForkedChecks(target, 2, batch_length=50), 2, 2).explore()
        assert found.failure is not None
        assert not found.is_complete
        assert run_steps(target, found.failure.steps).failure == found.failure.failure


def test_what_a_process_without_calls_holds_is_not_told_apart_but_for_holding() -> None:
    kernel = started(2)
    opened = step(kernel, 2, ALPHABET[0])[1]
    closed = step(kernel, 2, ALPHABET[6])[1]
    assert canonical(kernel, (1, 2)).key != canonical(opened, (1, 2)).key
    assert canonical(kernel, (1,)).key == canonical(opened, (1,)).key
    # The description of process 1's descriptor 0 is no longer held by another: its flock would go.
    assert canonical(kernel, (1,)).key != canonical(closed, (1,)).key


def test_the_key_does_not_depend_on_who_is_who() -> None:
    kernel = started(3)
    for call in ALPHABET[:5]:
        keys = {canonical(step(kernel, pid, call)[1], (1, 2, 3)).key for pid in (1, 2, 3)}
        assert len(keys) == 1, call
