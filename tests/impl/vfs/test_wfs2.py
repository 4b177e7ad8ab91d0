"""A WFS v2 volume mounted beside a WFS v3 volume, used through the kernel's calls."""

import errno
from collections.abc import Callable

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.kernel import (
    attributes,
    data,
    descriptors,
    durability,
    mounting,
    names,
    opening,
    sizes,
    xattrs,
)
from watosfs.kernel.kernel import Kernel
from watosfs.kernel.numbers import AT_FDCWD, AT_REMOVEDIR
from watosfs.vfs.filesystem import Filesystem, SpaceUse
from watosfs.vfs.wfs2 import Wfs2Filesystem
from watosfs.vfs.wfs3 import Wfs3Filesystem
from watosfs.wfs2.check import check
from watosfs.wfs2.mkfs import mkfs as mkfs_wfs2
from watosfs.wfs2.volume import Wfs2Volume
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

O_RDWR, O_CREAT, O_APPEND, O_DIRECTORY = 0o2, 0o100, 0o2000, 0o200000
NS = 10**9


class Machine:
    """One process on a kernel with WFS v3 at ``/`` and WFS v2 at ``/mnt``."""

    def __init__(self) -> None:
        self.now = 1_700_000_000 * NS
        root = MemoryDevice(1024)
        mkfs(root, clock=lambda: self.now)
        self.device = MemoryDevice(1024)
        mkfs_wfs2(self.device)
        self.volume = Wfs2Volume.mount(self.device, clock=lambda: self.now)
        volumes: list[Filesystem] = [
            Wfs3Filesystem(Volume.mount(root, clock=lambda: self.now)),
            Wfs2Filesystem(self.volume),
        ]
        self.kernel = Kernel(volumes, clock=lambda: self.now)
        self(opening.mkdirat, AT_FDCWD, b"/mnt", 0o755)
        self(mounting.mount, b"/mnt", 1)

    def __call__(self, function: Callable[..., object], *arguments: object) -> object:
        self.now += 2 * NS
        return self.kernel.call(1, function, *arguments)

    def fails(self, number: int, function: Callable[..., object], *arguments: object) -> None:
        with pytest.raises(OSError) as caught:
            self(function, *arguments)
        assert caught.value.errno == number


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_files_are_written_and_read_through_descriptors(machine: Machine) -> None:
    machine(opening.mkdirat, AT_FDCWD, b"/mnt/A directory", 0o755)
    path = b"/mnt/A directory/file.txt"
    number = machine(opening.openat, AT_FDCWD, path, O_RDWR | O_CREAT, 0o644)
    assert machine(data.write, number, b"hello world" * 1000) == 11000
    assert machine(data.pread, number, 11, 11 * 7) == b"hello world"
    machine(sizes.ftruncate, number, 5)
    machine(durability.fsync, number)
    found = machine(attributes.fstatat, AT_FDCWD, path, 0)
    assert isinstance(found, tuple)
    assert found[:6] == ("file", 0o644, 0, 0, 1, 5)
    machine(names.unlinkat, AT_FDCWD, path, 0)
    assert machine(data.pread, number, 9, 0) == b"hello"
    machine(descriptors.close, number)
    folder = machine(opening.openat, AT_FDCWD, b"/mnt", O_DIRECTORY, 0)
    assert machine(data.getdents, folder, 10) == ((b"A directory", "directory"),)
    machine(descriptors.close, folder)
    machine(mounting.umount, b"/mnt")
    machine.volume.unmount()
    assert check(machine.device, data=True).is_clean


def test_wfs2_has_no_extended_attributes_and_tells_its_space(machine: Machine) -> None:
    number = machine(opening.openat, AT_FDCWD, b"/mnt/f", O_RDWR | O_CREAT, 0o644)
    machine.fails(errno.EOPNOTSUPP, xattrs.fsetxattr, number, b"user.k", b"v", 0)
    machine.fails(errno.EOPNOTSUPP, xattrs.fgetxattr, number, b"user.k", 9)
    assert machine(xattrs.flistxattr, number, 9) == frozenset()
    space = machine(mounting.fstatfs, number)
    assert isinstance(space, SpaceUse)
    assert 0 < space.available == space.free <= space.total
    assert space.name_max == 55


def test_what_wfs2_cannot_do_is_refused(machine: Machine) -> None:
    machine(opening.openat, AT_FDCWD, b"/mnt/f", O_RDWR | O_CREAT, 0o644)
    machine.fails(errno.EPERM, opening.symlinkat, b"f", AT_FDCWD, b"/mnt/link")
    machine.fails(errno.EPERM, names.linkat, AT_FDCWD, b"/mnt/f", AT_FDCWD, b"/mnt/g", 0)
    machine.fails(errno.EPERM, opening.mkfifoat, AT_FDCWD, b"/mnt/fifo", 0o644)
    machine.fails(errno.EPERM, attributes.fchownat, AT_FDCWD, b"/mnt/f", 1, 1, 0)
    machine.fails(errno.EOPNOTSUPP, mounting.begin, 0)
    machine.fails(errno.EINVAL, names.readlinkat, AT_FDCWD, b"/mnt/f")
    machine.fails(errno.EXDEV, names.renameat, AT_FDCWD, b"/mnt/f", AT_FDCWD, b"/f")
    machine.fails(errno.ENAMETOOLONG, opening.mkdirat, AT_FDCWD, b"/mnt/" + b"x" * 56, 0o755)
    machine(attributes.fchmodat, AT_FDCWD, b"/mnt/f", 0o400)
    found = machine(attributes.fstatat, AT_FDCWD, b"/mnt/f", 0)
    assert isinstance(found, tuple)
    assert found[1] == 0o444


def test_directories_move_with_everything_that_is_open_in_them(machine: Machine) -> None:
    for path in (b"/mnt/a", b"/mnt/a/b", b"/mnt/c"):
        machine(opening.mkdirat, AT_FDCWD, path, 0o755)
    machine(names.chdir, b"/mnt/a/b")
    machine(names.renameat, AT_FDCWD, b"/mnt/a", AT_FDCWD, b"/mnt/c/moved one")
    assert machine(names.getcwd) == b"/mnt/c/moved one/b"
    machine.fails(errno.EINVAL, names.renameat, AT_FDCWD, b"/mnt/c", AT_FDCWD, b"x")
    machine(names.unlinkat, AT_FDCWD, b"../b", AT_REMOVEDIR)
    machine.fails(errno.ENOENT, names.getcwd)
    machine.fails(errno.ENOENT, opening.mkdirat, AT_FDCWD, b"x", 0o755)
    machine(names.chdir, b"/")
    machine(mounting.umount, b"/mnt")
    machine.volume.unmount()
    assert check(machine.device, data=True).is_clean


def test_getdents_gives_every_name_once_while_others_go(machine: Machine) -> None:
    wanted = [b"some longer name %d" % i for i in range(60)]
    for name in wanted:
        machine(opening.openat, AT_FDCWD, b"/mnt/" + name, O_RDWR | O_CREAT, 0o644)
        machine(descriptors.close, 0)
    folder = machine(opening.openat, AT_FDCWD, b"/mnt", O_DIRECTORY, 0)
    seen: list[bytes] = []
    while found := machine(data.getdents, folder, 7):
        assert isinstance(found, tuple)
        seen += [name for name, _ in found]
        machine(names.unlinkat, AT_FDCWD, b"/mnt/" + seen[-1], 0)
    assert sorted(seen) == sorted(wanted)
