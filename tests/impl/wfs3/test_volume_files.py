"""File data of a volume: sizes at every border, holes, truncation, durability, memory."""

import errno

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.handle import O_APPEND, O_RDWR, O_WRONLY
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume

BORDERS = [0, 1, 159, 160, 161, 4095, 4096, 4097, 65535, 65536, 65537, 131072, 200000]
FAR = 1 << 32


def fresh(block_count: int = 2048) -> tuple[MemoryDevice, Volume]:
    device = MemoryDevice(block_count)
    mkfs(device)
    return device, Volume.mount(device)


def again(device: MemoryDevice, volume: Volume) -> Volume:
    """Unmount, check, mount."""
    volume.unmount()
    report = check(device, data=True)
    assert report.is_clean, [str(problem) for problem in report.problems]
    return Volume.mount(device)


def pattern(size: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(size))


@pytest.mark.parametrize("size", BORDERS)
def test_a_file_of_any_size_reads_back_after_a_remount(size: int) -> None:
    device, volume = fresh()
    with volume.create("/f") as handle:
        assert handle.pwrite(pattern(size), 0) == size
        assert handle.pread(size + 10, 0) == pattern(size)
    volume = again(device, volume)
    with volume.open("/f") as handle:
        assert handle.pread(size + 10, 0) == pattern(size)
        assert handle.stat().st_size == size
        assert (handle.stat().st_blocks == 0) == (size <= 160)


@pytest.mark.parametrize("size", BORDERS)
@pytest.mark.parametrize("cut", BORDERS)
def test_truncating_to_any_size_and_back_shows_zeros(size: int, cut: int) -> None:
    device, volume = fresh()
    with volume.create("/f") as handle:
        handle.pwrite(pattern(size), 0)
        volume.sync()
        handle.truncate(cut)
        handle.truncate(200001)
        expected = pattern(size)[:cut].ljust(200001, b"\0")
        assert handle.pread(300000, 0) == expected
    volume = again(device, volume)
    with volume.open("/f") as handle:
        assert handle.pread(300000, 0) == expected


@pytest.mark.parametrize("offset", [*BORDERS, FAR - 1, FAR, FAR + 4097, (1 << 62) + 5])
def test_a_write_far_out_leaves_a_hole_before_it(offset: int) -> None:
    device, volume = fresh()
    with volume.create("/f") as handle:
        handle.pwrite(b"head", 0)
        handle.pwrite(b"tail", offset + 4)
        assert handle.pread(4, offset + 4) == b"tail"
        middle = handle.pread(min(offset, 70000), 4)
        assert middle.startswith(bytes(min(offset, 60000)))
    volume = again(device, volume)
    with volume.open("/f") as handle:
        assert handle.stat().st_size == offset + 8
        assert handle.pread(4, offset + 4) == b"tail"
        assert handle.stat().st_blocks <= 4 * 8


def test_data_and_holes_are_found_by_seeking() -> None:
    _, volume = fresh()
    handle = volume.create("/f")
    handle.pwrite(b"x" * 4096, 8192)
    handle.pwrite(b"y", 1 << 20)
    for _ in range(2):
        assert handle.seek_data(0) == 8192
        assert handle.seek_hole(8192) == 12288
        assert handle.seek_data(12288) == 1 << 20
        assert handle.seek_hole(1 << 20) == (1 << 20) + 1
        with pytest.raises(OSError) as caught:
            handle.seek_data((1 << 20) + 1)
        assert caught.value.errno == errno.ENXIO
        volume.sync()


def test_appending_ignores_the_offset() -> None:
    _, volume = fresh()
    volume.create("/f").close()
    with volume.open("/f", O_WRONLY | O_APPEND) as handle:
        handle.pwrite(b"one", 0)
        handle.pwrite(b"two", 0)
    with volume.open("/f") as handle:
        assert handle.pread(10, 0) == b"onetwo"


