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

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from watosfs_fuzz import parameters as p
from watosfs_fuzz.arguments import Arguments
from watosfs_fuzz.bursts import burst
from watosfs_fuzz.makers import MAKERS
from watosfs_fuzz.plan import Plan, names_of
from watosfs_fuzz.run import Run, RunOptions
from watosfs_fuzz.sketch import Sketch
from watosfs_fuzz.target import Geometry, Target
from watosfs_fuzz.targets.registry import make_target
from watosfs_fuzz.worker import nodes_of
from watosfs_model.operations import Crash, Operation
from watosfs_model.trace import format_operation

#: Every draw is Hypothesis' own: it replays, mutates and shrinks them.
DRAWS = st.randoms(use_true_random=False)
LOOKING = ("pread", "readdir", "stat", "lstat", "fstat", "readlink", "statfs")
#: A burst longer than this is for campaigns.
BURST_OPERATIONS_MAX = 24


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

    @initialize(draws=DRAWS)
    def start(self, draws: random.Random) -> None:
        self.target = self.make_target(draws.choice(self.geometries))
        self.operations = frozenset(kind.name() for kind in self.target.dialect.operations)
        names = names_of(draws, "mixed")
        blocks = self.target.geometry.block_count
        self.plan = Plan("mixed", blocks, 0, names, (), p.ERROR_SHARE)
        self.sketch = Sketch()
        self.run = Run(self.target, RunOptions(crashes=self.explores_crashes))

    def perform(self, name: str, draws: random.Random) -> None:
        """Make an operation of this kind, run it in lockstep, learn from its outcome."""
        if name in self.operations:
            arguments = Arguments(draws, self.sketch, self.plan.names, self.plan.error_share)
            self.perform_one(MAKERS[name](self.plan, arguments), draws)

    def perform_one(self, operation: Operation, draws: random.Random) -> None:
        note(format_operation(operation))
        assert self.target is not None
        if isinstance(operation, Crash):
            self.run.cut_power(draws)
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

    @rule(draws=DRAWS)
    def mkdir(self, draws: random.Random) -> None:
        self.perform("mkdir", draws)

    @rule(draws=DRAWS)
    def rmdir(self, draws: random.Random) -> None:
        self.perform("rmdir", draws)

    @rule(draws=DRAWS)
    def open(self, draws: random.Random) -> None:
        self.perform("open", draws)

    @rule(draws=DRAWS)
    def close(self, draws: random.Random) -> None:
        self.perform("close", draws)

    @rule(draws=DRAWS)
    def pwrite(self, draws: random.Random) -> None:
        self.perform("pwrite", draws)

    @rule(draws=DRAWS)
    def change_size(self, draws: random.Random) -> None:
        self.perform(draws.choice(("ftruncate", "truncate")), draws)

    @rule(draws=DRAWS)
    def unlink(self, draws: random.Random) -> None:
        self.perform("unlink", draws)

    @rule(draws=DRAWS)
    def rename(self, draws: random.Random) -> None:
        self.perform("rename", draws)

    @rule(draws=DRAWS)
    def link(self, draws: random.Random) -> None:
        self.perform("link", draws)

    @rule(draws=DRAWS)
    def symlink(self, draws: random.Random) -> None:
        self.perform("symlink", draws)

    @rule(draws=DRAWS)
    def look(self, draws: random.Random) -> None:
        self.perform(draws.choice(LOOKING), draws)

    @rule(draws=DRAWS)
    def change_attributes(self, draws: random.Random) -> None:
        self.perform(draws.choice(("chmod", "chown", "utimens")), draws)

    @rule(draws=DRAWS)
    def make_durable(self, draws: random.Random) -> None:
        self.perform(draws.choice(("sync", "fsync", "fdatasync")), draws)

    @rule(draws=DRAWS)
    def transact(self, draws: random.Random) -> None:
        self.perform(draws.choice(("begin", "commit", "abort")), draws)

    @rule(draws=DRAWS)
    def restart(self, draws: random.Random) -> None:
        self.perform(draws.choice(("remount", "crash")), draws)

    @rule(draws=DRAWS)
    def go_on_for_a_while(self, draws: random.Random) -> None:
        """A run of related operations, as the campaign makes them."""
        arguments = Arguments(draws, self.sketch, self.plan.names, self.plan.error_share)
        for operation in burst(self.plan, arguments)[:BURST_OPERATIONS_MAX]:
            if operation.name() in self.operations:
                self.perform_one(operation, draws)
