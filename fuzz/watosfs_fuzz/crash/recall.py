"""Recoveries that would read what an earlier one read are not run again.

What recoveries of one log did is kept as a tree: each node is what recovery does next, each branch
one content of what it reads there. A new recovery first walks the tree on its own device, with
every read, write and power cut as if it ran; where it meets a content that none met before, the
real recovery runs, is given what was read so far, and goes on from there. That a recovery depends
on nothing but its reads is what the whole explorer stands on (``lazy``); a recovery that then does
something else than the tree says is an AssertionError.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from watosfs.block.device import BLOCK_SIZE_BYTES, Accept, BlockDevice, Buffer
from watosfs_fuzz.crash.image import CrashImage
from watosfs_fuzz.crash.lazy import LazyDevice

Outcome = TypeVar("Outcome")

_REJECTED = "rejected"
#: What the branches of a tree may hold; beyond, all is forgotten and the tree grows anew.
REMEMBERED_BYTES_MAX = 32 << 20
_READS = ("read", "each")


class RecoveryDevice(BlockDevice, Protocol):
    """A crash image that may change under recovery: the lazy disk, or a recall of it."""

    @property
    def rejected(self) -> set[int]:
        """Blocks whose contents recovery did not accept."""

    @property
    def depth(self) -> int:
        """How many power cuts there were in recovery."""

    def read_each(self, block: int, count: int = 1) -> Buffer:
        """A read whose caller judges each sector by itself."""

    def end_of_recovery(self) -> None:
        """From here on the power stays: what follows looks at the recovered file system."""

    def end_of_looking(self) -> None:
        """From here on nothing that is read makes a difference to the outcome."""

    def crash_image(self) -> CrashImage:
        """What the first power cut left, for a second look."""


class _Action:
    """One thing that recovery does to its device."""

    __slots__ = ("accept", "block", "count", "data", "kind")

    def __init__(
        self,
        kind: str,
        block: int = 0,
        count: int = 0,
        accept: Accept | None = None,
        data: bytes = b"",
    ) -> None:
        self.kind = kind
        self.block = block
        self.count = count
        self.accept = accept
        self.data = data

    def is_like(self, other: "_Action") -> bool:
        """Whether a recovery that read the same may do either; contents written included."""
        return (self.kind, self.block, self.count, self.data) == (
            other.kind,
            other.block,
            other.count,
            other.data,
        )

    def perform(self, device: LazyDevice) -> Buffer:
        """Do it; what was read, or nothing. Raises PowerCut as the device does."""
        kind = self.kind
        if kind == "read":
            return device.read(self.block, self.count, self.accept)
        if kind == "each":
            return device.read_each(self.block, self.count)
        if kind == "write":
            device.write(self.block, self.data)
        elif kind == "write fua":
            device.write(self.block, self.data, fua=True)
        elif kind == "flush":
            device.flush()
        else:
            device.end_of_recovery()
        return b""


class _Node(Generic[Outcome]):
    """What recovery does after it has read what leads here: an action, or an outcome, or nothing
    known yet.
    """

    __slots__ = ("action", "found", "next")

    def __init__(self) -> None:
        self.action: _Action | None = None
        self.next: dict[Hashable, _Node[Outcome]] = {}
        self.found: Outcome | None = None

    def after(self, device: LazyDevice, content: Buffer) -> "_Node[Outcome]":
        """The node that a content just read leads to; a new one where none read it before."""
        action = self.action
        assert action is not None
        key = device.held(action.block, action.count) if action.kind in _READS else None
        following = self.next.get(key)
        if following is not None:
            return following
        if action.accept is None or action.accept(content):
            following = _Node()
        else:
            following = self.next.setdefault(_REJECTED, _Node())
        self.next[key] = following
        return following


class Recall(Generic[Outcome]):
    """``recover``, remembered. One for one log: outcomes must depend on nothing else that changes.

    ``recalled`` counts the recoveries that did not run.
    """

    def __init__(self, recover: Callable[[RecoveryDevice], Outcome]) -> None:
        self.recover = recover
        self.roots: dict[int, _Node[Outcome]] = {}
        self.recalled = 0
        #: An upper bound: contents that were durable are the log's own.
        self.bytes_held = 0

    def __call__(self, device: LazyDevice) -> Outcome:
        """The outcome on this device. Raises PowerCut as the device does."""
        if self.bytes_held > REMEMBERED_BYTES_MAX:
            self.roots.clear()
            self.bytes_held = 0
        node: _Node[Outcome] = self.roots.setdefault(device.depth, _Node())
        walk = _Walk(node, [], [])
        while node.action is not None:
            content = node.action.perform(device)
            node = node.after(device, content)
            walk.contents.append(content)
            walk.nodes.append(node)
        if node.found is not None:
            self.recalled += 1
            return node.found
        recorder = _Recorder(device, walk)
        try:
            outcome = self.recover(recorder)
        finally:
            self.bytes_held += recorder.bytes_read
        recorder.node.found = outcome
        return outcome


@dataclass(slots=True)
class _Walk(Generic[Outcome]):
    """From a root: what each action read, and the node that it led to."""

    root: _Node[Outcome]
    contents: list[Buffer]
    nodes: list[_Node[Outcome]]


class _Recorder(Generic[Outcome]):
    """A lazy disk on which recovery runs: what was walked is known already, the rest is kept."""

    def __init__(self, device: LazyDevice, walk: _Walk[Outcome]) -> None:
        self.device = device
        self.node = walk.root
        self.walk = walk
        self.position = 0
        self.bytes_read = 0
        self.is_recording = True
        #: What was read since the last write: it is decided, and reads the same again.
        self.known: dict[tuple[int, int], Buffer] = {}
        self.block_size_bytes = BLOCK_SIZE_BYTES
        self.block_count = device.block_count
        self.capabilities = device.capabilities

    def do(self, action: _Action) -> Buffer:
        """One action of recovery: already done in the walk, or done now."""
        if not self.is_recording:
            return action.perform(self.device)
        node = self.node
        if node.action is None:
            node.action = action
        assert node.action.is_like(action), "recovery is not deterministic"
        position, walk = self.position, self.walk
        if position < len(walk.nodes):
            self.position = position + 1
            content, self.node = walk.contents[position], walk.nodes[position]
        else:
            content = action.perform(self.device)
            self.bytes_read += len(content)
            self.node = node.after(self.device, content)
        return content

    @property
    def rejected(self) -> set[int]:
        """As the device says."""
        return self.device.rejected

    @property
    def depth(self) -> int:
        """As the device says."""
        return self.device.depth

    @property
    def write_count(self) -> int:
        """As the device says."""
        return self.device.write_count

    def read(self, block: int, count: int = 1, accept: Accept | None = None) -> Buffer:
        """The blocks, decided now if they were not."""
        name = block, count
        content = self.known.get(name)
        if content is None:
            content = self.known[name] = self.do(_Action("read", block, count, accept))
        return content

    def read_each(self, block: int, count: int = 1) -> Buffer:
        """The same for a caller that judges each sector by itself."""
        name = block, count
        content = self.known.get(name)
        if content is None:
            content = self.known[name] = self.do(_Action("each", block, count))
        return content

    def readv(self, runs: Sequence[tuple[int, int]]) -> list[Buffer]:
        """Each run."""
        return [self.read(block, count) for block, count in runs]

    def write(self, block: int, data: Buffer, *, fua: bool = False) -> None:
        """Into the volatile cache of the disk."""
        self.known.clear()
        self.do(_Action("write fua" if fua else "write", block, data=bytes(data)))

    def writev(self, runs: Sequence[tuple[int, Buffer]]) -> None:
        """Each run."""
        for block, data in runs:
            self.write(block, data)

    def flush(self) -> None:
        """A barrier."""
        self.do(_Action("flush"))

    def end_of_recovery(self) -> None:
        """From here on the power stays."""
        self.do(_Action("end"))

    def end_of_looking(self) -> None:
        """What follows is not kept: it tries out what is known now."""
        self.is_recording = False

    def crash_image(self) -> CrashImage:
        """What the first power cut left."""
        return self.device.crash_image()

    def discard(self, block: int, count: int) -> None:
        """Contents stay."""

    def close(self) -> None:
        """Nothing to release."""
