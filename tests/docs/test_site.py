"""The pages build without a warning, and every page is in the table of contents."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.commands import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="needs mkdocs-material (the extra 'docs')")
    made = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(made)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"NO_MKDOCS_2_WARNING": "1", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    return made


def test_every_page_is_built(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs") for page in (ROOT / "docs").glob("**/*.md")}
    assert all((site / page.with_suffix(".html")).exists() for page in pages)
    contents = (ROOT / "mkdocs.yml").read_text()
    assert [str(page) for page in pages if f" {page}\n" not in contents] == []


def test_docstrings_are_in_the_reference(site: Path) -> None:
    text = (site / "api" / "volumes.html").read_text()
    assert "watosfs.wfs3.volume.Volume.unlink" in text


def test_pages_fetch_nothing_but_their_own(site: Path) -> None:
    text = (site / "index.html").read_text()
    assert "fonts.googleapis" not in text
