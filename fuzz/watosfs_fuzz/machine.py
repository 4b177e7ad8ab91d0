"""The lockstep machine for Hypothesis: for pytest, for people, and for HypoFuzz.

    class Wfs3Machine(LockstepMachine):
        target_name = "wfs3"
    TestWfs3Lockstep = Wfs3Machine.TestCase

Checks: what ``lockstep`` checks, after every rule; at a ``crash`` and at the end of an example
every crash of the log. Does not check: what the campaign alone reaches (long traces, full disks by
the dozen); Hypothesis' steps cost more than ours and its examples are short.

Operations come from the same makers and parameters as the campaign's; every draw goes through
Hypothesis, the choice of what a power cut leaves too, so all of it shrinks together.
"""

import random
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from watosfs_fuzz import parameters as p
from watosfs_fuzz.arguments import Arguments
from watosfs_fuzz.bursts import burst
from watosfs_fuzz.makers import ALL_MAKERS
from watosfs_fuzz.plan import Plan, names_of
from watosfs_fuzz.power_cut import Cut, draw_cut
from watosfs_fuzz.run import Run, RunOptions
from watosfs_fuzz.sketch import Sketch
from watosfs_fuzz.target import CrashTarget, Geometry, Target
from watosfs_fuzz.targets.registry import make_target
from watosfs_fuzz.worker import nodes_of
from watosfs_model.operations import Crash, Operation, Statfs
from watosfs_model.trace import format_operation

LOOKING = ("pread", "readdir", "stat", "lstat", "fstat", "readlink", "getxattr", "listxattr")
#: A burst longer than this is for campaigns.
BURST_OPERATIONS_MAX = 24
DATA = st.data()


class DrawnRandom(random.Random):
    """A source of randomness whose every draw is Hypothesis' own: replayed, mutated and shrunk."""

    def __init__(self, draw: st.DrawFn) -> None:
        super().__init__(0)
        self.draw = draw

    def random(self) -> float:
        return float(self.draw(_FRACTIONS)) / _FRACTION_COUNT

    def getrandbits(self, k: int, /) -> int:
        return self.draw(st.integers(0, (1 << k) - 1))


_FRACTION_COUNT = 256
_FRACTIONS = st.integers(0, _FRACTION_COUNT - 1)


@st.composite
def operations(draw: st.DrawFn, name: str, plan: Plan, sketch: Sketch) -> Operation:
    """An operation of this kind for the tree that the sketch remembers."""
    return ALL_MAKERS[name](plan, arguments_of(draw, plan, sketch))


@st.composite
def bursts(draw: st.DrawFn, plan: Plan, sketch: Sketch) -> list[Operation]:
    """A run of related operations, as the campaign makes them."""
    length = draw(st.integers(1, BURST_OPERATIONS_MAX))
    return burst(plan, arguments_of(draw, plan, sketch))[:length]


@st.composite
def traces(draw: st.DrawFn, geometries: tuple[Geometry, ...]) -> tuple[Geometry, Plan]:
    """The volume and the names of one example."""
    rng = DrawnRandom(draw)
    geometry = rng.choice(geometries)
    names = names_of(rng, "mixed")
    return geometry, Plan("mixed", geometry.block_count, 0, names, (), p.ERROR_SHARE)


@st.composite
def cuts(draw: st.DrawFn, target: CrashTarget) -> Cut:
    """What a power cut at the end of the log leaves."""
    return draw_cut(target.base, target.device.events, DrawnRandom(draw))


def arguments_of(draw: st.DrawFn, plan: Plan, sketch: Sketch) -> Arguments:
    """Arguments that Hypothesis draws."""
    return Arguments(DrawnRandom(draw), sketch, plan.names, plan.error_share)


