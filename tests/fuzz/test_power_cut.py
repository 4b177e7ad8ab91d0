"""Power cuts in the middle of a trace: legal, repeatable, and lockstep goes on after them."""

import pytest

from watosfs_fuzz.case import Case
from watosfs_fuzz.crash.choice import in_flight
from watosfs_fuzz.crash.log import FLUSH, Event, Mark, Write
from watosfs_fuzz.crash.persistence import sector_values
from watosfs_fuzz.power_cut import (
    ALL_PERSISTED,
    NONE_PERSISTED,
    cut_by_policy,
    last_operation,
)
from watosfs_fuzz.run import Run, RunOptions
from watosfs_fuzz.targets.wfs3 import Wfs3Target
from watosfs_model.data import Literal
from watosfs_model.open_flags import O_CREAT, O_RDWR
from watosfs_model.operations import Crash, Fsync, Lstat, Mkdir, Open, Pwrite, Sync, Unlink

A, B, C = (bytes([byte]) * 4096 for byte in b"abc")
EVENTS: list[Event] = [
    Mark(("begin", 1)), Write(5, A), FLUSH, Mark(("end", 1)),
    Mark(("begin", 2)), Write(5, B), Write(6, B), FLUSH, Write(5, C), Write(7, C),
]  # fmt: skip


@pytest.mark.parametrize("policy", range(60))
def test_every_cut_is_a_legal_image(policy: int) -> None:
    cut = cut_by_policy({}, EVENTS, policy)
    assert last_operation(EVENTS) <= cut.event_index <= len(EVENTS)
    image, versions = in_flight({}, EVENTS[: cut.event_index])
    for block in cut.image.keys() | image.keys():
        if block not in versions:
            assert cut.image[block] == image[block]
            continue
        for i, values in enumerate(sector_values(versions[block])):
            assert cut.image[block][i * 512 : (i + 1) * 512] in values


def test_the_plain_policies_keep_everything_and_nothing() -> None:
    assert cut_by_policy({}, EVENTS, ALL_PERSISTED).image == {5: C, 6: B, 7: C}
    assert cut_by_policy({}, EVENTS, NONE_PERSISTED).image == {5: B, 6: B}


def test_cuts_differ_by_policy_and_by_nothing_else() -> None:
    images = [cut_by_policy({}, EVENTS, policy) for policy in range(40)]
    assert images == [cut_by_policy({}, EVENTS, policy) for policy in range(40)]
    assert len({str(cut) for cut in images}) > 8


@pytest.mark.parametrize("policy", [ALL_PERSISTED, NONE_PERSISTED, 2, 3, 4, 5])
def test_a_synced_file_survives_and_lockstep_goes_on_survives_crash(policy: int) -> None:
    run = Run(Wfs3Target(), RunOptions(cuts=(policy, policy)))
    for operation in (
        Open(b"/a", O_CREAT | O_RDWR, 0o644),
        Pwrite(3, Literal(b"kept"), 0),
        Fsync(3),
        Mkdir(b"/perhaps", 0o755),
        Crash(),
        Open(b"/a", O_RDWR, 0),
        Unlink(b"/a"),
        Sync(),
        Lstat(b"/"),
        Crash(),
    ):
        run.apply(operation)
        assert run.report.failure is None, run.report.failure
    assert run.apply(Lstat(b"/a")).errno
    assert run.finish().failure is None
    assert run.report.cuts == [policy, policy]


def test_one_trace_holds_several_crashes_survives_crash() -> None:
    operations = []
    for number in range(6):
        operations += [Mkdir(b"/d%d" % number, 0o755), Sync(), Mkdir(b"/e%d" % number, 0), Crash()]
    report = Case(tuple(operations), cuts=(2, 3, 4, 5, 6, 7)).run()
    assert report.failure is None
    assert len(report.cuts) == 6
    assert report.exploration.recoveries > 6
