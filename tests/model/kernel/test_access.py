"""Clauses A1 to A11 and M1 to M4."""

import errno

from tests.model.kernel.script import HERE, Script

from watosfs_model.data import Literal
from watosfs_model.kernel.calls import FtruncateFd, Openat, Write
from watosfs_model.kernel.numbers import AT_EACCESS, AT_REMOVEDIR
from watosfs_model.kernel.path_calls import (
    Faccessat,
    Fchmodat,
    Fchownat,
    Linkat,
    Mkdirat,
    Renameat,
    Unlinkat,
    Utimensat,
)
from watosfs_model.kernel.process_calls import (
    Chdir,
    Fork,
    Getcwd,
    Mount,
    Setgroups,
    Setresgid,
    Setresuid,
    Umask,
    Umount,
)
from watosfs_model.open_flags import O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY

NEW = O_CREAT | O_RDWR
SAME = 0xFFFFFFFF


def with_user(uid: int = 5, gid: int = 5, groups: tuple[int, ...] = ()) -> Script:
    """Process 1 is root, process 2 an ordinary user."""
    script = Script()
    script.run(Fork())
    script.run(Setgroups(groups), Setresgid(gid, gid, gid), Setresuid(uid, uid, uid), pid=2)
    return script


def test_exactly_one_class_decides() -> None:
    script = with_user(groups=(7,))
    script.opened(b"f", NEW)
    script.run(Fchmodat(HERE, b"f", 0o077), Fchownat(HERE, b"f", 5, 7, 0))
    assert script.fails(Faccessat(HERE, b"f", 4, 0), pid=2) == {errno.EACCES}
    script.run(Fchmodat(HERE, b"f", 0o707), Fchownat(HERE, b"f", 0, 7, 0))
    assert script.fails(Faccessat(HERE, b"f", 4, 0), pid=2) == {errno.EACCES}
    script.run(Fchmodat(HERE, b"f", 0o070))
    script.run(Faccessat(HERE, b"f", 7, 0), pid=2)
    script.run(Fchmodat(HERE, b"f", 0))
    assert script.fails(Faccessat(HERE, b"f", 1, 0)) == {errno.EACCES}


def test_access_asks_for_the_real_ids() -> None:
    script = Script()
    script.opened(b"f", NEW, mode=0o600)
    script.run(Setresuid(5, SAME, SAME))
    assert script.fails(Faccessat(HERE, b"f", 4, 0)) == {errno.EACCES}
    script.run(Faccessat(HERE, b"f", 4, AT_EACCESS))


def test_search_permission_is_needed_for_dot_too() -> None:
    script = with_user()
    script.run(Mkdirat(HERE, b"d", 0o700), Chdir(b"d"), Fork())
    script.run(Setresuid(5, 5, 5), pid=3)
    assert script.fails(Faccessat(HERE, b".", 0, 0), pid=3) == {errno.EACCES}
    assert script.fails(Chdir(b".."), pid=3) == {errno.EACCES}
    assert script.value(Getcwd(), pid=3) == b"/d"


def test_truncating_open_needs_write_permission() -> None:
    script = with_user()
    script.opened(b"f", NEW, mode=0o644)
    script.opened(b"f", O_RDONLY, pid=2)
    for flags in (O_RDONLY | O_TRUNC, O_WRONLY):
        assert script.fails(Openat(HERE, b"f", flags, 0), pid=2) == {errno.EACCES}


def test_set_gid_directories_hand_down_their_group() -> None:
    script = with_user()
    script.run(Umask(0), Mkdirat(HERE, b"d", 0o777), Fchownat(HERE, b"d", 0, 9, 0))
    script.run(Fchmodat(HERE, b"d", 0o2777), Mkdirat(HERE, b"d/e", 0o777))
    script.opened(b"d/f", NEW, pid=2, mode=0o2777)
    script.run(Umask(0o077), pid=2)
    script.opened(b"d/g", NEW, pid=2, mode=0o2777)
    assert script.mode(b"/d/g") == 0o700, "decided before the umask"
    assert script.tree()[b"/d/e"][1:4] == (0o2777, 0, 9)
    assert script.tree()[b"/d/f"][1:4] == (0o755, 5, 9)


def test_sticky_directories_keep_others_away() -> None:
    script = with_user()
    script.run(Mkdirat(HERE, b"d", 0o777), Fchmodat(HERE, b"d", 0o1777))
    script.opened(b"d/f", NEW)
    script.opened(b"d/g", NEW, pid=2)
    assert script.fails(Unlinkat(HERE, b"d/f", 0), pid=2) == {errno.EPERM}
    assert script.fails(Renameat(HERE, b"d/f", HERE, b"d/h"), pid=2) == {errno.EPERM}
    assert script.fails(Renameat(HERE, b"d/g", HERE, b"d/f"), pid=2) == {errno.EPERM}
    script.run(Unlinkat(HERE, b"d/g", 0), pid=2)


