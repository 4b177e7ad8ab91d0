"""One trace on a device that fails, judged.

Checks: an operation gives what the model permits, or EIO, EUCLEAN, ENOSPC or EROFS once a fault has
struck; what is seen afterwards is the model's state, or, when the volume has stopped, a state that
a crash may leave, and no other; after a failed commit or sync no later one succeeds; on a healthy
device the medium then holds a permitted state and the checker agrees with what reading finds.
Does not check: which of those errnos; open descriptors once the volume has stopped.
"""

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from watosfs.wfs3.check import check
from watosfs.wfs3.volume import Volume
from watosfs_fuzz.dialect import Tree
from watosfs_fuzz.faults.target import FaultyWfs3Target
from watosfs_fuzz.lockstep import PID, Failure, tree_difference
from watosfs_fuzz.run import exception_failure
from watosfs_fuzz.targets.wfs3_entry import entry_of
from watosfs_fuzz.targets.wfs3_snapshots import read_all
from watosfs_model import Difference, Outcome, System, checks, crash_states, follow, observe, step
from watosfs_model.operations import (
    Close,
    Commit,
    Dropsnapshot,
    Fdatasync,
    Fsync,
    Mkdir,
    Operation,
    Remount,
    Rollback,
    Snapshot,
    Sync,
)

FAULT_ERRNOS = frozenset({errno.EIO, errno.EUCLEAN, errno.EROFS})
#: What stands for the outcome of an operation that lets an exception out.
_RAISES = Outcome(None, 0)
_SNAPSHOTS = (Snapshot, Dropsnapshot, Rollback)
_DURABLE = (Sync, Fsync, Fdatasync, Commit, *_SNAPSHOTS)


@dataclass(slots=True)
class FaultReport:
    """What a run did: ``struck`` faults, operations, and how it was wrong, if it was."""

    operations: list[Operation] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    struck: int = 0
    #: Operations that failed with one of the faults' errnos.
    refused: int = 0
    failure: Failure | None = None


