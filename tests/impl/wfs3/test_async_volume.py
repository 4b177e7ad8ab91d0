"""AsyncVolume on a device that answers on demand: overlap, order, backpressure, cancellation,
durability, power cuts. No time passes; what is in flight is counted.

Canaries: a queue that lets writes overtake flushes, an ``fsync`` that does not wait, and turns
that let everybody in are caught.
"""

import asyncio
import errno
import random

import pytest

from tests.impl.wfs3.simulated_device import LATENCY, SimulatedDevice, run, settle
from watosfs.block.epoch_queue import EpochQueue
from watosfs.block.file import FileDevice
from watosfs.block.memory import MemoryDevice
from watosfs.block.statistics import CountingDevice
from watosfs.block.tagged import Kind, ThreadedDevice
from watosfs.errors import EUCLEAN
from watosfs.wfs3.async_volume import AsyncVolume
from watosfs.wfs3.check import check
from watosfs.wfs3.mkfs import mkfs
from watosfs.wfs3.turns import Turns
from watosfs.wfs3.volume import Volume

FILES = 64
SIZE = 20_000


def contents(i: int) -> bytes:
    return random.Random(i).randbytes(SIZE)


def filled() -> MemoryDevice:
    medium = MemoryDevice(8192)
    mkfs(medium)
    with Volume.mount(medium) as volume:
        for i in range(FILES):
            with volume.create(b"/f%d" % i) as handle:
                handle.pwrite(contents(i), 0)
    return medium


async def read_one(volume: AsyncVolume, i: int) -> None:
    handle = await volume.open(b"/f%d" % i)
    assert await volume.pread(handle, SIZE, 0) == contents(i)
    await volume.close(handle)


def test_ten_times_more_is_in_flight_than_blocking():
    blocking = SimulatedDevice(filled())
    with Volume.mount(EpochQueue(blocking), read_only=True) as volume:
        for i in range(FILES):
            with volume.open(b"/f%d" % i) as handle:
                assert handle.pread(SIZE, 0) == contents(i)

    device = SimulatedDevice(filled())

    async def work():
        volume = await AsyncVolume.mount(device, read_only=True)
        await asyncio.gather(*(read_one(volume, i) for i in range(FILES)))
        await volume.unmount()

    run(device, work())
    assert blocking.in_flight_max == 1
    assert device.in_flight_max >= 10 * blocking.in_flight_max
    assert device.clock * 5 < blocking.clock
    assert device.in_flight_max <= 32


def test_no_more_than_the_depth_is_in_flight_and_no_more_requests_than_allowed():
    device = SimulatedDevice(filled())

    async def work():
        volume = await AsyncVolume.mount(device, depth=4, requests_max=7)
        await asyncio.gather(*(read_one(volume, i) for i in range(FILES)))
        assert volume.in_flight_max == 7
        assert volume.queue.counts.in_flight_max == 4
        await volume.unmount()

    run(device, work())
    assert device.in_flight_max == 4


def test_writers_wait_while_too_much_is_queued(monkeypatch):
    monkeypatch.setattr("watosfs.block.epoch_queue._QUEUED_BYTES_MAX", 256 << 10)
    device = SimulatedDevice(MemoryDevice(16384))
    mkfs(device.medium)
    most = 0

    async def write(volume, i):
        nonlocal most
        handle = await volume.open(b"/f%d" % i, 0o102)
        await volume.pwrite(handle, bytes(64 << 10), 0)
        most = max(most, volume.queue.queued_bytes)

    async def work():
        volume = await AsyncVolume.mount(device)
        await asyncio.gather(*(write(volume, i) for i in range(100)))
        await volume.sync()
        await volume.unmount()

    run(device, work())
    assert most <= (256 + 64) << 10
    assert not check(device.medium, data=True).problems


def test_requests_on_one_file_take_effect_in_order():
    device = SimulatedDevice(filled(), seed=3)

    async def work():
        volume = await AsyncVolume.mount(device)
        handle = await volume.open(b"/f0", 2)
        expected, tasks = contents(0)[:8192], []
        for i in range(30):
            piece = bytes([i]) * 100
            tasks.append(asyncio.ensure_future(volume.pwrite(handle, piece, 50 * i)))
            expected = expected[: 50 * i] + piece + expected[50 * i + 100 :]
            tasks.append(asyncio.ensure_future(volume.pread(handle, 8192, 0)))
            await settle()
            tasks[-1].expected = expected
        await asyncio.gather(*tasks)
        assert [task.result() for task in tasks[1::2]] == [task.expected for task in tasks[1::2]]
        await volume.unmount()

    run(device, work())


