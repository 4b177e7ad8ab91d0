"""What every block device must do, as a state machine to subclass (STYLE rule 6).

    class TestMemory(DeviceConformance):
        def make_device(self): return MemoryDevice(BLOCK_COUNT)
    TestMemoryDevice = TestMemory.TestCase

Checks: against a dict of blocks: contents after any mix of write, writev, FUA, discard and flush;
read and readv agree, with ``accept`` and without; a buffer from ``read`` stays as it was until its
blocks are written; data is copied before ``write`` returns; refused requests raise EINVAL and
change nothing; close is idempotent and ends everything with EBADF; what was flushed survives
reopening.

Does not check: what a power cut leaves (no device can be asked; the crash explorer models it);
concurrency (a device is used by one thread here); read-only devices, where no state can arise.
"""

import errno
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from watosfs.block.device import SECTOR_SIZE_BYTES, BlockDevice, Buffer

BLOCK_COUNT = 12
#: Runs of blocks inside the device, never empty.
RUNS = st.integers(0, BLOCK_COUNT - 1).flatmap(
    lambda block: st.tuples(st.just(block), st.integers(1, BLOCK_COUNT - block))
)
#: Runs that reach outside it, on either side.
RUNS_OUTSIDE = st.sampled_from(
    [
        (-1, 1),
        (-1, 2),
        (0, -1),
        (0, BLOCK_COUNT + 1),
        (BLOCK_COUNT - 1, 2),
        (BLOCK_COUNT, 1),
        (BLOCK_COUNT + 1, 0),
        (1 << 62, 1),
        (0, 1 << 62),
    ]
)
STAMPS = st.integers(1, 9)


