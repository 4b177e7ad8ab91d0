"""Another project's pytest run with our plugin."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

PLUGIN = "watosfs_fuzz.pytest_plugin"
EXAMPLE = Path(__file__).parents[3] / "fuzz" / "examples" / "journal_store.py"


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    installed = any(point.value == PLUGIN for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", PLUGIN]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_sound_target_passes(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    done = run(tmp_path, "--watosfs-target", "model", "--watosfs-seconds", "1", "-v")
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


@pytest.mark.parametrize("own", ["", "def test_own():\n    pass\n"])
def test_a_broken_target_fails_with_its_story(own: str, tmp_path: Path) -> None:
    if own:
        (tmp_path / "test_own.py").write_text(own)
    target = f"exec:{sys.executable} {EXAMPLE} --early-commit"
    done = run(tmp_path, "--watosfs-target", target, "--watosfs-seconds", "60", "-k", "campaign")
    assert done.returncode == 1, done.stdout
    assert "watosfs-fuzz replay findings" in done.stdout
    assert "missing" in done.stdout
    assert list((tmp_path / "findings").glob("*.trace"))


def test_without_the_option_nothing_is_added(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n")
    done = run(tmp_path)
    assert done.returncode == 0
    assert "1 passed" in done.stdout
