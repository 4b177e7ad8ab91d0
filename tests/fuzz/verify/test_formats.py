"""What other programs read of a verdict, and what its power figure means."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from watosfs_fuzz.verify.formats import github, junit, sarif
from watosfs_fuzz.verify.gate import Gate, Settings
from watosfs_fuzz.verify.slices import Done, Found
from watosfs_fuzz.verify.verdict import is_found, power_within, wilson

FOUND = Found("campaign:wfs3", "crash: state", "a\x00b\n100 %", "findings/1.trace", "replay it")


@pytest.fixture
def gate() -> Gate:
    made = Gate(Settings(Path(), Path(), "abc"))
    made.add(Done("campaign:wfs3", 0, 10, "operations", 1.25, (FOUND,)))
    made.add(Done("proofs", 0, 0, "", 0.0, skipped="z3 is not installed"))
    made.add(Done("kernel", 0, 10, "calls", 0.5))
    return made


def test_junit_has_a_case_for_each_stage(gate: Gate) -> None:
    suite = ElementTree.fromstring(junit(gate))
    cases = {case.get("name"): case for case in suite}
    assert suite.get("failures") == "1"
    assert int(suite.get("tests") or 0) == len(cases)
    failure = cases["campaign:wfs3"].find("failure")
    assert failure is not None
    assert failure.text == "a\\x00b\n100 %\nreplay it"
    assert cases["proofs"].find("skipped") is not None
    assert cases["regressions"].find("error") is not None, "not finished is not passed"
    assert not list(cases["kernel"])


def test_sarif_has_a_result_at_the_file_that_replays(gate: Gate) -> None:
    log = json.loads(sarif(gate))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    (result,) = run["results"]
    assert result["ruleId"] in [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "findings/1.trace"


def test_github_annotations_stay_on_their_line(gate: Gate) -> None:
    error, *warnings = github(gate)
    assert error == (
        "::error title=campaign%3Awfs3%3A crash%3A state::a\x00b%0A100 %25%0Areplay it"
    )
    assert all(line.startswith("::warning title=") for line in warnings)


@pytest.mark.parametrize(
    ("found", "of", "low", "high"),
    [(0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (93, 100, 0.863, 0.966)],
)
def test_the_interval_is_wilsons(found: int, of: int, low: float, high: float) -> None:
    assert wilson(found, of) == pytest.approx((low, high), abs=0.001)


def test_power_counts_faults_whose_median_run_is_in_time() -> None:
    assert is_found([1.0, 2.0, None], 5)
    assert not is_found([1.0, None], 5)
    assert not is_found([6.0, 7.0, 1.0], 5)
    measured = {"commit": "abc", "faults": {"SB2": [1.0, 2.0], "AL1": [None, 3.0], "X": [70.0]}}
    power = power_within(60, measured)
    assert (power.found, power.of) == (1, 3)
    assert power.text(60).startswith("a run of 60 s finds 33% of 3 planted faults (95 % interval 6")
