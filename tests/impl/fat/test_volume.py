"""A mounted volume: names, files, attributes and what is left on disk."""

import errno
from collections.abc import Callable

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.fat.check import check
from watosfs.fat.handle import O_APPEND, O_CREAT, O_RDWR, O_TRUNC, O_WRONLY
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.volume import FatVolume

KIB = {12: 400, 16: 9000, 32: 2000}
NS = 10**9
NOW = 1_700_000_000 * NS


def made(bits: int = 12, **options: int) -> tuple[MemoryDevice, FatVolume]:
    device = MemoryDevice(KIB[bits] * 2, 512)
    mkfs(device, Options(bits=bits, sectors_per_cluster=1, **options))
    return device, FatVolume.mount(device, clock=lambda: NOW)


def fails(number: int, operation: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(OSError) as caught:
        operation(*arguments)
    assert caught.value.errno == number


each_type = pytest.mark.parametrize("bits", [12, 16, 32])


@each_type
def test_a_volume_comes_back_as_it_was_left(bits: int) -> None:
    device, volume = made(bits)
    volume.mkdir(b"/d")
    volume.write_file(b"/d/A long name.txt", b"hello" * 1000)
    volume.utimens(b"/d/A long name.txt", NOW, NOW + 4 * NS)
    volume.chmod(b"/d/A long name.txt", 0o444)
    volume.unmount()
    assert check(device).is_clean
    again = FatVolume.mount(device)
    assert again.read_file(b"/D/a LONG name.TXT. .") == b"hello" * 1000
    found = again.stat(b"/d/ALONGN~1.TXT")
    assert (found.st_size, found.st_mode, found.st_nlink) == (5000, 0o100444, 1)
    assert (found.st_mtime_ns, found.st_birthtime_ns) == (NOW + 4 * NS, NOW)
    assert [(e.name, e.kind) for e in again.readdir(b"/d")] == [(b"A long name.txt", "file")]
    assert again.stat(b"/").st_nlink == 3


@each_type
def test_dot_dot_of_a_first_level_directory_is_zero(bits: int) -> None:
    device, volume = made(bits)
    volume.mkdir(b"/d")
    volume.mkdir(b"/d/e")
    engine = volume.engine
    parent, child = volume.node(b"/d"), volume.node(b"/d/e")
    places = [engine.directory(node).disk_offset(32) for node in (parent, child)]
    volume.rename(b"/d/e", b"/e")
    volume.unmount()
    for place in places:
        entry = bytes(device.read(place // 512))[place % 512 :][:32]
        assert entry.startswith(b"..         \x10")
        assert (entry[20:22], entry[26:28]) == (bytes(2), bytes(2))


@each_type
def test_directories_grow_over_clusters_and_their_slots_are_used_again(bits: int) -> None:
    device, volume = made(bits)
    volume.mkdir(b"/d")
    for i in range(200):
        volume.write_file(b"/d/some longer name %d" % i, b"")
    chain = volume.engine.chain(volume.node(b"/d"))
    grown = chain.count
    assert grown >= 200 * 3 * 32 // 512
    for i in range(0, 200, 2):
        volume.unlink(b"/d/some longer name %d" % i)
    for i in range(100):
        volume.write_file(b"/d/another long nam %d" % i, b"")
    assert chain.count == grown
    volume.unmount()
    assert check(device).is_clean
    assert len(FatVolume.mount(device).readdir(b"/d")) == 200


def test_the_root_directory_of_fat12_is_full_at_last() -> None:
    device, volume = made(12, root_entry_count=64)
    for i in range(64):
        volume.write_file(b"/F%d" % i, b"")
    fails(errno.ENOSPC, volume.create, b"/F64")
    fails(errno.ENOSPC, volume.rename, b"/F1", b"/a name that needs more slots")
    volume.rename(b"/F1", b"/G1")
    volume.unmount()
    assert check(device).is_clean


@each_type
def test_a_full_volume_changes_nothing_and_gives_space_back(bits: int) -> None:
    device, volume = made(bits)
    free = volume.statfs().free * 512
    volume.write_file(b"/big", bytes(free - 512))
    with volume.open(b"/big", O_RDWR) as handle:
        fails(errno.ENOSPC, handle.pwrite, bytes(2000), free - 600)
    assert volume.stat(b"/big").st_size == free - 512
    volume.write_file(b"/small", b"x")
    fails(errno.ENOSPC, volume.mkdir, b"/d")
    volume.unlink(b"/big")
    # The space waits for a write-back, which happens when it is needed.
    volume.write_file(b"/again", bytes(free - 512))
    volume.unmount()
    assert check(device).is_clean


@each_type
def test_a_file_that_grows_reads_as_zeros_in_between(bits: int) -> None:
    _, volume = made(bits)
    volume.write_file(b"/f", b"\xff" * 3000)
    volume.truncate(b"/f", 10)
    volume.truncate(b"/f", 700)
    with volume.open(b"/f", O_RDWR) as handle:
        handle.pwrite(b"end", 2000)
        assert handle.pread(4000, 0) == b"\xff" * 10 + bytes(1990) + b"end"
        assert handle.seek_data(5) == 5
        assert handle.seek_hole(5) == 2003
        fails(errno.ENXIO, handle.seek_hole, 2003)


def test_a_file_has_less_than_four_gibibytes() -> None:
    _, volume = made()
    with volume.create(b"/f") as handle:
        fails(errno.EFBIG, handle.pwrite, b"xx", 0xFFFFFFFE)
        fails(errno.EFBIG, handle.truncate, 1 << 32)
        fails(errno.ENOSPC, handle.truncate, 0xFFFFFFFF)
        fails(errno.EINVAL, handle.truncate, -1)
        fails(errno.EINVAL, handle.pread, 1, -1)
    assert volume.stat(b"/f").st_size == 0


@each_type
def test_an_open_file_outlives_its_name_and_gives_its_space_back_then(bits: int) -> None:
    device, volume = made(bits)
    free = volume.statfs().free
    handle = volume.create(b"/f")
    handle.pwrite(b"x" * 5000, 0)
    volume.unlink(b"/f")
    volume.sync()
    assert handle.pread(3, 0) == b"xxx"
    handle.pwrite(b"y" * 6000, 0)
    assert handle.stat().st_nlink == 0
    assert volume.statfs().free == free - 12
    handle.close()
    assert volume.statfs().free == free
    still_open = volume.create(b"/g")
    still_open.pwrite(b"z", 0)
    volume.unlink(b"/g")
    volume.unmount()
    assert check(device).is_clean


def test_renaming_changes_case_and_replaces() -> None:
    device, volume = made()
    volume.write_file(b"/readme", b"1")
    volume.rename(b"/readme", b"/ReadMe")
    assert [e.name for e in volume.readdir(b"/")] == [b"ReadMe"]
    volume.rename(b"/readme", b"/README")
    assert volume.node(b"/readme").short_name == b"README     "
    volume.write_file(b"/other", b"22")
    number = volume.stat(b"/other").st_ino
    volume.rename(b"/other", b"/readME")
    assert [e.name for e in volume.readdir(b"/")] == [b"readME"]
    assert (volume.read_file(b"/readme"), volume.stat(b"/readme").st_ino) == (b"22", number)
    volume.rename(b"/readme", b"/READme")
    volume.unmount()
    assert check(device).is_clean


def test_what_cannot_be_renamed_stays() -> None:
    _, volume = made()
    volume.mkdir(b"/d")
    volume.mkdir(b"/d/e")
    volume.mkdir(b"/full")
    volume.write_file(b"/full/f", b"")
    fails(errno.EINVAL, volume.rename, b"/d", b"/d/e/d")
    fails(errno.EINVAL, volume.rename, b"/d", b"/D/x")
    fails(errno.ENOTEMPTY, volume.rename, b"/d", b"/full")
    fails(errno.EISDIR, volume.rename, b"/full/f", b"/d")
    fails(errno.ENOTDIR, volume.rename, b"/d", b"/full/f")
    fails(errno.ENOTDIR, volume.rename, b"/full/f", b"/full/g/")
    fails(errno.ENOENT, volume.rename, b"/none", b"/x")
    fails(errno.EBUSY, volume.rename, b"/", b"/x")
    volume.rename(b"/d/e", b"/d/E")


def test_paths_fail_as_posix_says() -> None:
    _, volume = made()
    volume.write_file(b"/f", b"")
    volume.mkdir(b"/d")
    fails(errno.ENOTDIR, volume.stat, b"/f/x")
    fails(errno.ENOTDIR, volume.stat, b"/f/")
    fails(errno.ENOTDIR, volume.readdir, b"/f")
    fails(errno.ENOTDIR, volume.rmdir, b"/f")
    fails(errno.EISDIR, volume.unlink, b"/d")
    fails(errno.EISDIR, volume.read_file, b"/d")
    fails(errno.EISDIR, volume.open, b"/d", O_WRONLY)
    fails(errno.ENOENT, volume.open, b"/none")
    fails(errno.EEXIST, volume.mkdir, b"/D")
    fails(errno.EEXIST, volume.mkdir, b"/")
    fails(errno.EEXIST, volume.create, b"/F")
    fails(errno.EINVAL, volume.create, b"/a:b")
    fails(errno.ENAMETOOLONG, volume.create, b"/" + b"n" * 256)
    fails(errno.EBUSY, volume.rmdir, b"/")
    fails(errno.EISDIR, volume.open, b"/new/", O_CREAT)
    assert volume.stat(b"/d/../d/.././d/").st_ino == volume.stat(b"/d").st_ino
    assert volume.stat(b"/../d").st_ino == volume.stat(b"d").st_ino


def test_handles_do_what_they_were_opened_for() -> None:
    _, volume = made()
    volume.write_file(b"/f", b"123")
    with volume.open(b"/f") as reading, volume.open(b"/f", O_WRONLY | O_APPEND) as writing:
        fails(errno.EBADF, reading.pwrite, b"x", 0)
        fails(errno.EBADF, writing.pread, 1, 0)
        writing.pwrite(b"45", 0)
        assert reading.pread(9, 0) == b"12345"
        writing.fsync()
    fails(errno.EBADF, reading.pread, 1, 0)
    volume.open(b"/f", O_RDWR | O_TRUNC).close()
    assert volume.read_file(b"/f") == b""


def test_a_file_marked_read_only_is_not_opened_for_writing() -> None:
    _, volume = made()
    volume.open(b"/f", O_CREAT | O_RDWR, 0o444).close()
    fails(errno.EACCES, volume.open, b"/f", O_RDWR)
    fails(errno.EACCES, volume.truncate, b"/f", 0)
    volume.chmod(b"/f", 0o600)
    volume.truncate(b"/f", 1)


def test_a_volume_mounted_read_only_is_not_changed() -> None:
    device, volume = made()
    volume.write_file(b"/f", b"x")
    volume.unmount()
    before = device.snapshot()
    reader = FatVolume.mount(device, read_only=True)
    for operation in (
        lambda: reader.create(b"/g"),
        lambda: reader.mkdir(b"/g"),
        lambda: reader.unlink(b"/f"),
        lambda: reader.rename(b"/f", b"/g"),
        lambda: reader.open(b"/f", O_RDWR),
        lambda: reader.chmod(b"/f", 0),
        lambda: reader.utimens(b"/f", 0, 0),
        lambda: reader.set_label(b"X"),
    ):
        fails(errno.EROFS, operation)
    reader.sync()
    reader.unmount()
    fails(errno.EBADF, reader.stat, b"/f")
    assert device.snapshot() == before


@each_type
def test_a_volume_in_use_is_marked_and_one_not_unmounted_stays_so(bits: int) -> None:
    device, volume = made(bits)
    volume.write_file(b"/f", b"x")
    volume.sync()
    assert check(device).kinds == {"dirty"}
    again = FatVolume.mount(device)
    again.write_file(b"/g", b"x")
    again.unmount()
    assert check(device).kinds == {"dirty"}
    assert check(device, repair=True).is_repaired
    assert check(device).is_clean


@each_type
def test_the_label_is_set_in_both_places(bits: int) -> None:
    device, volume = made(bits)
    assert volume.label == b""
    volume.set_label(b"watos")
    volume.unmount()
    assert check(device).is_clean
    again = FatVolume.mount(device)
    assert (again.label, again.readdir(b"/")) == (b"WATOS", [])
    again.set_label(b"")
    fails(errno.EINVAL, again.set_label, b"a.b")
    again.unmount()
    assert check(device).is_clean
    assert FatVolume.mount(device).label == b""


def test_thousands_of_names_that_look_alike_find_an_alias_each() -> None:
    device, volume = made(32)
    volume.mkdir(b"/d")
    for i in range(2000):
        volume.write_file(b"/d/a name like many %d.text" % i, b"")
    volume.unmount()
    assert check(device).is_clean
    assert len(FatVolume.mount(device).readdir(b"/d")) == 2000


def test_fsinfo_says_what_is_free_and_is_not_believed_after_a_cut() -> None:
    device, volume = made(32)
    volume.write_file(b"/f", bytes(5000))
    free = volume.statfs().free
    volume.unmount()
    assert FatVolume.mount(device).engine.allocator.free_count == free
    start = volume.engine.geometry.fsinfo_start
    assert start is not None
    raw = bytearray(device.read(start // 512))
    raw[488:492] = (7).to_bytes(4, "little")
    device.write(start // 512, raw)
    assert check(device).kinds == {"fsinfo"}
    boot = bytearray(device.read(0))
    boot[65] |= 1
    device.write(0, boot)
    assert FatVolume.mount(device).statfs().free == free


def test_errnos_of_handles_are_posix() -> None:
    _, volume = made()
    volume.write_file(b"/a", b"bytes")
    fails(errno.EINVAL, volume.open, b"/a", 3)
    appending = volume.open(b"/a", O_RDWR | O_APPEND)
    fails(errno.EINVAL, appending.pwrite, b"x", -1)
    reading = volume.open(b"/a")
    fails(errno.EINVAL, reading.truncate, 0)
    reading.close()
    fails(errno.EBADF, reading.truncate, 0)
    assert volume.read_file(b"/a") == b"bytes"
