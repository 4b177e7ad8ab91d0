"""A foreign program behind the target protocol.

A second instance of the program recovers from crash images, so that the first keeps its state; the
same one serves all recoveries. Blocks are ours (4096 bytes); the program writes whole sectors.
"""

import atexit
import weakref
from functools import lru_cache

from watosfs.block.device import BLOCK_SIZE_BYTES, SECTOR_SIZE_BYTES, BlockDevice
from watosfs_fuzz.crash.log import ZERO_BLOCK, RecordingDevice
from watosfs_fuzz.dialect import Observed
from watosfs_fuzz.program.session import (
    TIMEOUT_SECONDS,
    Idle,
    Message,
    ProgramFailure,
    ProgramTalkedGarbage,
    Session,
)
from watosfs_fuzz.program.wire import (
    PROTOCOL,
    Hello,
    arguments_of,
    encoded,
    errno_of,
    hello_of,
    log_of,
    observed_of,
    outcome_of,
    require_sectors,
)
from watosfs_fuzz.progress import progress_problem
from watosfs_fuzz.target import Geometry, WithoutProbes
from watosfs_model import Outcome
from watosfs_model.operations import Operation, Pwrite

PREFIX = "exec:"
_idle = Idle()
atexit.register(_idle.close)


def connect(command: str, timeout_seconds: float) -> Session:
    """A program that has said hello. Raises ValueError when it cannot be started or spoken to."""
    found = _idle.take(command)
    if found is not None:
        found.timeout_seconds = timeout_seconds
        return found
    session = Session(command, timeout_seconds)
    reply = session.call({"call": "hello", "protocol": PROTOCOL})
    try:
        hello_of(reply)
    except ProgramFailure as failure:
        session.close()
        raise type(failure)(f"{PREFIX}{command}: {failure}") from None
    return session


@lru_cache
def greeted(command: str, timeout_seconds: float) -> Hello:
    """What the program says of itself; asked once."""
    session = Session(command, timeout_seconds)
    try:
        return hello_of(session.call({"call": "hello", "protocol": PROTOCOL}))
    except ProgramFailure as failure:
        text = str(failure).removeprefix(f"{PREFIX}{command}: ")
        raise type(failure)(f"{PREFIX}{command}: {text}") from None
    finally:
        session.close()


