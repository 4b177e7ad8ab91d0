"""Transactions, orphans, failing devices, superblocks: what a volume promises and keeps."""

import errno
from collections.abc import Iterator

import pytest

from watosfs.block.device import Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.wfs3.check import check
from watosfs.wfs3.format import BLOCK_SIZE, decode_superblock, encode_superblock
from watosfs.wfs3.handle import O_RDWR
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.volume import Volume


class FailingDevice(MemoryDevice):
    """Fails the n-th write or flush from now on with EIO, for good or once."""

    def __init__(self, block_count: int) -> None:
        super().__init__(block_count)
        self.writes_left = self.flushes_left = 1 << 60
        self.is_permanent = True

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            if not self.is_permanent:
                self.writes_left = 1 << 60
            raise OSError(errno.EIO, "write fails")
        super().write(block, data, fua=fua)

    def flush(self) -> None:
        self.flushes_left -= 1
        if self.flushes_left < 0:
            if not self.is_permanent:
                self.flushes_left = 1 << 60
            raise OSError(errno.EIO, "flush fails")
        super().flush()


@pytest.fixture
def device() -> Iterator[FailingDevice]:
    device = FailingDevice(1024)
    mkfs(device)
    yield device
    device.close()


def tree(volume: Volume) -> dict[bytes, bytes]:
    return {
        path: volume.open(path).pread(1 << 20, 0) for path, inode in volume.walk() if inode.is_file
    }


def test_commit_publishes_and_abort_forgets(device: FailingDevice) -> None:
    volume = Volume.mount(device)
    with volume.create("/before") as handle:
        handle.pwrite(b"1", 0)
    volume.begin()
    with volume.open("/before", O_RDWR) as handle:
        handle.pwrite(b"2" * 5000, 0)
    volume.create("/inside").close()
    volume.rename("/before", "/renamed")
    volume.abort()
    assert tree(volume) == {b"/before": b"1"}
    volume.begin()
    volume.create("/inside").close()
    volume.commit()
    volume = Volume.mount(device, read_only=True)
    assert tree(volume) == {b"/before": b"1", b"/inside": b""}


def test_transaction_calls_out_of_place_are_refused(device: FailingDevice) -> None:
    volume = Volume.mount(device)
    for call in (volume.commit, volume.abort):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno == errno.EINVAL
    volume.begin()
    with volume.create("/f") as handle:
        for call in (volume.begin, volume.sync, handle.fsync, handle.fdatasync):
            with pytest.raises(OSError) as caught:
                call()
            assert caught.value.errno == errno.EBUSY
    volume.abort()


def test_handles_on_files_that_an_abort_takes_turn_stale(device: FailingDevice) -> None:
    volume = Volume.mount(device)
    volume.begin()
    handle = volume.create("/inside")
    volume.abort()
    volume.create("/other").close()
    with pytest.raises(OSError) as caught:
        handle.pread(1, 0)
    assert caught.value.errno == errno.ESTALE
    handle.close()
    volume.unmount()
    assert check(device).is_clean


def test_a_file_unlinked_inside_and_restored_by_abort_keeps_its_handle(
    device: FailingDevice,
) -> None:
    volume = Volume.mount(device)
    handle = volume.create("/f")
    handle.pwrite(b"kept", 0)
    volume.begin()
    volume.unlink("/f")
    handle.pwrite(b"lost", 0)
    volume.abort()
    assert handle.pread(9, 0) == b"kept"
    handle.close()
    assert tree(volume) == {b"/f": b"kept"}


@pytest.mark.parametrize("ends", ["commit", "abort"])
def test_an_orphan_closed_inside_a_transaction_is_reclaimed(
    device: FailingDevice, ends: str
) -> None:
    volume = Volume.mount(device)
    initial = volume.statfs().free
    handle = volume.create("/f")
    handle.pwrite(b"x" * 100_000, 0)
    volume.unlink("/f")
    volume.begin()
    handle.close()
    getattr(volume, ends)()
    volume.sync()
    assert volume.statfs().free == initial
    volume.unmount()
    report = check(device)
    assert report.is_clean
    assert report.superblock.orphan_root == 0


