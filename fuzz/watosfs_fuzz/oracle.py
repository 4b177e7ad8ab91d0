"""What a crash may leave: the judge over recovered file systems.

Checks: recovery succeeds; the tree found is exactly one of the model's permitted states, never
older than what was acknowledged; the independent check finds nothing; the file system goes on
working. Does not check: open descriptors (processes die with the power).
"""

from collections.abc import Hashable, Iterator, Mapping
from typing import NamedTuple

from watosfs_fuzz.crash.lazy import LazyDevice
from watosfs_fuzz.crash.windows import Window
from watosfs_fuzz.dialect import Tree
from watosfs_fuzz.lockstep import Failure, tree_difference
from watosfs_fuzz.target import CrashTarget
from watosfs_model import System, crash_states, observe
from watosfs_model.durability import crash_state
from watosfs_model.state import Volume


class Recovered(NamedTuple):
    """What one recovery found: the tree (frozen), or what went wrong and in whose eyes."""

    tree: Hashable
    oracle: str
    problem: str


def frozen(tree: Tree) -> Hashable:
    """A tree as a value that can be compared and kept."""
    return tuple(sorted(tree.items()))


class CrashOracle:
    """Recovers and judges, for the crashes of one log. ``memo`` is the checker's, shared between
    runs.
    """

    def __init__(
        self, target: CrashTarget, states: Mapping[int, System], memo: dict[object, object]
    ) -> None:
        self.target = target
        self.states = states
        self.memo = memo
        self.done = max(states)
        self.permitted: dict[int, tuple[set[Hashable], Iterator[Volume]]] = {}
        self.trees: dict[int, tuple[Volume, Hashable]] = {}
        self.verdicts: dict[tuple[int, int], tuple[Hashable, bool]] = {}

    def recover(self, device: LazyDevice) -> Recovered:
        """Mount, look at everything, check, try it out."""
        try:
            target = self.target.recover(device, self.done)
            device.end_of_recovery()
            tree = frozen(target.observe()[0])
            problems = self.target.problems(device, self.memo)
            if problems:
                return Recovered(tree, "check", problems[0])
            progress = target.progress_problem()
            if progress is not None:
                return Recovered(tree, "progress", progress)
        except OSError as error:
            return Recovered(None, "recovery", f"recovery fails: {error}")
        except Exception as error:
            return Recovered(None, "exception", f"recovery raises {type(error).__name__}: {error}")
        return Recovered(tree, "", "")

    def judge(self, found: Recovered, window: Window) -> str | None:
        """What is wrong with an outcome at a crash point, or None."""
        if found.oracle:
            return f"{found.oracle}: {found.problem}"
        numbers = self.operations_at(window)
        if any(self.is_permitted(found.tree, number) for number in numbers):
            return None
        assert isinstance(found.tree, tuple)
        states = crash_states(self.states[numbers[-1]])
        due = self.target.dialect.shown(observe(states[-1]))[0]
        lines = tree_difference(due, dict(found.tree))
        return "\n".join(["state: no permitted state; against the newest of them:", *lines])

    def operations_at(self, window: Window) -> list[int]:
        """The operations after which a crash here may count as one: the last, or the two
        around it.
        """
        if not window.marks:
            return [min(self.states)]
        label = window.marks[-1]
        assert isinstance(label, tuple)
        number = int(label[1])
        around = [number] if label[0] == "end" else [number - 1, number]
        return [n for n in around if n in self.states]

    def is_permitted(self, tree: Hashable, number: int) -> bool:
        """Whether recovery may find ``tree`` after operation ``number``."""
        # Outcomes are shared between crash points, so the same object comes again and again.
        verdict = self.verdicts.get((id(tree), number))
        if verdict is None or verdict[0] is not tree:
            verdict = self.verdicts[id(tree), number] = (tree, self.is_among(tree, number))
        return verdict[1]

    def is_among(self, tree: Hashable, number: int) -> bool:
        """The comparison behind ``is_permitted``."""
        found = self.permitted.get(number)
        if found is None:
            found = self.permitted[number] = (set(), iter(self.states[number].history))
        known, coming = found
        if tree in known:
            return True
        # Oldest first: that is what most crashes leave, so the younger are seldom looked at.
        for volume in coming:
            due = self.tree_of(volume, number)
            known.add(due)
            if due == tree:
                return True
        return False

    def tree_of(self, volume: Volume, number: int) -> Hashable:
        """A permitted state as recovery should show it; histories share their volumes."""
        found = self.trees.get(id(volume))
        if found is None:
            state = crash_state(self.states[number], volume)
            due = self.target.dialect.shown(observe(state))[0]
            found = self.trees[id(volume)] = (volume, frozen(due))
        return found[1]


def failure_of(reason: str, where: str) -> Failure:
    """A judged reason as a failure: the oracle, and for the check the structure and field."""
    oracle, _, story = reason.partition(": ")
    subject = oracle
    if oracle == "check":
        place = story.split(":", 1)[0].replace("at block", "")
        words = "".join("" if c.isdigit() else c for c in place).split()
        subject = " ".join(["check", *words]).replace(" ,", ",")
    return Failure("crash", subject, f"crash {where}: {story}")
