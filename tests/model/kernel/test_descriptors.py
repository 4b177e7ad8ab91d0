"""Clauses K1 to K12."""

import errno

import pytest
from tests.model.kernel.script import HERE, Script

from watosfs_model import Difference, Outcome
from watosfs_model.data import Literal
from watosfs_model.kernel import follow, observe
from watosfs_model.kernel.calls import (
    CloseFd,
    CopyFileRange,
    Dup,
    Dup2,
    Dup3,
    Fallocate,
    Fcntl,
    Getdents,
    Lseek,
    PreadFd,
    Read,
    Write,
)
from watosfs_model.kernel.numbers import AT_REMOVEDIR, F_DUPFD, F_GETFD, F_SETFD, F_SETFL
from watosfs_model.kernel.path_calls import Mkdirat, Unlinkat
from watosfs_model.kernel.process_calls import Exec, Fork, Mount, Setnofile
from watosfs_model.open_flags import O_APPEND, O_CLOEXEC, O_CREAT, O_RDWR, O_WRONLY

NEW = O_CREAT | O_RDWR
ABC = Literal(b"abc")


def test_dup_and_fork_share_one_offset() -> None:
    script = Script()
    script.run(Write(script.opened(b"f", NEW), ABC), Dup(0), Lseek(1, 1, 0), Fork())
    assert script.value(Read(0, 1), pid=2) == b"b"
    assert script.value(Read(1, 9)) == b"c"
    assert list(observe(script.kernel)[2]) == [(1, 0)]


def test_the_lowest_number_below_the_limit_is_taken() -> None:
    script = Script()
    for _ in range(3):
        script.opened(b"/", 0)
    script.run(CloseFd(1))
    assert script.value(Dup(2)) == 1
    script.run(Setnofile(3))
    assert script.fails(Dup(2)) == {errno.EMFILE}
    assert script.fails(Dup2(0, 3)) == {errno.EBADF}
    assert script.fails(Fcntl(0, F_DUPFD, 3)) == {errno.EINVAL}


def test_dup2_onto_itself_changes_nothing_and_dup3_refuses() -> None:
    script = Script()
    script.opened(b"/", O_CLOEXEC)
    assert script.value(Dup2(0, 0)) == 0
    assert script.value(Fcntl(0, F_GETFD, 0)) == 1
    assert script.fails(Dup3(0, 0, 0)) == {errno.EINVAL}


def test_close_on_exec_belongs_to_the_descriptor() -> None:
    script = Script()
    script.opened(b"/", O_CLOEXEC)
    script.run(Dup(0), Fcntl(1, F_SETFD, 1), Dup3(0, 5, O_CLOEXEC), Dup(0), Exec())
    assert list(script.kernel.processes[1].descriptors) == [2]


def test_two_appenders_write_one_behind_the_other() -> None:
    script = Script()
    script.opened(b"f", NEW | O_APPEND)
    script.opened(b"f", O_WRONLY)
    script.run(Fcntl(1, F_SETFL, O_APPEND), Write(0, ABC), Write(1, ABC), Write(0, Literal(b"x")))
    assert script.value(PreadFd(0, 99, 0)) == b"abcabcx"


def test_seeking_beyond_what_numbers_hold() -> None:
    script = Script()
    script.opened(b"f", NEW)
    assert script.fails(Lseek(0, -1, 0)) == {errno.EINVAL}
    assert script.fails(Lseek(0, 1 << 63, 0)) == {errno.EINVAL, errno.EOVERFLOW}
    assert script.value(Lseek(0, (1 << 63) - 1, 0)) == (1 << 63) - 1


def test_any_true_answer_about_holes_is_permitted() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(Lseek(0, 5000, 0), Write(0, ABC), Fallocate(0, 0, 0, 9000))
    kernel = script.kernel
    for answer in (0, 4096, 5000):
        assert observe(follow(kernel, 1, Lseek(0, 0, 3), Outcome(answer)))[2][1, 0][2] == answer
    with pytest.raises(Difference):
        follow(kernel, 1, Lseek(0, 0, 3), Outcome(5001))
    with pytest.raises(Difference):
        follow(kernel, 1, Lseek(0, 0, 3), Outcome(None, errno.ENXIO))
    follow(kernel, 1, Lseek(0, 5003, 3), Outcome(None, errno.ENXIO))
    with pytest.raises(Difference):
        follow(kernel, 1, Lseek(0, 0, 4), Outcome(5001))
    assert script.fails(Lseek(0, 9000, 3)) == {errno.ENXIO}


def test_a_listing_gives_what_stays_once_and_what_comes_at_most_once() -> None:
    script = Script()
    script.run(*(Mkdirat(HERE, name, 0o755) for name in (b"a", b"b", b"c")))
    script.opened(b"/", 0)
    first = (b"a", "directory")
    script.kernel = follow(script.kernel, 1, Getdents(0, 1), Outcome((first,)))
    script.run(Unlinkat(HERE, b"c", AT_REMOVEDIR), Mkdirat(HERE, b"z", 0o755))
    kernel = script.kernel
    rest = tuple((name, "directory") for name in (b"z", b"b"))
    follow(kernel, 1, Getdents(0, 9), Outcome(rest))
    follow(kernel, 1, Getdents(0, 9), Outcome((*rest, (b"c", "directory"))))
    for wrong in ((), (first,), ((b"b", "file"),), ((b"y", "directory"),)):
        with pytest.raises(Difference):
            follow(kernel, 1, Getdents(0, 9), Outcome(wrong))
    script.run(Lseek(0, 0, 0))
    assert len(script.value(Getdents(0, 9))) == 3  # type: ignore[arg-type]
    assert script.value(Getdents(0, 9)) == ()


def test_nothing_is_listed_or_made_in_a_removed_directory() -> None:
    script = Script()
    script.run(Mkdirat(HERE, b"d", 0o755))
    script.opened(b"d", 0)
    script.run(Unlinkat(HERE, b"d", AT_REMOVEDIR))
    assert script.fails(Getdents(0, 1)) == {errno.ENOENT}
    assert script.fails(Mkdirat(0, b"x", 0o755)) == {errno.ENOENT}
    assert script.fails(Mkdirat(0, b"../x", 0o755)) == {errno.ENOENT}


def test_fallocate_punches_and_keeps_the_size() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(Write(0, ABC), Fallocate(0, 1, 0, 100), Fallocate(0, 3, 1, 1))
    assert script.value(PreadFd(0, 9, 0)) == b"a\0c"
    script.run(Fallocate(0, 16, 2, 3))
    assert script.value(PreadFd(0, 9, 0)) == b"a\0\0\0\0"
    assert script.fails(Fallocate(0, 2, 0, 1)) == {errno.EOPNOTSUPP}


def test_copy_file_range_moves_own_offsets_and_refuses_overlap() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.opened(b"g", NEW)
    script.run(Write(0, Literal(b"abcdef")))
    assert script.value(CopyFileRange(0, 4, 1, -1, 10)) == 2
    assert script.value(CopyFileRange(0, 0, 1, -1, 1)) == 1
    assert script.value(PreadFd(1, 9, 0)) == b"efa"
    assert script.value(CopyFileRange(0, -1, 1, 0, 10)) == 0
    assert script.fails(CopyFileRange(0, 0, 0, 1, 2)) == {errno.EINVAL}
    script.run(Mkdirat(HERE, b"m", 0o755), Mount(b"m", 1))
    script.opened(b"m/f", NEW)
    assert script.fails(CopyFileRange(0, 0, 2, 0, 1)) == {errno.EXDEV}
