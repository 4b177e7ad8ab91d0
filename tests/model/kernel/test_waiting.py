"""Clauses Q1 to Q7, L1 to L6 and R1 to R5: pipes, locks, processes, and how calls wait."""

import errno

from tests.model.kernel.script import HERE, Script

from watosfs_model import Outcome
from watosfs_model.data import Fill, Literal
from watosfs_model.kernel import observe
from watosfs_model.kernel.calls import CloseFd, Dup, Fcntl, FstatFd, FsyncFd, Openat, Read, Write
from watosfs_model.kernel.numbers import (
    F_GETLK,
    F_SETFL,
    F_SETLK,
    F_SETLKW,
    LOCK_EX,
    LOCK_NB,
    LOCK_SH,
    LOCK_UN,
    O_NONBLOCK,
)
from watosfs_model.kernel.path_calls import Mkfifoat
from watosfs_model.kernel.process_calls import (
    Chdir,
    Exit,
    Flock,
    Fork,
    Interrupt,
    LockRange,
    Pipe2,
    Resume,
)
from watosfs_model.open_flags import O_CREAT, O_RDONLY, O_RDWR, O_WRONLY

NEW = O_CREAT | O_RDWR
READ, WRITE, NOTHING = 0, 1, 2


def locks(script: Script) -> tuple[tuple[object, ...], ...]:
    return observe(script.kernel)[3]


def test_a_long_write_waits_with_the_rest() -> None:
    script = Script()
    script.run(Pipe2(0), Fork())
    data = Fill(1, 70000)
    script.parks(Write(1, data))
    assert script.fails(Read(0, 1)) == {errno.EBUSY}
    assert script.value(Read(0, 4000), pid=2) == data.bytes()[:4000]
    script.parks(Resume())
    assert len(script.value(Read(0, 70000), pid=2)) == 65536  # type: ignore[arg-type]
    assert script.value(Resume()) == 70000
    assert script.value(Read(0, 70000), pid=2) == data.bytes()[69536:]
    assert script.fails(Resume()) == {errno.EINVAL}


def test_an_interrupted_write_gives_what_it_did() -> None:
    script = Script()
    script.run(Pipe2(0))
    script.parks(Write(1, Fill(1, 70000)))
    assert script.value(Interrupt()) == 65536
    script.parks(Write(1, Literal(b"x")))
    assert script.fails(Interrupt()) == {errno.EINTR}
    script.run(Fcntl(1, F_SETFL, O_NONBLOCK))
    assert script.fails(Write(1, Literal(b"x"))) == {errno.EAGAIN}
    script.run(Read(0, 10))
    assert script.fails(Write(1, Fill(1, 4096))) == {errno.EAGAIN}
    assert script.value(Write(1, Fill(1, 4097))) == 10


def test_ends_of_pipes() -> None:
    script = Script()
    assert script.value(Pipe2(0)) == (0, 1)
    assert script.value(FstatFd(0)) == ("fifo", 0o600, 0, 0, 1, 0, 10**9, 10**9, 10**9)
    assert script.fails(FsyncFd(0)) == {errno.EINVAL}
    script.parks(Read(0, 1))
    script.fails(Interrupt())
    script.run(Write(1, Literal(b"x")), CloseFd(1))
    assert script.value(Read(0, 5)) == b"x"
    assert script.value(Read(0, 5)) == b""
    script.run(Pipe2(0), CloseFd(1))
    assert script.fails(Write(2, Literal(b"x"))) == {errno.EPIPE}
    assert script.value(Write(2, Literal(b""))) == 0


def test_opens_of_a_fifo_answer_one_another() -> None:
    script = Script()
    script.run(Mkfifoat(HERE, b"p", 0o666), Fork())
    assert script.fails(Openat(HERE, b"p", O_WRONLY | O_NONBLOCK, 0)) == {errno.ENXIO}
    script.parks(Openat(HERE, b"p", O_RDONLY, 0))
    script.parks(Resume())
    assert script.value(Openat(HERE, b"p", O_WRONLY, 0), pid=2) == 0
    assert script.value(Resume()) == 0
    script.run(Write(0, Literal(b"abc")), pid=2)
    assert observe(script.kernel)[2][1, 0] == ("fifo", 0, 0, (0, b"/p"), 3)
    script.run(CloseFd(0), pid=2)
    assert script.value(Read(0, 9)) == b"abc"
    script.run(CloseFd(0), Openat(HERE, b"p", O_RDWR, 0))
    script.parks(Read(0, 1))


