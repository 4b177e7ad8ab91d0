"""``docs/PARSERS.md``: its commands run, and what it names is there."""

import re
import shlex
from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main
from watosfs_fuzz.parsers import atheris_engine, fat_differential, fat_pyfatfs, oss_fuzz, wfs2_seeds
from watosfs_fuzz.parsers.catalogue import harnesses
from watosfs_fuzz.parsers.images import SparseImage
from watosfs_fuzz.parsers.wfs2_layouts import BLOCK

DOCUMENT = Path(__file__).parents[3] / "docs" / "PARSERS.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (watosfs-fuzz parsers .*?)(?:  .*)?$", TEXT, re.MULTILINE)


def test_the_commands_are_there() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As it stands, but for a few executions where it says seconds."""
    if "atheris" in command and not atheris_engine.is_installed():
        pytest.skip(atheris_engine.MISSING)
    monkeypatch.chdir(tmp_path)
    seed = wfs2_seeds.images()[1]
    finding = tmp_path / "findings" / "wfs2-image-0123456789.input"
    finding.parent.mkdir()
    finding.write_bytes(seed)
    SparseImage.parse(seed, BLOCK).write_to(tmp_path / "some.img")
    arguments = shlex.split(re.sub(r"--seconds \d+", "--executions 8", command))[1:]
    assert main(arguments) == 0
    assert capsys.readouterr().out


def test_the_targets_are_written(tmp_path: Path) -> None:
    assert "python -m watosfs_fuzz.parsers.oss_fuzz targets" in TEXT
    assert len(oss_fuzz.write_targets(tmp_path)) == len(harnesses())


def test_harnesses_that_are_named_exist() -> None:
    names = {harness.name for harness in harnesses()}
    named = set(re.findall(r"`((?:wfs2|wfs3|fat)-[a-z-]+)`", TEXT))
    assert named
    assert named <= names


def test_every_exception_has_a_reason() -> None:
    for exceptions in (fat_pyfatfs.ODDITIES, fat_differential.REFUSED):
        assert all(len(reason) > 20 for reason in exceptions.values())
