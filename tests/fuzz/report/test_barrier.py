"""The experiment on rules of order: the right one passes, wrong ones do not."""

from pathlib import Path

import pytest

from tests.fuzz.report.crashes import JOURNAL
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.report.barrier import Epoch, passes

#: The events of the log: data, then the journal that names it, then the flush.
DATA, TABLE, FLUSH = 5, 6, 7


@pytest.fixture
def epoch(tmp_path: Path) -> Epoch:
    path = tmp_path / "journal.trace"
    path.write_text(JOURNAL)
    case = read_finding(path).case
    run = case.start(crashes=False)
    for operation in case.operations:
        run.apply(operation)
    return Epoch(run.log_crashes(), FLUSH)


def test_the_epoch_ends_with_its_flush_and_fails_as_it_is(epoch: Epoch) -> None:
    assert epoch.writes == [DATA, TABLE]
    assert epoch.end == FLUSH + 1
    assert not passes(epoch.trial(epoch.events))


def test_only_the_flush_between_the_two_writes_helps_survives_crash(epoch: Epoch) -> None:
    assert passes(epoch.with_flush(DATA))
    assert not passes(epoch.with_flush(TABLE))


def test_only_the_right_order_helps_survives_crash(epoch: Epoch) -> None:
    assert all(map(passes, epoch.with_order(DATA, TABLE)))
    assert not all(map(passes, epoch.with_order(TABLE, DATA)))