def test_set_id_bits_go_when_others_write_and_at_every_chown() -> None:
    script = with_user()
    script.opened(b"f", NEW)
    script.run(Fchmodat(HERE, b"f", 0o6777))
    script.opened(b"f", O_WRONLY, pid=2)
    script.run(Write(0, Literal(b"x")), FtruncateFd(0, 0))
    script.run(Write(0, Literal(b"")), pid=2)
    assert script.mode(b"/f") == 0o6777
    script.run(Write(0, Literal(b"x")), pid=2)
    assert script.mode(b"/f") == 0o777
    script.run(Fchmodat(HERE, b"f", 0o6767), Fchownat(HERE, b"f", 0, 0, 0))
    assert script.mode(b"/f") == 0o2767


def test_owners_change_mode_group_and_times_and_no_more() -> None:
    script = with_user(groups=(7,))
    script.run(Fchmodat(HERE, b"/", 0o777))
    script.opened(b"f", NEW, pid=2)
    script.run(Fchownat(HERE, b"f", 5, 7, 0), Utimensat(HERE, b"f", 1, 2, 0), pid=2)
    assert script.fails(Fchownat(HERE, b"f", 5, 8, 0), pid=2) == {errno.EPERM}
    assert script.fails(Fchownat(HERE, b"f", 6, SAME, 0), pid=2) == {errno.EPERM}
    script.run(Fchownat(HERE, b"f", 5, 8, 0), Fchmodat(HERE, b"f", 0o2755))
    script.run(Fchmodat(HERE, b"f", 0o2755), pid=2)
    assert script.mode(b"/f") == 0o755
    script.opened(b"g", NEW)
    assert script.fails(Fchmodat(HERE, b"g", 0), pid=2) == {errno.EPERM}
    script.run(Fchownat(HERE, b"g", SAME, SAME, 0), pid=2)


def test_a_moved_directory_must_be_writable_itself() -> None:
    script = with_user()
    script.run(Fchmodat(HERE, b"/", 0o777), Mkdirat(HERE, b"d", 0o755))
    script.run(Mkdirat(HERE, b"e", 0o755), pid=2)
    assert script.fails(Renameat(HERE, b"d", HERE, b"e/d"), pid=2) == {errno.EACCES}
    script.run(Renameat(HERE, b"d", HERE, b"f"), pid=2)


def test_mounts_cover_and_dot_dot_leaves_them() -> None:
    script = Script()
    script.run(Mkdirat(HERE, b"m", 0o755), Mkdirat(HERE, b"m/under", 0o755), Mount(b"/m", 1))
    assert script.fails(Chdir(b"/m/under")) == {errno.ENOENT}
    script.run(Mkdirat(HERE, b"m/x", 0o755), Chdir(b"m/x"))
    assert script.value(Getcwd()) == b"/m/x"
    script.run(Faccessat(HERE, b"../../m/x", 0, 0), Faccessat(HERE, b"../..", 0, 0))
    assert set(script.tree(0)) == {b"/", b"/m", b"/m/under"}
    assert set(script.tree(1)) == {b"/", b"/x"}
    assert script.fails(Umount(b"/m")) == {errno.EBUSY}
    script.run(Chdir(b"/"), Umount(b"/m"), Chdir(b"/m/under"))
    assert script.fails(Umount(b"/m")) == {errno.EINVAL}


def test_names_stay_within_their_volume_and_mount_points_where_they_are() -> None:
    script = Script()
    script.run(Mkdirat(HERE, b"m", 0o755), Mkdirat(HERE, b"n", 0o755), Mount(b"m", 1))
    script.opened(b"f", NEW)
    assert script.fails(Renameat(HERE, b"f", HERE, b"m/f")) == {errno.EXDEV}
    assert script.fails(Linkat(HERE, b"f", HERE, b"m/f", 0)) == {errno.EXDEV}
    assert script.fails(Renameat(HERE, b"m", HERE, b"o")) == {errno.EBUSY}
    assert script.fails(Renameat(HERE, b"n", HERE, b"m")) == {errno.EBUSY}
    assert script.fails(Unlinkat(HERE, b"m", AT_REMOVEDIR)) == {errno.EBUSY}
    assert script.fails(Mount(b"n", 1)) == {errno.EBUSY}
    assert script.fails(Mount(b"n", 2)) == {errno.ENODEV}
    assert script.fails(Umount(b"/")) == {errno.EBUSY}
