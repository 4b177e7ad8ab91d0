"""The counting device: what it counts, and that a refused request does not count."""

import errno

import pytest

from watosfs.block.memory import MemoryDevice
from watosfs.block.statistics import CountingDevice, Counts


def test_counts_are_of_calls_runs_blocks_and_bytes() -> None:
    device = CountingDevice(MemoryDevice(16))
    device.write(0, bytes(8192))
    device.write(4, bytes(4096), fua=True)
    device.writev([(5, bytes(4096)), (9, bytes(12288))])
    device.read(0, 3)
    device.readv([(0, 1), (4, 2)])
    device.flush()
    device.discard(9, 3)
    assert device.counts == Counts(
        reads=2,
        read_runs=3,
        blocks_read=6,
        bytes_read=24576,
        writes=3,
        write_runs=4,
        blocks_written=7,
        bytes_written=28672,
        fua_writes=1,
        flushes=1,
        discards=1,
        blocks_discarded=3,
    )


def test_the_difference_of_two_counts_is_what_was_asked_in_between() -> None:
    device = CountingDevice(MemoryDevice(16))
    device.write(0, bytes(4096))
    before = device.counts.copy()
    device.flush()
    device.read(0)
    spent = device.counts - before
    assert spent == Counts(reads=1, read_runs=1, blocks_read=1, bytes_read=4096, flushes=1)


def test_a_refused_request_does_not_count() -> None:
    device = CountingDevice(MemoryDevice(1))
    with pytest.raises(OSError) as caught:
        device.read(1)
    assert caught.value.errno == errno.EINVAL
    assert device.counts == Counts()
