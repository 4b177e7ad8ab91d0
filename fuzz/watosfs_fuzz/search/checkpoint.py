"""Going back to a state: a checkpoint is made once and taken up as often as there are actions.

For our own WFS v3 it is the volume's state in memory as one string of bytes beside a dictionary of
the device's blocks, which are shared, never copied (0.1 ms to take up where replaying ten
operations takes 0.5). Any other target is started again and given the same operations.
"""

import io
import pickle
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from watosfs.wfs3 import node as nodes
from watosfs.wfs3.btree import BTree
from watosfs_fuzz.crash.log import Event, Flush, Mark, Write
from watosfs_fuzz.exhaust import Steps
from watosfs_fuzz.lockstep import PID
from watosfs_fuzz.target import Target
from watosfs_fuzz.targets.wfs3 import Wfs3Target

_KINDS: Final = {
    kind.name: kind for kind in vars(nodes).values() if isinstance(kind, nodes.NodeKind)
}


class Checkpoints(Protocol):
    """How one target is kept and taken up again."""

    def keep(self, operations: Steps) -> object:
        """A checkpoint of now; ``operations`` led here from the start."""

    def back(self, checkpoint: Any) -> None:
        """The target as it was; a checkpoint can be taken up any number of times."""

    def shape(self) -> Hashable:
        """A coarse view of the implementation's own state, which users cannot see."""


def checkpoints_for(target: Target) -> Checkpoints:
    """The cheapest that is right for a target."""
    return Wfs3Checkpoints(target) if type(target) is Wfs3Target else ReplayCheckpoints(target)


class ReplayCheckpoints:
    """A checkpoint is the operations themselves."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def keep(self, operations: Steps) -> object:
        return operations

    def back(self, checkpoint: Steps) -> None:
        self.target.start()
        for operation in checkpoint:
            self.target.apply(PID, operation)

    def shape(self) -> Hashable:
        return tuple(sorted(self.target.statistics().items()))


@dataclass(frozen=True, slots=True)
class Wfs3Checkpoint:
    """``memory`` is pickled; blocks in ``image`` and ``base``, and events, are shared."""

    memory: bytes
    image: Mapping[int, bytes]
    base: Mapping[int, bytes]
    events: tuple[Event, ...]
    generations: Mapping[int, int]
    operations_done: int


class Wfs3Checkpoints:
    """Forks a mounted volume. What is the same for all states (the target, its device, kinds of
    nodes, functions) goes into a checkpoint by name.
    """

    def __init__(self, target: Wfs3Target) -> None:
        self.target = target

    def keep(self, operations: Steps) -> Wfs3Checkpoint:
        target = self.target
        stream = io.BytesIO()
        _Pickler(stream, target).dump((target.volume, target.handles))
        base, events = since_last_flush(target.base, target.device.events)
        numbers = [e.label[1] for e in events if isinstance(e, Mark) and isinstance(e.label, tuple)]
        first = min(numbers, default=target.operations_done) - 1
        generations = {n: found for n, found in target.generations.items() if n >= first}
        return Wfs3Checkpoint(
            stream.getvalue(), dict(target.device.image), base, tuple(events), generations,
            target.operations_done,
        )  # fmt: skip

    def back(self, checkpoint: Wfs3Checkpoint) -> None:
        target = self.target
        target.operations_done = checkpoint.operations_done
        target.device.image = dict(checkpoint.image)
        target.device.events = list(checkpoint.events)
        target.base = dict(checkpoint.base)
        target.generations = dict(checkpoint.generations)
        unpickler = _Unpickler(io.BytesIO(checkpoint.memory), target)
        target.volume, target.handles = unpickler.load()

    def shape(self) -> Hashable:
        """Heights and leaves of the trees, and in classes: free runs, what is held, what is
        pending.
        """
        engine = self.target.volume.engine
        allocator = engine.allocator
        numbers = sorted({1, *(inode.number for _, inode in self.target.volume.walk())})
        trees = [engine.inode_tree, engine.orphan_tree, engine.space.tree]
        trees += [engine.tree(engine.inode(number)) for number in numbers]
        return (
            sorted(tree_shape(tree) for tree in trees),
            len(allocator.free.starts).bit_length(),
            [bool(dead.count) for dead in allocator.limbo],
            engine.is_dirty,
            engine.in_transaction,
            engine.store.dirty_count.bit_length(),
            engine.read_only_reason is not None,
        )


def tree_shape(tree: BTree) -> tuple[str, tuple[int, ...]]:
    """The kind of a tree, and how many nodes it has on each level, from the root down."""
    root = tree.root_node()
    level = [] if root is None else [root]
    widths: list[int] = []
    while level:
        widths.append(len(level))
        inner = [node for node in level if node.level]
        level = [tree.child(node, i) for node in inner for i in range(len(node.keys))]
    return tree.kind.name, tuple(widths)


def since_last_flush(
    base: Mapping[int, bytes], events: list[Event]
) -> tuple[dict[int, bytes], list[Event]]:
    """The same log, shorter: what is durable, and the events whose writes a crash may still lose.

    Without such writes only the last mark matters.
    """
    last = max((i for i, event in enumerate(events) if isinstance(event, Flush)), default=-1)
    durable = dict(base)
    durable.update((e.block, e.data) for e in events[: last + 1] if isinstance(e, Write))
    rest = events[last + 1 :]
    marks = [event for event in events[: last + 1] if isinstance(event, Mark)]
    if not any(isinstance(event, Write) for event in rest):
        marks, rest = [*marks, *rest], []  # type: ignore[list-item]
    return durable, [*marks[-1:], *rest]


class _Pickler(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, target: Wfs3Target) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self.target = target

    def persistent_id(self, obj: Any) -> Any:
        if obj is self.target:
            return ("target", "")
        if obj is self.target.device:
            return ("device", "")
        if type(obj) is nodes.NodeKind:
            return ("kind", obj.name)
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, target: Wfs3Target) -> None:
        super().__init__(stream)
        self.target = target

    def persistent_load(self, pid: Any) -> Any:
        what, name = pid
        if what == "kind":
            return _KINDS[name]
        return self.target if what == "target" else self.target.device
