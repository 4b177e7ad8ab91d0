"""A power cut in recovery is kept, replayed, made small and told like any other."""

from pathlib import Path
from typing import Any

import pytest

from watosfs.wfs3 import commit as commit_module
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.case import Case
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.crash.choice import CrashChoice, chained, parse_choice
from watosfs_fuzz.findings import Finding, write_finding
from watosfs_fuzz.report.evidence import evidence_of
from watosfs_fuzz.report.html import page
from watosfs_fuzz.report.story import story
from watosfs_fuzz.worker import smallest_finding
from watosfs_model.trace import parse_trace

#: The mount after a crash has an orphan to remove, and commits.
TRACE = """\
open "/a" O_CREAT|O_RDWR 0o644
pwrite 3 fill(1,5000) 0
mkdir "/d" 0o755
unlink "/a"
sync
stat "/d"
"""


@pytest.fixture
def careless_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit of recovery puts its superblock into the epoch of its nodes."""
    commit, reclaim = commit_module.commit, Volume.reclaim_orphans
    is_recovering = False

    def careless(medium: Any, allocator: Any, slot: int, writes: Any, superblock: Any) -> int:
        if not is_recovering:
            return commit(medium, allocator, slot, writes, superblock)
        for block, data in writes:
            medium.write(block, data)
        medium.write_superblock(1 - slot, superblock)
        medium.flush()
        allocator.committed()
        return 1 - slot

    def recovering(self: Volume) -> None:
        nonlocal is_recovering
        is_recovering = True
        try:
            reclaim(self)
        finally:
            is_recovering = False

    monkeypatch.setattr(commit_module, "commit", careless)
    monkeypatch.setattr(Volume, "reclaim_orphans", recovering)


def found() -> Finding:
    case = Case(parse_trace(TRACE).operations, nested=1)
    report = case.run()
    assert report.failure is not None
    assert report.choice is not None
    return Finding(case, report.failure, report.choice)


def test_only_a_cut_in_recovery_shows_it(careless_recovery: None) -> None:
    assert Case(parse_trace(TRACE).operations).run().failure is None
    choice = found().choice
    assert choice is not None
    assert choice.then is not None
    assert parse_choice(str(choice)) == choice


def test_the_right_recovery_stands_it() -> None:
    assert Case(parse_trace(TRACE).operations, nested=2).run().failure is None


def test_it_is_made_small_and_told(careless_recovery: None) -> None:
    small = smallest_finding(found())
    assert len(small.case.operations) <= 3
    assert small.choice is not None
    assert small.choice.then is not None
    # One block that was written and did not arrive is enough; nothing else is said to be lost.
    assert not small.choice.sectors
    assert len(small.choice.then.sectors) == 1
    evidence = evidence_of(small)
    assert evidence is not None
    text = "\n".join(story(evidence))
    assert text.startswith("first the power goes ")
    assert "then, in the recovery from that, the power goes " in text
    assert "missing barrier: a flush between" in text
    assert "block 0, superblock slot 0" in text
    assert "lost        write 3  block 3, " in text
    html = page(evidence)
    assert "Timeline of the recovery" in html
    assert "First the power goes" in html or "first the power goes" in html


def test_it_replays_from_its_file(
    careless_recovery: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_finding(smallest_finding(found()), tmp_path)
    assert " then at=" in path.read_text()
    assert main(["replay", str(path)]) == 1
    assert "in the recovery from that" in capsys.readouterr().out
    monkeypatch.undo()
    assert main(["replay", str(path)]) == 0


def test_choices_are_chained_and_parsed() -> None:
    one = CrashChoice(57, ((4, "11111111"),))
    two = CrashChoice(3, ((1, "00000000"), (9, "10101010")))
    both = chained([one, two])
    assert str(both) == "crash at=57 4:11111111 then at=3 1:00000000 9:10101010"
    assert parse_choice(str(both)) == both
    assert both.chain() == [one, two]
    for text in ("crash at=57 then", "crash at=57 then 4:11111111", "crash at=1 then at=x"):
        with pytest.raises(ValueError, match="not "):
            parse_choice(text)
