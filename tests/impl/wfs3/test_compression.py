"""Compressed extents: the same bytes in fewer blocks, checked, repaired, never a bomb."""

import errno
from contextlib import suppress
from hashlib import shake_128
from zlib import crc32

import pytest
import zstandard

from tests.impl.wfs3.damaged_volumes import clock, with_block
from watosfs.block.memory import MemoryDevice
from watosfs.errors import DamageError
from watosfs.wfs3.check import check
from watosfs.wfs3.compressing import LEVEL_MAX, level_of
from watosfs.wfs3.compression import compressed, decompressed, flags_of, is_compressed
from watosfs.wfs3.format import (
    BLOCK_SIZE,
    CHUNK_SIZE,
    INCOMPAT_COMPRESSION,
    decode_superblock,
    encode_superblock,
)
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.records import INODE_LEVEL_MASK, Extent, Inode
from watosfs.wfs3.repair import repair
from watosfs.wfs3.volume import Volume

BLOCKS = 2048
TEXT = b"all work and no play makes jack a dull boy\n" * 10_000
NOISE = shake_128(b"noise").digest(200_000)


@pytest.fixture
def volume() -> Volume:
    device = MemoryDevice(BLOCKS)
    mkfs(device, clock=clock, compression=3)
    return Volume.mount(device, clock=clock)


def remounted(volume: Volume) -> Volume:
    device = volume.engine.device
    volume.unmount()
    report = check(device, data=True)
    assert report.is_clean, report.problems[:3]
    return Volume.mount(device, clock=clock)


def write(volume: Volume, path: bytes, data: bytes, offset: int = 0) -> None:
    with volume.open(path, 0o102) as handle:
        handle.pwrite(data, offset)


def read(volume: Volume, path: bytes) -> bytes:
    with volume.open(path) as handle:
        return bytes(handle.pread(1 << 30, 0))