class FaultRun:
    """A trace on one target."""

    def __init__(self, target: FaultyWfs3Target) -> None:
        self.target = target
        self.system = System.fresh()
        self.report = FaultReport()
        #: The volume fell back to something durable and accepts no more changes.
        self.has_stopped = False
        #: A remount failed: there is no volume any more, only the medium.
        self.has_ended = False
        #: What an operation that failed, and commits at once, may have left on the medium.
        self.maybe: tuple[System, ...] = ()
        target.start()

    def run(self, operations: Sequence[Operation]) -> FaultReport:
        """All operations, then the medium on a healthy device."""
        try:
            for operation in operations:
                if self.has_stopped or self.has_ended:
                    break
                self.apply(operation)
                if self.report.failure is not None:
                    return self.report
            self.judge_stopped()
            if self.report.failure is None:
                self.judge_medium()
        except Exception as error:  # a target lets out nothing but OSError
            self.report.failure = exception_failure(error)
        self.report.struck = self.target.fired
        return self.report

    def fail(self, kind: str, subject: str, story: str) -> None:
        """The run ends here."""
        self.report.failure = Failure(kind, subject, story)

    def apply(self, operation: Operation) -> None:
        """One operation on both sides."""
        fired = self.target.fired
        self.report.operations.append(operation)
        self.report.outcomes.append(_RAISES)
        outcome = self.report.outcomes[-1] = self.target.apply(PID, operation)
        name = operation.name()
        is_fault = outcome.errno in FAULT_ERRNOS and outcome.errno not in checks(
            self.system, PID, operation
        )
        if is_fault:
            self.report.refused += 1
            if not self.target.fired:
                self.fail("outcome", name, f"errno {outcome.errno} without a fault")
                return
            if isinstance(operation, Remount):
                self.has_ended = True
            else:
                self.settle(operation)
            return
        if not outcome.errno and self.target.fired > fired and isinstance(operation, _DURABLE):
            self.suspect(operation)
        try:
            self.system = follow(self.system, PID, operation, outcome)
        except Difference as difference:
            self.fail("outcome", name, str(difference))
            return
        self.compare(name, [self.system])

    def suspect(self, operation: Operation) -> None:
        """A sync that succeeds although one of its writes or flushes failed is a lie."""
        if self.target.plan.kind in ("write", "flush"):
            self.fail("durability", operation.name(), "it succeeds, but the device failed in it")

    def settle(self, operation: Operation) -> None:
        """After a failure: nothing changed, or the volume fell back to a durable state. A close
        that fails has closed the descriptor (close(2)).
        """
        if isinstance(operation, _SNAPSHOTS) and not checks(self.system, PID, operation):
            self.maybe = (step(self.system, PID, operation)[1],)
        if isinstance(operation, Close):
            self.system = step(self.system, PID, operation)[1]
        else:
            self.system = replace(self.system, operations=self.system.operations + 1)
        engine = self.target.volume.engine
        self.has_stopped = engine.read_only_reason is not None
        states = [self.system]
        if self.has_stopped:
            states += list(crash_states(self.system))
            if self.system.begun is not None:
                states.append(self.system)
        self.compare(operation.name(), states)

    def compare(self, name: str, states: Sequence[System]) -> None:
        """What is seen must be one of some states, or refuse to be seen."""
        try:
            found = self.target.observe()[0]
        except OSError as error:
            if error.errno not in FAULT_ERRNOS or not self.target.fired:
                raise
            return
        self.judge_tree("state", name, found, states)

    def judge_tree(self, kind: str, subject: str, found: Tree, states: Sequence[System]) -> None:
        """The tree is that of one of the states."""
        trees = [observe(state)[0] for state in states]
        if found not in trees:
            lines = tree_difference(trees[0], found)
            self.fail(kind, subject, "\n".join(lines[:8]))

    def judge_stopped(self) -> None:
        """A volume that stopped accepts no sync and no change."""
        if not self.has_stopped:
            return
        for operation in (Sync(), Mkdir(b"/later", 0o755)):
            if not self.target.apply(PID, operation).errno:
                story = "it succeeds on a volume that has stopped"
                self.fail("durability", operation.name(), story)

    def judge_medium(self) -> None:
        """What is on the medium, read without faults: a permitted state, and clean."""
        if self.target.plan.kind in ("lost", "misdirected", "twice"):
            self.judge_damage(())
            return
        try:
            volume = self.target.healthy_volume()
            found = tree_of(volume)
        except OSError as error:
            self.fail("medium", f"errno {error.errno}", f"the medium cannot be mounted: {error}")
            return
        self.judge_tree("medium", "state", found, self.on_medium())
        problems = check(volume.engine.device, data=True).problems
        if problems and self.report.failure is None:
            self.fail("medium", "check", str(problems[0]))

    def on_medium(self) -> list[System]:
        """What the medium may show now."""
        return [self.system, *crash_states(self.system), *self.maybe]

    def judge_damage(self, states: Sequence[System]) -> None:
        """A damaged medium: right, or refused; and the checker never calls it clean then."""
        states = states or self.on_medium()
        device = type(self.target.device)(self.target.block_count, self.target.device.image)
        problems = check(device, data=True).problems
        try:
            volume = self.target.healthy_volume()
            found = tree_of(volume)
        except OSError as error:
            if error.errno not in FAULT_ERRNOS:
                self.fail("damage", f"errno {error.errno}", f"not a fault's errno: {error}")
            elif not problems:
                self.fail("damage", "check", f"the checker finds nothing, but reading: {error}")
            return
        self.judge_tree("damage", "state", found, states)


def tree_of(volume: Volume) -> Tree:
    """All that a volume and its snapshots show. Raises what reading raises."""
    inodes = list(volume.walk())
    first: dict[int, bytes] = {}
    for path, inode in inodes:
        if inode.number not in first or path < first[inode.number]:
            first[inode.number] = path
    tree = {path: entry_of(volume, inode, first[inode.number]) for path, inode in inodes}
    return tree | read_all(volume, volume.snapshots(), contents=True)
