"""What every target must do, as a state machine to subclass (STYLE rule 6).

    class MineConforms(TargetConformance):
        def make_target(self): return MyTarget(Geometry(64))
    TestMine = MineConforms.TestCase

Checks: against the target itself, not the model: an outcome is an ``Outcome`` whose errno is 0 or
known; what failed, or was refused (only where the dialect says so), changed nothing; observing
twice shows the same, and nothing but what the dialect declares; the tree is one (a root, parents
that are directories, sizes that fit contents); descriptors shown are those that open gave; a fresh
start forgets everything and the same operations then give the same outcomes. Of a target that can
crash: marks stand around each operation in order; base and log make up the device; recovery from
what was written shows the tree that was there, twice the same, and leaves the target alone.

Does not check: whether outcomes are right (the lockstep does); what a power cut may leave (the
explorer does); space, whose figures are the target's own.
"""

import errno
from typing import cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from watosfs_fuzz.crash.log import Mark, RecordingDevice, Write
from watosfs_fuzz.dialect import FIELDS, Observed
from watosfs_fuzz.generate import Generator
from watosfs_fuzz.target import CONTENT_BLOCK_BYTES, CrashTarget, Target
from watosfs_model import Outcome
from watosfs_model.operations import Abort, Close, Crash, Open, Operation, Remount

_KINDS = {"file", "directory", "symlink", "stale"}


class TargetConformance(RuleBasedStateMachine):
    """Drives the target of ``make_target``; subclass it for each target."""

    def make_target(self) -> Target:
        """A target that was not started."""
        raise NotImplementedError

    @initialize(number=st.integers(0, 100_000))
    def start(self, number: int) -> None:
        """A fresh file system, and the operations that it will get."""
        self.target = self.make_target()
        self.target.start()
        self.generator = Generator(1, number, dialect=self.target.dialect, length=200)
        self.done: list[tuple[Operation, Outcome]] = []
        self.shown = self.observe()
        self.descriptors: set[int] = set()
        assert set(self.shown[0]) == {b"/"}, "a fresh file system is not empty"

    @rule(count=st.integers(1, 12))
    def operate(self, count: int) -> None:
        """Some operations, each looked at."""
        for _ in range(count):
            operation = self.generator.next()
            if operation is None:
                return
            if isinstance(operation, Crash):
                continue
            outcome = self.target.apply(1, operation)
            self.done.append((operation, outcome))
            self.judge(operation, outcome)
            self.generator.learn(operation, outcome.errno or None, outcome.value)

    @rule()
    def start_again(self) -> None:
        """Everything is forgotten, and comes again in the same way."""
        done, shown = self.done, self.shown
        self.target.start()
        assert set(self.observe()[0]) == {b"/"}, "start forgets nothing"
        for operation, outcome in done:
            again = self.target.apply(1, operation)
            assert again == outcome, f"{operation}: {again}, and {outcome} the first time"
        assert self.observe() == shown, "the same operations lead to another state"

    @rule()
    def recover(self) -> None:
        """What was written is what recovery finds; the target itself goes on."""
        if not self.target.dialect.can_crash:
            return
        target = cast(CrashTarget, self.target)
        image = dict(target.base)
        image.update({e.block: e.data for e in target.device.events if isinstance(e, Write)})
        for block, data in target.device.image.items():
            assert image.get(block) == data, f"block {block}: base and log are not the device"
        events = len(target.device.events)
        trees = []
        for _ in range(2):
            device = RecordingDevice(target.device.block_count, image)
            found = target.recover(device, len(self.done))
            trees.append(found.observe()[0])
            problems = target.problems(device, {})
            assert not problems, problems
            problem = found.progress_problem()
            assert problem is None, problem
        assert trees[0] == trees[1], "two recoveries of one image differ"
        assert len(target.device.events) == events, "recovery wrote into the target's own log"
        assert self.observe() == self.shown, "recovery changed the target that went on"

    # -- judging

    def judge(self, operation: Operation, outcome: Outcome) -> None:
        """One outcome, and the state after it."""
        before, self.shown = self.shown, self.observe()
        assert isinstance(outcome, Outcome), outcome
        assert outcome.errno == 0 or outcome.errno in errno.errorcode, outcome
        if outcome.errno == errno.EOPNOTSUPP:
            assert self.target.dialect.may_refuse, f"{operation} refused, against the dialect"
        if outcome.errno:
            assert self.shown == before, f"{operation} failed and changed something"
        elif isinstance(operation, Open):
            assert isinstance(outcome.value, int)
            assert outcome.value not in self.descriptors, "open gave a descriptor that is open"
            self.descriptors.add(outcome.value)
        elif isinstance(operation, Close):
            self.descriptors.discard(operation.fd)
        elif isinstance(operation, Remount):
            self.descriptors.clear()
        if not isinstance(operation, Abort):
            assert set(self.shown[1]) == self.descriptors, f"after {operation}: open files"

    def observe(self) -> Observed:
        """The state, looked at twice."""
        shown = self.target.observe()
        assert self.target.observe() == shown, "observing twice shows different states"
        return shown

    @invariant()
    def is_a_tree(self) -> None:
        """The entries are well formed and hang together."""
        if not hasattr(self, "shown"):
            return
        tree, files = self.shown
        assert tree[b"/"][0] == "directory"
        for path, entry in tree.items():
            head = path.rpartition(b"/")[0]
            parent = head if head in tree else head + b"/"  # the root, or that of a snapshot
            assert tree[parent][0] == "directory", f"{path!r} is below something else"
            self.judge_entry(path, entry)
        for number, entry in files.items():
            self.judge_entry(b"fd:%d" % number, entry)

    def judge_entry(self, name: bytes, entry: tuple[object, ...]) -> None:
        """One entry."""
        assert len(entry) == len(FIELDS), f"{name!r}: {len(entry)} fields"
        for field, value in zip(FIELDS, entry, strict=True):
            if field not in self.target.dialect.fields:
                assert value is None, f"{name!r} shows {field}, which the dialect leaves out"
        kind, size, content = entry[0], entry[5], entry[9]
        assert kind in _KINDS, f"{name!r} is a {kind!r}"
        if isinstance(content, bytes):
            assert size == len(content), f"{name!r}: {size} bytes, content of {len(content)}"
        elif isinstance(content, tuple):
            assert isinstance(size, int)
            assert all(block * CONTENT_BLOCK_BYTES < size for block, _ in content), name

    @invariant()
    def marks_stand_around_operations(self) -> None:
        """("begin", n), ("end", n), counted from 1."""
        if not hasattr(self, "target") or not self.target.dialect.can_crash:
            return
        target = cast(CrashTarget, self.target)
        labels = [event.label for event in target.device.events if isinstance(event, Mark)]
        due = [(word, n + 1) for n in range(len(self.done)) for word in ("begin", "end")]
        assert labels == due, f"marks {labels[-4:]} where {due[-4:]} are due"

    def teardown(self) -> None:
        """Give the target back."""
        if hasattr(self, "target"):
            self.target.close()