@pytest.mark.parametrize("data", [TEXT, NOISE, TEXT[:100_000] + NOISE, bytes(300_000)])
def test_the_same_bytes_come_back_in_no_more_blocks(volume: Volume, data: bytes) -> None:
    write(volume, b"/f", data)
    volume = remounted(volume)
    assert read(volume, b"/f") == data
    assert volume.stat(b"/f").st_blocks * 512 <= -(-len(data) // BLOCK_SIZE) * BLOCK_SIZE


def test_text_takes_a_sixteenth(volume: Volume) -> None:
    write(volume, b"/f", TEXT)
    volume = remounted(volume)
    chunks = -(-len(TEXT) // CHUNK_SIZE)
    assert volume.stat(b"/f").st_blocks == chunks * BLOCK_SIZE // 512


def test_what_is_written_over_and_cut_stays_right(volume: Volume) -> None:
    expected = bytearray(TEXT)
    write(volume, b"/f", TEXT)
    for at, piece in ((70_000, NOISE[:5000]), (3, b"x"), (131_000, TEXT[:90_000])):
        volume = remounted(volume)
        write(volume, b"/f", piece, at)
        expected[at : at + len(piece)] = piece
    for size in (300_001, 65_537, 4096, 161, 160):
        volume = remounted(volume)
        volume.truncate(b"/f", size)
        del expected[size:]
        assert read(volume, b"/f") == expected


def test_all_space_comes_back(volume: Volume) -> None:
    volume.sync()
    free = volume.statfs().free
    for data in (TEXT, NOISE, TEXT[:9000]):
        write(volume, b"/f", data)
        volume.sync()
    volume.unlink(b"/f")
    volume = remounted(volume)
    volume.engine.commit(force=True)
    assert volume.statfs().free == free


def test_a_fragmented_volume_stores_what_it_cannot_place_as_it_is() -> None:
    device = MemoryDevice(256)
    mkfs(device, clock=clock)
    with Volume.mount(device, clock=clock) as volume:
        names: list[bytes] = []
        with suppress(OSError):
            while True:
                write(volume, b"/%d" % len(names), NOISE[:300])
                names.append(b"/%d" % len(names))
        volume.sync()
        for name in names[::2]:
            volume.unlink(name)
        volume.sync()
        volume.compress(b"/", 3)
        data = NOISE[: 5 * BLOCK_SIZE] + bytes(3 * BLOCK_SIZE)
        write(volume, b"/f", data)
    with Volume.mount(device, clock=clock) as volume:
        assert read(volume, b"/f") == data
    assert check(device, data=True).is_clean


def test_the_feature_comes_with_the_first_extent_and_an_abort_takes_it_back() -> None:
    device = MemoryDevice(BLOCKS)
    mkfs(device, clock=clock, compression=1)

    def has_feature() -> bool:
        superblock = decode_superblock(bytes(device.read(volume.engine.slot)))
        assert superblock is not None
        return bool(superblock.incompat & INCOMPAT_COMPRESSION)

    volume = Volume.mount(device, clock=clock)
    write(volume, b"/small", b"inline")
    volume.sync()
    assert not has_feature()
    volume.begin()
    write(volume, b"/f", TEXT)
    volume.abort()
    write(volume, b"/small", b"more")
    volume.sync()
    assert not has_feature()
    write(volume, b"/f", TEXT)
    volume.sync()
    assert has_feature()
    assert check(device, data=True).is_clean
    assert remounted(volume).engine.superblock.incompat & INCOMPAT_COMPRESSION


@pytest.mark.parametrize("level", [-1, 20])
def test_a_level_that_zstd_is_not_asked_for(volume: Volume, level: int) -> None:
    with pytest.raises(OSError) as caught:
        volume.compress(b"/", level)
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(OSError, match="level") as caught:
        mkfs(MemoryDevice(BLOCKS), compression=level)
    assert caught.value.errno == errno.EINVAL


def test_a_symlink_has_no_level(volume: Volume) -> None:
    volume.symlink(b"nowhere", b"/link")
    with pytest.raises(OSError) as caught:
        volume.compress(b"/link", 1)
    assert caught.value.errno == errno.ENOENT
    assert volume.find(b"/link", follow=False).flags & 0x1F00 == 0


def extent_of(volume: Volume, path: bytes) -> Extent:
    (extent,) = [e for _, e in volume.engine.tree(volume.find(path)).items()]
    assert is_compressed(extent)
    found: Extent = extent
    return found


def test_a_claim_is_never_believed(volume: Volume) -> None:
    """A bomb: the frame says, or comes to, more than the extent stands for."""
    for content in (bytes(1 << 28), bytes(CHUNK_SIZE + 1), bytes(BLOCK_SIZE)):
        frame = zstandard.ZstdCompressor().compress(content)
        stored = frame[:BLOCK_SIZE].ljust(BLOCK_SIZE, b"\0")
        with pytest.raises(DamageError, match="compressed data"):
            decompressed(stored, CHUNK_SIZE, 7)
    for stored in (bytes(BLOCK_SIZE), NOISE[:BLOCK_SIZE]):
        with pytest.raises(DamageError, match="compressed data"):
            decompressed(stored, CHUNK_SIZE, 7)
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(CHUNK_SIZE))
    with pytest.raises(DamageError, match="compressed data"):
        decompressed(unsized.ljust(BLOCK_SIZE, b"\0"), CHUNK_SIZE, 7)


def test_a_frame_that_cannot_be_read_is_damage_and_repaired(volume: Volume) -> None:
    write(volume, b"/f", TEXT[:CHUNK_SIZE])
    write(volume, b"/g", TEXT[:CHUNK_SIZE])
    volume.sync()
    extent = extent_of(volume, b"/f")
    device = volume.engine.device
    volume.unmount()
    stored = bytearray(device.read(extent.disk_block))
    stored[4] ^= 0xFF
    broken = with_block(device, extent.disk_block, bytes(stored))
    assert [p.field for p in check(broken, data=True).problems] == ["crc32"]
    with Volume.mount(broken, clock=clock, read_only=True) as seen, pytest.raises(DamageError):
        read(seen, b"/f")
    done = repair(broken, clock=clock)
    assert done.after.is_clean
    assert len(done.losses) == 1
    with Volume.mount(broken, clock=clock) as seen:
        assert read(seen, b"/g") == TEXT[:CHUNK_SIZE]
        assert read(seen, b"/f") == bytes(CHUNK_SIZE)


def test_check_wants_the_feature(volume: Volume) -> None:
    write(volume, b"/f", TEXT)
    device = volume.engine.device
    volume.unmount()
    for slot in (0, 1):
        superblock = decode_superblock(bytes(device.read(slot)))
        assert superblock is not None
        plain = superblock._replace(incompat=superblock.incompat & ~INCOMPAT_COMPRESSION)
        device.write(slot, encode_superblock(plain))
    report = check(device, data=True)
    assert {(p.structure, p.field) for p in report.problems} == {("extent", "flags")}
    assert repair(device, clock=clock).after.is_clean
    with Volume.mount(device, clock=clock) as seen:
        assert read(seen, b"/f") == TEXT


@pytest.mark.parametrize("flags", [1, 2, 2 + 16 * 256, 2 + 17 * 256, 3 + 256, 8, 0x10])
def test_other_flags_are_refused(volume: Volume, flags: int) -> None:
    extent = Extent(0, 50, CHUNK_SIZE, flags, 1, 0, 1)
    with pytest.raises(DamageError):
        volume.engine.data.validate(0, extent)


@pytest.mark.parametrize("blocks", [2, 3, 16])
@pytest.mark.parametrize("level", [1, 19])
def test_a_frame_saves_a_block_or_is_none(blocks: int, level: int) -> None:
    length = blocks * BLOCK_SIZE
    assert compressed(NOISE[:length], level) is None
    stored = compressed(TEXT[:length], level)
    assert stored is not None
    assert len(stored) % BLOCK_SIZE == 0
    assert len(stored) < length
    assert decompressed(stored, length, 0) == TEXT[:length]
    extent = Extent(0, 9, length, flags_of(len(stored) // BLOCK_SIZE), 1, crc32(stored), 1)
    assert is_compressed(extent)
    assert extent.stored_blocks == len(stored) // BLOCK_SIZE


def test_a_level_that_no_compressor_has_counts_as_the_highest() -> None:
    inode = Inode(2, 0o100644, 0)
    inode.flags |= INODE_LEVEL_MASK
    assert level_of(inode) == LEVEL_MAX
    inode.flags &= ~INODE_LEVEL_MASK
    assert level_of(inode) == 0