class ExecTarget(WithoutProbes):
    """``exec:COMMAND``. Raises ValueError when the program cannot be started or spoken to."""

    device: RecordingDevice

    def __init__(
        self, command: str, geometry: Geometry, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self.command = command
        self.name = PREFIX + command
        self.geometry = geometry
        self.timeout_seconds = timeout_seconds
        self.hello = greeted(command, timeout_seconds)
        self.dialect = self.hello.dialect
        self.base: dict[int, bytes] = {}
        self.medium: BlockDevice = RecordingDevice(geometry.block_count)
        self.keeps_log = False
        self.operations_done = 0
        self.refusals = 0
        self.room_bytes = 0
        self.session: Session | None = None
        self.twin: ExecTarget | None = None

    # -- life

    def start(self) -> None:
        self.operations_done = self.refusals = 0
        self.medium = self.device = RecordingDevice(self.geometry.block_count)
        self.keeps_log = True
        reply = self.call({"call": "start", "block_count": self.geometry.block_count})
        self.record(reply)
        self.base = dict(self.device.image)
        self.device.events.clear()

    def restart_on(self, image: dict[int, bytes], operations_done: int) -> None:
        self.base = dict(image)
        self.keeps_log = True
        self.device = RecordingDevice(self.geometry.block_count, image)
        self.load(self.device, operations_done)

    def recover(self, device: BlockDevice, operations_done: int) -> "ExecTarget":
        if self.twin is None:
            self.twin = ExecTarget(self.command, self.geometry, self.timeout_seconds)
        self.twin.load(device, operations_done)
        return self.twin

    def load(self, device: BlockDevice, operations_done: int) -> None:
        """Mount what a device holds. Raises OSError when the program cannot."""
        self.operations_done = operations_done
        self.medium = device
        request = {
            "call": "load",
            "block_count": self.geometry.block_count,
            "number": operations_done,
        }
        if self.hello.recovery == "image":
            blocks = ((b, bytes(device.read(b))) for b in range(device.block_count))
            request["image"] = {
                str(block * BLOCK_SIZE_BYTES): encoded(data)
                for block, data in blocks
                if data != ZERO_BLOCK
            }
        reply = self.call(request)
        if number := errno_of(reply):
            raise OSError(number, str(reply.get("problem", "the program cannot mount this")))
        self.record(reply)

    def close(self) -> None:
        if self.twin is not None:
            self.twin.close()
        if self.session is not None:
            self.give_back()
        self.session = self.twin = None

    # -- talking

    def call(self, request: Message) -> Message:
        """One request and its reply."""
        if self.session is None:
            self.session = connect(self.command, self.timeout_seconds)
            # Most callers forget a target without closing it.
            self.give_back = weakref.finalize(self, _idle.give, self.session)
        return self.session.call(request, self.answer)

    def answer(self, question: Message) -> Message:
        """A read of the device: ``[offset, count]`` in bytes, whole sectors."""
        place = question["read"]
        if not (isinstance(place, list) and [type(item) for item in place] == [int, int]):
            raise ProgramTalkedGarbage(f"read is {place!r:.60}, not [OFFSET, COUNT]")
        offset, count = place
        require_sectors(offset, count, self.medium.block_count * BLOCK_SIZE_BYTES)
        first, skipped = divmod(offset, BLOCK_SIZE_BYTES)
        last = (offset + count - 1) // BLOCK_SIZE_BYTES
        data = b"".join(bytes(self.medium.read(block)) for block in range(first, last + 1))
        return {"data": encoded(data[skipped : skipped + count])}

    def record(self, reply: Message) -> None:
        """Put the writes of a reply on the device, in order; sectors become blocks."""
        device = self.medium
        for event in log_of(reply, device.block_count * BLOCK_SIZE_BYTES):
            if event is None:
                device.flush()
                continue
            offset, data, fua = event
            while data:
                block, within = divmod(offset, BLOCK_SIZE_BYTES)
                piece = data[: BLOCK_SIZE_BYTES - within]
                if len(piece) < BLOCK_SIZE_BYTES:
                    whole = bytearray(device.read(block))
                    whole[within : within + len(piece)] = piece
                    device.write(block, bytes(whole), fua=fua)
                else:
                    device.write(block, piece, fua=fua)
                offset, data = offset + len(piece), data[len(piece) :]

    # -- operations

    def apply(self, pid: int, operation: Operation) -> Outcome:
        self.operations_done += 1
        number = self.operations_done
        # What recovery tries out is no part of any log.
        if self.keeps_log:
            self.device.mark(("begin", number))
        try:
            request = {
                "call": "apply",
                "number": number,
                "operation": operation.name(),
                **arguments_of(operation),
            }
            reply = self.call(request)
            self.record(reply)
        finally:
            if self.keeps_log:
                self.device.mark(("end", number))
        outcome = outcome_of(operation, reply, self.dialect)
        self.refusals += reply.get("errno") == "EOPNOTSUPP"
        return outcome

    def observe(self) -> Observed:
        reply = self.call({"call": "observe"})
        room = reply.get("room_bytes", 0)
        self.room_bytes = room if isinstance(room, int) else 0
        return observed_of(reply, self.dialect)

    def has_room_for(self, operation: Operation) -> bool:
        need = SECTOR_SIZE_BYTES
        if isinstance(operation, Pwrite):
            need = operation.offset + len(operation.data)
        return self.room_bytes > need

    def statistics(self) -> dict[str, int]:
        return {"refusals": self.refusals}

    # -- judging crashes

    def problems(self, device: BlockDevice, memo: dict[object, object]) -> list[str]:
        target = self if self.medium is device or self.twin is None else self.twin
        if not self.hello.can_check:
            return []
        return [str(problem) for problem in target.call({"call": "check"}).get("problems", ())]

    def progress_problem(self) -> str | None:
        return progress_problem(self)

    def epoch_problem(self) -> str | None:
        return None
