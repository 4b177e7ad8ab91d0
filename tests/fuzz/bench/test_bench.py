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
    sound,
)
from watosfs_fuzz.bench.figures import bootstrap, median_time, wilson
from watosfs_fuzz.bench.measure import measure
from watosfs_fuzz.bench.summary import Row, summary, table
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
    assert "None" not in table([row_of("X", found=False)])
    assert "above the budget" in table([row_of("X", found=False)])
    assert "None" not in table([row_of("X"), row_of("Y", found=False)])
    assert table([]).count("\n") == 1


def row_of(fault: str, seed: int = 0, *, found: bool = True, seconds: float = 1.0) -> Row:
    """A run, as the state file has it."""
    return {
        "fault": fault, "mode": "campaign", "seed": seed, "found": found, "seconds": seconds,
        "executions": 5, "kind": "crash" if found else "", "trace_length": 3 if found else None,
        "crashes": 1 if found else None, "replays": True if found else None,
    }  # fmt: skip


def test_a_fault_counts_as_found_when_more_than_half_of_its_runs_found_it() -> None:
    rows = [row_of("X", seed, found=seed < 3) for seed in range(5)]
    rows += [row_of("Y", seed, found=seed < 2) for seed in range(5)]
    total = summary(rows)
    assert (total["faults_found"], total["faults_tried"]) == (1, 2)
    assert (total["found"], total["tried"]) == (5, 10)
    assert [one["interval_95"] for one in total["faults"]] == [wilson(3, 5), wilson(2, 5)]


def test_the_interval_of_a_median_draws_whole_faults() -> None:
    quick = [row_of("X", seed, seconds=1.0) for seed in range(20)]
    slow = [row_of("Y", seed, seconds=9.0) for seed in range(20)]
    assert summary(quick)["seconds_median_interval_95"] == (1.0, 1.0)
    assert summary(quick + slow)["seconds_median_interval_95"] == (1.0, 9.0)
    never = [row_of("Z", seed, found=False) for seed in range(20)]
    assert summary(quick + never)["seconds_median_interval_95"] == (1.0, None)
    with pytest.raises(ValueError, match="no groups"):
        bootstrap([], len)


def test_the_sound_code_is_measured_in_every_mode_that_faults_are() -> None:
    assert {fault.mode for fault in sound()} == {fault.mode for fault in faults()}
    assert not any(fault.is_planted for fault in sound())
    assert all(fault.is_planted for fault in faults())
    for fault in sound():
        assert not measure(fault, 0, 0.2).found, fault


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
        "executions_median", "trace_length_median", "crashes_median", "replaying", "faults_found",
        "faults_tried", "faults_interval_95", "seconds_median_interval_95",
        "trace_length_median_interval_95", "faults",
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
