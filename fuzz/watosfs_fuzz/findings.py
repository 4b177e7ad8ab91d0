"""Failures on disk: ``findings/<id>.trace``, which a person can read and ``replay`` runs."""

import os
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from watosfs_fuzz.crash.choice import CrashChoice, parse_choice
from watosfs_fuzz.lockstep import Failure
from watosfs_fuzz.run import RunReport
from watosfs_fuzz.target import Geometry
from watosfs_model.trace import Comment, Trace, format_trace, parse_trace


@dataclass(frozen=True, slots=True)
class Finding:
    """A minimised failure. ``canary`` names the broken variant that it was found in, if any."""

    identity: str
    target: str
    geometry: Geometry
    crash_seed: int
    failure: Failure
    choice: CrashChoice | None
    trace: Trace
    canary: str | None = None


def finding_of(
    report: RunReport, target: str, geometry: Geometry, crash_seed: int, canary: str | None
) -> Finding:
    """The finding in a failing run."""
    failure = report.failure
    assert failure is not None
    body = format_trace(Trace.of(report.operations))
    key = f"{target} {geometry} {failure.kind} {failure.subject} {canary}\n{body}"
    identity = sha256(key.encode()).hexdigest()[:10]
    header = {
        "id": identity,
        "target": target,
        "blocks": str(geometry.block_count),
        "crash-seed": str(crash_seed),
        "kind": failure.kind,
        "subject": failure.subject or "-",
    }
    if geometry.node_entries_max is not None:
        header["node-entries"] = str(geometry.node_entries_max)
    if canary is not None:
        header["canary"] = canary
    if report.choice is not None:
        header["crash"] = str(report.choice)
    story = [f"# {line}".rstrip() for line in failure.story.splitlines()]
    comments = tuple(Comment(line.encode("ascii", "backslashreplace").decode()) for line in story)
    trace = Trace(tuple(header.items()), (*report.operations, Comment("#"), *comments))
    return Finding(identity, target, geometry, crash_seed, failure, report.choice, trace, canary)


def write_finding(finding: Finding, directory: Path) -> Path:
    """Write ``<id>.trace``, whole or not at all; its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{finding.identity}.trace"
    handle, temporary = tempfile.mkstemp(dir=directory, suffix=".part")
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(format_trace(finding.trace))
    os.replace(temporary, path)
    return path


def read_finding(path: Path) -> Finding:
    """A trace file, written by us or by hand. Raises ValueError naming line and column."""
    trace = parse_trace(path.read_text(encoding="ascii"))
    header = dict(trace.header)
    choice, entries = header.get("crash"), header.get("node-entries")
    return Finding(
        header.get("id", path.stem),
        header.get("target", "wfs3"),
        Geometry(int(header.get("blocks", "256")), int(entries) if entries else None),
        int(header.get("crash-seed", "0")),
        Failure(header.get("kind", ""), header.get("subject", ""), ""),
        parse_choice(choice) if choice else None,
        trace,
        header.get("canary"),
    )
