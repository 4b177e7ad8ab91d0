"""Campaigns that keep what is new: the corpus, what is made from it, how many work on it."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from watosfs_fuzz.campaign import run_campaign
from watosfs_fuzz.case import Case
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.corpus import Corpus, CorpusFolder, CorpusTrace, folder_name
from watosfs_fuzz.crew import STARTS_MAX, Job, Processes
from watosfs_fuzz.novelty import coarse, features_of
from watosfs_fuzz.swarm import GROUPS, Swarm, swarm_of
from watosfs_fuzz.tally import Settings, Tally
from watosfs_fuzz.variation import SCRIPT_LENGTH_MAX, VARIATIONS, script_of
from watosfs_fuzz.worker import run_from
from watosfs_model.data import Fill
from watosfs_model.operations import OPERATION_TYPES, Mkdir, Pwrite, Sync

GUIDED = Settings(seed=3, seconds=None, operations=3000, guided=True, swarm=True)


def ignore(_tally: Tally) -> None:
    """Nobody watches."""


def trace(*names: str, length: int = 1, features: str = "") -> CorpusTrace:
    operations = tuple(Mkdir(b"/" + name.encode(), 0o755) for name in names) + (Sync(),) * length
    return CorpusTrace(Case(operations), frozenset(features.split()))


# -- the corpus


def test_what_shows_nothing_new_is_not_kept() -> None:
    corpus = Corpus()
    assert corpus.offer(trace("a", features="x y"))
    assert not corpus.offer(trace("b", features="y"))
    assert corpus.offer(trace("c", features="y z"))
    assert corpus.seen == {"x", "y", "z"}


def test_a_minimised_corpus_shows_all_that_the_whole_one_showed() -> None:
    rng = random.Random(1)
    traces = [
        trace(str(n), length=rng.randint(1, 9), features=" ".join(rng.choices("abcdefgh", k=3)))
        for n in range(40)
    ]
    kept = Corpus(traces).minimised()
    assert len(kept) < len(traces)
    assert {f for t in kept for f in t.features} == {f for t in traces for f in t.features}
    for name in "abcdefgh":
        lengths = [len(t.case.operations) for t in traces if name in t.features]
        assert min(len(t.case.operations) for t in kept if name in t.features) == min(lengths)
    stranger = CorpusTrace(trace("s").case, frozenset())
    assert stranger in Corpus([*traces, stranger]).minimised()


def test_a_folder_gives_back_what_was_written(tmp_path: Path) -> None:
    folder = CorpusFolder(tmp_path, "wfs3")
    first = CorpusTrace(Case((Mkdir(b"/a b", 0o700), Pwrite(3, Fill(1, 9), 0))), frozenset("xy"))
    path = folder.write(first)
    assert list(folder.read()) == [first]
    assert main(["replay", str(path)]) == 0
    other = folder.folder / "somebody.trace"
    other.write_text("# target: wfs3\nsync\n")
    assert [t.features for t in folder.read()] == [frozenset("xy"), frozenset()]
    assert folder.prune([]) == 1
    assert list(folder.folder.glob("*")) == [other]
    with pytest.raises(ValueError, match="of target wfs3"):
        list(wrong_target(tmp_path))


def wrong_target(tmp_path: Path) -> Iterator[CorpusTrace]:
    folder = CorpusFolder(tmp_path, "fat12")
    (folder.folder / "x.trace").write_text("# target: wfs3\nsync\n")
    return folder.read()


def test_targets_have_folders_of_their_own() -> None:
    targets = ["wfs3", "fat12", "exec:./driver", "exec:./Driver", "exec:a/b", "dir:/tmp/x" * 20]
    names = [folder_name(target) for target in targets]
    assert len(set(names)) == len(targets)
    assert all("/" not in name and len(name) < 60 for name in names)


# -- what is made from it


def test_a_script_is_made_of_its_parents() -> None:
    rng = random.Random(2)
    first, other = trace("a", "b", "c", length=20).case, trace("x", "y", length=9).case
    known = set(first.operations) | set(other.operations)
    for vary in VARIATIONS:
        made = vary(rng, list(first.operations), list(other.operations))
        assert made
    for _ in range(200):
        script = script_of(rng, (first, other))
        assert len(script) <= SCRIPT_LENGTH_MAX + 20
        drawn = [operation for operation in script if operation is not None]
        strange = [operation for operation in drawn if operation not in known]
        assert all(
            operation.name() in ("crash", "remount", "commit", "abort") for operation in strange
        )


def test_a_varied_trace_is_the_same_every_time() -> None:
    parent = run_from(GUIDED, 1, (), {}).case
    one, two = (run_from(GUIDED, 7, (parent,), {}) for _ in range(2))
    assert one.case == two.case
    assert one.case != parent
    assert features_of(one.report, one.target) == features_of(two.report, two.target)


def test_numbers_enter_by_their_size() -> None:
    assert coarse((5, (0, True), "x")) == coarse((7, (0, True), "x")) == "(3 (0 True) x)"
    assert coarse(8) != coarse(7)


# -- swarm


def test_every_operation_belongs_to_a_group_or_always_stays() -> None:
    grouped = {name for group in GROUPS.values() for name in group}
    names = {kind.name() for kind in OPERATION_TYPES}
    assert grouped <= names
    drawn_apart = {"snapshot", "dropsnapshot", "rollback"}
    assert names - grouped == {"mkdir", "open", "close", "pwrite"} | drawn_apart


def test_a_swarm_leaves_out_what_it_says() -> None:
    found = {swarm_of(1, number * 64) for number in range(60)}
    assert Swarm() in found
    assert len(found) > 20
    assert swarm_of(1, 5 * 64) == swarm_of(1, 5 * 64 + 63)
    swarm = next(s for s in found if "renames" in s.left_out)
    number = next(n for n in range(0, 9999, 64) if swarm_of(1, n) == swarm)
    report = run_from(replace(GUIDED, seed=1), number, (), {}).report
    assert all(operation.name() != "rename" for operation in report.operations)


# -- campaigns


def summary_of(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((path / "summary.json").read_text())
    return found


@pytest.mark.parametrize("jobs", [2, 4])
def test_guided_campaigns_are_the_same_on_any_number_of_processes(
    jobs: int, tmp_path: Path
) -> None:
    for name, width in (("one", 1), ("many", jobs)):
        settings = replace(GUIDED, jobs=width, corpus=tmp_path / name / "corpus")
        run_campaign(settings, tmp_path / name, ignore)
    assert summary_of(tmp_path / "one") == summary_of(tmp_path / "many")
    kept = [
        sorted(path.read_text() for path in (tmp_path / name / "corpus").rglob("*.trace"))
        for name in ("one", "many")
    ]
    assert kept[0] == kept[1]
    assert len(kept[0]) > 10


def test_a_resumed_campaign_goes_on_and_repeats_no_trace(tmp_path: Path) -> None:
    settings = replace(GUIDED, operations=1200, corpus=tmp_path / "corpus")
    first = run_campaign(settings, tmp_path, ignore)
    second = run_campaign(replace(settings, resume=True), tmp_path, ignore)
    assert second.operations >= first.operations + 1200
    state = json.loads((tmp_path / "corpus" / "wfs3" / "state.json").read_text())
    assert state["following"] == second.traces
    with pytest.raises(ValueError, match="of seed 3, not 4"):
        run_campaign(replace(settings, resume=True, seed=4), tmp_path, ignore)
    again = run_campaign(settings, tmp_path / "anew", ignore)
    assert again.operations < second.operations


def test_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaign", "--resume"]) == 2
    assert "--resume needs the --corpus" in capsys.readouterr().err
    assert main(["campaign", "--corpus", str(tmp_path), "--no-guide"]) == 2
    assert main(["campaign", "--seconds", "1", "--scheduler", "tcp://127.0.0.1:1"]) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_signal_ends_a_campaign_with_everything_saved(
    number: signal.Signals, jobs: int, tmp_path: Path
) -> None:
    command = [
        sys.executable, "-m", "watosfs_fuzz", "campaign", "--seconds", "600", "--jobs", str(jobs),
        "--canary", "second-flush-missing", "--corpus", "corpus", "--out", "out",
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as ran:
        assert ran.stdout is not None
        for line in ran.stdout:  # its log: a line every few seconds
            if b" operations " in line:
                break
        ran.send_signal(number)
        rest = ran.stdout.read()
    assert ran.returncode == 1, rest
    summary = summary_of(tmp_path / "out")
    assert summary["interrupted"]
    found = summary["findings"]
    assert isinstance(found, list)
    assert found
    assert len(list((tmp_path / "out").glob("*.trace"))) == len(found)
    assert not (tmp_path / "out" / "unminimised").exists()
    assert (tmp_path / "corpus" / "wfs3" / "state.json").exists()


# -- workers that die


def dies_once(mark: str, _stop: object) -> str:
    """Work that kills its process the first time."""
    path = Path(mark)
    if not path.exists():
        path.touch()
        os._exit(1)
    return "done"


def dies(_stop: object) -> None:
    """Work that always does."""
    os._exit(1)


def test_work_of_a_worker_that_died_is_done_by_another(tmp_path: Path) -> None:
    crew = Processes(2)
    try:
        jobs = [crew.start(dies_once, str(tmp_path / str(n))) for n in range(4)]
        while not all(job.is_done and not crew.lost(job) for job in jobs):
            crew.wait(jobs)
        assert [job.future.result() for job in jobs] == ["done"] * 4
    finally:
        crew.close()


def test_work_that_kills_every_worker_is_told(tmp_path: Path) -> None:
    crew = Processes(1)
    try:
        job: Job = crew.start(dies)

        def until_it_is_given_up() -> None:
            while True:
                crew.wait([job])
                if job.is_done:
                    crew.lost(job)

        with pytest.raises(ChildProcessError, match=f"died {STARTS_MAX} times"):
            until_it_is_given_up()
    finally:
        crew.close()
