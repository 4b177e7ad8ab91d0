"""All obligations hold of the code as it is: what ``make test`` asks of every change.

What was proved of the same sources is kept in ``.watosfs-prove`` below the repository, so that
only what a change touches is proved again.
"""

import json
from pathlib import Path

import pytest

from watosfs_proofs import catalogue, report
from watosfs_proofs.__main__ import main
from watosfs_proofs.executor import Path as Run
from watosfs_proofs.kept import FOLDER, Kept
from watosfs_proofs.obligation import PROVED, Obligation, settle

REPOSITORY = Path(__file__).parents[2]
SMALL = ["extents.meets", "extents.covers"]


def test_every_obligation_is_proved(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--json", "--kept", str(REPOSITORY / FOLDER)])
    settled = json.loads(capsys.readouterr().out)["obligations"]
    assert {each["name"]: each["verdict"] for each in settled} == {
        obligation.name: PROVED for obligation in catalogue.obligations()
    }
    assert status == 0


def prove(folder: Path, *arguments: str) -> list[str]:
    """The command on SMALL; what it did not take from an earlier run."""
    obligations = catalogue.chosen(SMALL)
    kept = Kept(folder, "proofs", is_fresh="--fresh" in arguments)
    results = report.settle_all(obligations, 60.0, kept, quiet=True)
    assert {result.verdict for result in results} == {PROVED}
    return [result.obligation.name for result in results if not result.is_kept]


def test_what_was_proved_of_the_same_sources_is_kept(tmp_path: Path) -> None:
    assert prove(tmp_path) == ["extents.covers", "extents.meets"]
    assert prove(tmp_path) == []
    assert prove(tmp_path, "--fresh") == ["extents.covers", "extents.meets"]


def test_a_changed_source_is_proved_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prove(tmp_path)
    monkeypatch.setattr(report, "of_group", lambda group: f"{group.name} after a change")
    assert prove(tmp_path) == ["extents.covers", "extents.meets"]


def test_a_broken_file_of_kept_verdicts_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "proofs.json").write_text("{", encoding="utf-8")
    assert prove(tmp_path) == ["extents.covers", "extents.meets"]


def test_only_proofs_are_kept(tmp_path: Path) -> None:
    def fails(path: Run) -> str:
        path.prove("nothing is as large as this", path.integer("number") < 3)
        return "done"

    kept = Kept(tmp_path, "proofs")
    refuted = settle(Obligation("extents.false", "is false", "any", fails, ("done",)))
    report.remember(refuted, "key", kept)
    assert kept.entries == {}
