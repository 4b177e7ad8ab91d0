"""Going back to a state of WFS v3 without running the operations that led there again.

A checkpoint is the mounted volume as one pickled string, beside dictionaries of the device's
blocks, which are immutable and shared, never copied. Taking one up costs 0.1 ms whatever the depth;
it is taken up once for each operation that is tried in the state. ``copy.deepcopy`` would walk the
same objects in Python.

Trusted: that a volume keeps its whole state in what it reaches (no module-level caches that matter,
no ``id()`` kept from one operation to the next). A test compares with replaying.
"""

import io
import pickle
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from watosfs.wfs3 import node as nodes
from watosfs_fuzz.crash.log import Event, Flush, Mark, Write
from watosfs_fuzz.run import Run, RunReport
from watosfs_fuzz.targets.wfs3 import Wfs3Target

_KINDS: Final = {
    kind.name: kind for kind in vars(nodes).values() if isinstance(kind, nodes.NodeKind)
}


class Checkpoint:
    """A run on WFS v3 as it is now; ``back`` may be called any number of times."""

    def __init__(self, run: Run) -> None:
        assert can_keep(run), f"no checkpoints of {run.target.name}"
        target: Wfs3Target = run.target  # type: ignore[assignment]
        self.run = run
        self.target = target
        lockstep = run.lockstep
        self.system, self.done, self.states = lockstep.system, lockstep.done, dict(lockstep.states)
        stream = io.BytesIO()
        _Pickler(stream, target).dump((target.volume, target.handles))
        self.memory = stream.getvalue()
        self.image = dict(target.device.image)
        # On a device whose flushes do nothing, nothing is ever out of a crash's reach.
        is_flushed = run.options.persistence.is_flushed
        cut = since_last_flush if is_flushed else since_ever
        self.base, self.events = cut(target.base, target.device.events)
        self.generations = dict(target.generations)

    def back(self) -> Run:
        """The run as it was: target, device, log and model."""
        target, lockstep = self.target, self.run.lockstep
        target.operations_done = self.done
        target.device.image = dict(self.image)
        target.device.events = list(self.events)
        target.base = dict(self.base)
        target.generations = dict(self.generations)
        target.volume, target.handles = _Unpickler(io.BytesIO(self.memory), target).load()
        lockstep.system, lockstep.done, lockstep.states = self.system, self.done, dict(self.states)
        self.run.report = RunReport()
        return self.run


def can_keep(run: Run) -> bool:
    """Whether there are checkpoints of this target; any other is brought back by replaying."""
    return type(run.target) is Wfs3Target


def since_ever(
    base: Mapping[int, bytes], events: Iterable[Event]
) -> tuple[dict[int, bytes], list[Event]]:
    """The log as it is."""
    return dict(base), list(events)


def since_last_flush(
    base: Mapping[int, bytes], events: Sequence[Event]
) -> tuple[dict[int, bytes], list[Event]]:
    """The same log, shorter: what is durable, then the last mark before the last flush and all
    events behind it. Where nothing was written since, only the last mark matters.
    """
    last = max((i for i, event in enumerate(events) if isinstance(event, Flush)), default=-1)
    durable = dict(base)
    durable.update((e.block, e.data) for e in events[: last + 1] if isinstance(e, Write))
    rest = list(events[last + 1 :])
    if not any(isinstance(event, Write) for event in rest):
        last, rest = len(events) - 1, []
    marks = [event for event in events[: last + 1] if isinstance(event, Mark)]
    return durable, [*marks[-1:], *rest]


class _Pickler(pickle.Pickler):
    """What is the same in every state goes in by name: the target, its device, kinds of nodes."""

    def __init__(self, stream: io.BytesIO, target: Wfs3Target) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self.target = target

    def persistent_id(self, obj: Any) -> Any:
        if obj is self.target:
            return ("target", "")
        if obj is self.target.device:
            return ("device", "")
        return ("kind", obj.name) if type(obj) is nodes.NodeKind else None


class _Unpickler(pickle.Unpickler):
    """Puts what went in by name back."""

    def __init__(self, stream: io.BytesIO, target: Wfs3Target) -> None:
        super().__init__(stream)
        self.target = target

    def persistent_load(self, pid: Any) -> Any:
        what, name = pid
        if what == "kind":
            return _KINDS[name]
        return self.target if what == "target" else self.target.device
