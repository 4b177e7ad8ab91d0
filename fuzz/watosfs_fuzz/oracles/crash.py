"""The judge over recovered file systems: oracles that each have a name (``catalogue``).

What a recovery finds is gathered while its device is there (``recover``), and judged against each
crash point that it covers (``judge``). What tries the recovered volume out is done once for each
different state that a log's crashes leave.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple

from watosfs_fuzz.crash.recall import RecoveryDevice
from watosfs_fuzz.crash.windows import Window
from watosfs_fuzz.dialect import Contract, Tree
from watosfs_fuzz.lockstep import Failure, tree_difference
from watosfs_fuzz.oracles.permitted import Permitted, frozen
from watosfs_fuzz.target import CrashTarget
from watosfs_model import System, crash_states, observe


class Recovered(NamedTuple):
    """What one recovery found: the tree (frozen), the generation, or what went wrong and in whose
    eyes.
    """

    tree: Hashable
    oracle: str
    problem: str
    generation: int | None = None


class CrashOracle:
    """Recovers and judges, for the crashes of one log. ``memo`` is the checker's, shared between
    runs; ``off`` names oracles that keep quiet.
    """

    def __init__(
        self,
        target: CrashTarget,
        states: Mapping[int, System],
        memo: dict[object, object],
        off: frozenset[str] = frozenset(),
    ) -> None:
        self.target = target
        self.states = states
        self.memo = memo
        self.off = off
        self.done = max(states)
        self.permitted = Permitted(states, target.dialect)
        self.tried: dict[Hashable, tuple[str, str]] = {}
        self.found_at: tuple[int, set[Hashable]] = (-1, set())
        self.contract = target.dialect.contract
        self.judged: dict[tuple[int, ...], Callable[[Tree], str | None]] = {}
        self.verdicts: dict[tuple[int, tuple[int, ...]], tuple[Hashable, str | None]] = {}
        self.judges = self.judges_on()

    # -- recovering

    def recover(self, device: RecoveryDevice) -> Recovered:
        """Mount, look at everything, check, try it out."""
        try:
            target = self.target.recover(device, self.done)
            device.end_of_recovery()
            tree = frozen(target.observe()[0])
            generation = target.generation()
            if "check" not in self.off:
                problems = self.target.problems(device, self.memo)
                if problems:
                    return Recovered(tree, "check", problems[0], generation)
            device.end_of_looking()
            oracle, problem = self.trial(target, device, tree, generation)
        except OSError as error:
            return Recovered(None, "recovery", f"recovery fails: {error}")
        except Exception as error:
            return Recovered(None, "exception", f"recovery raises {type(error).__name__}: {error}")
        return Recovered(tree, oracle, problem, generation)

    def trial(
        self, target: CrashTarget, device: RecoveryDevice, tree: Hashable, generation: int | None
    ) -> tuple[str, str]:
        """(oracle, problem) of what is tried out, once for each state: same tree, same commit, same
        copies of what comes twice.
        """
        key = (tree, generation, bool(device.rejected), device.depth)
        found = self.tried.get(key)
        if found is None or generation is None:
            found = self.tried[key] = self.first_trial(target, device, tree)
        return found

    def first_trial(
        self, target: CrashTarget, device: RecoveryDevice, tree: Hashable
    ) -> tuple[str, str]:
        """Read-only first, as the rest changes the volume."""
        if "read-only" not in self.off and not device.depth:
            problem = self.target.read_only_problem(device.crash_image(), self.done, tree)
            if problem is not None:
                return "read-only", problem
        if "progress" not in self.off:
            problem = target.progress_problem()
            if problem is not None:
                return "progress", problem
        if "leak" not in self.off:
            problem = target.leak_problem()
            if problem is not None:
                return "leak", problem
        return "", ""

    # -- judging

    def judge(self, found: Recovered, window: Window) -> str | None:
        """What is wrong with an outcome at a crash point, or None."""
        if found.oracle and found.oracle not in self.off:
            return f"{found.oracle}: {found.problem}"
        if found.tree is None:
            return None
        numbers = self.operations_at(window)
        for judge in self.judges:
            reason = judge(found, window, numbers)
            if reason is not None:
                return reason
        return None

    def judges_on(self) -> list[Callable[[Recovered, Window, list[int]], str | None]]:
        """Those that are on; what ``state`` says better is left to it."""
        judges = {
            "state": self.not_permitted,
            "durability": self.not_durable,
            "outcomes": self.too_many,
            "generation": self.too_old,
        }
        is_weaker_needed = "state" in self.off and self.contract is None
        weaker = set() if is_weaker_needed else {"durability", "outcomes"}
        return [judge for name, judge in judges.items() if name not in self.off | weaker]

    def not_permitted(self, found: Recovered, window: Window, numbers: list[int]) -> str | None:
        """``state``"""
        if self.contract is not None:
            return self.against(self.contract, found, numbers)
        for number in numbers:
            if self.permitted.has(found.tree, number):
                return None
        assert isinstance(found.tree, tuple)
        states = crash_states(self.states[numbers[-1]])
        due = self.target.dialect.shown(observe(states[-1]))[0]
        lines = tree_difference(due, dict(found.tree))
        return "\n".join(["state: no permitted state; against the newest of them:", *lines])

    def against(self, contract: Contract, found: Recovered, numbers: list[int]) -> str | None:
        """``state`` of a volume that promises less than a state as a whole."""
        key = tuple(numbers)
        if key not in self.judged:
            volumes = [volume for number in numbers for volume in self.states[number].history]
            self.judged[key] = contract(volumes)
        assert isinstance(found.tree, tuple)
        # Outcomes are shared between crash points, so the same object comes again and again.
        verdict = self.verdicts.get((id(found.tree), key))
        if verdict is None or verdict[0] is not found.tree:
            verdict = (found.tree, self.judged[key](dict(found.tree)))
            self.verdicts[id(found.tree), key] = verdict
        problem = verdict[1]
        return None if problem is None else f"state: {problem}"

    def not_durable(self, found: Recovered, window: Window, numbers: list[int]) -> str | None:
        """``durability``"""
        assert isinstance(found.tree, tuple)
        tree = dict(found.tree)
        due = [self.permitted.same_in_all(number) for number in numbers]
        for path, entry in due[0].items():
            if all(other.get(path) == entry for other in due[1:]) and tree.get(path) != entry:
                return f"durability: {path!r} was synced, and is not there as it was"
        return None

    def too_many(self, found: Recovered, window: Window, numbers: list[int]) -> str | None:
        """``outcomes``"""
        if self.found_at[0] != window.event_index:
            self.found_at = (window.event_index, set())
        different = self.found_at[1]
        different.add(found.tree)
        most = sum(map(self.permitted.count, numbers))
        if len(different) <= most:
            return None
        return f"outcomes: {len(different)} different states, where {most} were made"

    def too_old(self, found: Recovered, window: Window, numbers: list[int]) -> str | None:
        """``generation``"""
        due = self.target.generations.get(numbers[0])
        if found.generation is None or due is None or found.generation >= due:
            return None
        return f"generation: {found.generation} is older than {due}, which was acknowledged"

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


def failure_of(reason: str, where: str) -> Failure:
    """A judged reason as a failure: the oracle, and for the check the structure and field."""
    oracle, _, story = reason.partition(": ")
    subject = oracle
    if oracle == "check":
        place = story.split(":", 1)[0].replace("at block", "")
        words = "".join("" if c.isdigit() else c for c in place).split()
        subject = " ".join(["check", *words]).replace(" ,", ",")
    return Failure("crash", subject, f"crash {where}: {story}")
