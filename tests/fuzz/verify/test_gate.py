"""The merge gate: its plan is decided by the commit, planted faults make it fail, it goes on."""

import json
import subprocess
from itertools import islice
from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main
from watosfs_fuzz.cli.verify import changed_files
from watosfs_fuzz.verify.gate import Gate, Settings, StageTally
from watosfs_fuzz.verify.slices import Done, Found, Slice
from watosfs_fuzz.verify.stages import Stage, endless, stages, weight
from watosfs_fuzz.verify.verdict import FAILED, PASSED, UNFINISHED, lines, verdict
from watosfs_fuzz.verify.work import run_slice

ROOT = Path(__file__).parents[3]
FOUND = Found("kernel", "state of open", "story", "x.trace", "watosfs-fuzz kernel-replay x.trace")


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings(ROOT, tmp_path / "out", "0123456789ab", **more)  # type: ignore[arg-type]


def piece(tmp_path: Path, stage: str, number: int = 0, canary: str | None = None) -> Slice:
    return Slice(stage, number, 7, ROOT, tmp_path, 1e12, canary)


# -- the plan


def test_the_order_of_slices_is_fixed_and_follows_the_weights() -> None:
    some = [Stage("a", "", ("impl/a",), weight=1), Stage("b", "", ("impl/b",), weight=3)]
    plan = [(stage.name, number) for stage, number in islice(endless(some, None), 8)]
    assert plan == [(s.name, n) for s, n in islice(endless(some, None), 8)]
    assert [name for name, _ in plan].count("b") == 6
    assert [number for name, number in plan if name == "b"] == list(range(6))


def test_changed_code_gets_more() -> None:
    found = {stage.name: stage for stage in stages()}
    changed = ("impl/watosfs/fat/table.py",)
    assert weight(found["campaign:fat12"], changed) > weight(found["campaign:fat12"], None)
    assert weight(found["kernel"], changed) == weight(found["kernel"], None)
    taken = [stage.name for stage, _ in islice(endless(list(found.values()), changed), 40)]
    plain = [stage.name for stage, _ in islice(endless(list(found.values()), None), 40)]
    assert taken.count("campaign:fat12") > 2 * plain.count("campaign:fat12")


def test_the_seed_is_the_commits(tmp_path: Path) -> None:
    one, same = settings(tmp_path), settings(tmp_path, seconds=5.0)
    assert one.seed == same.seed
    assert one.seed != Settings(ROOT, tmp_path, "ffffffffffff").seed


def test_files_that_changed(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        person = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", "-C", tmp_path, *person, *words], check=True, capture_output=True)

    git("init", "-q")
    for name in ("kept", "edited"):
        (tmp_path / name).write_text("1")
    git("add", "."), git("commit", "-qm", "first")
    (tmp_path / "edited").write_text("2")
    (tmp_path / "new").write_text("1")
    assert changed_files(tmp_path, "HEAD") == ("edited", "new")
    with pytest.raises(ValueError, match="--changed-since nowhere"):
        changed_files(tmp_path, "nowhere")


# -- slices


@pytest.mark.parametrize(
    "stage",
    ["exhaust", "campaign:wfs2", "kernel", "faults:write-once", "parsers:wfs3-superblock"],
)
def test_a_slice_is_clean_and_the_same_again(stage: str, tmp_path: Path) -> None:
    one, two = (run_slice(piece(tmp_path, stage, 1)) for _ in range(2))
    assert not one.found
    assert one.units == two.units > 0
    assert run_slice(piece(tmp_path, stage, 2)).units > 0


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    nowhere = Slice("regressions", 0, 7, tmp_path, tmp_path, 1e12)
    assert run_slice(nowhere).skipped == "no traces in tests/regressions"


def test_a_kept_trace_that_fails_again_is_found(tmp_path: Path) -> None:
    # With the fault planted that they were kept for, traces fail.
    done = run_slice(piece(tmp_path, "regressions", canary="merge-loses-entry"))
    assert any("merge-loses-entry.trace fails again" in found.title for found in done.found)
    assert all(Path(found.file).exists() for found in done.found)


def test_an_exception_in_a_slice_reaches_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no canary"):
        run_slice(piece(tmp_path, "kernel", canary="no-such-thing"))


# -- going on, and the verdict


def test_what_was_done_is_kept_and_not_done_again(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = Gate(settings(tmp_path, state=state))
    first.add(Done("exhaust", 0, 100, "operations", 1.5))
    first.add(Done("kernel", 3, 50, "calls", 0.5))
    first.seconds = 20.0
    first.save()
    again = Gate(settings(tmp_path, state=state))
    again.load()
    assert again.tallies["exhaust"] == StageTally([0], 100, "operations", 1.5)
    assert again.seconds_before == 20.0
    plan = {(s.stage, s.number) for s in islice(again.slices(0.0), 2000)}
    assert ("exhaust", 0) not in plan
    assert ("kernel", 3) not in plan
    assert {("exhaust", 1), ("kernel", 2)} <= plan
    other = Gate(Settings(ROOT, tmp_path, "another", state=state))
    with pytest.raises(ValueError, match="of another run"):
        other.load()


def test_the_three_verdicts(tmp_path: Path) -> None:
    gate = Gate(settings(tmp_path))
    assert verdict(gate) == UNFINISHED
    for stage in stages():
        for number in range(stage.pieces or 0):
            gate.add(Done(stage.name, number, 1, "things", 0.1))
    assert verdict(gate) == PASSED
    gate.add(Done("kernel", 0, 1, "calls", 0.1, (FOUND, FOUND)))
    assert verdict(gate) == FAILED
    text = "\n".join(lines(gate))
    assert "FOUND        kernel: state of open" in text
    assert "kernel-replay x.trace" in text
    assert "power " in text


def test_no_time_is_not_a_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--seconds", "0", "--out", str(tmp_path), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "unfinished"
    assert "regressions" in told["unfinished"]


def test_a_planted_fault_fails_and_its_file_replays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Kept traces would show it at once: what is asked of here is what comes behind them.
    (tmp_path / "tree").mkdir()
    name = "no-flush-before-superblock"
    words = ["--root", str(tmp_path / "tree"), "--out", str(tmp_path), "--jobs", "1"]
    assert main(["verify", "--canary", name, "--seconds", "60", *words, "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["found"]
    assert found["stage"] == "exhaust"
    assert main(["replay", found["file"]]) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "count-drifts", "modified-in-place", "pending-reused-early", "orphan-not-reclaimed",
        "truncate-shows-old-bytes", "second-flush-missing", "no-flush-before-superblock",
        "rename-onto-itself-deletes", "abort-keeps-changes", "free-count-drifts",
    ],
)  # fmt: skip
def test_each_of_many_planted_faults_fails_the_gate(name: str, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    words = ["--root", str(tmp_path / "tree"), "--out", str(tmp_path), "--seconds", "60"]
    assert main(["verify", "--canary", name, *words]) == 1
    traces = list(tmp_path.glob("*.trace"))
    assert traces
    assert all(main(["replay", str(trace)]) == 1 for trace in traces)
