"""Minimising: the *minimal* trace is asserted, not only that it fails (STYLE rule 16)."""

import sys

import pytest

from tests.fuzz.broken_models import (
    PLANTED,
    Escapes,
    FullDiskLie,
    SecondLinkLost,
    WrongErrno,
    WrongValue,
)
from watosfs_fuzz.case import Case
from watosfs_fuzz.crash.choice import CrashChoice
from watosfs_fuzz.crashes import NewestDigits
from watosfs_fuzz.findings import Finding
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.minimise import Minimiser
from watosfs_fuzz.renumber import renumbered, shared_opens
from watosfs_fuzz.run import RunReport
from watosfs_fuzz.simplify_choice import TRIALS_MAX, distance, simplest_choice
from watosfs_fuzz.simplify_names import flatter_traces, renamed_traces
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.targets import registry
from watosfs_fuzz.targets.model import ModelTarget
from watosfs_fuzz.worker import run_from, smallest_finding
from watosfs_model import Outcome
from watosfs_model.operations import Crash, Mkdir, Operation, Sync
from watosfs_model.trace import format_operation, parse_trace

#: A long trace with the fault in it, and what it shrinks to: none has fewer operations.
LONG = """\
open "/c/x" O_CREAT|O_RDWR 0o600
mkdir "/c" 0o700
open "/c/x" O_CREAT|O_RDWR 0o600
symlink "/c" "/s"
chmod "/c/x" 0o4755
open "/e" O_CREAT|O_WRONLY 0o644
pwrite 3 fill(9,8192) 100
mkdir "/c/d" 0o777
begin
pwrite 4 "bytes" 70000
commit
link "/c/x" "/c/d/y"
rename "/c" "/b"
sync
close 4
truncate "/b/x" 8193
open "/b/d/y" O_RDONLY 0o644
pread 4 8000 200
utimens "/b/x" 5 6
rmdir "/b"
unlink "/b/d/y"
rename "/b/d" "/z"
rename "/b/x" "/z/w"
mkdir "/z/v" 0o755
"""
MINIMAL = {
    WrongErrno: ['mkdir "/a" 0o755', 'open "/a/a" O_CREAT|O_RDWR 0o644', 'rmdir "/a"'],
    WrongValue: [
        'open "/a" O_CREAT|O_RDWR 0o644',
        "pwrite 3 fill(0,3997) 100",
        "pread 3 3897 200",
    ],
    SecondLinkLost: ['open "/a" O_CREAT|O_RDWR 0o644', 'link "/a" "/b"', 'unlink "/b"'],
    Escapes: ['mkdir "/a" 0o755', 'rename "/a" "/b"'],
    FullDiskLie: [
        'mkdir "/a" 0o755',
        'open "/b" O_CREAT|O_RDWR 0o644',
        'mkdir "/a" 0o755',
    ],
}
#: Operations of the minimal trace from whatever a campaign finds first.
LENGTHS = {WrongErrno: 3, WrongValue: 3, SecondLinkLost: 3, FullDiskLie: 3, Escapes: 2}


def operations_of(text: str) -> tuple[Operation, ...]:
    return parse_trace(text).operations


def lines(operations: tuple[Operation, ...]) -> list[str]:
    return [format_operation(operation) for operation in operations]


def smallest(target_class: type[ModelTarget], seed: int) -> Case:
    settings = Settings(target="planted", seed=seed)
    for number in range(200):
        ran = run_from(settings, number, (), {})
        report = ran.report
        if report.failure is not None and report.failure.kind == PLANTED[target_class][0]:
            finding = Finding(ran.case, report.failure)
            return smallest_finding(finding).case
    raise AssertionError(f"{target_class.__name__} was not found")


@pytest.fixture
def planted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[ModelTarget]:
    target_class: type[ModelTarget] = request.param
    monkeypatch.setitem(registry.TARGETS, "planted", ("a planted fault", target_class))
    return target_class


@pytest.mark.parametrize("planted", MINIMAL, indirect=True)
def test_a_long_trace_shrinks_to_the_minimal_one(planted: type[ModelTarget]) -> None:
    case = Case(operations_of(LONG), target="planted")
    report = case.run()
    assert report.failure is not None
    found = smallest_finding(Finding(case, report.failure))
    assert lines(found.case.operations) == MINIMAL[planted]


@pytest.mark.parametrize("planted", LENGTHS, indirect=True)
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_what_a_campaign_finds_shrinks_to_the_minimal_length(
    planted: type[ModelTarget], seed: int
) -> None:
    assert len(smallest(planted, seed).operations) <= LENGTHS[planted]


@pytest.mark.parametrize("planted", [WrongErrno], indirect=True)
def test_minimising_is_deterministic(planted: type[ModelTarget]) -> None:
    assert smallest(planted, 3) == smallest(planted, 3)


def test_another_kind_of_failure_is_not_taken_for_the_same() -> None:
    wanted = Failure("state", "mkdir", "")

    def run(case: Case) -> RunReport:
        outcomes = [Outcome()] * len(case.operations)
        report = RunReport(operations=list(case.operations), outcomes=outcomes)
        names = {operation.name() for operation in case.operations}
        if {"mkdir", "sync"} <= names:
            report.failure = wanted
        elif "mkdir" in names:
            report.failure = Failure("outcome", "mkdir", "")
        return report

    case = Case((Sync(), Mkdir(b"/a", 0o755), Sync()))
    shortest = Minimiser(run, wanted).minimise(case)
    assert shortest is not None
    assert sorted(operation.name() for operation in shortest[0].operations) == ["mkdir", "sync"]


