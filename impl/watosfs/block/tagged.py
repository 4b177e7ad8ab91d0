"""Devices that take many requests at once and answer each by its tag, in any order.

The queue above (``watosfs.block.epoch_queue``) decides what may be in flight together; a tagged
device only carries out. ``ThreadedDevice`` makes one of any blocking device.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from watosfs.block.device import Accept, BlockDevice, Buffer, Capabilities


class Kind(Enum):
    """What a request is for."""

    READ = "read"
    WRITE = "write"
    FLUSH = "flush"


@dataclass(frozen=True, slots=True)
class Request:
    """``data`` is empty but for writes; a flush has no blocks."""

    kind: Kind
    block: int = 0
    count: int = 0
    data: bytes = b""


#: What became of a request: the data of a read, else empty; or the error.
Answer: TypeAlias = Buffer | OSError
Listener: TypeAlias = Callable[[int, Answer], None]


class TaggedDevice(Protocol):
    """A device that answers by calling ``listener(tag, answer)``, on the event loop's thread."""

    listener: Listener

    @property
    def block_size_bytes(self) -> int: ...

    @property
    def block_count(self) -> int: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def submit(self, tag: int, request: Request) -> None:
        """Begin; never blocks. Requests in flight together may be carried out in any order."""

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """Read now, blocking: for the rare read that cannot wait."""

    def close(self) -> None:
        """Release the device. Nothing may be in flight."""


class ThreadedDevice:
    """A blocking device, carried out by ``depth`` threads. Made inside the running event loop; the
    device must bear calls from several threads, as ``FileDevice`` does.
    """

    def __init__(self, device: BlockDevice, depth: int = 8) -> None:
        self.device = device
        self.listener: Listener = lambda tag, answer: None
        self.loop = asyncio.get_running_loop()
        self.pool = ThreadPoolExecutor(depth, thread_name_prefix="watosfs-device")

    @property
    def block_size_bytes(self) -> int:
        return self.device.block_size_bytes

    @property
    def block_count(self) -> int:
        return self.device.block_count

    @property
    def capabilities(self) -> Capabilities:
        return self.device.capabilities

    def submit(self, tag: int, request: Request) -> None:
        """A thread does it."""

        def done(future: Future[Answer]) -> None:
            self.loop.call_soon_threadsafe(self.listener, tag, future.result())

        self.pool.submit(self.carry_out, request).add_done_callback(done)

    def carry_out(self, request: Request) -> Answer:
        """In a thread: the request, its error as a value."""
        try:
            if request.kind is Kind.READ:
                return bytes(self.device.read(request.block, request.count))
            if request.kind is Kind.WRITE:
                self.device.write(request.block, request.data)
            else:
                self.device.flush()
        except OSError as error:
            return error
        return b""

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """As the device."""
        return self.device.read(block, count, accept)

    def close(self) -> None:
        """Wait for the threads, close the device."""
        self.pool.shutdown()
        self.device.close()
