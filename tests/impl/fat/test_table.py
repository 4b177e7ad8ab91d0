"""The table: entries of 12, 16 and 32 bits, runs, and chains that lead astray."""

import errno
import random

import pytest

from watosfs.block.byte_access import ByteAccess
from watosfs.block.memory import MemoryDevice
from watosfs.fat.allocator import Allocator
from watosfs.fat.chains import Chains
from watosfs.fat.format import Geometry
from watosfs.fat.mkfs import Options, mkfs
from watosfs.fat.table import FatTable

SIZES = {12: 400, 16: 20_000, 32: 40_000}


def made(bits: int) -> tuple[ByteAccess, Geometry]:
    device = MemoryDevice(SIZES[bits] * 2, 512)
    geometry = mkfs(device, Options(bits=bits, sectors_per_cluster=1))
    assert geometry.bits == bits
    return ByteAccess(device), geometry


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_entries_are_what_was_put_there_in_both_copies(bits: int) -> None:
    access, geometry = made(bits)
    table, rng = FatTable(access, geometry), random.Random(bits)
    wanted: dict[int, int] = {}
    for _ in range(300):
        cluster = rng.randrange(2, geometry.cluster_end)
        if rng.randrange(2):
            count = min(rng.randint(1, 40), geometry.cluster_end - cluster)
            table.put_run(cluster, count, table.end)
            wanted.update((c, c + 1) for c in range(cluster, cluster + count - 1))
            wanted[cluster + count - 1] = table.end
        else:
            value = rng.randrange(table.end)
            table.put(cluster, value)
            wanted[cluster] = value
    table.write()
    again = FatTable(access, geometry)
    for cluster in range(2, geometry.cluster_end):
        assert again.get(cluster) == wanted.get(cluster, cluster == 2 and bits == 32 and 0xFFFFFF8)
    copies = [bytes(access.read(start, geometry.fat_size)) for start in geometry.fat_starts()]
    assert len(copies) == 2
    assert copies[0] == copies[1]


def test_an_entry_of_twelve_bits_may_lie_across_two_sectors() -> None:
    access, geometry = made(12)
    table = FatTable(access, geometry)
    table.put(341, 0xABC)  # bytes 511 and 512 of the table
    table.write()
    raw = access.read(geometry.fat_start + 511, 2)
    assert bytes(raw) == b"\xc0\xab"
    table.put(341, 0)
    table.write()
    assert bytes(access.read(geometry.fat_start + 511, 2)) == bytes(2)


def test_the_top_four_bits_of_fat32_are_kept() -> None:
    access, geometry = made(32)
    offset = geometry.fat_start + 100 * 4
    access.write(offset, b"\0\0\0\xa0" * 3)
    table = FatTable(access, geometry)
    assert table.get(100) == 0
    table.put_run(100, 3, table.end)
    table.write()
    assert bytes(access.read(offset, 12)).hex() == "650000a0660000a0ffffffaf"
    assert list(table.runs(100)) == [(100, 3)]
    table.clear_run(100, 3)
    table.write()
    assert bytes(access.read(offset, 12)).hex() == "000000a0" * 3


@pytest.mark.parametrize("bits", [12, 16, 32])
@pytest.mark.parametrize(
    "entries",
    [
        {10: 11, 11: 10},
        {10: 10},
        {10: 11, 11: 12, 12: 40, 40: 41, 41: 11},
        {10: 11, 11: 0},
        {10: 1},
        {10: "bad"},
        {10: "beyond"},
    ],
)
def test_a_chain_that_leads_astray_is_damage(bits: int, entries: dict[int, int | str]) -> None:
    access, geometry = made(bits)
    table = FatTable(access, geometry)
    values = {"bad": table.bad, "beyond": geometry.cluster_end}
    for cluster, value in entries.items():
        table.put(cluster, values[value] if isinstance(value, str) else value)
    with pytest.raises(OSError) as caught:
        list(table.runs(10))
    assert caught.value.errno == errno.EUCLEAN


@pytest.mark.parametrize("first", [0, 1, 0xFFF0000])
def test_a_chain_that_begins_nowhere_is_damage(first: int) -> None:
    table = FatTable(*made(32))
    with pytest.raises(OSError) as caught:
        list(table.runs(first))
    assert caught.value.errno == errno.EUCLEAN


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_runs_are_found_across_pages_and_gaps(bits: int) -> None:
    table = FatTable(*made(bits))
    long = min(17_000, table.cluster_end - 300)
    table.put_run(200, long, 50)
    table.put_run(50, 1, 7)
    table.put_run(7, 2, table.end)
    assert list(table.runs(200)) == [(200, long), (50, 1), (7, 2)]


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_clusters_are_given_out_together_where_they_lie_together(bits: int) -> None:
    table = FatTable(*made(bits))
    allocator = Allocator(table, None, 0)
    free = allocator.free_count
    assert free == table.geometry.cluster_count - (bits == 32)
    (first, count), = allocator.allocate(100)  # fmt: skip
    assert count == 100
    assert allocator.allocate(10, near=first + 100) == [(first + 100, 10)]
    allocator.give_back(first + 20, 30)
    # A run that fits is preferred to the hole, the hole to nothing.
    assert allocator.allocate(50) == [(first + 110, 50)]
    rest = allocator.allocate(allocator.free_count)
    assert sum(length for _, length in rest) == free - 130
    with pytest.raises(OSError) as caught:
        allocator.allocate(1)
    assert caught.value.errno == errno.ENOSPC


def test_a_free_count_that_lies_is_found_out_without_harm() -> None:
    table = FatTable(*made(12))
    allocator = Allocator(table, 4000, 300)
    with pytest.raises(OSError) as caught:
        allocator.allocate(3999)
    assert caught.value.errno == errno.ENOSPC
    assert allocator.free_count == table.geometry.cluster_count
    assert sum(count for _, count in allocator.allocate(allocator.free_count)) > 300


def test_what_is_freed_on_disk_waits_and_what_never_got_there_does_not() -> None:
    table = FatTable(*made(12))
    allocator = Allocator(table, None, 0)
    written: list[int] = []

    def write_back() -> None:
        written.append(1)
        chains.put_links()
        chains.put_cuts()
        chains.put_frees()
        allocator.settle()

    chains = Chains(table, allocator, write_back)
    chain = chains.load(0)
    chains.extend(chain, 10)
    chains.cut(chain, 4)
    assert (chains.held_count, chain.count) == (0, 4)
    write_back()
    chains.extend(chain, 3)
    assert table.get(chain.cluster(3)) == table.end
    chains.cut(chain, 2)
    assert (chains.held_count, chains.links, len(chains.cuts)) == (2, {}, 1)
    written.clear()
    # The tail still leads elsewhere on disk: this cannot wait.
    chains.extend(chain, 1)
    assert written == [1]
    write_back()
    assert [count for _, count in table.runs(chain.first)] != []
    assert chains.load(chain.first).count == 3
    chains.cut(chain, 0)
    free = chains.free_count
    assert allocator.free_count == free - 3
    chains.extend(chain, free)
    assert chain.count == free
