"""Clauses Y1 to Y5."""

import errno

from tests.model.kernel.script import HERE, Script

from watosfs_model.data import Literal
from watosfs_model.kernel import observe, power_cut
from watosfs_model.kernel.calls import CloseFd, FstatFd, FsyncFd, Getdents, Openat, PreadFd, Write
from watosfs_model.kernel.numbers import LOCK_EX
from watosfs_model.kernel.path_calls import Faccessat, Mkdirat, Mkfifoat, Renameat, Unlinkat
from watosfs_model.kernel.process_calls import (
    AbortAt,
    BeginAt,
    Chdir,
    CommitAt,
    Exit,
    Flock,
    Fork,
    Getcwd,
    Mount,
    Pipe2,
    Umount,
)
from watosfs_model.open_flags import O_CREAT, O_RDWR, O_TRUNC

NEW = O_CREAT | O_RDWR


def begun() -> Script:
    """Two processes share descriptor 0 on `/f`; process 1 has begun and written."""
    script = Script()
    script.opened(b"f", NEW)
    script.run(Write(0, Literal(b"old")), Fork(), BeginAt(0))
    script.run(Mkdirat(HERE, b"new", 0o755), Write(0, Literal(b"er")))
    return script


def test_others_see_the_volume_as_it_was_at_begin() -> None:
    script = begun()
    assert script.value(PreadFd(0, 9, 0), pid=2) == b"old"
    assert script.value(FstatFd(0), pid=2)[5] == 3  # type: ignore[index]
    assert script.fails(Faccessat(HERE, b"new", 0, 0), pid=2) == {errno.ENOENT}
    script.opened(b"/", 0, pid=2)
    assert script.value(Getdents(1, 9), pid=2) == ((b"f", "file"),)
    assert b"/new" in script.tree()
    script.run(CommitAt(0))
    assert script.value(PreadFd(0, 9, 0), pid=2) == b"older"
    script.run(Faccessat(HERE, b"new", 0, 0), pid=2)


def test_changes_by_others_are_refused() -> None:
    script = begun()
    for call in (
        Write(0, Literal(b"")),
        Mkdirat(HERE, b"x", 0o755),
        Renameat(HERE, b"f", HERE, b"f"),
        Openat(HERE, b"g", NEW, 0o644),
        Openat(HERE, b"f", O_RDWR | O_TRUNC, 0o644),
        FsyncFd(0),
        BeginAt(0),
        CommitAt(0),
        AbortAt(0),
    ):
        assert script.fails(call, pid=2) == {errno.EBUSY}
    assert script.fails(FsyncFd(0)) == {errno.EBUSY}
    script.run(Openat(HERE, b"f", NEW, 0o644), Flock(0, LOCK_EX), pid=2)


def test_what_an_abort_takes_stays_stale() -> None:
    script = begun()
    script.opened(b"g", NEW)
    script.run(Flock(1, LOCK_EX), Mkfifoat(HERE, b"p", 0o644), Openat(HERE, b"p", O_RDWR, 0))
    script.run(Chdir(b"new"), AbortAt(0))
    assert script.fails(FstatFd(1)) == {errno.ESTALE}
    assert observe(script.kernel)[2][1, 1] == ("stale", O_RDWR, 0, (1, 1), 0)
    assert observe(script.kernel)[3] == ()
    assert script.fails(Getcwd()) == {errno.ENOENT}
    assert script.fails(Chdir(b".")) == {errno.ENOENT}
    script.run(Chdir(b"/"), Openat(HERE, b"g", NEW, 0o644))
    assert script.fails(FstatFd(1)) == {errno.ESTALE}
    script.run(CloseFd(1), CloseFd(2))


def test_what_others_see_outlives_its_removal() -> None:
    script = begun()
    script.run(CloseFd(0), pid=2)
    script.opened(b"/", 0)
    script.run(CloseFd(0), Unlinkat(HERE, b"f", 0))
    fd = script.opened(b"f", 0, pid=2)
    script.run(CommitAt(1))
    assert script.value(PreadFd(fd, 9, 0), pid=2) == b"older"
    script.run(CloseFd(fd), pid=2)
    assert len(script.kernel.disks[0].volume.inodes) == 2


def test_exit_aborts_and_children_do_not_inherit() -> None:
    script = begun()
    script.run(Fork())
    assert script.fails(Mkdirat(HERE, b"x", 0o755), pid=3) == {errno.EBUSY}
    script.run(Exit())
    assert set(script.tree()) == {b"/", b"/f"}
    script.run(Mkdirat(HERE, b"x", 0o755), pid=3)


def test_transactions_and_mounts_keep_apart() -> None:
    script = Script()
    script.run(Mkdirat(HERE, b"m", 0o755), Mount(b"m", 1))
    script.opened(b"m", 0)
    script.run(BeginAt(0), Mkdirat(HERE, b"m/x", 0o755), CloseFd(0))
    assert script.fails(Umount(b"m")) == {errno.EBUSY}
    script.opened(b"m", 0)
    script.run(AbortAt(0), CloseFd(0), Umount(b"m"))
    script.opened(b"/", 0)
    script.run(BeginAt(0))
    assert script.fails(Mount(b"m", 1)) == {errno.EBUSY}
    script.run(Pipe2(0))
    assert script.fails(BeginAt(1)) == {errno.EINVAL}


def test_a_transaction_that_is_cut_off_never_happened_survives_crash() -> None:
    trees, processes, *_ = observe(power_cut(begun().kernel))
    assert set(trees[0]) == {b"/", b"/f"}
    assert trees[0][b"/f"][9] == b"old"
    assert list(processes) == [1]
