"""Failures on disk: ``findings/<id>.trace``, which a person can read and ``replay`` runs.

The header says where and how to run the operations; the story follows as comments. A file appears
whole or not at all.
"""

import os
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from watosfs_fuzz.case import Case
from watosfs_fuzz.crash.choice import CrashChoice, parse_choice
from watosfs_fuzz.crash.persistence import PERSISTENCES, SECTOR
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.oracles.catalogue import without
from watosfs_fuzz.provenance import commit, version
from watosfs_fuzz.target import Geometry
from watosfs_model.trace import Comment, Trace, format_trace, parse_trace

ID_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """A failing case. ``canary`` names the broken variant that it was found in, ``origin`` the
    trace of the campaign that it was made from; ``report`` is its story (``report.story``).
    """

    case: Case
    failure: Failure
    choice: CrashChoice | None = None
    canary: str | None = None
    origin: str = "-"
    report: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """Short, and the same for the same minimal case and kind of failure."""
        body = format_trace(Trace.of(self.case.operations))
        case = self.case
        key = (case.target, case.geometry, case.cuts, self.failure.key, self.canary, body)
        return sha256(repr(key).encode()).hexdigest()[:ID_DIGITS]

    def trace(self) -> Trace:
        """As a trace with header and story."""
        case, geometry = self.case, self.case.geometry
        header = {
            "id": self.identity,
            "target": case.target,
            "blocks": str(geometry.block_count),
            "kind": self.failure.kind,
            "subject": self.failure.subject or "-",
        }
        if geometry.node_entries_max is not None:
            header["node-entries"] = str(geometry.node_entries_max)
        if self.canary is not None:
            header["canary"] = self.canary
        if case.cuts:
            header["cuts"] = " ".join(map(str, case.cuts))
        if case.device != SECTOR.name:
            header["device"] = case.device
        if case.off:
            header["without"] = " ".join(sorted(case.off))
        if case.nested:
            header["nested"] = str(case.nested)
        if self.choice is not None:
            header["crash"] = str(self.choice)
        header |= {"origin": self.origin, "version": version(), "commit": commit()}
        story = [f"# {line}".rstrip() for line in self.failure.story.splitlines()]
        if self.failure.expected:
            story.append(f"# expected: {self.failure.expected}")
        if self.failure.found:
            story.append(f"# found:    {self.failure.found}")
        if self.report:
            story += ["#", *(f"# {line}".rstrip() for line in self.report)]
        comments = (Comment(ascii_of(line)) for line in ["#", *story])
        return Trace(tuple(header.items()), (*case.operations, *comments))


def ascii_of(text: str) -> str:
    """The text with everything but printing ASCII escaped."""
    escaped = text.encode("ascii", "backslashreplace").decode()
    return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in escaped)


def write_finding(finding: Finding, directory: Path) -> Path:
    """Write ``<id>.trace``, whole or not at all; its path."""
    return write_whole(directory / f"{finding.identity}.trace", format_trace(finding.trace()))


def write_whole(path: Path, text: str) -> Path:
    """Write a text file so that it appears whole or not at all; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def device_name(text: str) -> str:
    """The name of a persistence. Raises ValueError for one that is none."""
    if text not in PERSISTENCES:
        raise ValueError(f"no device {text!r}; there are: {', '.join(PERSISTENCES)}")
    return text


def read_finding(path: Path) -> Finding:
    """A trace file, written by us or by hand. Raises ValueError naming line and column."""
    try:
        text = path.read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not ASCII at byte {error.start}; write it as \\xNN") from None
    try:
        trace = parse_trace(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    header = dict(trace.header)
    choice, entries = header.get("crash"), header.get("node-entries")
    try:
        case = Case(
            operations=trace.operations,
            cuts=tuple(map(int, header.get("cuts", "").split())),
            target=header.get("target", "wfs3"),
            geometry=Geometry(int(header.get("blocks", "256")), int(entries) if entries else None),
            nested=int(header.get("nested", "0")),
            off=without(header.get("without", "").split()),
            device=device_name(header.get("device", SECTOR.name)),
        )
        failure = Failure(header.get("kind", ""), header.get("subject", ""), "")
        parsed = parse_choice(choice) if choice else None
    except ValueError as error:
        raise ValueError(f"{path}: header: {error}") from None
    return Finding(case, failure, parsed, header.get("canary"), header.get("origin", "-"))
