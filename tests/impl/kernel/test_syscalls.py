"""System calls end to end: memory in, effect, memory out."""

import errno

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.layouts import FLOCK, IOVEC, PAIR, STAT
from watosfs.kernel.numbers import O_CREAT, O_RDWR
from watosfs.kernel.syscalls import PARKED_RAX, SystemCalls
from watosfs.vfs.wfs3 import Wfs3Filesystem
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

CWD = (1 << 64) - 100
A, B, C = 0x10000, 0x11000, 0x12000


class User:
    """One process and its memory."""

    def __init__(self, system: SystemCalls, pid: int) -> None:
        self.system, self.pid = system, pid
        self.memory = system.memory(pid)
        self.memory.map(A, 0x4000)

    def __call__(self, number: int, *registers: int) -> int:
        return self.system.call(self.pid, number, registers)

    def put(self, address: int, data: bytes) -> int:
        self.memory.write(address, data)
        return address


@pytest.fixture
def user() -> User:
    device = MemoryDevice(512)
    mkfs(device)
    return User(SystemCalls(Kernel([Wfs3Filesystem(Volume.mount(device))])), 1)


def opened(user: User) -> int:
    return user(160, CWD, user.put(A, b"/f\0"), O_CREAT | O_RDWR, 0o644)


def test_write_and_read_back(user: User) -> None:
    fd = opened(user)
    assert user(1, fd, user.put(B, b"hello"), 5) == 5
    assert user(165, fd, 0, 0) == 0
    assert user(2, fd, C, 100) == 5
    assert user.memory.read(C, 6) == b"hello\0"


def test_vectors_gather_and_scatter(user: User) -> None:
    fd = opened(user)
    user.put(B, b"abcdef")
    user.put(C, IOVEC.pack(B, 2) + IOVEC.pack(B + 4, 2))
    assert user(171, fd, C, 2, 10) == 4
    assert user(170, fd, C, 2, 10) == 4
    assert user.memory.read(B, 6) == b"abcdef"
    assert user(166, fd, B, 14, 0) == 14
    assert user.memory.read(B, 14) == bytes(10) + b"abef"


def test_stat_fills_the_structure(user: User) -> None:
    fd = opened(user)
    user(1, fd, user.put(B, b"hello"), 5)
    assert user(176, fd, C) == 0
    kind, mode, _, _, nlink, size, *_ = STAT.unpack(user.memory.read(C, STAT.size))
    assert (kind, mode, nlink, size) == (1, 0o644, 1, 5)


def test_a_pipe_parks_its_reader_and_wakes(user: User) -> None:
    assert user(204, B, 0) == 0
    reading, writing = PAIR.unpack(user.memory.read(B, PAIR.size))
    child = user(201)
    assert user(2, reading, C, 10) == PARKED_RAX
    other = User(user.system, child)
    assert other(1, writing, other.put(A, b"now"), 3) == 3
    assert user.system.resume(1) == 3
    assert user.memory.read(C, 3) == b"now"


def test_a_record_lock_is_told_to_others(user: User) -> None:
    fd = opened(user)
    assert user(208, fd, 6, user.put(C, FLOCK.pack(1, 5, 10, 0))) == 0
    other = User(user.system, user(201))
    assert other(208, fd, 5, other.put(C, FLOCK.pack(0, 0, 0, 0))) == 0
    assert FLOCK.unpack(other.memory.read(C, FLOCK.size)) == (1, 5, 10, 1)
    assert other(208, fd, 6, C) == -errno.EAGAIN


def test_a_bad_buffer_is_found_before_the_effect(user: User) -> None:
    fd = opened(user)
    user(1, fd, user.put(B, b"hello"), 5)
    user(165, fd, 0, 0)
    assert user(2, fd, 0xDEAD0000, 3) == -errno.EFAULT
    assert user(165, fd, 0, 1) == 0
    assert user(204, 0xDEAD0000, 0) == -errno.EFAULT
    assert user(161, fd) == fd + 1


def test_published_calls(user: User) -> None:
    assert user(72, user.put(A, b"/d"), 2) == 0
    assert user(3, user.put(A, b"/d/x"), 4, 1) == 0
    assert user(70, A, 2, C) == 0
    assert user.memory.read(C, 8) == (1).to_bytes(8, "little")
    assert user(77, A, 2) == 0
    assert user(76, C, 100) == 2
    assert user.memory.read(C, 2) == b"/d"
    assert user(76, C, 1) == -errno.ERANGE
    assert user(72, user.put(A, b"\xff"), 1) == -errno.EINVAL
    assert user(9999) == -errno.ENOSYS
