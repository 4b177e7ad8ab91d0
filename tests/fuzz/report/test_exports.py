"""What ``replay`` writes, used as its reader would: run, opened, checked, mounted."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz.report.crashes import JOURNAL, SUPERBLOCK, TORN
from watosfs.block.device import BLOCK_SIZE_BYTES
from watosfs.cli.main import main as watosfs
from watosfs_fuzz.cli.main import main
from watosfs_fuzz.crash.log import RecordingDevice
from watosfs_fuzz.findings import read_finding
from watosfs_fuzz.report.again import run_again
from watosfs_fuzz.report.html import page
from watosfs_fuzz.targets.registry import make_target

ROOT = Path(__file__).parents[3]


def written(tmp_path: Path, text: str, *options: str) -> Path:
    trace = tmp_path / "finding.trace"
    trace.write_text(text)
    assert main(["replay", str(trace), *options]) == 1
    return trace


def run_pytest(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("text", "fault", "told"),
    [
        (JOURNAL, " --early-commit", "a flush between write 1 (block 2) and write 2 (block 1)"),
        (SUPERBLOCK, "# canary: no-flush-before-superblock", "free-tree leaf"),
    ],
)
def test_the_exported_test_fails_with_the_bug_and_passes_without_survives_crash(
    tmp_path: Path, text: str, fault: str, told: str
) -> None:
    path = tmp_path / "test_exported.py"
    written(tmp_path, text, "--pytest", str(path))
    broken = run_pytest(path)
    assert broken.returncode == 1, broken.stdout
    assert told in broken.stdout
    source = path.read_text()
    assert fault in source
    path.write_text(source.replace(fault, "# mended: yes" if fault.startswith("#") else ""))
    mended = run_pytest(path)
    assert mended.returncode == 0, mended.stdout
    assert "1 passed" in mended.stdout


def test_the_images_of_wfs3_can_be_checked_and_listed_survives_crash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    written(tmp_path, SUPERBLOCK, "--image", str(folder))
    crashed, recovered = folder / "crashed.img", folder / "recovered.img"
    assert crashed.stat().st_size == recovered.stat().st_size == 256 * BLOCK_SIZE_BYTES
    capsys.readouterr()
    assert watosfs(["check", str(crashed)]) == 1
    assert "free tree at block 7, crc32" in capsys.readouterr().out
    assert watosfs(["ls", f"{recovered}:/"]) == 0
    assert capsys.readouterr().out.split() == ["a"]
    assert watosfs(["dump", str(crashed), "1"]) == 0
    assert "superblock" in capsys.readouterr().out
    readme = (folder / "README.txt").read_text()
    assert "watosfs check crashed.img" in readme
    assert "missing barrier" in readme
    (trace,) = folder.glob("*.trace")
    assert trace.name in readme
    assert main(["replay", str(trace)]) == 1


def test_the_images_of_a_foreign_program_can_be_mounted_by_it_survives_crash(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "images"
    written(tmp_path, JOURNAL, "--image", str(folder))
    case = read_finding(tmp_path / "finding.trace").case
    target = make_target(case.target, case.geometry)
    for name in ("crashed.img", "recovered.img"):
        data = (folder / name).read_bytes()
        starts = range(0, len(data), BLOCK_SIZE_BYTES)
        image = {i: data[at : at + BLOCK_SIZE_BYTES] for i, at in enumerate(starts)}
        device = RecordingDevice(case.geometry.block_count, image)
        tree = target.recover(device, 3).observe()[0]  # type: ignore[attr-defined]
        assert tree[b"/a"][9] == b"\0"
    assert (folder / "crashed.img").read_bytes() != (folder / "recovered.img").read_bytes()
    assert "cmp -l" in (folder / "README.txt").read_text()


def test_a_page_is_ascii_and_escapes_what_a_trace_says(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    trace = written(tmp_path, TORN, "--html", str(path))
    assert path.read_bytes().isascii()
    evidence = run_again(read_finding(trace)).evidence
    assert evidence is not None
    hostile = page(replace(evidence, operations=('mkdir "/<script>\u00e9"',) * 5))
    assert "&lt;script&gt;" in hostile
    assert hostile.count("<script>") == 1
    assert "&#233;" in hostile


def test_images_and_pages_need_a_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "sound.trace"
    trace.write_text('mkdir "/d" 0o755\n')
    for option in ("--html", "--image"):
        assert main(["replay", str(trace), option, str(tmp_path / "none")]) == 2
        assert "no single power cut fails" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
