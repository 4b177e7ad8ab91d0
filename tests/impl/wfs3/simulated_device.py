"""A tagged device with a clock of its own: requests are answered on demand, in any order."""

import asyncio
import errno
import random
from collections.abc import Coroutine
from typing import Any

from watosfs.block.device import Accept, Buffer
from watosfs.block.memory import MemoryDevice
from watosfs.block.tagged import Answer, Kind, Listener, Request

#: Ticks that a request takes.
LATENCY = 100


class SimulatedDevice:
    """Requests take ``LATENCY`` ticks each, however many are in flight. ``volatile`` holds what a
    power cut may lose: the writes since the last flush.
    """

    def __init__(self, medium: MemoryDevice, seed: int = 0) -> None:
        self.medium = medium
        self.block_size_bytes, self.block_count = medium.block_size_bytes, medium.block_count
        self.capabilities = medium.capabilities
        self.listener: Listener = lambda tag, answer: None
        self.waiting: dict[int, tuple[int, Request]] = {}
        self.volatile: list[tuple[int, bytes, bytes]] = []
        self.rng = random.Random(seed)
        self.clock = self.in_flight_max = self.submitted = self.flushes = 0
        self.fails: set[Kind] = set()

    def submit(self, tag: int, request: Request) -> None:
        self.waiting[tag] = (self.clock + LATENCY, request)
        self.submitted += 1
        self.in_flight_max = max(self.in_flight_max, len(self.waiting))

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """One blocking request: nothing else is in flight for its sake."""
        self.clock += LATENCY
        self.in_flight_max = max(self.in_flight_max, 1)
        return bytes(self.medium.read(block, count))

    def complete_one(self) -> None:
        """Answer one of those that are due first, whichever."""
        due = min(due for due, _ in self.waiting.values())
        tag = self.rng.choice([tag for tag, (when, _) in self.waiting.items() if when == due])
        self.clock = max(self.clock, due)
        _, request = self.waiting.pop(tag)
        self.listener(tag, self.carry_out(request))

    def carry_out(self, request: Request) -> Answer:
        if request.kind in self.fails:
            return OSError(errno.EIO, "the medium failed")
        if request.kind is Kind.READ:
            return bytes(self.medium.read(request.block, request.count))
        if request.kind is Kind.FLUSH:
            self.volatile.clear()
            self.flushes += 1
        else:
            old = bytes(self.medium.read(request.block, request.count))
            self.volatile.append((request.block, old, request.data))
            self.medium.write(request.block, request.data)
        return b""

    def after_power_cut(self) -> MemoryDevice:
        """What may be left: any subset of the writes since the last flush, answered or not."""
        left = MemoryDevice.from_bytes(self.medium.snapshot())
        for block, old, _ in reversed(self.volatile):
            left.write(block, old)
        pending = [(r.block, r.data) for _, r in self.waiting.values() if r.kind is Kind.WRITE]
        for block, data in [(b, new) for b, _, new in self.volatile] + pending:
            if self.rng.random() < 0.5:
                left.write(block, data)
        return left

    def close(self) -> None:
        assert not self.waiting


def run(device: SimulatedDevice, work: Coroutine[Any, Any, Any], on_step: Any = None) -> Any:
    """Run to the end; whenever nobody can go on, the device answers one request."""

    async def drive() -> Any:
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(100):
                await settle()
                if device.waiting or task.done():
                    break
            if not task.done():
                assert device.waiting, "nobody can go on, and nothing is in flight"
                if on_step is not None:
                    on_step()
                device.complete_one()
        return task.result()

    return asyncio.run(drive())


async def settle() -> None:
    """Let everybody go on until nobody can: bounded turns of the event loop, no time passes."""
    for _ in range(60):
        await asyncio.sleep(0)
