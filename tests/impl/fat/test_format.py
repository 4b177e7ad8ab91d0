"""Boot sectors: what is no FAT volume, and what says that it is one and cannot be."""

import errno
from dataclasses import replace

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.fat.format import BootSector, decode_boot_sector, geometry_of
from watosfs.fat.fsinfo import FsInfo, decode_fsinfo, encode_fsinfo
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.volume import FatVolume

SIZE = 4 << 20


def boot(bits: int = 12) -> BootSector:
    device = MemoryDevice(SIZE // 512, 512)
    mkfs(device, Options(bits=bits, sectors_per_cluster=1 if bits == 32 else 4))
    return decode_boot_sector(device.read(0))


def test_a_boot_sector_is_encoded_as_it_was_decoded() -> None:
    for bits in (12, 32):
        made = boot(bits)
        assert decode_boot_sector(made.encode()) == made


@pytest.mark.parametrize(
    "change",
    [
        {"bytes_per_sector": 0},
        {"bytes_per_sector": 256},
        {"bytes_per_sector": 513},
        {"bytes_per_sector": 8192},
        {"sectors_per_cluster": 0},
        {"sectors_per_cluster": 3},
        {"bytes_per_sector": 4096, "sectors_per_cluster": 32},
        {"reserved_sectors": 0},
        {"fat_count": 0},
        {"media": 0xF1},
    ],
)
def test_what_no_fat_volume_has_is_no_fat_volume(change: dict[str, int]) -> None:
    with pytest.raises(OSError) as caught:
        geometry_of(replace(boot(), **change), SIZE)
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize(
    ("bits", "change"),
    [
        (12, {"total_sectors_16": 0}),
        (12, {"total_sectors_16": 60000}),
        (12, {"total_sectors_16": 20}),
        (12, {"reserved_sectors": 60000}),
        (12, {"fat_size_16": 1}),
        (12, {"root_entry_count": 0}),
        (12, {"total_sectors_16": 0, "total_sectors_32": 0xFFFFFFFF}),
        (32, {"root_entry_count": 512}),
        (32, {"root_cluster": 0}),
        (32, {"root_cluster": 1 << 27}),
        (32, {"fat_size_32": 0}),
        (32, {"fat_size_32": 1}),
        (32, {"fat_size_32": 0xFFFFFFFF}),
        (32, {"ext_flags": 0x82}),
    ],
)
def test_a_boot_sector_that_contradicts_itself_is_damage(bits: int, change: dict[str, int]) -> None:
    with pytest.raises(OSError) as caught:
        geometry_of(replace(boot(bits), **change), SIZE)
    assert caught.value.errno == errno.EUCLEAN


def test_what_has_no_signature_is_no_fat_volume() -> None:
    for device in (MemoryDevice(100, 512), MemoryDevice(1, 4096)):
        with pytest.raises(OSError) as caught:
            FatVolume.mount(device)
        assert caught.value.errno == errno.EINVAL


def test_a_version_of_fat32_that_nobody_knows_is_refused() -> None:
    with pytest.raises(OSError) as caught:
        geometry_of(replace(boot(32), version=1), SIZE)
    assert caught.value.errno == errno.EINVAL


def test_without_mirroring_only_the_active_table_is_used() -> None:
    device = MemoryDevice(SIZE // 512, 512)
    geometry = mkfs(device, Options(bits=32, sectors_per_cluster=1))
    device.write(0, replace(decode_boot_sector(device.read(0)), ext_flags=0x81).encode())
    first, second = (geometry.fat_start // 512 + i * geometry.fat_size // 512 for i in (0, 1))
    before = bytes(device.read(first))
    with FatVolume.mount(device) as volume:
        volume.write_file(b"/f", b"x" * 5000)
    assert bytes(device.read(first)) == before
    assert bytes(device.read(second)) != before
    assert FatVolume.mount(device).read_file(b"/f") == b"x" * 5000


def test_fsinfo_without_its_signatures_is_none() -> None:
    raw = bytearray(encode_fsinfo(FsInfo(5, 6)))
    assert decode_fsinfo(raw) == (5, 6)
    for place in (0, 484, 510):
        broken = bytearray(raw)
        broken[place] ^= 1
        assert decode_fsinfo(broken) is None


@pytest.mark.parametrize(
    "options",
    [
        Options(bits=14),
        Options(sector_size=256),
        Options(sectors_per_cluster=3),
        Options(sectors_per_cluster=256),
        Options(fat_count=0),
        Options(bits=32, reserved_sectors=1),
        Options(bits=16),
        Options(label=b"much too long a label"),
        Options(root_entry_count=-1),
    ],
)
def test_mkfs_refuses_what_makes_no_volume(options: Options) -> None:
    with pytest.raises(OSError) as caught:
        mkfs(MemoryDevice(2000, 512), options)
    assert caught.value.errno == errno.EINVAL
