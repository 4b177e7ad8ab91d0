"""``watosfs-prove``: what it prints and its exit status."""

import json
import subprocess
import sys

import pytest

from watosfs_proofs import __main__ as command
from watosfs_proofs import catalogue
from watosfs_proofs.executor import Path
from watosfs_proofs.obligation import Obligation
from watosfs_proofs.verdicts import Unknown


def main(arguments: list[str]) -> int:
    """The command, without verdicts of earlier runs."""
    return command.main([*arguments, "--fresh"])


def _fails(path: Path) -> str:
    path.prove("nothing is as large as this", path.integer("number") < 3)
    return "done"


def _gives_up(path: Path) -> str:
    raise Unknown("no answer")


def _only(monkeypatch: pytest.MonkeyPatch, *obligations: Obligation) -> None:
    monkeypatch.setattr(catalogue, "obligations", lambda: list(obligations))


def test_what_is_proved_exits_0_with_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "extents.covers", "--only", "extents.meets"]) == 0
    printed = capsys.readouterr().out
    assert "extents.covers" in printed
    assert "any number of runs, any volume" in printed, "a row is cut where there is no terminal"
    assert "2 of 2 obligations proved" in printed


def test_json_names_goals_bounds_and_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "--only", "allocator.aborted (hold 2)"]) == 0
    printed = json.loads(capsys.readouterr().out)
    (obligation,) = printed["obligations"]
    assert obligation["verdict"] == "proved"
    assert obligation["satisfiable"] is True
    assert "every block stays in exactly one state" in obligation["goals"]
    assert obligation["bound"].startswith("any volume")
    assert set(printed["sha256"]) >= {"watosfs.wfs3.extents", "watosfs.wfs3.allocator"}


def test_a_refuted_obligation_exits_1_with_its_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _only(monkeypatch, Obligation("false", "is false", "any number", _fails, ("done",)))
    assert main([]) == 1
    printed = capsys.readouterr().out
    assert "false: refuted: nothing is as large as this" in printed
    assert "number = 3" in printed or "number = 4" in printed


def test_an_undecided_obligation_exits_3(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, Obligation("hard", "is hard", "any number", _gives_up, ("done",)))
    assert main(["--json"]) == 3


def test_a_refuted_one_outweighs_an_undecided_one(monkeypatch: pytest.MonkeyPatch) -> None:
    hard = Obligation("hard", "is hard", "any number", _gives_up, ("done",))
    _only(monkeypatch, hard, Obligation("false", "is false", "any", _fails, ("done",)))
    assert main(["--json"]) == 1


def test_a_time_budget_that_runs_out_is_unknown() -> None:
    assert main(["--json", "--fresh", "--only", "extents.add", "--timeout", "0.01"]) == 3


@pytest.mark.parametrize("arguments", [["--only", "no such thing"], ["--timeout", "0"]])
def test_usage_errors_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "watosfs-prove:" in capsys.readouterr().err


def test_python_m_is_the_same_command() -> None:
    command = [sys.executable, "-m", "watosfs_proofs", "--only", "extents.meets"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "1 of 1 obligations proved" in ran.stdout
