"""``watosfs-fuzz parsers``: finds what a broken parser lets through, keeps it, replays it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main
from watosfs_fuzz.parsers import catalogue


def test_the_harnesses_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parsers", "--list"]) == 0
    assert "wfs3-superblock" in capsys.readouterr().out
    assert main(["parsers", "--harness", "floppy"]) == 2


def test_a_run_of_two_jobs_says_what_it_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["--harness", "wfs3-entry", "--harness", "fat-fsinfo"]
    arguments = ["--executions", "200", "--jobs", "2", "--json", "--out", str(tmp_path)]
    assert main(["parsers", *names, *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(tally["harness"], tally["executions"]) for tally in found] == [
        ("wfs3-entry", 200),
        ("fat-fsinfo", 200),
    ]


def test_what_a_broken_parser_raises_is_kept_and_replays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = catalogue.require_harness("wfs3-extent")

    def run(data: bytes) -> str:
        if data[-1:] > b"\x80":
            raise KeyError("a broken parser")
        return real.run(data)

    broken = replace(real, run=run)
    monkeypatch.setattr(catalogue, "require_harness", lambda name: broken)
    monkeypatch.setattr("watosfs_fuzz.cli.parsers.require_harness", lambda name: broken)
    arguments = ["parsers", "--harness", "wfs3-extent", "--executions", "2000"]
    assert main([*arguments, "--out", str(tmp_path)]) == 1
    (path,) = tmp_path.glob("*.input")
    assert "KeyError" in path.with_suffix(".txt").read_text()
    assert main(["parsers", "--harness", "wfs3-extent", "--replay", str(path)]) == 1
    monkeypatch.undo()
    assert main(["parsers", "--harness", "wfs3-extent", "--replay", str(path)]) == 0
    assert "KeyError" in capsys.readouterr().out
