"""The Atheris driver and the OSS-Fuzz folder: each target runs, and what fails is found."""

import ast
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main
from watosfs_fuzz.parsers import atheris_engine, atheris_target, oss_fuzz
from watosfs_fuzz.parsers.catalogue import harnesses, require_harness
from watosfs_fuzz.parsers.harness import Harness

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "fuzz" / "oss-fuzz"
needs_atheris = pytest.mark.skipif(not atheris_engine.is_installed(), reason=atheris_engine.MISSING)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oss-fuzz")
    oss_fuzz.write_targets(folder)
    return folder


@pytest.fixture(params=harnesses(), ids=lambda harness: harness.name)
def harness(request: pytest.FixtureRequest) -> Harness:
    found: Harness = request.param
    if found.missing():
        pytest.skip(found.missing())
    return found


def test_the_driver_mutates_crosses_and_runs(harness: Harness) -> None:
    run = atheris_target.runner(harness, None)
    mutate, cross = atheris_target.custom_mutator(harness), atheris_target.custom_crossover(harness)
    data = other = harness.seeds()[-1]
    for seed in range(5):
        data = mutate(data, 1 << 16, seed)
        assert data == mutate(other, 1 << 16, seed)
        assert len(cross(data, other, 1 << 16, seed)) <= 1 << 16
        run(cross(data, other, 1 << 16, seed))
        run(data)
        other = data


def test_an_input_that_fails_ends_the_run_and_is_a_finding(tmp_path: Path) -> None:
    def broken(data: bytes) -> str:
        raise KeyError("a broken parser")

    harness = replace(require_harness("wfs2-data"), run=broken)
    with pytest.raises(atheris_target.Found, match="KeyError"):
        atheris_target.runner(harness, tmp_path)(b"x")
    assert len(list(tmp_path.glob("wfs2-data-*.input"))) == 1


def test_each_harness_has_its_target_seeds_and_dictionary(harness: Harness, built: Path) -> None:
    name = oss_fuzz.target_name(harness)
    tree = ast.parse((built / f"{name}.py").read_text())
    assert harness.name in {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    lines = (built / f"{name}.dict").read_text().splitlines()
    assert all(line.startswith('"\\x') and line.endswith('"') for line in lines)
    with zipfile.ZipFile(built / f"{name}_seed_corpus.zip") as archive:
        assert len(archive.namelist()) == len(set(harness.seeds()))


def test_the_project_files_agree(built: Path) -> None:
    assert len(list(built.glob("fuzz_*.py"))) == len(harnesses())
    lines = (FOLDER / "project.yaml").read_text().splitlines()
    keys = {line.partition(":")[0] for line in lines if line and line[0] not in " #"}
    assert {"homepage", "main_repo", "language", "primary_contact", "sanitizers"} <= keys
    assert "language: python" in lines
    build = (FOLDER / "build.sh").read_text()
    assert "watosfs_fuzz.parsers.oss_fuzz" in build
    assert subprocess.run(["bash", "-n", FOLDER / "build.sh"], check=False).returncode == 0
    docker = (FOLDER / "Dockerfile").read_text()
    assert "base-builder-python" in docker
    assert "build.sh" in docker


@needs_atheris
def test_a_target_runs_under_libfuzzer(built: Path, tmp_path: Path) -> None:
    target = built / "fuzz_wfs2_superblock.py"
    path = os.pathsep.join(str(ROOT / part) for part in ("model", "impl", "fuzz"))
    done = subprocess.run(
        [sys.executable, target, "-runs=50", "-print_final_stats=1"],
        env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    printed = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, printed
    assert "number_of_executed_units: 50" in printed
    assert "Instrumenting watosfs.wfs2.superblocks" in printed
    assert "Instrumenting watosfs_fuzz" not in printed


BROKEN = """
import sys
from pathlib import Path
from watosfs_fuzz.parsers import atheris_target
harness = atheris_target.instrumented("wfs2-data")
import atheris
from watosfs.wfs2 import blocks
blocks.is_sealed = lambda raw: True
run = atheris_target.runner(harness, Path("out"))
mutate = atheris_target.custom_mutator(harness)
atheris.Setup([sys.argv[0], "-runs=20000"], run, custom_mutator=mutate)
atheris.Fuzz()
"""


@needs_atheris
def test_a_checksum_that_is_not_checked_is_found_under_libfuzzer(tmp_path: Path) -> None:
    path = os.pathsep.join(str(ROOT / part) for part in ("model", "impl", "fuzz"))
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    (story,) = (tmp_path / "out").glob("wfs2-data-*.txt")
    assert "checksum" in story.read_text()


@needs_atheris
def test_the_engine_is_chosen_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--engine", "atheris", "--executions", "60", "--work", str(tmp_path / "work")]
    out = ["--out", str(tmp_path / "out")]
    assert main(["parsers", "--harness", "wfs2-data", *arguments, *out]) == 0
    assert "60 executions" in capsys.readouterr().out
    assert (tmp_path / "work" / "wfs2-data.dict").exists()
    assert list((tmp_path / "work" / "wfs2-data").iterdir())


def test_without_atheris_the_command_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(atheris_engine, "is_installed", lambda: False)
    arguments = ["parsers", "--harness", "wfs2-data", "--engine", "atheris", "--out", str(tmp_path)]
    assert main(arguments) == 2
    assert "watosfs[parsers]" in capsys.readouterr().err