def test_an_unlinked_open_file_lives_until_its_last_handle_closes(device: FailingDevice) -> None:
    volume = Volume.mount(device)
    initial = volume.statfs().free
    first = volume.create("/f")
    second = volume.open("/f", O_RDWR)
    volume.unlink("/f")
    volume.sync()
    first.pwrite(b"x" * 70_000, 0)
    first.close()
    assert second.pread(3, 0) == b"xxx"
    assert second.stat().st_nlink == 0
    second.close()
    volume.sync()
    assert volume.statfs().free == initial


def test_orphans_left_by_a_crash_are_reclaimed_at_the_next_mount(device: FailingDevice) -> None:
    volume = Volume.mount(device)
    initial = volume.statfs().free
    for i in range(20):
        handle = volume.create(f"/f{i}")
        handle.pwrite(b"x" * 10_000, 0)
        volume.unlink(f"/f{i}")
    volume.sync()
    assert check(device).orphans == 20
    volume = Volume.mount(device)
    assert volume.statfs().free == initial
    report = check(device)
    assert report.is_clean
    assert report.orphans == 0


def test_a_read_only_mount_writes_nothing(device: FailingDevice) -> None:
    volume = Volume.mount(device)
    volume.create("/f")
    volume.unlink("/f")
    volume.create("/g").close()
    volume.sync()
    device.writes_left = device.flushes_left = 0
    volume = Volume.mount(device, read_only=True)
    assert tree(volume) == {b"/g": b""}
    with pytest.raises(OSError) as caught:
        volume.mkdir("/d")
    assert caught.value.errno == errno.EROFS
    volume.unmount()


@pytest.mark.parametrize("permanent", [True, False])
@pytest.mark.parametrize("what", ["write", "flush", "second flush"])
def test_a_failed_commit_is_never_forgotten(
    device: FailingDevice, what: str, permanent: bool
) -> None:
    volume = Volume.mount(device)
    with volume.create("/old") as handle:
        handle.pwrite(b"old", 0)
    volume.sync()
    volume.create("/new").close()
    device.is_permanent = permanent
    if what == "write":
        device.writes_left = 0
    else:
        device.flushes_left = what == "second flush"
    for expected in (errno.EIO, errno.EIO):
        with pytest.raises(OSError) as caught:
            volume.sync()
        assert caught.value.errno == expected
    with pytest.raises(OSError) as caught:
        volume.create("/more")
    assert caught.value.errno == errno.EROFS
    assert tree(volume) == {b"/old": b"old"}, "the durable state, not half of the new one"
    device.writes_left = device.flushes_left = 1 << 60
    volume = Volume.mount(device)
    assert tree(volume).keys() in ({b"/old"}, {b"/old", b"/new"})
    assert check(device).is_clean


@pytest.mark.parametrize("writes_before", [0, 1, 2])
def test_a_failed_commit_shows_the_old_data_and_no_zeros(
    device: FailingDevice, writes_before: int
) -> None:
    volume = Volume.mount(device)
    handle = volume.create("/f")
    handle.pwrite(b"old" * 3000, 0)
    volume.sync()
    handle.pwrite(b"new" * 3000, 0)
    device.writes_left = writes_before
    with pytest.raises(OSError) as caught:
        handle.fsync()
    assert caught.value.errno == errno.EIO
    assert tree(volume) == {b"/f": b"old" * 3000}
    assert handle.pread(3, 0) == b"old"


@pytest.mark.parametrize("slot", [0, 1])
def test_losing_either_superblock_copy_is_survivable(device: FailingDevice, slot: int) -> None:
    volume = Volume.mount(device)
    for i in range(3):
        volume.create(f"/f{i}").close()
        volume.sync()
    device.write(slot, b"\xa5" * BLOCK_SIZE)
    volume = Volume.mount(device)
    assert tree(volume).keys() in ({b"/f0", b"/f1"}, {b"/f0", b"/f1", b"/f2"})
    report = check(device, data=True)
    assert report.is_clean, [str(problem) for problem in report.problems]
    copies = [decode_superblock(bytes(device.read(s))) for s in (0, 1)]
    assert copies[0] == copies[1]


