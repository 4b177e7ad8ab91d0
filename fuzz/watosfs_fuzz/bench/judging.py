"""What becomes of an automutant: the gate's stages, in the gate's order, until one fails.

As in ``verify --changed-since`` the stages that try the mutated file come more often; failures are
not made short, and there are no proofs (they are another program, which sees the file on disk).
"""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from watosfs_fuzz.bench.automutants import Automutant, planted
from watosfs_fuzz.faults.case import case_of
from watosfs_fuzz.kernel.lockstep import run_generated
from watosfs_fuzz.kernel.watosfs_target import WatosfsKernelTarget
from watosfs_fuzz.parsers import loop
from watosfs_fuzz.parsers.catalogue import require_harness
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.registry import make_target
from watosfs_fuzz.verify.slices import Slice
from watosfs_fuzz.verify.stages import endless, stages
from watosfs_fuzz.verify.work import (
    FAULT_TRACES,
    KERNEL_CALLS,
    KERNEL_TRACES,
    PARSER_EXECUTIONS,
    run_slice,
)
from watosfs_fuzz.worker import run_trace

KILLED, HANGS, SURVIVED = "killed", "hangs", "survived"
#: A slice may run over its mutant's budget by this; after it the mutant counts as one that hangs.
_GRACE_SECONDS: Final = 30.0
#: Traces of a slice of a campaign.
_TRACES: Final = 4
#: A mutant that fills the memory must fail, not the machine.
_MEMORY_BYTES_MAX: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class Judgement:
    """``by`` is the stage that failed, ``story`` its first words; ``is_reached`` whether the
    mutated function was called at all (of those that did not hang).
    """

    status: str
    seconds: float
    by: str = ""
    story: str = ""
    is_reached: bool = True


def judged(mutant: Automutant, root: Path, seed: int, seconds: float) -> Judgement:
    """The judgement of one mutant, in a process of its own. ``root`` is the tree with tests/."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(theirs, mutant, root, seed, seconds))
    start = time.monotonic()
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds + _GRACE_SECONDS):
            return Judgement(HANGS, time.monotonic() - start)
        found = ours.recv()
        assert isinstance(found, Judgement)
        return found
    except EOFError:
        return Judgement(KILLED, time.monotonic() - start, "the process", "ended without a word")
    finally:
        child.kill()
        child.join()


def _in_child(told: Connection, mutant: Automutant, root: Path, seed: int, seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as out, planted(mutant) as reached:
        by, story = first_failure(mutant.path, root, Path(out), seed, seconds)
        status = KILLED if by else SURVIVED
        spent = time.monotonic() - start
        told.send(Judgement(status, spent, by, story, bool(reached)))


def first_failure(
    changed: str, root: Path, out: Path, seed: int, seconds: float
) -> tuple[str, str]:
    """(stage, story) of what fails first within the budget; empty when nothing does."""
    found = [stage for stage in stages() if stage.name != "proofs"]
    deadline = time.time() + seconds
    required = [(stage, number) for stage in found for number in range(stage.pieces or 0)]
    memo: dict[object, object] = {}
    rest = endless(found, (changed,))
    while time.time() < deadline:
        stage, number = required.pop(0) if required else next(rest)
        piece = Slice(stage.name, number, seed, root, out, deadline)
        try:
            story = _WORK.get(piece.kind, by_gate)(piece, memo)
        except Exception as error:  # the gate would end with this traceback
            story = f"{type(error).__name__}: {error}"
        if story:
            return stage.name, story[:300]
    return "", ""


def by_gate(piece: Slice, _: dict[object, object]) -> str:
    """The gate's own slice."""
    return "; ".join(found.title for found in run_slice(piece).found)


def campaign(piece: Slice, memo: dict[object, object]) -> str:
    """The traces of a slice, with their crashes."""
    can_crash = make_target(piece.subject, Geometry()).dialect.can_crash
    settings = Settings(target=piece.subject, seed=piece.seed, crashes=can_crash)
    first = _TRACES * piece.number
    for number in range(first, first + _TRACES):
        report = run_trace(replace(settings, nested=piece.number % 2), number, memo)
        if report.failure is not None:
            return f"{report.failure.kind}: {report.failure.subject}"
    return ""


def kernel(piece: Slice, _: dict[object, object]) -> str:
    """Traces of several processes."""
    target = WatosfsKernelTarget()
    for number in range(piece.number * KERNEL_TRACES, (piece.number + 1) * KERNEL_TRACES):
        key = run_generated(target, piece.seed, number, KERNEL_CALLS).key
        if key is not None:
            return " of ".join(key)
    return ""


def faults(piece: Slice, _: dict[object, object]) -> str:
    """Traces on a device that fails."""
    for number in range(FAULT_TRACES):
        failure = case_of(piece.subject, piece.seed + piece.number, number).run().failure
        if failure is not None:
            return f"{failure.kind}: {failure.subject}"
    return ""


def parsers(piece: Slice, _: dict[object, object]) -> str:
    """Mutants of the seeds of a harness."""
    tally = loop.run(
        require_harness(piece.subject), (), seed=piece.seed + piece.number,
        executions=PARSER_EXECUTIONS, stop_at_failure=True,
    )  # fmt: skip
    return "; ".join(failure.kind for failure in tally.failures.values())


_WORK: dict[str, Callable[[Slice, dict[object, object]], str]] = {
    "campaign": campaign, "kernel": kernel, "faults": faults, "parsers": parsers,
}  # fmt: skip
