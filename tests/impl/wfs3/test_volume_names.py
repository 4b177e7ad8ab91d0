"""Names of a volume: creation, links, rename in all its cases, colliding hashes, paths."""

import errno
from collections.abc import Callable

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.format import name_hash
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

COLLIDING = [
    (b"7mohtcOFVz", b"c1E51sSEyx"),
    (b"8yn0iYCKYHlIj4-BwPqk", b"GReLUrM4wMqfg9yzV3KQ"),
    (b"gMPflVXtwGDXbIhP73TX", b"LtHf1prlU1bCeYZEdqWf"),
]


@pytest.fixture
def volume() -> Volume:
    device = MemoryDevice(4096)
    mkfs(device)
    return Volume.mount(device)


def names(volume: Volume, path: str = "/") -> set[bytes]:
    return {entry.name for entry in volume.readdir(path)}


def refused(call: Callable[..., object], *arguments: object) -> int | None:
    """The errno that a call fails with."""
    with pytest.raises(OSError) as caught:
        call(*arguments)
    return caught.value.errno


def clean_again(volume: Volume) -> Volume:
    volume.unmount()
    device = volume.engine.device
    report = check(device, data=True)
    assert report.is_clean, [str(problem) for problem in report.problems]
    return Volume.mount(device)


@pytest.mark.parametrize("pair", COLLIDING)
def test_names_with_equal_hashes_live_side_by_side(
    volume: Volume, pair: tuple[bytes, bytes]
) -> None:
    first, second = pair
    assert name_hash(first) == name_hash(second)
    for i in range(30):
        volume.create(f"/other{i}").close()
    for name in pair:
        with volume.create(b"/" + name) as handle:
            handle.pwrite(name, 0)
    volume = clean_again(volume)
    for name in pair:
        with volume.open(b"/" + name) as handle:
            assert handle.pread(100, 0) == name
    volume.unlink(b"/" + first)
    assert second in names(volume)
    assert refused(volume.stat, b"/" + first) == errno.ENOENT
    volume.rename(b"/" + second, b"/" + first)
    with volume.open(b"/" + first) as handle:
        assert handle.pread(100, 0) == second


def test_a_thousand_names_in_one_directory_survive_removal_in_any_order(volume: Volume) -> None:
    volume.mkdir("/d")
    for i in range(1000):
        volume.create(f"/d/name{i}").close()
    volume = clean_again(volume)
    assert names(volume, "/d") == {b"name%d" % i for i in range(1000)}
    for i in range(0, 1000, 3):
        volume.unlink(f"/d/name{i}")
    volume = clean_again(volume)
    assert names(volume, "/d") == {b"name%d" % i for i in range(1000) if i % 3}
    for i in range(1000):
        if i % 3:
            volume.unlink(f"/d/name{i}")
    volume.rmdir("/d")
    assert names(volume) == set()


def test_a_name_has_at_most_255_bytes(volume: Volume) -> None:
    volume.mkdir("/" + "n" * 255)
    assert refused(volume.mkdir, "/" + "n" * 256) == errno.ENAMETOOLONG
    assert refused(volume.mkdir, "/" + "é" * 128) == errno.ENAMETOOLONG
    assert refused(volume.stat, "/" + "x/" * 2100) == errno.ENAMETOOLONG


def test_rename_replaces_a_file_in_one_step(volume: Volume) -> None:
    for name in ("a", "b"):
        with volume.create(f"/{name}") as handle:
            handle.pwrite(name.encode() * 5000, 0)
    volume.rename("/a", "/b")
    assert names(volume) == {b"b"}
    with volume.open("/b") as handle:
        assert handle.pread(2, 0) == b"aa"
    clean_again(volume)


def test_rename_onto_itself_changes_nothing(volume: Volume) -> None:
    volume.create("/a").close()
    before = volume.stat("/a")
    volume.rename("/a", "/a")
    assert volume.stat("/a") == before


def test_rename_between_two_links_of_one_inode_changes_nothing(volume: Volume) -> None:
    volume.create("/a").close()
    volume.link("/a", "/b")
    volume.rename("/a", "/b")
    assert names(volume) == {b"a", b"b"}
    assert volume.stat("/a").st_nlink == 2