def test_unmounting_leaves_both_copies_equal(device: FailingDevice) -> None:
    volume = Volume.mount(device)
    volume.create("/f").close()
    volume.unmount()
    assert bytes(device.read(0)) == bytes(device.read(1))
    with pytest.raises(OSError) as caught:
        volume.stat("/f")
    assert caught.value.errno == errno.EBADF


@pytest.mark.parametrize(
    ("changes", "number", "text"),
    [
        ({"incompat": 1 | 4}, errno.ENOTSUP, "bit 2"),
        ({"block_size": 512}, errno.EUCLEAN, "block_size"),
        ({"total_blocks": 1 << 40}, errno.EUCLEAN, "total_blocks"),
        ({"total_blocks": 3}, errno.EUCLEAN, "total_blocks"),
        ({"root_tree_block": 1}, errno.EUCLEAN, "root_tree_block"),
        ({"root_tree_block": 1023}, errno.EUCLEAN, "inode tree at block 1023"),
        ({"free_tree_block": 1024}, errno.EUCLEAN, "free_tree_block"),
        ({"orphan_root": 5000}, errno.EUCLEAN, "orphan_root"),
        ({"data_start_block": 0}, errno.EUCLEAN, "data_start_block"),
        ({"next_inode": 1}, errno.EUCLEAN, "next_inode"),
    ],
)
def test_superblocks_that_cannot_be_are_refused_by_name(
    device: FailingDevice, changes: dict[str, int], number: int, text: str
) -> None:
    superblock = decode_superblock(bytes(device.read(0)))
    assert superblock is not None
    for slot in (0, 1):
        device.write(slot, encode_superblock(superblock._replace(**changes)))
    with pytest.raises(OSError, match=text) as caught:
        Volume.mount(device)
    assert caught.value.errno == number


def test_unknown_read_only_compatible_features_force_read_only(device: FailingDevice) -> None:
    superblock = decode_superblock(bytes(device.read(0)))
    assert superblock is not None
    for slot in (0, 1):
        device.write(slot, encode_superblock(superblock._replace(ro_compat=1 | 16)))
    volume = Volume.mount(device)
    with pytest.raises(OSError, match="bit 4") as caught:
        volume.mkdir("/d")
    assert caught.value.errno == errno.EROFS


def test_a_device_without_wfs_is_not_wfs(device: FailingDevice) -> None:
    with pytest.raises(OSError, match="not a WFS v3 image") as caught:
        Volume.mount(MemoryDevice(256))
    assert caught.value.errno == errno.EINVAL
    for slot in (0, 1):
        block = bytearray(device.read(slot))
        block[100] ^= 1
        device.write(slot, bytes(block))
    with pytest.raises(OSError, match="CRC") as caught:
        Volume.mount(device)
    assert caught.value.errno == errno.EUCLEAN


def test_mounting_costs_the_same_however_many_files_there_are() -> None:
    reads = []
    for count in (10, 3000):
        device = MemoryDevice(16384)
        mkfs(device)
        with Volume.mount(device) as volume:
            for i in range(count):
                volume.create(f"/file{i}").close()
        counted = CountingReads(device)
        Volume.mount(counted)
        reads.append(counted.reads)
    assert reads[1] <= reads[0] + 2
    assert reads[1] <= 5


class CountingReads(MemoryDevice):
    """A view of another memory device that counts block reads."""

    def __init__(self, other: MemoryDevice) -> None:
        super().__init__(1)
        self.other = other
        self.block_count = other.block_count
        self.reads = 0

    def read(self, block: int, count: int = 1, accept: object = None) -> Buffer:
        self.reads += count
        return self.other.read(block, count)
