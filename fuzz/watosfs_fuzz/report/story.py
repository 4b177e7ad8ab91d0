"""The story of a crash as text: where, what became of the writes, what was found, what is missing.

``story`` is what ``replay`` prints and what a finding carries behind its operations.
"""

from watosfs_fuzz.dialect import FIELDS, Entry, Tree
from watosfs_fuzz.lockstep import entry_difference, tree_difference, value_text
from watosfs_fuzz.report.barrier import Remedy
from watosfs_fuzz.report.evidence import Evidence
from watosfs_fuzz.report.timeline import DURABLE, NEVER, TORN, Step

#: Lines of a list before the rest is counted.
LINES_MAX = 40
_LETTERS = "sectors: + kept, - lost, ^ written over later, = not changed"


def story(evidence: Evidence) -> list[str]:
    """All sections, a line each."""
    return [
        *evidence.before,
        where_it_goes(evidence),
        "",
        *section("what the disk held", fates(evidence)),
        *section("permitted, and found", trees(evidence)),
        *section("what is missing", remedies(evidence)),
    ]


def where_it_goes(evidence: Evidence) -> str:
    """The place of the crash; writes and flushes in recovery are counted from its start."""
    if not evidence.before:
        return f"the power goes {evidence.place}"
    return f"then, in the recovery from that, the power goes {evidence.place}"


def section(title: str, lines: list[str]) -> list[str]:
    """A heading, and lines below it."""
    if len(lines) > LINES_MAX:
        rest = len(lines) - LINES_MAX
        lines = [*lines[:LINES_MAX], f"... and {rest} more"]
    return [f"{title}:", *(f"  {line}".rstrip() for line in lines), ""]


# -- the writes


def fates(evidence: Evidence) -> list[str]:
    """The writes that were in flight, and how many were not."""
    flying = [s for s in evidence.steps if s.kind == "write" and s.fate not in (DURABLE, NEVER)]
    width = max((len(step.name) for step in flying), default=0)
    lines = [
        f"{step.fate:<11} {step.name:<{width}}  {step.what}"
        + (f"  [{step.sectors}]" if step.fate == TORN else "")
        for step in flying
    ]
    if any(step.fate == TORN for step in flying):
        lines.append(_LETTERS)
    durable = sum(step.fate == DURABLE for step in evidence.steps)
    if durable:
        lines.append(f"{durable} earlier write{'s' * (durable != 1)} had been flushed")
    return lines or ["nothing was in flight"]


# -- the trees


def trees(evidence: Evidence) -> list[str]:
    """Which states are permitted, and how the one found differs from the nearest."""
    lines = [f"permitted: {state.name}" for state in evidence.permitted]
    if evidence.found is None:
        return [*lines, f"found: {evidence.problem}"]
    near = evidence.nearest
    differences = tree_difference(near.tree, evidence.found)
    if not differences:
        return [*lines, f"found: {near.name}, but {what_is_wrong(evidence)}"]
    lines.append(f"found, against the permitted state {near.name}:")
    return [*lines, *tree_diff(near.tree, evidence.found)]


def what_is_wrong(evidence: Evidence) -> str:
    """The oracle's words, without the place."""
    return evidence.failure.story.partition("): ")[2] or evidence.failure.story


def tree_diff(due: Tree, found: Tree) -> list[str]:
    """Two trees as a diff: ``  path``, ``- path``, ``+ path``, ``! path`` with what changed."""
    lines = []
    for path in sorted(due.keys() | found.keys()):
        name = path.decode("utf-8", "backslashreplace")
        a, b = due.get(path), found.get(path)
        if a is not None and b is None:
            lines.append(f"- {name}  {entry_text(a)}")
        elif b is not None and a is None:
            lines.append(f"+ {name}  {entry_text(b)}")
        elif a == b:
            lines.append(f"  {name}")
        else:
            lines.append(f"! {name}")
            prefix = f"{name}: "
            lines += [f"    {line.removeprefix(prefix)}" for line in entry_difference(name, a, b)]
    return lines


def entry_text(entry: Entry) -> str:
    """An entry in a few words: kind, size and content."""
    shown = dict(zip(FIELDS, entry, strict=True))
    words = [str(shown["kind"])]
    if shown["kind"] != "directory":
        words += [f"{shown['size']} bytes", value_text(shown["content"])]
    return ", ".join(words)


# -- the barrier


def remedies(evidence: Evidence) -> list[str]:
    """What the experiment showed, in words."""
    found = evidence.experiment
    if not found.is_sound:
        return ["not known: the crash needs more than the epoch it happens in"]
    lines = []
    if found.pair is not None:
        first, second = (step_at(evidence, index) for index in found.pair)
        lines += [
            f"out of order: {second.name} ({second.what}) persisted,",
            f"  {first.name} ({first.what}) did {'so in part' if first.fate == TORN else 'not'};",
            f"  with {second.name} lost as well this crash passes",
        ]
    if found.order is not None:
        first, second = (step_at(evidence, i) for i in (found.order.first, found.order.second))
        lines += [
            f"missing order: {first.name} must persist before {second.name}",
            f"  ({covered(found.order)})",
        ]
    if found.flush is not None:
        lines += [f"missing barrier: {flush_place(evidence, found.flush)}"]
        lines += [f"  ({covered(found.flush)})"]
    if found.order is None and found.flush is None:
        lines += [
            f"no single flush and no order of two writes makes this epoch safe ({found.tried}",
            "  tried): the fault is in what is written, in more than one place, or in recovery",
        ]
    return lines


def step_at(evidence: Evidence, index: int) -> Step:
    """The step of an event that is there."""
    step = evidence.step(index)
    assert step is not None, index
    return step


def flush_place(evidence: Evidence, remedy: Remedy) -> str:
    """Where the flush is missing."""
    before = step_at(evidence, remedy.first)
    after = evidence.step(remedy.second)
    text = f"a flush between {before.name} ({before.what})"
    if after is None:
        return f"{text} and the end of the log"
    if after.kind == "write":
        return f"{text} and {after.name} ({after.what})"
    if after.kind == "flush":
        return f"{text} and {after.name}"
    return f"{text} and the {after.kind} of operation {after.number}"


def covered(remedy: Remedy) -> str:
    """On what a remedy rests."""
    return (
        f"tried: with it none of the {remedy.images:,} legal images of this epoch fails,"
        f" {remedy.recoveries:,} recoveries"
    )