def stamped(stamp: int, block: int, block_size_bytes: int) -> bytes:
    """Contents that tell which write of which sector of which block they are."""
    sectors = block_size_bytes // SECTOR_SIZE_BYTES
    labels = [b"stamp %d block %d sector %d. " % (stamp, block, i) for i in range(sectors)]
    return b"".join(
        (label * (SECTOR_SIZE_BYTES // len(label) + 1))[:SECTOR_SIZE_BYTES] for label in labels
    )


class DeviceConformance(RuleBasedStateMachine):
    """Drives the device of ``make_device`` beside a dict; subclass it for each device."""

    device: BlockDevice

    def make_device(self) -> BlockDevice:
        """A device of ``BLOCK_COUNT`` blocks of zeros."""
        raise NotImplementedError

    def reopen_device(self) -> BlockDevice | None:
        """The same medium, opened again after ``close``; None for one that ends with it."""
        return None

    @initialize()
    def open_it(self) -> None:
        """Start from zeros."""
        self.device = self.make_device()
        self.size = self.device.block_size_bytes
        assert self.device.block_count == BLOCK_COUNT, self.device.block_count
        assert self.size % SECTOR_SIZE_BYTES == 0, self.size
        #: For each block, everything it may read as. More than one only after a discard.
        self.permitted = {block: {bytes(self.size)} for block in range(BLOCK_COUNT)}
        self.history = {block: {bytes(self.size)} for block in range(BLOCK_COUNT)}
        #: Buffers that read gave out, with what they held, until their blocks are written.
        self.held: list[tuple[int, Buffer, bytes]] = []

    def _data(self, stamp: int, block: int, count: int) -> bytes:
        return b"".join(stamped(stamp, b, self.size) for b in range(block, block + count))

    def _wrote(self, block: int, data: bytes) -> None:
        count = len(data) // self.size
        for i in range(count):
            content = data[i * self.size : (i + 1) * self.size]
            self.permitted[block + i] = {content}
            self.history[block + i].add(content)
        self._release(block, count)

    def _release(self, block: int, count: int) -> None:
        """Buffers of these blocks are no longer promised to stay."""
        self.held = [
            (start, buffer, content)
            for start, buffer, content in self.held
            if start + len(content) // self.size <= block or block + count <= start
        ]

    def _judge(self, block: int, count: int, buffer: Buffer) -> bytes:
        data = bytes(buffer)
        assert len(data) == count * self.size, f"{len(data)} bytes for {count} blocks"
        for i in range(count):
            found = data[i * self.size : (i + 1) * self.size]
            expected = self.permitted[block + i]
            assert found in expected, (
                f"block {block + i} reads {found[:40]!r}, not {[e[:40] for e in expected]}"
            )
        return data

    @rule(run=RUNS, stamp=STAMPS, fua=st.booleans())
    def write(self, run: tuple[int, int], stamp: int, fua: bool) -> None:
        """Whole blocks; the caller's buffer is its own again once the call returned."""
        block, count = run
        data = bytearray(self._data(stamp, block, count))
        self.device.write(block, data, fua=fua)
        self._wrote(block, bytes(data))
        data[:] = b"!" * len(data)

    @rule(runs=st.lists(RUNS, max_size=4), stamp=STAMPS)
    def writev(self, runs: list[tuple[int, int]], stamp: int) -> None:
        """Runs that do not overlap (the device may reorder them); none is legal too."""
        apart: list[tuple[int, bytes]] = []
        taken: set[int] = set()
        for block, count in runs:
            if not taken & set(range(block, block + count)):
                taken |= set(range(block, block + count))
                apart.append((block, self._data(stamp, block, count)))
        self.device.writev([(block, memoryview(data)) for block, data in apart])
        for block, data in apart:
            self._wrote(block, data)

    @rule(run=RUNS, to=st.integers(0, BLOCK_COUNT - 1))
    def copy(self, run: tuple[int, int], to: int) -> None:
        """Write what was read, overlapping included: the buffer may be a view of the device."""
        block, count = run[0], min(run[1], BLOCK_COUNT - to)
        buffer = self.device.read(block, count)
        data = self._judge(block, count, buffer)
        self.device.write(to, buffer)
        self._wrote(to, data)

    @rule(run=RUNS, with_accept=st.booleans())
    def read(self, run: tuple[int, int], with_accept: bool) -> None:
        """Any run, with an ``accept`` that takes what is right; the buffer is kept and watched."""
        block, count = run
        accept = self._accept(block, count) if with_accept else None
        buffer = self.device.read(block, count, accept)
        content = self._judge(block, count, buffer)
        if not any(len(self.permitted[b]) > 1 for b in range(block, block + count)):
            self.held.append((block, buffer, content))

    def _accept(self, block: int, count: int) -> Callable[[Buffer], bool]:
        def accept(buffer: Buffer) -> bool:
            pieces = [bytes(buffer)[i * self.size : (i + 1) * self.size] for i in range(count)]
            return all(piece in self.permitted[block + i] for i, piece in enumerate(pieces))

        return accept

    @rule(runs=st.lists(RUNS, max_size=4))
    def readv(self, runs: list[tuple[int, int]]) -> None:
        """Any runs, in the order asked for, also when they overlap or repeat."""
        buffers = self.device.readv(runs)
        assert len(buffers) == len(runs)
        for (block, count), buffer in zip(runs, buffers, strict=True):
            self._judge(block, count, buffer)

    @rule(run=RUNS)
    def discard(self, run: tuple[int, int]) -> None:
        """From then on the blocks may read as anything that they ever held, or zeros."""
        block, count = run
        self.device.discard(block, count)
        for b in range(block, block + count):
            self.permitted[b] = set(self.history[b])
        self._release(block, count)

    @rule()
    def flush(self) -> None:
        """Changes nothing that can be read."""
        self.device.flush()

    @precondition(lambda self: type(self).reopen_device is not DeviceConformance.reopen_device)
    @rule()
    def flush_and_reopen(self) -> None:
        """What was flushed is there after closing and opening again."""
        self.device.flush()
        self.device.close()
        self.held = []
        device = self.reopen_device()
        assert device is not None
        self.device = device

    @rule(run=RUNS_OUTSIDE)
    def refuse_a_run_outside_the_device(self, run: tuple[int, int]) -> None:
        """EINVAL, and nothing changed (which the invariant sees)."""
        block, count = run
        self._refused(errno.EINVAL, self.device.read, block, count)
        self._refused(errno.EINVAL, self.device.readv, [(0, 1), run])
        self._refused(errno.EINVAL, self.device.discard, block, count)
        if 0 <= count <= BLOCK_COUNT + 1:
            self._refused(errno.EINVAL, self.device.write, block, b"?" * count * self.size)

    @rule(block=st.integers(0, BLOCK_COUNT - 2), size=st.sampled_from([-1, 1, 511, 512]))
    def refuse_data_that_is_not_whole_blocks(self, block: int, size: int) -> None:
        """EINVAL, and nothing changed."""
        if size % self.size:
            self._refused(errno.EINVAL, self.device.write, block, b"?" * (self.size + size))

    def _refused(self, number: int, call: Callable[..., object], *arguments: Any) -> None:
        found: int | None = 0
        try:
            call(*arguments)
        except OSError as error:
            found = error.errno
        assert found == number, f"errno {found}, not {errno.errorcode[number]}, from {call}"

    @invariant()
    def every_block_reads_as_last_written(self) -> None:
        """The whole device, after every step."""
        if hasattr(self, "device"):
            self._judge(0, BLOCK_COUNT, self.device.read(0, BLOCK_COUNT))

    @invariant()
    def buffers_stay_as_they_were(self) -> None:
        """Those whose blocks were not written since."""
        for block, buffer, content in getattr(self, "held", ()):
            assert bytes(buffer) == content, f"a buffer read from block {block} changed"

    def teardown(self) -> None:
        """Close twice; then everything is EBADF."""
        if not hasattr(self, "device"):
            return
        self.held = []
        self.device.close()
        self.device.close()
        runs: Sequence[tuple[int, int]] = [(0, 1)]
        self._refused(errno.EBADF, self.device.read, 0, 1)
        self._refused(errno.EBADF, self.device.readv, runs)
        self._refused(errno.EBADF, self.device.write, 0, bytes(self.size))
        self._refused(errno.EBADF, self.device.writev, [(0, bytes(self.size))])
        self._refused(errno.EBADF, self.device.discard, 0, 1)
        self._refused(errno.EBADF, self.device.flush)
