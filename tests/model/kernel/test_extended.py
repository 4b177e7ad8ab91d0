"""Clauses E2, E5, E7, E8, K13 to K15, V1 to V3, and spawn."""

import errno

from tests.model.kernel.script import HERE, Script

from watosfs_model.data import Fill, Literal
from watosfs_model.kernel import observe
from watosfs_model.kernel.attribute_calls import (
    Fgetxattr,
    Flistxattr,
    Fsetxattr,
    FstatfsFd,
    GetxattrAt,
    ListxattrAt,
    Sendfile,
    SetxattrAt,
    Spawn,
    StatfsAt,
    SyncFileRange,
    Syncfs,
)
from watosfs_model.kernel.calls import FstatFd, Openat, Read, Write
from watosfs_model.kernel.numbers import AT_SYMLINK_NOFOLLOW, O_NONBLOCK
from watosfs_model.kernel.path_calls import (
    Fchmodat,
    Fstatat,
    Mkdirat,
    Mkfifoat,
    Symlinkat,
    Unlinkat,
)
from watosfs_model.kernel.process_calls import (
    BeginAt,
    Chdir,
    Fork,
    Getcwd,
    Mount,
    Pipe2,
    Setresuid,
    Umount,
)
from watosfs_model.open_flags import O_APPEND, O_CLOEXEC, O_CREAT, O_RDWR

NEW = O_CREAT | O_RDWR
KEY = b"user.k"
VALUE = Literal(b"value")


def test_a_symlink_a_fifo_and_a_pipe_have_no_attributes() -> None:
    script = Script()
    script.run(Symlinkat(b"f", HERE, b"l"), Mkfifoat(HERE, b"p", 0o777), Pipe2(0))
    for call in (
        SetxattrAt(HERE, b"l", AT_SYMLINK_NOFOLLOW, KEY, VALUE, 0),
        SetxattrAt(HERE, b"p", 0, KEY, VALUE, 0),
        Fsetxattr(0, KEY, VALUE, 0),
    ):
        assert script.fails(call) == {errno.EPERM}
    assert script.fails(GetxattrAt(HERE, b"p", 0, KEY, 9)) == {errno.ENODATA}
    assert script.value(Flistxattr(0, 9)) == frozenset()


def test_setting_an_attribute_sets_ctime_alone_also_when_nothing_changes() -> None:
    script = Script()
    script.opened(b"f", NEW)
    for _ in range(2):
        before = script.value(FstatFd(0))
        script.run(Fsetxattr(0, KEY, VALUE, 0))
        after = script.value(FstatFd(0))
        assert isinstance(before, tuple)
        assert isinstance(after, tuple)
        assert after[:8] == before[:8]
        assert after[8] > before[8]


def test_attributes_ask_for_permissions_of_the_inode_not_of_the_descriptor() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(Fchmodat(HERE, b"f", 0o444), Setresuid(1, 1, 0))
    assert script.fails(Fsetxattr(0, KEY, VALUE, 0)) == {errno.EACCES}
    script.run(Setresuid(0, 0, 0), Fchmodat(HERE, b"f", 0o222), Setresuid(1, 1, 0))
    script.run(Fsetxattr(0, KEY, VALUE, 0))
    assert script.fails(Fgetxattr(0, KEY, 9)) == {errno.EACCES}
    assert script.value(Flistxattr(0, 9)) == {KEY}


def test_the_attributes_of_a_sticky_directory_are_its_owners() -> None:
    script = Script()
    script.run(Mkdirat(HERE, b"d", 0o777), Fchmodat(HERE, b"d", 0o1777), Setresuid(1, 1, 0))
    assert script.fails(SetxattrAt(HERE, b"d", 0, KEY, VALUE, 0)) == {errno.EPERM}


def test_a_room_of_0_asks_for_the_length() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(Fsetxattr(0, KEY, VALUE, 0))
    assert script.value(Fgetxattr(0, KEY, 0)) == 5
    assert script.value(Fgetxattr(0, KEY, 5)) == b"value"
    assert script.fails(Fgetxattr(0, KEY, 4)) == {errno.ERANGE}
    assert script.value(ListxattrAt(HERE, b"f", 0, 0)) == 7
    assert script.fails(ListxattrAt(HERE, b"f", 0, 6)) == {errno.ERANGE}


def test_attributes_are_kept_from_others_while_a_transaction_is_open() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(Fork(), BeginAt(0), Fsetxattr(0, KEY, VALUE, 0))
    assert script.fails(Fgetxattr(0, KEY, 9), pid=2) == {errno.ENODATA}
    assert script.fails(Fsetxattr(0, KEY, VALUE, 0), pid=2) == {errno.EBUSY}


