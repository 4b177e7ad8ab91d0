"""A crash as one page that needs nothing else: timeline, what became of each write, two trees.

The page is whole without scripts; a few lines of script add the arrow keys and the details.
"""

from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from watosfs_fuzz.dialect import Entry, Tree
from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.lockstep import entry_difference
from watosfs_fuzz.report.evidence import Evidence
from watosfs_fuzz.report.story import entry_text, remedies, what_is_wrong, where_it_goes
from watosfs_fuzz.report.timeline import NEVER, Step

TEMPLATE = "page.html.jinja"
PALETTE = "palette.css"
_SECTOR_WORDS = {"+": "kept", "-": "lost", "^": "written over", "=": "not changed"}
_NOTHING = "(not there)"


def page(evidence: Evidence) -> str:
    """The page, in ASCII."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    folder = files("watosfs_fuzz.report")
    source = folder.joinpath(TEMPLATE).read_text(encoding="utf-8")
    finding = evidence.finding
    text = environment.from_string(source).render(
        palette=folder.joinpath(PALETTE).read_text(encoding="utf-8"),
        identity=finding.identity,
        target=finding.case.target,
        canary=finding.canary,
        kind=f"{evidence.failure.kind}: {evidence.failure.subject}",
        wrong=what_is_wrong(evidence),
        place=where_it_goes(evidence),
        before=evidence.before,
        operations=evidence.operations,
        epochs=list(epochs(evidence)),
        remedies=remedies(evidence),
        comparisons=[
            {"name": state.name, "rows": rows(state.tree, evidence.found),
             "is_nearest": state is evidence.nearest}
            for state in evidence.permitted
        ],
        problem=evidence.problem,
        command=f"watosfs-fuzz replay {finding.identity}.trace",
    )  # fmt: skip
    return text.encode("ascii", "xmlcharrefreplace").decode()


def write_page(evidence: Evidence, path: Path) -> Path:
    """Write the page, whole or not at all; its path."""
    return write_whole(path, page(evidence))


# -- the timeline


def epochs(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """The steps by epoch, with the power cut and the missing flush where they belong."""
    for number, steps in groupby(evidence.steps, key=lambda step: step.epoch):
        items = [item for step in steps for item in items_at(evidence, step)]
        if evidence.steps[-1].epoch == number:
            items += cut_at_the_end(evidence)
        commits = sorted({i["commit"] for i in items if i.get("commit") and i["is_disk"]})
        commit = f", commit {' and '.join(map(str, commits))}" if commits else ""
        yield {"number": number, "title": f"epoch {number}{commit}", "entries": items}


def items_at(evidence: Evidence, step: Step) -> Iterator[dict[str, Any]]:
    """The power cut, if it comes just before a step, and the step with what is missing behind."""
    if step.index == evidence.choice.event_index:
        yield power_cut(evidence)
    yield step_item(evidence, step)
    remedy = evidence.experiment.flush
    if remedy is not None and remedy.first == step.index:
        yield {
            "kind": "missing", "name": "a flush is missing here", "fate": "", "is_disk": False,
            "what": "", "detail": [line for line in remedies(evidence) if "barrier" in line],
            "sectors": [], "is_late": False,
        }  # fmt: skip


def cut_at_the_end(evidence: Evidence) -> list[dict[str, Any]]:
    """The power cut, when it comes after all steps."""
    if evidence.choice.event_index <= evidence.steps[-1].index:
        return []
    return [power_cut(evidence)]


def power_cut(evidence: Evidence) -> dict[str, Any]:
    """The crash as an item."""
    return {
        "kind": "cut", "name": "power cut", "fate": "", "is_disk": False, "what": evidence.place,
        "detail": [*evidence.before, where_it_goes(evidence)], "sectors": [], "is_late": False,
    }  # fmt: skip


def step_item(evidence: Evidence, step: Step) -> dict[str, Any]:
    """A step as the template wants it."""
    is_disk = step.kind in ("write", "flush")
    what, name = "", step.name
    if step.kind == "write":
        what = step.what + (" (FUA)" if step.fua else "")
    elif not is_disk:
        name = f"{step.kind} of operation {step.number}"
        what = operation_text(evidence, step.number) if step.kind == "begin" else ""
    sectors = [{"letter": c, "word": _SECTOR_WORDS[c]} for c in step.sectors]
    return {
        "kind": step.kind, "name": name, "fate": step.fate, "what": what, "is_disk": is_disk,
        "commit": step.commit, "sectors": sectors, "detail": detail(evidence, step),
        "is_late": step.fate == NEVER or step.index >= evidence.choice.event_index,
    }  # fmt: skip


def operation_text(evidence: Evidence, number: int) -> str:
    """An operation of the trace by its number."""
    return evidence.operations[number - 1] if number <= len(evidence.operations) else ""


def detail(evidence: Evidence, step: Step) -> list[str]:
    """What the panel says of a step."""
    lines = [f"during operation {step.operation}: {operation_text(evidence, step.operation)}"]
    if not step.operation:
        lines = ["before the first operation"]
    if step.commit is not None:
        lines.append(f"part of commit {step.commit}")
    if step.fate:
        lines.append(f"at the power cut: {step.fate}")
    if step.sectors:
        counted = {word: step.sectors.count(c) for c, word in _SECTOR_WORDS.items()}
        words = ", ".join(f"{count} {word}" for word, count in counted.items() if count)
        lines.append(f"its 8 sectors: {words}")
    pair = evidence.experiment.pair
    if pair is not None and step.index == pair[0]:
        lines.append("out of order: what depends on it persisted, this did not")
    if pair is not None and step.index == pair[1]:
        lines.append("out of order: it persisted before what it depends on")
    return lines


# -- the trees


def rows(due: Tree, found: Tree | None) -> list[dict[str, Any]]:
    """Two trees as rows of a table, aligned by path."""
    if found is None:
        return [{"path": name_of(p), "due": entry_text(due[p]), "found": "", "changes": [],
                 "status": "unknown"} for p in sorted(due)]  # fmt: skip
    return [row(path, due.get(path), found.get(path)) for path in sorted(due.keys() | found.keys())]


def row(path: bytes, due: Entry | None, found: Entry | None) -> dict[str, Any]:
    """One path in both."""
    name = name_of(path)
    status = "same" if due == found else "changed"
    changes = []
    if due is None:
        status = "extra"
    elif found is None:
        status = "missing"
    else:
        changes = [line.removeprefix(f"{name}: ") for line in entry_difference(name, due, found)]
    return {
        "path": name, "status": status, "changes": changes,
        "due": _NOTHING if due is None else entry_text(due),
        "found": _NOTHING if found is None else entry_text(found),
    }  # fmt: skip


def name_of(path: bytes) -> str:
    """A path for people."""
    return path.decode("utf-8", "backslashreplace")
