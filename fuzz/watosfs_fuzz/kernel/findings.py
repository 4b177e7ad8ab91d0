"""Failures of the kernel's lockstep as files: a header, then a process and its call a line."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.kernel.lockstep import KernelReport, Step, outcome_word
from watosfs_model.kernel import Call
from watosfs_model.trace import format_operation, parse_operation

HEADER = "# level: kernel"


def text_of(report: KernelReport, **header: str) -> str:
    """The trace with its outcomes as comments, and what was wrong at the end."""
    lines = [HEADER, *(f"# {key}: {value}" for key, value in header.items() if value)]
    for index, (pid, call) in enumerate(report.steps):
        lines.append(f"{pid} {format_operation(call)}")
        if index < len(report.outcomes):
            outcome = report.outcomes[index]
            value = "" if outcome.errno or outcome.value is None else f" {outcome.value!r}"[:60]
            lines.append(f"#   {outcome_word(outcome)}{value}")
    if report.failure is not None:
        what, where, story = report.failure
        lines += ["#", *(f"# {line}" for line in f"{what} of {where}: {story}".splitlines())]
    return "\n".join(lines) + "\n"


def write_kernel_finding(report: KernelReport, directory: Path, **header: str) -> Path:
    """Keep a failure; its file."""
    identity = hashlib.sha256(repr((report.key, report.steps)).encode()).hexdigest()[:10]
    directory.mkdir(parents=True, exist_ok=True)
    return write_whole(directory / f"{identity}.trace", text_of(report, **header))


def read_kernel_trace(path: Path) -> tuple[dict[str, str], Sequence[Step]]:
    """Header and steps of a file. Raises ValueError naming the line that is wrong."""
    header: dict[str, str] = {}
    steps: list[Step] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("# ") and not steps:
            key, _, value = line[2:].partition(": ")
            header[key] = value
        if not line.strip() or line.startswith("#"):
            continue
        pid, _, text = line.partition(" ")
        if not pid.isdigit():
            raise ValueError(f"{path}:{number}: a process number must begin the line")
        try:
            call = parse_operation(text)
        except ValueError as error:
            raise ValueError(f"{path}:{number}: {error}") from None
        if not isinstance(call, Call):
            raise ValueError(f"{path}:{number}: {call.name()} is no call of a process")
        steps.append((int(pid), call))
    if header.get("level") != "kernel":
        raise ValueError(f"{path}: not a trace of the kernel: the first line must be {HEADER!r}")
    return header, steps
