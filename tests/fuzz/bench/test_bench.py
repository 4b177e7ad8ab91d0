"""The benchmark's figures, its command, and a few faults that fixed seeds find quickly."""

import json
from pathlib import Path

import pytest

from watosfs_fuzz.bench.catalogue import (
    CRASH,
    KERNEL,
    LOCKSTEP,
    NESTED,
    faults,
    modes_of,
    require_fault,
)
from watosfs_fuzz.bench.figures import median_time, wilson
from watosfs_fuzz.bench.measure import measure
from watosfs_fuzz.cli.bench import table
from watosfs_fuzz.cli.main import main

ENOUGH_SECONDS = 60.0


@pytest.mark.parametrize("identity", ["BT2", "CA5", "FA7", "FT4", "RE1", "SB2"])
def test_a_fault_is_found_and_its_trace_replays(identity: str) -> None:
    found = measure(require_fault(identity), 0, ENOUGH_SECONDS)
    assert found.found
    assert found.replays


@pytest.mark.parametrize("mode", [LOCKSTEP, CRASH, NESTED])
def test_each_part_of_a_campaign_finds_a_fault_that_changes_what_is_seen(mode: str) -> None:
    found = measure(require_fault("FD11").by(mode), 0, ENOUGH_SECONDS)
    assert (found.mode, found.found, found.replays) == (mode, True, True)


def test_the_model_alone_does_not_see_what_only_a_crash_shows() -> None:
    assert not measure(require_fault("SB3").by(LOCKSTEP), 0, 1.0).found


def test_the_modes_of_a_fault_begin_with_its_own() -> None:
    for fault in faults():
        assert modes_of(fault)[0] == fault.mode
    assert modes_of(require_fault("FT4")) == [KERNEL]


def test_the_summary_says_in_words_that_no_median_is_known() -> None:
    row = {"fault": "X", "mode": "campaign", "seed": 0, "found": False, "seconds": 1.0,
           "executions": 5, "kind": "", "trace_length": None, "replays": None}  # fmt: skip
    assert "None" not in table([row])


def test_the_interval_of_wilson() -> None:
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(10, 10)[1] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="of 0"):
        wilson(0, 0)


def test_runs_that_found_nothing_count_as_longer_than_their_budget() -> None:
    assert median_time([(1.0, True), (2.0, True), (60.0, False)]) == 2.0
    assert median_time([(1.0, True), (60.0, False), (60.0, False)]) is None


def test_the_command_writes_json_and_goes_on_from_its_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, out = tmp_path / "state", tmp_path / "bench.json"
    command = ["bench", "--only", "FT4", "--seeds", "1", "--state", str(state), "--json", str(out)]
    assert main(command) == 0
    first = json.loads(out.read_text())
    assert set(first) == {
        "commit", "seconds", "runs", "found", "tried", "interval_95", "seconds_median",
        "trace_length_median", "replaying",
    }  # fmt: skip
    capsys.readouterr()
    assert main(command) == 0
    assert "seed 0" not in capsys.readouterr().err, "nothing was left to run"
    assert json.loads(out.read_text()) == first


def test_a_fault_that_is_not_planted_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "XX1"]) == 2
    assert "docs/FAULTS.md" in capsys.readouterr().err


def test_the_help_names_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--help"])
    assert "--unmodified" in capsys.readouterr().out
