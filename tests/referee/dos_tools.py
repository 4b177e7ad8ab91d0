"""fsck.fat, mkfs.fat, mtools, 7-Zip and GRUB: others' opinions of a FAT image, as plain values."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_PACKAGES = {
    "fsck.fat": "dosfstools",
    "mkfs.fat": "dosfstools",
    "mcopy": "mtools",
    "mtype": "mtools",
    "7zz": "7zip",
    "grub-fstest": "grub-common",
}
#: Administrators' tools may not be on everybody's PATH.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
#: mtools' own look at the table takes the number of the last cluster for too big: skipped.
_ENVIRONMENT = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}


def require(*tools: str) -> None:
    """Skip the test that needs a tool which is not installed."""
    for tool in tools:
        if shutil.which(tool, path=_PATH) is None:
            pytest.skip(f"{tool} is not installed (Debian package {_PACKAGES[tool]})")


def run(*command: str, status: int | None = 0) -> str:
    """What a tool printed; its exit status must be ``status``."""
    done = subprocess.run(
        command, env=_ENVIRONMENT, capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    printed = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert status is None or done.returncode == status, f"{command}: {done.returncode}\n{printed}"
    return printed


def fsck(image: Path) -> str:
    """fsck.fat -n must find nothing; what it printed."""
    return run("fsck.fat", "-n", "-v", str(image))


def tree(image: Path, scratch: Path) -> dict[str, tuple[bytes | None, int]]:
    """path -> (bytes or None, time of change in ns; 0 of a directory), as mcopy takes it out."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    run("mcopy", "-s", "-m", "-n", "-i", str(image), "::/", str(scratch), status=None)
    return _tree_in(scratch)


def seven_zip_tree(image: Path, scratch: Path) -> dict[str, tuple[bytes | None, int]]:
    """The same, as 7-Zip takes it out."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    run("7zz", "x", "-tFAT", "-y", f"-o{scratch}", str(image))
    return _tree_in(scratch)


def grub_content(image: Path, path: str) -> bytes:
    """What GRUB reads of a file."""
    done = subprocess.run(
        ["grub-fstest", str(image), "cat", f"(loop0){path}"],
        env=_ENVIRONMENT, capture_output=True, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout


def _tree_in(scratch: Path) -> dict[str, tuple[bytes | None, int]]:
    found: dict[str, tuple[bytes | None, int]] = {}
    for folder, folders, files in os.walk(scratch):
        inside = folder[len(str(scratch)) :]
        found.update((f"{inside}/{name}", (None, 0)) for name in folders)
        for name in files:
            path = Path(folder) / name
            found[f"{inside}/{name}"] = (path.read_bytes(), path.stat().st_mtime_ns)
    return found


def as_mtools_names(path: str) -> str:
    """A path as mtools 4.0.32 shows it: it takes a pair of surrogates for two strange characters.
    Everything else must be the same.
    """
    return re.sub("[\U00010000-\U0010ffff]", "__", path)