def test_rename_of_directories_follows_posix(volume: Volume) -> None:
    volume.mkdir("/d")
    volume.mkdir("/d/e")
    volume.mkdir("/empty")
    volume.mkdir("/full")
    volume.create("/full/f").close()
    volume.create("/file").close()
    assert refused(volume.rename, "/d", "/d/e/x") == errno.EINVAL
    assert refused(volume.rename, "/d/e", "/d") == errno.ENOTEMPTY
    assert refused(volume.rename, "/d", "/full") == errno.ENOTEMPTY
    assert refused(volume.rename, "/d", "/file") == errno.ENOTDIR
    assert refused(volume.rename, "/file", "/d") == errno.EISDIR
    assert refused(volume.rename, "/d", "/missing/x") == errno.ENOENT
    assert refused(volume.rename, "/", "/x") == errno.EBUSY
    assert refused(volume.rename, "/d/.", "/x") == errno.EBUSY
    volume.rename("/d", "/empty")
    assert names(volume) == {b"empty", b"full", b"file"}
    assert volume.stat("/").st_nlink == 4
    volume.rename("/empty/e", "/moved")
    assert volume.stat("/empty").st_nlink == 2
    assert volume.stat("/").st_nlink == 5
    clean_again(volume)


def test_hard_links_share_everything(volume: Volume) -> None:
    with volume.create("/a") as handle:
        handle.pwrite(b"shared", 0)
    volume.link("/a", "/b")
    assert volume.stat("/a") == volume.stat("/b")
    assert volume.stat("/b").st_nlink == 2
    volume.unlink("/a")
    assert volume.stat("/b").st_nlink == 1
    volume.mkdir("/d")
    assert refused(volume.link, "/d", "/e") == errno.EPERM
    assert refused(volume.link, "/b", "/d") == errno.EEXIST


@pytest.mark.parametrize("length", [1, 159, 160, 161, 255, 4095])
def test_symlink_targets_of_any_length_read_back(volume: Volume, length: int) -> None:
    volume.symlink(b"t" * length, "/s")
    volume = clean_again(volume)
    assert volume.readlink("/s") == b"t" * length
    assert volume.stat("/s", follow=False).st_size == length
    volume.unlink("/s")
    clean_again(volume)


def test_symlinks_are_followed_up_to_forty(volume: Volume) -> None:
    volume.create("/target").close()
    volume.symlink("target", "/l1")
    for i in range(2, 42):
        volume.symlink(f"l{i - 1}", f"/l{i}")
    assert volume.stat("/l40").st_ino == volume.stat("/target").st_ino
    assert refused(volume.stat, "/l41") == errno.ELOOP
    volume.symlink("/loop", "/loop")
    assert refused(volume.stat, "/loop") == errno.ELOOP
    assert refused(volume.open, "/loop/x") == errno.ELOOP


def test_dot_dot_is_resolved_against_real_directories(volume: Volume) -> None:
    volume.mkdir("/a")
    volume.mkdir("/a/b")
    volume.symlink("/a/b", "/s")
    volume.create("/a/f").close()
    assert volume.stat("/s/../f").st_ino == volume.stat("/a/f").st_ino
    assert volume.stat("/../../a/./b/..//f").st_ino == volume.stat("/a/f").st_ino
    assert refused(volume.stat, "/a/f/..") == errno.ENOTDIR
    assert refused(volume.stat, "/missing/..") == errno.ENOENT
    assert refused(volume.stat, "/a/f/") == errno.ENOTDIR
    assert refused(volume.stat, "") == errno.ENOENT
    assert refused(volume.stat, "/a\0b") == errno.EINVAL


def test_directories_that_are_not_empty_or_special_stay(volume: Volume) -> None:
    volume.mkdir("/a")
    volume.mkdir("/a/b")
    assert refused(volume.rmdir, "/a") == errno.ENOTEMPTY
    assert refused(volume.rmdir, "/") == errno.EBUSY
    assert refused(volume.rmdir, "/a/.") == errno.EINVAL
    assert refused(volume.rmdir, "/a/b/..") == errno.ENOTEMPTY
    assert refused(volume.unlink, "/a") == errno.EISDIR
    volume.create("/f").close()
    assert refused(volume.rmdir, "/f") == errno.ENOTDIR
    assert refused(volume.unlink, "/f/") == errno.ENOTDIR


def test_attributes_are_kept_through_a_remount(volume: Volume) -> None:
    volume.create("/f").close()
    volume.chmod("/f", 0o6751)
    volume.chown("/f", 12, 1 << 31)
    volume.chown("/f", -1, 0xFFFFFFFF)
    volume.utimens("/f", 1, (1 << 64) - 1)
    before = volume.stat("/f")
    volume = clean_again(volume)
    assert volume.stat("/f") == before
    assert before.st_mode == 0o106751
    assert (before.st_uid, before.st_gid) == (12, 1 << 31)
    assert (before.st_atime_ns, before.st_mtime_ns) == (1, (1 << 64) - 1)
    assert refused(volume.utimens, "/f", -1, 0) == errno.EINVAL
