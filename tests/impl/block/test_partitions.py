"""Partitions are found where their tables say, and no table leads astray."""

import errno
import struct
from uuid import UUID
from zlib import crc32

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.block.partitions import Partition, open_partition, partitions

LINUX = UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


def mbr(*entries: tuple[int, int, int]) -> bytes:
    """A sector with a table of (type, first sector, sectors)."""
    table = b"".join(
        struct.pack("<B3xB3xII", 0, kind, first, count) for kind, first, count in entries
    )
    return bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"


def device(*sectors: tuple[int, bytes], count: int = 4096) -> MemoryDevice:
    made = MemoryDevice(count, 512)
    for number, raw in sectors:
        made.write(number, raw)
    return made


def gpt(
    sector: int = 512, total: int = 4096, name: str = "data", last: int = 999, first: int = 100
) -> MemoryDevice:
    """A GPT with one partition, sectors ``first`` to ``last``, and both of its headers."""
    made = MemoryDevice(total * sector // 512, 512)
    entry = LINUX.bytes_le + bytes(16)
    entry += struct.pack("<QQQ72s", first, last, 0, name.encode("utf-16-le"))
    entries = bytes(128) + entry.ljust(126 * 128 + 128, b"\0")
    for at, table in ((1, 2), (total - 1, total - 1 - len(entries) // sector)):
        header = struct.pack(
            "<8sIII4xQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, at, total - at, 34, total - 34,
            bytes(16), table, 127, 128, crc32(entries[: 127 * 128]),
        )  # fmt: skip
        header = header[:16] + struct.pack("<I", crc32(header)) + header[20:]
        made.write(at * sector // 512, header.ljust(sector, b"\0"))
        made.write(table * sector // 512, entries)
    made.write(0, mbr((0xEE, 1, total * sector // 512 - 1)))
    return made


def test_a_device_without_a_table_has_no_partitions() -> None:
    assert partitions(device()) == []
    assert partitions(device((0, bytes(510) + b"\x55\xaa"))) == []
    assert partitions(MemoryDevice(1, 512)) == []


def test_a_fat_boot_sector_is_no_table() -> None:
    boot = bytearray(mbr((0x0C, 63, 100)))
    boot[446] = ord("N")
    assert partitions(device((0, bytes(boot)))) == []


def test_primary_partitions_have_the_numbers_of_their_entries() -> None:
    table = mbr((0x06, 63, 1000), (0, 0, 0), (0x0C, 2000, 96))
    assert partitions(device((0, table))) == [
        Partition(1, 63 * 512, 1000 * 512, "06", ""),
        Partition(3, 2000 * 512, 96 * 512, "0c", ""),
    ]


def test_logical_partitions_count_from_five() -> None:
    made = device(
        (0, mbr((0x05, 1000, 2000), (0x06, 10, 100))),
        (1000, mbr((0x01, 1, 99), (0x05, 500, 100))),
        (1500, mbr((0x04, 2, 98))),
    )
    found = [(p.number, p.start_bytes // 512, p.size_bytes // 512) for p in partitions(made)]
    assert found == [(2, 10, 100), (5, 1001, 99), (6, 1502, 98)]


@pytest.mark.parametrize(
    "sectors",
    [
        [(0, mbr((0x06, 63, 4096)))],
        [(0, mbr((0x06, 0, 100)))],
        [(0, mbr((0x05, 1000, 2000))), (1000, mbr((0x01, 1, 99), (0x05, 0, 100)))],
        [(0, mbr((0x05, 1000, 2000))), (1000, mbr((0x01, 1, 99), (0x05, 2500, 100)))],
        [(0, mbr((0x05, 1000, 2000)))],
        [(0, mbr((0x05, 1000, 2000))), (1000, mbr((0x01, 1, 5000)))],
        [(0, mbr((0xEE, 1, 4095)))],
    ],
)
def test_a_table_that_leads_astray_is_damage(sectors: list[tuple[int, bytes]]) -> None:
    with pytest.raises(OSError) as caught:
        partitions(device(*sectors))
    assert caught.value.errno == errno.EUCLEAN


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_gpt_is_read_whatever_its_sector_size(sector: int) -> None:
    (found,) = partitions(gpt(sector))
    assert found == Partition(2, 100 * sector, 900 * sector, str(LINUX), "data")


def test_a_gpt_whose_first_header_is_gone_is_read_from_its_last() -> None:
    made = gpt()
    made.write(1, b"\xff" * 512)
    assert [p.name for p in partitions(made)] == ["data"]
    made.write(4095, b"\xff" * 512)
    with pytest.raises(OSError) as caught:
        partitions(made)
    assert caught.value.errno == errno.EUCLEAN


def test_a_gpt_partition_beyond_the_usable_sectors_is_damage() -> None:
    with pytest.raises(OSError) as caught:
        partitions(gpt(last=4070))
    assert caught.value.errno == errno.EUCLEAN


def test_a_partition_is_a_device_of_its_own() -> None:
    whole = device((0, mbr((0x06, 63, 1000))))
    part = open_partition(whole, 1)
    assert part.block_count == 1000
    part.write(2, b"x" * 512)
    part.flush()
    assert bytes(whole.read(65)) == b"x" * 512
    part.close()
    assert bytes(whole.read(65)) == b"x" * 512
    with pytest.raises(OSError) as caught:
        part.read(0)
    assert caught.value.errno == errno.EBADF


def test_a_partition_that_is_not_there_is_enxio() -> None:
    with pytest.raises(OSError) as caught:
        open_partition(device(), 1)
    assert caught.value.errno == errno.ENXIO
