"""The memory device: sparse however large, views that cannot be written, memory given back."""

import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.block.sparse import CHUNK_SIZE_BYTES, SparseBytes

BLOCK = 4096
HUGE = (16 << 40) // BLOCK


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def test_sixteen_tebibytes_take_memory_only_for_what_is_written() -> None:
    before = resident_bytes()
    device = MemoryDevice(HUGE)
    for block in (0, HUGE // 3, HUGE - 1):
        device.write(block, b"%-4096d" % block)
    for block in (0, HUGE // 3, HUGE - 1):
        assert bytes(device.read(block)) == b"%-4096d" % block
    assert not any(device.read(HUGE // 2, 16))
    assert resident_bytes() - before < 8 << 20


def test_discard_gives_memory_back_and_reads_as_zeros() -> None:
    device = MemoryDevice(4096)
    device.write(0, b"x" * (4096 * BLOCK))
    full = resident_bytes()
    device.discard(1, 4094)
    assert full - resident_bytes() > 8 << 20
    assert bytes(device.read(0)) == bytes(device.read(4095)) == b"x" * BLOCK
    assert not any(bytes(device.read(1, 4094)))


def test_discard_of_blocks_smaller_than_a_page_spares_their_neighbours() -> None:
    device = MemoryDevice(64, 512)
    device.write(0, b"x" * (64 * 512))
    device.discard(3, 40)
    assert device.snapshot() == b"x" * (3 * 512) + bytes(40 * 512) + b"x" * (21 * 512)
    device.discard(1, 1)
    assert bytes(device.read(0, 3)) == b"x" * 512 + bytes(512) + b"x" * 512


def test_a_huge_discard_costs_no_memory() -> None:
    device = MemoryDevice(HUGE)
    before = resident_bytes()
    device.discard(0, HUGE)
    assert resident_bytes() - before < 8 << 20


def test_a_reader_cannot_write_through_its_view() -> None:
    view = MemoryDevice(1).read(0)
    assert isinstance(view, memoryview)
    assert view.readonly


def test_a_view_outlives_the_device() -> None:
    device = MemoryDevice(1)
    device.write(0, b"kept" * 1024)
    view = device.read(0)
    device.close()
    assert bytes(view) == b"kept" * 1024


def test_an_image_becomes_a_device_and_back() -> None:
    image = bytes(range(256)) * 48
    device = MemoryDevice.from_bytes(image + b"not a whole block")
    assert device.block_count == 3
    assert device.snapshot() == image


def test_views_of_other_items_than_bytes_are_written_as_bytes() -> None:
    device = MemoryDevice(1)
    device.write(0, memoryview(b"abcdefgh" * 512).cast("Q"))
    assert bytes(device.read(0)) == b"abcdefgh" * 512


@pytest.mark.parametrize(("blocks", "size"), [(0, 4096), (-1, 4096), (4, 0), (4, 1000), (4, -512)])
def test_an_impossible_geometry_is_refused(blocks: int, size: int) -> None:
    with pytest.raises(OSError) as caught:
        MemoryDevice(blocks, size)
    assert caught.value.errno == errno.EINVAL


def test_a_process_with_little_address_space_still_gets_a_huge_device() -> None:
    program = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from watosfs.block.memory import MemoryDevice
device = MemoryDevice(1 << 32)
device.write((1 << 32) - 2, b"x" * 8192)
device.discard(0, (1 << 32) - 1)
print(bytes(device.read((1 << 32) - 3, 3)) == bytes(8192) + b"x" * 4096)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "True\n"


def test_sparse_bytes_forget_whole_chunks_and_zero_parts_of_them() -> None:
    contents = SparseBytes()
    contents.write(10, memoryview(b"x" * (3 * CHUNK_SIZE_BYTES)))
    contents.clear(20, 3 * CHUNK_SIZE_BYTES)
    found = contents.read(0, 4 * CHUNK_SIZE_BYTES)
    assert found[:20] == bytes(10) + b"x" * 10
    assert not any(found[20 : 3 * CHUNK_SIZE_BYTES])
    assert found[3 * CHUNK_SIZE_BYTES :] == b"x" * 10 + bytes(CHUNK_SIZE_BYTES - 10)