async def count_in_turns(turns: Turns) -> list[int]:
    seen, inside = [], 0

    async def one(i):
        nonlocal inside
        async with turns.taken("key", shared=False):
            inside += 1
            assert inside == 1, "two at once"
            await asyncio.sleep(0)
            seen.append(i)
            inside -= 1

    await asyncio.gather(*(one(i) for i in range(10)))
    return seen


def test_turns_are_first_come_first_served_and_leave_nothing():
    turns = Turns()
    assert asyncio.run(count_in_turns(turns)) == list(range(10))
    assert turns.lines == {}


def test_canary_turns_that_let_everybody_in_are_caught(monkeypatch):
    def advance(turns, line):
        while line.waiting:
            line.waiting.popleft()[0].set_result(None)

    monkeypatch.setattr(Turns, "advance", advance)
    with pytest.raises(AssertionError, match="two at once"):
        asyncio.run(count_in_turns(Turns()))


def test_a_cancelled_request_is_withdrawn_and_the_others_go_on():
    device = SimulatedDevice(filled())

    async def work():
        volume = await AsyncVolume.mount(device, depth=1)
        handles = [await volume.open(b"/f%d" % i, 2) for i in range(4)]
        reads = [asyncio.ensure_future(volume.pread(h, SIZE, 0)) for h in handles]
        write = asyncio.ensure_future(volume.pwrite(handles[3], b"never", 0))
        await settle()
        reads[2].cancel()
        write.cancel()
        done = await asyncio.gather(*reads, write, return_exceptions=True)
        assert done[:2] == [contents(0), contents(1)]
        assert done[3] == contents(3)
        assert isinstance(done[2], asyncio.CancelledError)
        assert isinstance(done[4], asyncio.CancelledError)
        assert await volume.pread(handles[3], SIZE, 0) == contents(3)
        assert volume.queue.counts.withdrawn == 1
        assert volume.turns.lines == {}
        assert volume.in_flight == 0
        await volume.unmount()

    run(device, work())


def test_those_who_fsync_together_share_a_commit():
    device = SimulatedDevice(MemoryDevice(8192))
    mkfs(device.medium)

    async def one(volume, i):
        handle = await volume.open(b"/f%d" % i, 0o102)
        await volume.pwrite(handle, contents(i), 0)
        await volume.fsync(handle)
        with Volume.mount(MemoryDevice.from_bytes(device.medium.snapshot())) as seen:
            assert seen.stat(b"/f%d" % i).st_size == SIZE

    async def work():
        volume = await AsyncVolume.mount(device)
        before = device.flushes
        await asyncio.gather(*(one(volume, i) for i in range(30)))
        assert device.flushes - before <= 8
        await volume.unmount()

    run(device, work())


# -- power cuts


async def rewrite(volume, acknowledged):
    """Every round rewrites two files with its number, in one commit."""
    handles = [await volume.open(name, 0o102) for name in (b"/a", b"/b")]
    for number in range(1, 12):
        data = bytes([number]) * 70_000
        await asyncio.gather(*(volume.pwrite(handle, data, 0) for handle in handles))
        await volume.fsync(handles[0])
        acknowledged.append(number)


def look_after_power_cuts(seed: int) -> int:
    """Cut the power before every answer of the device: old or new, whole, nothing acknowledged
    lost. How many cuts.
    """
    device = SimulatedDevice(MemoryDevice(1024), seed)
    mkfs(device.medium)
    acknowledged: list[int] = [0]
    cuts = 0

    def cut() -> None:
        nonlocal cuts
        cuts += 1
        left = device.after_power_cut()
        with Volume.mount(left) as volume:
            found = set()
            for name in (b"/a", b"/b"):
                try:
                    with volume.open(name) as handle:
                        found.add(bytes(set(handle.pread(80_000, 0))))
                except FileNotFoundError:
                    found.add(b"")
        assert len(found) == 1, f"halves of two commits: {found}"
        number = (found.pop() or b"\0")[0]
        assert number >= acknowledged[-1], f"{acknowledged[-1]} was acknowledged, {number} is there"
        problems = check(left, data=True).problems
        assert not problems, problems

    async def work():
        volume = await AsyncVolume.mount(device)
        await rewrite(volume, acknowledged)
        await volume.unmount()

    run(device, work(), on_step=cut)
    return cuts