def test_a_failure_that_does_not_come_again_is_said() -> None:
    minimiser = Minimiser(lambda case: RunReport(), Failure("state", "mkdir", ""))
    assert minimiser.minimise(Case((Sync(),))) is None


def test_power_cuts_that_stay_keep_what_they_leave() -> None:
    case = Case((Crash(), Sync(), Crash(), Crash()), cuts=(7, 8, 9))
    assert case.cuts_of([1, 2]) == [8]
    assert case.cuts_of([0, 3]) == [7, 9]


def test_power_cuts_shrink_to_losing_nothing() -> None:
    wanted = Failure("crash", "state", "")

    def run(case: Case) -> RunReport:
        fails = any(isinstance(operation, Crash) for operation in case.operations)
        return RunReport(
            operations=list(case.operations),
            outcomes=[Outcome()] * len(case.operations),
            cuts=list(case.cuts),
            failure=wanted if fails else None,
        )

    shortest = Minimiser(run, wanted).minimise(Case((Sync(), Crash(), Crash()), cuts=(77, 5)))
    assert shortest is not None
    assert shortest[0] == Case((Crash(),), cuts=(0,))


def test_descriptors_follow_their_open_when_another_open_goes() -> None:
    operations = operations_of(
        'open "/a" O_RDWR 0o644\nopen "/b" O_RDWR 0o644\npwrite 4 "x" 0\nclose 3\nclose 4\n'
    )
    kept = renumbered(operations, [3, 4, None, None, None], [1, 2, 4])
    assert lines(tuple(kept)) == ['open "/b" O_RDWR 0o644', 'pwrite 3 "x" 0', "close 3"]


def test_two_opens_can_become_one() -> None:
    operations = operations_of('open "/a" O_RDWR 0o644\nopen "/a" O_RDWR 0o644\nclose 3\nfsync 4\n')
    found = [lines(tuple(shared)) for shared in shared_opens(operations, [3, 4, None, None])]
    assert ['open "/a" O_RDWR 0o644', "fsync 3"] in found


def test_a_directory_can_go_with_the_paths_through_it() -> None:
    operations = operations_of('mkdir "/d" 0o755\nmkdir "/d/e" 0o755\nrename "/d/e" "/x"\n')
    found = [lines(tuple(flatter)) for flatter in flatter_traces(operations)]
    assert ['mkdir "/e" 0o755', 'rename "/e" "/x"'] in found
    assert ['mkdir "/d" 0o755', 'mkdir "/x" 0o755'] in found


def test_names_become_plain_in_order_of_appearance() -> None:
    operations = operations_of('mkdir "/zz" 0o755\nmkdir "/zz/a" 0o755\n')
    assert lines(tuple(next(renamed_traces(operations)))) == [
        'mkdir "/a" 0o755',
        'mkdir "/a/b" 0o755',
    ]


def test_the_crash_with_the_fewest_lost_sectors_is_chosen() -> None:
    newest = "11111111"

    def fails(choice: CrashChoice) -> bool:
        return dict(choice.sectors).get(5, newest)[3] == "0"

    many = CrashChoice(9, ((4, "00000000"), (5, "00000000")))
    few = CrashChoice(9, ((5, "11100111"),))
    best = simplest_choice([many, few], lambda choice, block: newest, fails)
    assert best == CrashChoice(9, ((5, "11101111"),))


def test_fewer_sectors_than_greedy_steps_reach_are_found() -> None:
    """Two torn sectors of block 4, of which none can be taken away, and one of block 5: greedy
    steps from the first never see the second.
    """
    newest = "11111111"
    torn = CrashChoice(9, ((4, "00111111"),))
    single = CrashChoice(9, ((5, "11111110"),))

    def fails(choice: CrashChoice) -> bool:
        return choice in (torn, single)

    def older(choice: CrashChoice) -> list[tuple[int, int, str]]:
        return [(block, sector, "0") for block in (4, 5) for sector in range(8)]

    def digits(choice: CrashChoice, block: int) -> str:
        return newest

    assert simplest_choice([torn], digits, fails) == torn
    assert simplest_choice([torn], digits, fails, older) == single


def test_the_search_for_fewer_sectors_is_bounded() -> None:
    tried: list[CrashChoice] = []
    torn = CrashChoice(9, tuple((block, "00000000") for block in range(40)))

    def fails(choice: CrashChoice) -> bool:
        tried.append(choice)
        return choice == torn

    def older(choice: CrashChoice) -> list[tuple[int, int, str]]:
        return [(block, sector, "0") for block in range(40) for sector in range(8)]

    assert simplest_choice([torn], lambda choice, block: "11111111", fails, older) == torn
    assert len(tried) == 1 + 40 + 320 + TRIALS_MAX


def test_a_real_crash_of_the_example_is_one_sector_away_survives_crash() -> None:
    text = f"exec:{sys.executable} fuzz/examples/journal_store.py --early-commit"
    case = Case(operations_of(LONG_WRITE), (), text)
    small = smallest_finding(Finding(case, Failure("crash", "state", "")))
    assert lines(small.case.operations)[1] == 'pwrite 3 "a" 0'
    assert small.choice is not None
    run = small.case.start(crashes=False)
    for operation in small.case.operations:
        run.apply(operation)
    crashes = run.log_crashes()
    target = crashes.target
    newest = NewestDigits(target.base, target.device.events, crashes.persistence)
    assert distance(small.choice, newest) == 1


LONG_WRITE = """\
open "/a" O_CREAT|O_RDWR 0o644
pwrite 3 fill(7,9000) 100
fsync 3
unlink "/a"
"""
