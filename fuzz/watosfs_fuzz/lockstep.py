"""Model and target in lockstep: one operation on both, everything compared, then the next.

Checks: return value and errno (the model says which it permits), and after every operation the
whole state that a user can see; ENOSPC only when there may really be no room. Does not check:
values that an implementation is free to choose (inode numbers, readdir order, the figures of
statfs); what the target's dialect leaves out.
"""

import errno
from dataclasses import dataclass

from watosfs_fuzz.dialect import FIELDS, Entry, Observed, Tree
from watosfs_fuzz.target import Target
from watosfs_model import Difference, Outcome, System, checks, follow, observe, step
from watosfs_model.operations import Operation
from watosfs_model.stepping import fail

PID = 1


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong: ``kind`` (the oracle), ``subject`` (operation or structure), and the
    story.
    """

    kind: str
    subject: str
    story: str
    expected: str = ""
    found: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Failures with equal keys count as one."""
        return self.kind, self.subject


class Lockstep:
    """Runs operations on a target and the model; ``states[n]`` is the model after operation n.

    ``done`` counts the operations, power cuts included, as both sides do for their clocks.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.system = System.fresh()
        self.done = 0
        self.states: dict[int, System] = {0: self.system}

    def apply(self, operation: Operation) -> tuple[Outcome, Failure | None]:
        """One operation on both sides; what the target answered, and what is wrong with it."""
        before = self.system
        self.done += 1
        outcome = self.target.apply(PID, operation)
        name = operation.name()
        if outcome.errno == errno.EOPNOTSUPP and self.target.dialect.may_refuse:
            self.system = self.states[self.done] = fail(before)
            return outcome, self.compare(name)
        try:
            self.system = follow(before, PID, operation, outcome)
        except Difference as difference:
            return outcome, Failure(
                "outcome", name, str(difference), expected(before, operation), outcome_text(outcome)
            )
        self.states[self.done] = self.system
        is_full = outcome.errno == errno.ENOSPC and errno.ENOSPC not in checks(
            before, PID, operation
        )
        if is_full and self.target.has_room_for(operation):
            story = "ENOSPC with room to spare"
            return outcome, Failure("space", name, story, expected(before, operation), "ENOSPC")
        return outcome, self.compare(name)

    def recovered(self, system: System) -> None:
        """A power cut happened as one more operation, and left this state."""
        self.done += 1
        self.system = system
        self.states = {self.done: system}

    def compare(self, name: str) -> Failure | None:
        """Compare the whole observable state."""
        try:
            found = self.target.observe()
        except OSError as error:
            return Failure("state", name, f"the state cannot be read: {error}")
        due = self.target.dialect.shown(observe(self.system))
        if found == due:
            return None
        lines = difference_lines(due, found)
        return Failure("state", name, "\n".join(lines), lines[0], "")


def expected(system: System, operation: Operation) -> str:
    """What the model permits, in words."""
    errnos = checks(system, PID, operation)
    if errnos:
        return " or ".join(errno.errorcode.get(number, str(number)) for number in sorted(errnos))
    return outcome_text(step(system, PID, operation)[0])


def outcome_text(outcome: Outcome) -> str:
    """An outcome in words."""
    if outcome.errno:
        return errno.errorcode.get(outcome.errno, str(outcome.errno))
    text = repr(outcome.value)
    return text if len(text) <= 120 else f"{text[:100]}... ({len(text)} characters)"


def difference_lines(due: Observed, found: Observed) -> list[str]:
    """Where two observations differ, a line each."""
    lines = tree_difference(due[0], found[0])
    for descriptor in sorted(due[1].keys() | found[1].keys()):
        name = f"descriptor {descriptor}"
        lines += entry_difference(name, due[1].get(descriptor), found[1].get(descriptor))
    return lines or ["(the observations differ in form only)"]


def tree_difference(due: Tree, found: Tree) -> list[str]:
    """Where two trees differ, a line each."""
    lines: list[str] = []
    for path in sorted(due.keys() | found.keys()):
        name = path.decode("utf-8", "backslashreplace")
        lines += entry_difference(name, due.get(path), found.get(path))
    return lines


def entry_difference(name: str, due: Entry | None, found: Entry | None) -> list[str]:
    """Where two entries differ, a line each."""
    if due == found:
        return []
    if due is None:
        return [f"{name}: should not be there"]
    if found is None:
        return [f"{name}: is missing"]
    return [
        f"{name}: {field} {change_text(a, b)}"
        for field, a, b in zip(FIELDS, due, found, strict=True)
        if a != b
    ]


def change_text(due: object, found: object) -> str:
    """How a field differs; of long bytes the first place where they do."""
    if isinstance(due, bytes) and isinstance(found, bytes) and max(len(due), len(found)) > 40:
        pairs = zip(due, found, strict=False)
        shorter = min(len(due), len(found))
        at = next((i for i, (a, b) in enumerate(pairs) if a != b), shorter)
        return (
            f"({len(found)} bytes, should be {len(due)}) is {found[at : at + 16]!r} from byte "
            f"{at} on, should be {due[at : at + 16]!r}"
        )
    return f"is {value_text(found)}, should be {value_text(due)}"


def value_text(value: object) -> str:
    """A field's value, long content cut."""
    if isinstance(value, bytes) and len(value) > 40:
        return f"{value[:24]!r}... ({len(value)} bytes)"
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:80]}..."
