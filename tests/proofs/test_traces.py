"""Counterexamples as traces: what a proof refutes goes wrong in the real file system."""

from pathlib import Path

import pytest

from watosfs_fuzz.canaries.catalogue import applied
from watosfs_fuzz.case import Case
from watosfs_fuzz.cli.main import main as fuzz
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.generate import Generator
from watosfs_fuzz.run import Run, RunOptions
from watosfs_fuzz.targets.registry import make_target
from watosfs_fuzz.worker import geometry_of
from watosfs_proofs import catalogue, traces
from watosfs_proofs.__main__ import main
from watosfs_proofs.obligation import PROVED, REFUTED, settle
from watosfs_proofs.watch import ARGUMENTS, operation_of, watched

#: Canaries in proved code, each with an obligation that is refuted and a part of its story.
REFUTED_BY = {
    "coalescing-off-by-one": ("extents.add", ": add("),
    "count-drifts": ("extents.remove", ": remove("),
    "freed-twice": ("allocator.drop (hold 2)", ": drop("),
    "no-flush-before-superblock": ("commit.commit", "# crash: crash at="),
    "pending-reused-early": ("allocator.alloc (hold 2)", ": alloc("),
    "second-flush-missing": ("commit.commit", "# crash: crash at="),
}
OPERATIONS_MAX = 8
#: A trace of seed 0 in which every operation that can be watched is called.
LONG = 271


@pytest.mark.parametrize("canary", REFUTED_BY)
def test_a_canary_is_refuted_and_its_trace_replays(
    canary: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, told = REFUTED_BY[canary]
    arguments = ["--canary", canary, "--only", name, "--traces", str(tmp_path)]
    assert main(arguments) == 1
    assert f"{name}: watosfs-fuzz replay" in capsys.readouterr().out
    (path,) = tmp_path.glob("*.trace")
    finding = read_finding(path)
    assert finding.canary == canary
    assert len(finding.case.operations) <= OPERATIONS_MAX
    story = path.read_text(encoding="ascii")
    assert f"# {name}: refuted: " in story
    assert told in story
    assert fuzz(["replay", str(path)]) == 1
    path.write_text(story.replace(f"# canary: {canary}\n", ""), encoding="ascii")
    assert fuzz(["replay", str(path)]) == 0, "without the canary the trace must be fine"


@pytest.mark.parametrize("canary", REFUTED_BY)
def test_without_the_canary_the_same_obligation_is_proved(canary: str) -> None:
    name, _ = REFUTED_BY[canary]
    with applied(canary):
        broken = [settle(obligation) for obligation in catalogue.chosen([name])]
    assert {result.verdict for result in broken} == {REFUTED}
    assert {settle(obligation).verdict for obligation in catalogue.chosen([name])} == {PROVED}


def test_canary_without_the_fault_no_call_breaks_the_obligation(tmp_path: Path) -> None:
    main(["--canary", "count-drifts", "--only", "extents.remove", "--traces", str(tmp_path)])
    (path,) = tmp_path.glob("*.trace")
    finding = read_finding(path)
    with applied("count-drifts"):
        assert traces.call_in(finding, "extents.remove")
        assert traces.call_in(finding, "extents.covers") is None
    assert traces.call_in(finding, "extents.remove") is None


def long_case() -> Case:
    """A long trace of a campaign."""
    source = Generator(0, LONG)
    geometry = geometry_of(source, LONG)
    run = Run(make_target("wfs3", geometry), RunOptions(crashes=False))
    while (operation := source.next()) is not None:
        outcome = run.apply(operation)
        source.learn(operation, outcome.errno or None, outcome.value)
    assert run.report.failure is None
    return Case(tuple(run.report.operations), tuple(run.report.cuts), geometry=geometry)


@pytest.mark.parametrize(
    ("group", "operation"), [(group, name) for group, names in ARGUMENTS.items() for name in names]
)
def test_a_watch_sees_nothing_wrong_with_the_code_as_it_is(group: str, operation: str) -> None:
    case = long_case()
    with watched(group, operation) as watch:
        report = case.run(crashes=False)
    assert report.failure is None
    assert watch.calls == []
    assert watch.count > 0


def test_what_can_be_watched() -> None:
    assert operation_of("allocator.drop (hold 2)") == ("allocator", "drop")
    assert operation_of("extents.add") == ("extents", "add")
    assert operation_of("allocator.mount (hold 2)") is None
    assert operation_of("commit.recovery") is None


def test_an_unknown_canary_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--canary", "no-such-canary"]) == 2
    assert "no canary 'no-such-canary'" in capsys.readouterr().err
