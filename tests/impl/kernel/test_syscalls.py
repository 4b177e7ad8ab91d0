"""System calls end to end: memory in, effect, memory out."""

import errno

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.layouts import FLOCK, IOVEC, PAIR, STAT, STATFS, XATTR_ARGUMENTS
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


def test_extended_attributes_go_through_registers(user: User) -> None:
    user.put(A, b"/f\0")
    user.put(B, b"user.k\0")
    user.put(C, b"value")
    fd = user(160, CWD, A, O_CREAT | O_RDWR, 0o644)
    assert user(217, fd, B, C, 5, 0) == 0
    assert user(218, fd, B, C + 64, 0) == 5
    assert user(218, fd, B, C + 64, 4) == -errno.ERANGE
    assert user(218, fd, B, C + 64, 9) == 5
    assert user.memory.read(C + 64, 5) == b"value"
    arguments = user.put(C + 128, XATTR_ARGUMENTS.pack(C, 2, 0))
    assert user(213, CWD, A, 0, B, arguments) == 0
    assert user(214, CWD, A, 0, B, C + 64, 9) == 2
    assert user(215, CWD, A, 0, C + 64, 9) == 7
    assert user.memory.read(C + 64, 7) == b"user.k\0"
    assert user(216, CWD, A, 0, B) == 0
    assert user(219, fd, C + 64, 9) == 0
    assert user(220, fd, B) == -errno.ENODATA
    user.put(B, b"user." + b"k" * 300)
    assert user(220, fd, B) == -errno.ERANGE
    assert user(217, fd, B, 0x900000, 1 << 40, 0) == -errno.ERANGE


def test_the_published_listing_has_a_line_for_each_name(user: User) -> None:
    user.put(A, b"/f\0")
    user(160, CWD, A, O_CREAT | O_RDWR, 0o644)
    user.put(A, b"d")
    assert user(72, A, 1) == 0
    length = user(71, 0, 0, B)
    assert sorted(user.memory.read(B, length).splitlines()) == [b"D d 0", b"F f 0"]
    assert user(71, A, 1, 0x900000) == -errno.EFAULT


def test_statfs_tells_the_volume_by_path_and_by_descriptor(user: User) -> None:
    user.put(A, b"/f\0")
    assert user(89, A, 1, B) == 0
    fd = user(160, CWD, A, O_CREAT | O_RDWR, 0o644)
    assert user(212, fd, C) == 0
    by_path, by_fd = (STATFS.unpack(user.memory.read(at, STATFS.size)) for at in (B, C))
    assert by_path[:2] == by_fd[:2] == (4096, 512)


def test_drives_are_mounted_listed_and_taken_away() -> None:
    volumes = []
    for _ in range(2):
        device = MemoryDevice(512)
        mkfs(device)
        volumes.append(Wfs3Filesystem(Volume.mount(device)))
    user = User(SystemCalls(Kernel(volumes)), 1)
    user.put(A, b"1")
    user.put(B, b"d:\0")
    assert user(78, A, 1, B) == 0
    assert user(85, C, 64) == len(b"D:/:wfs3\n")
    assert user(85, C, 3) == -errno.ERANGE
    user.put(A, b"D:/..")
    assert user(77, A, 5) == 0
    length = user(76, C, 64)
    assert user.memory.read(C, length) == b"D:/"
    assert user(79, B, 2) == -errno.EBUSY
    user.put(A, b"/")
    assert user(77, A, 1) == 0
    assert user(79, B, 2) == 0
    assert user(85, C, 64) == 0
