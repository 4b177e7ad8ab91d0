"""The kernel's model against Linux: the same calls by real processes on a real directory."""

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from watosfs_fuzz.cli.main import main
from watosfs_fuzz.linux import table
from watosfs_fuzz.linux.compare import Agreement, Script, compare_script
from watosfs_model.data import Literal
from watosfs_model.kernel import calls, path_calls, process_calls
from watosfs_model.kernel import numbers as n
from watosfs_model.open_flags import O_CREAT, O_RDWR

SCRIPTS = 60
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root: chroot, and processes of several users"
)


@pytest.fixture
def tmpfs() -> Iterator[str]:
    base = "/dev/shm" if os.path.ismount("/dev/shm") else tempfile.gettempdir()
    with tempfile.TemporaryDirectory(dir=base) as directory:
        yield directory


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[str]:
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("needs mkfs.ext4: apt-get install e2fsprogs")
    image, point = tmp_path / "ext4.img", tmp_path / "ext4"
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, point], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no loop devices here: {mounted.stderr.decode().strip()}")
    try:
        yield str(point)
    finally:
        # Lazily: the last script's processes may still be on their way out.
        subprocess.run(["umount", "--lazy", point], check=True)


def test_the_model_agrees_with_tmpfs(tmpfs: str) -> None:
    agreement = Agreement()
    for number in range(SCRIPTS):
        assert compare_script(tmpfs, 1, number, agreement).failure is None, agreement.failures
    assert agreement.calls > 30 * SCRIPTS
    assert len({call for call, _ in agreement.seen}) > 35


def test_the_model_agrees_with_ext4(ext4: str) -> None:
    agreement = Agreement()
    for number in range(SCRIPTS):
        assert compare_script(ext4, 2, number, agreement).failure is None, agreement.failures


def test_a_wrong_errno_of_linux_would_be_told(tmpfs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(call: path_calls.Unlinkat) -> None:
        raise OSError(errno.EIO, "planted")

    monkeypatch.setitem(table.PERFORM, path_calls.Unlinkat, wrong)
    steps = [(1, path_calls.Unlinkat(n.AT_FDCWD, b"gone", 0))]
    failure = Script(os.fsencode(tmpfs), Agreement()).run(steps).failure
    assert failure is not None
    assert failure[:2] == ("outcome", "unlinkat")


def test_a_wrong_tree_is_told_at_the_end(tmpfs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(call: calls.Write) -> int:
        return len(call.data)

    monkeypatch.setitem(table.PERFORM, calls.Write, lost)
    steps = [
        (1, calls.Openat(n.AT_FDCWD, b"f", O_CREAT | O_RDWR, 0o644)),
        (1, calls.Write(0, Literal(b"x"))),
    ]
    failure = Script(os.fsencode(tmpfs), Agreement()).run(steps).failure
    assert failure is not None
    assert failure[0] == "tree"


def test_processes_share_descriptions_as_the_model_says(tmpfs: str) -> None:
    steps = [
        (1, calls.Openat(n.AT_FDCWD, b"f", O_CREAT | O_RDWR, 0o644)),
        (1, process_calls.Fork()),
        (2, calls.Write(0, Literal(b"two"))),
        (1, calls.Write(0, Literal(b"one"))),
        (2, calls.PreadFd(0, 9, 0)),
        (1, process_calls.LockRange(0, n.F_SETLK, n.F_WRLCK, 0, 2)),
        (2, process_calls.LockRange(0, n.F_GETLK, n.F_WRLCK, 0, 0)),
    ]
    report = Script(os.fsencode(tmpfs), Agreement()).run(steps)
    assert report.failure is None
    assert [outcome.value for outcome in report.outcomes][-3:] == [b"twoone", None, (1, 0, 2, 1)]


def test_the_command_prints_how_many_scripts_agree(
    tmpfs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--target", f"dir:{tmpfs}", "--scripts", "5", "--out", str(tmp_path)]
    assert main(["campaign", *arguments]) == 0
    assert "scripts             5, 5 agree" in capsys.readouterr().out
    assert main(["campaign", "--target", "dir:/nowhere/at/all", "--scripts", "1"]) == 2


def test_what_linux_once_said_otherwise_is_agreed_on_now(tmpfs: str) -> None:
    create = O_CREAT | O_RDWR
    steps = [
        # B17: a link's target with a trailing slash.
        (1, calls.Openat(n.AT_FDCWD, b"b", create, 0o644)),
        (1, path_calls.Symlinkat(b"/b/", n.AT_FDCWD, b"d")),
        (1, calls.Openat(n.AT_FDCWD, b"d", create, 0o644)),
        # B16: two wrong paths.
        (1, path_calls.Renameat(n.AT_FDCWD, b"gone", n.AT_FDCWD, b"x" * 256)),
        # B15: set-gid without group execute, written by a stranger.
        (1, calls.Openat(n.AT_FDCWD, b"g", create, 0o666)),
        (1, path_calls.Fchmodat(n.AT_FDCWD, b"g", 0o2706)),
        (1, process_calls.Setresgid(1, 1, 1)),
        (1, process_calls.Setresuid(1, 1, 1)),
        (1, calls.Write(1, Literal(b"x"))),
        (1, calls.FstatFd(1)),
    ]
    report = Script(os.fsencode(tmpfs), Agreement()).run(steps)
    assert report.failure is None
    assert [outcome.errno for outcome in report.outcomes[2:4]] == [errno.EISDIR, errno.ENOENT]
    status = report.outcomes[-1].value
    assert isinstance(status, tuple)
    assert status[1] == 0o706
