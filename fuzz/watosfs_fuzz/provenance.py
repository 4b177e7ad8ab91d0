"""Which code made a finding: version of the package and commit of its source tree."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path


@cache
def version() -> str:
    """The installed version of watosfs."""
    try:
        return version_of("watosfs")
    except PackageNotFoundError:
        return "not-installed"


@cache
def commit() -> str:
    """The commit of the source tree, with ``+changes`` when it was edited; ``unknown`` without."""
    root = Path(__file__).resolve().parent
    found = _git(root, "rev-parse", "--short=12", "HEAD")
    if not found:
        return "unknown"
    is_changed = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    return found + ("+changes" if is_changed else "")


def _git(directory: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ("git", "-C", str(directory), *arguments), capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
