"""What a crash may leave: the judge over recovered file systems.

Checks: recovery succeeds; the tree found is exactly one of the model's permitted states, never older than
what was acknowledged; the independent check finds nothing; the file system goes on working. Does not
check: open descriptors (processes die with the power).
"""

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from watosfs_model import System, crash_states, observe

from watosfs_fuzz.crash.lazy import LazyDevice
from watosfs_fuzz.crash.windows import Window
from watosfs_fuzz.lockstep import Failure, tree_difference
from watosfs_fuzz.target import CrashTarget, Tree


class Recovered(NamedTuple):
    """What one recovery found: the tree (frozen), or what went wrong and in whose eyes."""

    tree: Hashable
    oracle: str
    problem: str


def frozen(tree: Tree) -> Hashable:
    """A tree as a value that can be compared and kept."""
    return tuple(sorted(tree.items()))


class CrashOracle:
    """Recovers and judges, for the crashes of one log. ``memo`` is the checker's, shared between runs."""

    def __init__(
        self, target: CrashTarget, states: Mapping[int, System], memo: dict[object, object]
    ) -> None:
        self.target = target
        self.states = states
        self.memo = memo
        self.done = max(states)
        self.permitted_after: dict[int, dict[Hashable, Tree]] = {}

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
        except AssertionError as error:
            return Recovered(None, "assertion", f"recovery breaks an invariant: {error}")
        return Recovered(tree, "", "")

    def judge(self, found: Recovered, window: Window) -> str | None:
        """What is wrong with an outcome at a crash point, or None."""
        if found.oracle:
            return f"{found.oracle}: {found.problem}"
        permitted = self.permitted(window)
        if found.tree in permitted:
            return None
        assert isinstance(found.tree, tuple)
        newest = list(permitted.values())[-1]
        lines = tree_difference(newest, dict(found.tree))
        return "\n".join(
            [f"state: none of the {len(permitted)} permitted states; against the newest:", *lines]
        )

    def permitted(self, window: Window) -> dict[Hashable, Tree]:
        """The trees that recovery may find at a crash point, oldest first."""
        if not window.marks:
            return self.permitted_at(min(self.states))
        word, number = window.marks[-1]  # type: ignore[misc]
        if word == "end":
            return self.permitted_at(number)
        return {**self.permitted_at(number - 1), **self.permitted_at(number)}

    def permitted_at(self, number: int) -> dict[Hashable, Tree]:
        """The trees permitted right after operation ``number``."""
        known = self.permitted_after.get(number)
        if known is None:
            known = {}
            for state in crash_states(self.states[number]) if number in self.states else ():
                tree = observe(state)[0]
                known[frozen(tree)] = tree
            self.permitted_after[number] = known
        return known


def failure_of(reason: str, where: str) -> Failure:
    """A judged reason as a failure."""
    oracle, _, story = reason.partition(": ")
    subject = story.split(":", 1)[0] if oracle in ("check", "recovery") else oracle
    for digit in "0123456789":
        subject = subject.replace(digit, "")
    return Failure("crash", f"{oracle} {subject}".strip(), f"crash {where}: {story}")