@pytest.mark.parametrize("seed", range(3))
def test_acknowledged_commits_are_whole_survives_crash(seed):
    assert look_after_power_cuts(seed) > 50


def caught(seeds=range(6)) -> bool:
    for seed in seeds:
        try:
            look_after_power_cuts(seed)
        except (AssertionError, OSError) as error:
            if isinstance(error, AssertionError) or error.errno == EUCLEAN:
                return True
            raise
    return False


def test_canary_a_queue_that_ignores_epochs_is_caught(monkeypatch):
    monkeypatch.setattr(EpochQueue, "may_go", lambda queue, request: True)
    assert caught()


def test_canary_an_fsync_that_does_not_wait_is_caught(monkeypatch):
    async def durable(queue):
        return

    monkeypatch.setattr(EpochQueue, "durable", durable)
    with pytest.raises(AssertionError, match="was acknowledged"):
        look_after_power_cuts(0)


# -- failures


@pytest.mark.parametrize("kind", [Kind.WRITE, Kind.FLUSH])
def test_a_failed_write_or_flush_fails_the_fsync_and_all_after_it(kind):
    device = SimulatedDevice(filled())

    async def work():
        volume = await AsyncVolume.mount(device)
        handle = await volume.open(b"/f0", 2)
        await volume.pwrite(handle, b"new", 0)
        device.fails = {kind}
        for call in (volume.fsync(handle), volume.pread(handle, 1, 0), volume.mkdir(b"/d")):
            with pytest.raises(OSError) as failed:
                await call
            assert failed.value.errno == errno.EIO
            device.fails = set()

    run(device, work())
    with Volume.mount(device.medium) as volume, volume.open(b"/f0") as handle:
        assert handle.pread(SIZE, 0) == contents(0)


def test_a_failed_read_fails_its_request_alone():
    device = SimulatedDevice(filled())

    async def work():
        volume = await AsyncVolume.mount(device)
        handle = await volume.open(b"/f1")
        device.fails = {Kind.READ}
        with pytest.raises(OSError) as failed:
            await volume.pread(handle, SIZE, 0)
        assert failed.value.errno == errno.EIO
        device.fails = set()
        assert await volume.pread(handle, SIZE, 0) == contents(1)
        await volume.unmount()

    run(device, work())


# -- names, and a real device


async def use_names(volume):
    await volume.mkdir(b"/d")
    handle = await volume.open(b"/d/x", 0o102)
    await volume.pwrite(handle, b"hello", 0)
    await volume.truncate(handle, 3)
    assert await volume.pread(handle, 10, 0) == b"hel"
    await volume.rename(b"/d/x", b"/d/y")
    assert (await volume.stat(b"/d/y")).st_size == 3
    assert [entry.name for entry in await volume.readdir(b"/d")] == [b"y"]
    await volume.unlink(b"/d/y")
    await volume.close(handle)
    with pytest.raises(FileNotFoundError):
        await volume.stat(b"/d/y")
    await volume.sync()


def test_names_work_and_few_reads_block():
    device = SimulatedDevice(filled())

    async def work():
        volume = await AsyncVolume.mount(device)
        at_mount = volume.queue.counts.blocking_reads
        await use_names(volume)
        for i in range(FILES):
            await volume.unlink(b"/f%d" % i)
        # Neighbours that a node is merged with are known only in the middle of the change.
        assert volume.queue.counts.blocking_reads - at_mount <= 6
        await volume.unmount()

    run(device, work())
    assert device.clock >= LATENCY
    assert not check(device.medium, data=True).problems


def test_it_works_over_threads_and_an_image_file(tmp_path):
    path = tmp_path / "image"
    image = FileDevice.open(path, create_size=32 << 20)
    mkfs(image)

    async def write_one(volume, i):
        handle = await volume.open(b"/f%d" % i, 0o102)
        await volume.pwrite(handle, contents(i), 0)
        await volume.fsync(handle)
        assert await volume.pread(handle, SIZE, 0) == contents(i)

    async def work():
        volume = await AsyncVolume.mount(ThreadedDevice(image))
        await use_names(volume)
        await asyncio.gather(*(write_one(volume, i) for i in range(20)))
        await volume.unmount()

    asyncio.run(work())
    counting = CountingDevice(FileDevice.open(path))
    assert not check(counting, data=True).problems
    with Volume.mount(counting) as volume:
        for i in range(20):
            with volume.open(b"/f%d" % i) as handle:
                assert handle.pread(SIZE, 0) == contents(i)
    counting.close()