def test_sendfile_moves_both_offsets_and_reads_nothing_that_does_not_fit() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(Write(0, Fill(1, 70_000)))
    script.opened(b"g", NEW)
    assert script.value(Sendfile(1, 0, 69_990, 100)) == 10
    script.run(Pipe2(O_NONBLOCK))
    assert script.value(Sendfile(3, 0, 0, 70_000)) == 65_536
    assert script.fails(Sendfile(3, 0, 0, 1)) == {errno.EAGAIN}
    assert script.value(Sendfile(3, 0, -1, 1)) == 0
    assert len(script.value(Read(2, 9))) == 9
    script.run(Openat(HERE, b"f", 0, 0))
    assert script.value(Sendfile(3, 4, -1, 70_000)) == 9
    assert observe(script.kernel)[2][1, 4][2] == 9


def test_sendfile_waits_for_room_in_a_pipe() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(Write(0, Fill(1, 65_536)), Pipe2(0), Sendfile(2, 0, 0, 65_536))
    script.parks(Sendfile(2, 0, 0, 1))


def test_sendfile_refuses_what_it_cannot_read_or_place() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.opened(b"g", NEW | O_APPEND)
    script.opened(b"/", 0)
    assert script.fails(Sendfile(1, 0, -1, 1)) == {errno.EINVAL}
    assert script.fails(Sendfile(0, 0, -1, 1)) == {errno.EINVAL}
    assert script.fails(Sendfile(0, 2, -1, 1)) == {errno.EINVAL}
    assert script.fails(Sendfile(2, 0, -1, 1)) == {errno.EBADF}


def test_syncfs_does_not_lie_inside_a_transaction_and_sync_file_range_promises_nothing() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(Syncfs(0), BeginAt(0), SyncFileRange(0, 0, 0, 7), Pipe2(0), Syncfs(1))
    assert script.fails(Syncfs(0)) == {errno.EBUSY}
    assert script.fails(SyncFileRange(0, 0, 0, 8)) == {errno.EINVAL}
    assert script.fails(SyncFileRange(1, 0, 0, 0)) == {errno.ESPIPE}


def test_statfs_fails_as_the_path_does() -> None:
    script = Script()
    assert script.value(StatfsAt(b"/")) is None
    assert script.fails(StatfsAt(b"/x")) == {errno.ENOENT}
    assert script.fails(FstatfsFd(0)) == {errno.EBADF}


def test_spawn_drops_what_closes_on_exec_in_the_child_alone() -> None:
    script = Script()
    script.opened(b"/", O_CLOEXEC)
    script.opened(b"/", 0)
    child = script.value(Spawn())
    tables = {pid: set(found[6]) for pid, found in observe(script.kernel)[1].items()}
    assert tables == {1: {0, 1}, child: {1}}


def test_a_drive_is_a_root_of_its_own_that_dot_dot_does_not_leave() -> None:
    script = Script()
    script.run(Mount(b"d:", 1), Mkdirat(HERE, b"D:/x", 0o755), Chdir(b"D:x"))
    assert script.value(Getcwd()) == b"D:/x"
    script.run(Chdir(b"../../.."))
    assert script.value(Getcwd()) == b"D:/"
    script.run(Mkdirat(HERE, b"/only", 0o755), Symlinkat(b"D:/x", HERE, b"/way"))
    assert script.value(Fstatat(HERE, b"/way", 0))[0] == "directory"
    assert script.fails(Fstatat(HERE, b"D:/only", 0)) == {errno.ENOENT}
    assert script.fails(Unlinkat(HERE, b"D:/", 0)) == {errno.EISDIR}


def test_without_a_volume_a_drive_is_an_ordinary_name() -> None:
    script = Script()
    script.run(Mkdirat(HERE, b"D:", 0o755))
    assert script.value(Fstatat(HERE, b"/D:", 0))[0] == "directory"


def test_a_drive_is_mounted_once_and_taken_away_when_nobody_uses_it() -> None:
    script = Script()
    assert script.fails(Umount(b"D:")) == {errno.EINVAL}
    script.run(Mount(b"D:", 1))
    assert script.fails(Mount(b"D:", 1)) == {errno.EBUSY}
    assert script.fails(Mount(b"E:", 1)) == {errno.EBUSY}
    assert script.fails(Umount(b"D:/")) == {errno.EINVAL}
    script.opened(b"D:/f", NEW)
    assert script.fails(Umount(b"d:")) == {errno.EBUSY}
