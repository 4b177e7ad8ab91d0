"""A volume does what was asked, tells so after the next mount, and is clean."""

import errno

import pytest

from tests.impl.wfs2.images import fresh, mounted, tree
from tests.impl.wfs2.traces import Trace, tree_on
from watosfs.wfs2.check import check


def failing(number: int) -> "pytest.RaisesExc[OSError]":
    return pytest.raises(OSError, check=lambda error: error.errno == number)


@pytest.mark.parametrize("blocks", [256, 1024])
@pytest.mark.parametrize("seed", range(12))
def test_random_operations_agree_with_a_dictionary(seed: int, blocks: int) -> None:
    device = fresh(blocks)
    volume = mounted(device)
    trace = Trace(seed, volume)
    for _ in range(4):
        trace.run(60)
        assert {p.decode(): d for p, d in tree(volume).items()} == trace.tree
        volume.unmount()
        report = check(device, data=True)
        assert report.is_clean, report.problems
        assert tree_on(device) == trace.tree
        volume = trace.volume = mounted(device)
        trace.sync()


def test_a_path_has_55_bytes_with_its_folders() -> None:
    volume = mounted(fresh())
    volume.mkdir("d" * 20)
    volume.write_file("d" * 20 + "/" + "x" * 34, b"fits")
    with failing(errno.ENAMETOOLONG):
        volume.write_file("d" * 20 + "/" + "x" * 35, b"")
    with failing(errno.ENAMETOOLONG):
        volume.rename("d" * 20, "e" * 21)
    assert volume.read_file("d" * 20 + "/" + "x" * 34) == b"fits"


def test_a_full_table_is_no_space() -> None:
    volume = mounted(fresh(1024))
    for i in range(256):
        volume.mkdir(f"{i}")
    with failing(errno.ENOSPC):
        volume.mkdir("one more")
    volume.rmdir("7")
    volume.mkdir("one more")


def test_a_full_volume_changes_a_file_in_place_and_takes_removals() -> None:
    device = fresh(256)
    volume = mounted(device)
    size = 4092 * (127 - 13)
    volume.write_file("a", b"a" * size)
    volume.write_file("b", b"b" * 4092 * (254 - 130))
    with failing(errno.ENOSPC):
        volume.write_file("c", b"")
    volume.sync()
    with volume.open("a", 2) as handle:
        handle.pwrite(b"XYZ", 5000)
    volume.unmount()
    assert check(device, data=True).is_clean
    volume = mounted(device)
    assert volume.read_file("a") == b"a" * 5000 + b"XYZ" + b"a" * (size - 5003)
    volume.unlink("b")
    volume.write_file("c", b"c" * 4092 * 100)


def test_an_open_file_outlives_its_name() -> None:
    device = fresh()
    volume = mounted(device)
    volume.write_file("a", b"contents")
    volume.sync()
    free = volume.statfs().free
    with volume.open("a", 2) as handle:
        volume.unlink("a")
        volume.sync()
        volume.write_file("other", b"x" * 50000)
        assert handle.pread(100, 0) == b"contents"
        handle.pwrite(b"C", 0)
        assert handle.pread(100, 0) == b"Contents"
    volume.unlink("other")
    volume.sync()
    assert volume.statfs().free == free + 1
    volume.unmount()
    assert check(device, data=True).is_clean


def test_a_file_marked_read_only_refuses_writers() -> None:
    volume = mounted(fresh())
    volume.write_file("a", b"")
    volume.chmod("a", 0o444)
    with failing(errno.EACCES):
        volume.open("a", 2)
    assert volume.stat("a").st_mode == 0o100444


def test_a_read_only_mount_refuses_changes() -> None:
    volume = mounted(fresh(), read_only=True)
    with failing(errno.EROFS):
        volume.write_file("a", b"")


@pytest.mark.slow
def test_the_largest_table_holds_65536_files_and_no_more() -> None:
    device = fresh(140_000, 65536)
    volume = mounted(device)
    for i in range(65536):
        volume.create(f"{i}").close()
    with pytest.raises(OSError, match="all 65536 entries of the table are in use") as caught:
        volume.create("one more")
    assert caught.value.errno == errno.ENOSPC
    volume.unmount()
    report = check(device)
    assert report.is_clean
    assert report.files == 65536
