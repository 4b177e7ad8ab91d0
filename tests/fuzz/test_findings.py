"""Findings on disk: nothing is lost between the run and the file, and bad files are named."""

from pathlib import Path

import pytest

from watosfs_fuzz.case import Case
from watosfs_fuzz.crash.choice import CrashChoice
from watosfs_fuzz.findings import Finding, read_finding, write_finding, write_whole
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.target import Geometry
from watosfs_model.data import Fill, Literal
from watosfs_model.operations import Crash, Mkdir, Pwrite

CASE = Case(
    operations=(Mkdir(b'/q"\xff', 0o755), Pwrite(3, Literal(b"\0"), 1), Crash(), Crash()),
    cuts=(1, 513),
    geometry=Geometry(512, 4),
    nested=1,
)
CHOICE = CrashChoice(57, ((4, "11101111"),))
FINDING = Finding(
    CASE, Failure("crash", "state", "line one\n/\u00e9: is\tmissing"), CHOICE, "some-canary", "x"
)


def test_a_finding_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = write_finding(FINDING, tmp_path)
    back = read_finding(path)
    assert back.case == CASE
    assert back.choice == CHOICE
    assert back.canary == "some-canary"
    assert back.failure.key == FINDING.failure.key
    assert back.identity == FINDING.identity == path.stem


def test_the_story_is_told_in_ascii_comments(tmp_path: Path) -> None:
    text = write_finding(FINDING, tmp_path).read_text(encoding="ascii")
    assert "# line one\n" in text
    assert "\\x09missing" in text
    assert "# commit: " in text


def test_the_id_depends_on_the_case_and_not_on_the_story() -> None:
    told_otherwise = Finding(CASE, Failure("crash", "state", "other"), CHOICE, "some-canary", "y")
    assert told_otherwise.identity == FINDING.identity
    other = Finding(CASE.with_operations((Crash(),), (0,)), FINDING.failure)
    assert other.identity != FINDING.identity


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \u00e9")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('mkdir "/d"\n', "line 1, column 11: mkdir lacks its mode"),
        ("# blocks: many\n", "header"),
        ("# crash: at=x\n", "header"),
        ("# cuts: 1 b\n", "header"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.trace"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_finding(path)
    assert str(path) in str(caught.value)


def test_a_hand_written_trace_needs_no_header(tmp_path: Path) -> None:
    path = tmp_path / "mine.trace"
    path.write_text('mkdir "/d" 0o755\npwrite 3 fill(1,2) 0\n')
    assert read_finding(path).case.operations == (Mkdir(b"/d", 0o755), Pwrite(3, Fill(1, 2), 0))