def test_flock_belongs_to_the_description() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.opened(b"f", O_RDONLY)
    script.run(Dup(0), Flock(0, LOCK_EX), Flock(2, LOCK_EX))
    assert script.fails(Flock(1, LOCK_SH | LOCK_NB)) == {errno.EAGAIN}
    script.run(CloseFd(0))
    assert locks(script) == (("flock", (0, b"/f"), "exclusive", (1, 2)),)
    script.run(CloseFd(2), Flock(1, LOCK_SH))
    script.opened(b"f", O_RDONLY)
    script.run(Flock(0, LOCK_SH))
    assert script.fails(Flock(0, LOCK_EX | LOCK_NB)) == {errno.EAGAIN}
    assert len(locks(script)) == 1, "the converted lock is lost"
    script.parks(Flock(0, LOCK_EX))
    script.fails(Interrupt())
    script.run(Flock(1, LOCK_UN), Flock(0, LOCK_EX))


def test_record_locks_are_cut_and_joined() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(LockRange(0, F_SETLK, WRITE, 0, 30), LockRange(0, F_SETLK, READ, 10, 10))
    place = (0, b"/f")
    assert locks(script) == (
        ("range", place, READ, 10, 20, 1),
        ("range", place, WRITE, 0, 10, 1),
        ("range", place, WRITE, 20, 30, 1),
    )
    script.run(LockRange(0, F_SETLK, WRITE, 20, -10), LockRange(0, F_SETLK, WRITE, 30, 0))
    assert locks(script) == (("range", place, WRITE, 0, None, 1),)
    script.run(Fork())
    assert script.value(LockRange(0, F_GETLK, READ, 5, 5), pid=2) == (WRITE, 0, 0, 1)
    assert script.fails(LockRange(0, F_SETLK, READ, 5, 5), pid=2) == {errno.EAGAIN}
    script.run(Dup(0), CloseFd(1))
    assert locks(script) == ()
    assert script.value(LockRange(0, F_GETLK, READ, 5, 5), pid=2) is None


def test_a_circle_of_waiting_processes_is_a_deadlock() -> None:
    script = Script()
    script.opened(b"f", NEW)
    script.run(Fork(), Fork())
    for pid in (1, 2, 3):
        script.run(LockRange(0, F_SETLK, WRITE, pid, 1), pid=pid)
    script.parks(LockRange(0, F_SETLKW, WRITE, 2, 1), pid=1)
    script.parks(LockRange(0, F_SETLKW, WRITE, 3, 1), pid=2)
    assert script.fails(LockRange(0, F_SETLKW, READ, 1, 1), pid=3) == {errno.EDEADLK}
    script.run(LockRange(0, F_SETLK, NOTHING, 0, 0), pid=3)
    assert script.value(Resume(), pid=2) is None
    script.parks(Resume(), pid=1)


def test_wrong_record_locks() -> None:
    script = Script()
    script.opened(b"f", O_CREAT | O_RDONLY)
    assert script.fails(LockRange(0, F_SETLK, WRITE, 0, 0)) == {errno.EBADF}
    assert script.fails(LockRange(0, F_SETLK, READ, 3, -4)) == {errno.EINVAL}
    assert script.fails(LockRange(0, F_GETLK, NOTHING, 0, 0)) == {errno.EINVAL}
    assert script.fails(LockRange(0, F_SETLK, READ, (1 << 63) - 1, 2)) == {errno.EOVERFLOW}
    script.run(LockRange(0, F_SETLK, READ, (1 << 63) - 1, 1))
    assert locks(script)[0][4] is None


def test_nothing_of_a_process_is_left_after_exit() -> None:
    script = Script()
    script.run(Fork())
    script.opened(b"f", NEW, pid=2)
    script.run(Flock(0, LOCK_EX), LockRange(0, F_SETLK, WRITE, 0, 0), Pipe2(0), Exit(), pid=2)
    _, processes, descriptions, held = observe(script.kernel)
    assert (list(processes), descriptions, held) == ([1], {}, ())
    assert script.call(Chdir(b"/"), pid=2) == Outcome(None, errno.ESRCH)
    assert script.value(Fork()) == 3