@pytest.mark.parametrize(
    ("offset", "data", "number"),
    [
        (-1, b"x", errno.EINVAL),
        ((1 << 63) - 1, b"x", errno.EFBIG),
        (1 << 64, b"x", errno.EFBIG),
    ],
)
def test_writes_outside_the_offsets_are_refused(offset: int, data: bytes, number: int) -> None:
    _, volume = fresh()
    with volume.create("/f") as handle, pytest.raises(OSError) as caught:
        handle.pwrite(data, offset)
    assert caught.value.errno == number


def test_the_last_possible_byte_can_be_written() -> None:
    device, volume = fresh()
    with volume.create("/f") as handle:
        handle.pwrite(b"!", (1 << 63) - 2)
    volume = again(device, volume)
    with volume.open("/f") as handle:
        assert handle.stat().st_size == (1 << 63) - 1
        assert handle.pread(9, (1 << 63) - 2) == b"!"


def test_overwriting_leaves_the_old_blocks_alone_until_two_commits_later() -> None:
    device, volume = fresh()
    handle = volume.create("/f")
    handle.pwrite(b"a" * 65536, 0)
    volume.sync()
    (_, first), *_ = volume.engine.tree(volume.engine.inode(handle.number)).items()
    old = bytes(device.read(first.disk_block, 16))
    handle.pwrite(b"b" * 65536, 0)
    volume.sync()
    handle.pwrite(b"c" * 65536, 0)
    assert bytes(device.read(first.disk_block, 16)) == old


def test_a_damaged_data_block_is_an_error_and_nothing_else_is_hurt() -> None:
    device, volume = fresh()
    with volume.create("/f") as handle:
        handle.pwrite(b"a" * 65536, 0)
        handle.pwrite(b"b" * 65536, 65536)
    volume.sync()
    number = volume.stat("/f").st_ino
    (_, first), *_ = volume.engine.tree(volume.engine.inode(number)).items()
    device.write(first.disk_block + 3, b"\xff" * 4096)
    with volume.open("/f", O_RDWR) as handle:
        with pytest.raises(OSError, match="crc32") as caught:
            handle.pread(10, 0)
        assert caught.value.errno == errno.EUCLEAN
        assert handle.pread(65536, 65536) == b"b" * 65536
        with pytest.raises(OSError, match="crc32"):
            handle.pwrite(b"part", 100)
        handle.pwrite(b"c" * 65536, 0)
        assert handle.pread(65536, 0) == b"c" * 65536
    again(device, volume)


def test_many_small_extents_make_a_tree_of_extents() -> None:
    device, volume = fresh(16384)
    with volume.create("/f") as handle:
        for i in range(3000):
            handle.pwrite(b"%04d" % i, i * 8192)
        volume.sync()
        assert volume.engine.tree(volume.engine.inode(handle.number)).height == 1
    volume = again(device, volume)
    with volume.open("/f", O_RDWR) as handle:
        assert all(handle.pread(4, i * 8192) == b"%04d" % i for i in range(3000))
        handle.truncate(8192 * 5)
        assert handle.pread(4, 4 * 8192) == b"0004"
        volume.sync()
        assert handle.stat().st_blocks == 5 * 8
    again(device, volume)


def test_dirty_data_is_bounded_by_the_setting() -> None:
    device = MemoryDevice(65536)
    mkfs(device)
    volume = Volume.mount(device, dirty_bytes_max=1 << 20, cache_blocks=128)
    for i in range(300):
        with volume.create(f"/f{i}") as handle:
            handle.pwrite(b"x" * 30000, 10)
        assert volume.engine.data.dirty_bytes <= (1 << 20) + 65536
        assert len(volume.engine.store.cache) <= 256
    volume.begin()
    for i in range(300):
        with volume.open(f"/f{i}", O_RDWR) as handle:
            handle.pwrite(b"y" * 30000, 10)
        assert volume.engine.data.dirty_bytes <= (1 << 20) + 65536
    volume.abort()
    with volume.open("/f299") as handle:
        assert handle.pread(1, 10) == b"x"
    again(device, volume)