class LockstepMachine(RuleBasedStateMachine):
    """Rules named after system calls, or after what several have in common."""

    target_name: ClassVar[str] = "wfs3"
    geometries: ClassVar[tuple[Geometry, ...]] = (Geometry(256), Geometry(512))
    #: Whether every crash of the log is explored, at each power cut and at the end.
    explores_crashes: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.target: Target | None = None

    def make_target(self, geometry: Geometry) -> Target:
        """The target of one example; for subclasses that bring their own."""
        return make_target(self.target_name, geometry)

    @initialize(data=DATA)
    def start(self, data: st.DataObject) -> None:
        geometry, self.plan = data.draw(traces(self.geometries), label="volume")
        self.target = self.make_target(geometry)
        self.kinds = frozenset(kind.name() for kind in self.target.dialect.operations)
        self.sketch = Sketch()
        self.run = Run(self.target, RunOptions(crashes=self.explores_crashes))

    def perform(self, data: st.DataObject, *names: str) -> None:
        """Draw one of some kinds of operation and run it."""
        name = data.draw(st.sampled_from(names)) if len(names) > 1 else names[0]
        if name in self.kinds:
            operation = data.draw(operations(name, self.plan, self.sketch), label="operation")
            self.perform_one(data, operation)

    def perform_one(self, data: st.DataObject | None, operation: Operation) -> None:
        """Run an operation in lockstep, and learn from its outcome."""
        assert self.target is not None
        if not self.target.dialect.accepts(operation):
            return
        if isinstance(operation, Crash):
            assert data is not None
            self.run.cut_power(data.draw(cuts(self.run.crash_target()), label="power cut"))
            self.verify()
            self.sketch.replace(nodes_of(self.target.observe()[0]))
            return
        outcome = self.run.apply(operation)
        self.verify()
        if not outcome.errno:
            self.sketch.apply(operation, outcome.value)

    def verify(self) -> None:
        """Raise with the whole trace when something is wrong."""
        failure = self.run.report.failure
        if failure is not None:
            trace = "".join(format_operation(op) + "\n" for op in self.run.report.operations)
            raise AssertionError(f"{failure.kind} {failure.subject}\n{failure.story}\n\n{trace}")

    def teardown(self) -> None:
        """Explore the crashes of what was not explored yet."""
        if self.target is not None and self.run.report.failure is None:
            self.run.finish()
            self.verify()

    # -- rules

    @rule()
    def ask_for_space(self) -> None:
        """The rule without a draw: what every other step shrinks to on its way out."""
        self.perform_one(None, Statfs())

    @rule(data=DATA)
    def mkdir(self, data: st.DataObject) -> None:
        self.perform(data, "mkdir")

    @rule(data=DATA)
    def rmdir(self, data: st.DataObject) -> None:
        self.perform(data, "rmdir")

    @rule(data=DATA)
    def open(self, data: st.DataObject) -> None:
        self.perform(data, "open")

    @rule(data=DATA)
    def close(self, data: st.DataObject) -> None:
        self.perform(data, "close")

    @rule(data=DATA)
    def pwrite(self, data: st.DataObject) -> None:
        self.perform(data, "pwrite")

    @rule(data=DATA)
    def change_size(self, data: st.DataObject) -> None:
        self.perform(data, "ftruncate", "truncate")

    @rule(data=DATA)
    def unlink(self, data: st.DataObject) -> None:
        self.perform(data, "unlink")

    @rule(data=DATA)
    def rename(self, data: st.DataObject) -> None:
        self.perform(data, "rename")

    @rule(data=DATA)
    def link(self, data: st.DataObject) -> None:
        self.perform(data, "link")

    @rule(data=DATA)
    def symlink(self, data: st.DataObject) -> None:
        self.perform(data, "symlink")

    @rule(data=DATA)
    def look(self, data: st.DataObject) -> None:
        self.perform(data, *LOOKING)

    @rule(data=DATA)
    def change_attributes(self, data: st.DataObject) -> None:
        self.perform(data, "chmod", "compress", "chown", "utimens", "setxattr", "removexattr")

    @rule(data=DATA)
    def make_durable(self, data: st.DataObject) -> None:
        self.perform(data, "sync", "fsync", "fdatasync")

    @rule(data=DATA)
    def transact(self, data: st.DataObject) -> None:
        self.perform(data, "begin", "commit", "abort")

    @rule(data=DATA)
    def keep(self, data: st.DataObject) -> None:
        """Snapshots: made, deleted, gone back to."""
        self.perform(data, "snapshot", "dropsnapshot", "rollback")

    @rule(data=DATA)
    def restart(self, data: st.DataObject) -> None:
        self.perform(data, "remount", "crash")

    @rule(data=DATA)
    def go_on_for_a_while(self, data: st.DataObject) -> None:
        """A run of related operations, as the campaign makes them."""
        for operation in data.draw(bursts(self.plan, self.sketch), label="operations"):
            self.perform_one(data, operation)
