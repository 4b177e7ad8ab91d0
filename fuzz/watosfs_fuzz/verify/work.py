"""What each kind of slice does. Nothing here decides anything but by the slice."""

import importlib.util
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from itertools import islice
from pathlib import Path

from watosfs_fuzz.case import Case
from watosfs_fuzz.exhaust import workloads
from watosfs_fuzz.faults.campaign import run_profile
from watosfs_fuzz.findings import Finding, write_finding
from watosfs_fuzz.kernel.edge_checks import InlineChecks
from watosfs_fuzz.kernel.findings import text_of, write_kernel_finding
from watosfs_fuzz.kernel.interleavings import Explorer
from watosfs_fuzz.kernel.lockstep import run_generated, run_steps
from watosfs_fuzz.kernel.minimise import minimise
from watosfs_fuzz.kernel.watosfs_target import WatosfsKernelTarget
from watosfs_fuzz.parsers import corpus, loop
from watosfs_fuzz.parsers import findings as parser_findings
from watosfs_fuzz.parsers.catalogue import require_harness
from watosfs_fuzz.tally import Settings
from watosfs_fuzz.target import Geometry
from watosfs_fuzz.targets.registry import make_target
from watosfs_fuzz.verify.slices import Done, Found, Slice, planted, target_broken_by
from watosfs_fuzz.worker import run_task

KERNEL_TRACES = 40
KERNEL_CALLS = 60
FAULT_TRACES = 60
PARSER_EXECUTIONS = 600
WORKLOADS = 52
REGRESSIONS = Path("tests/regressions")
CORPORA = Path("tests/corpora")
_PROOF_SECONDS_MAX = 300
_REFUTED, _UNKNOWN = 1, 3

Worked = tuple[int, str, list[Found]]


def run_slice(piece: Slice) -> Done:
    """Do one slice, its canary in force."""
    start = time.monotonic()
    skipped = ""
    try:
        with planted(piece.canary):
            units, unit, found = _KINDS[piece.kind](piece)
    except Missing as missing:
        units, unit, found, skipped = 0, "", [], str(missing)
    seconds = time.monotonic() - start
    return Done(piece.stage, piece.number, units, unit, seconds, tuple(found), skipped)


class Missing(Exception):
    """A part of the tree, or a package, that a stage needs is not there."""


def regressions(piece: Slice) -> Worked:
    """Every kept trace and every kept input must be fine now."""
    # The command line reads all three kinds of traces, and imports this package.
    from watosfs_fuzz.cli.main import main

    folder = piece.root / REGRESSIONS
    traces = sorted(folder.glob("**/*.trace"))
    if not traces:
        raise Missing(f"no traces in {REGRESSIONS}")
    found = []
    for trace in traces:
        text = trace.read_text()
        sound = piece.out / "regressions" / trace.name
        sound.parent.mkdir(parents=True, exist_ok=True)
        # A trace that names a canary is of sound code without it.
        lines = [line for line in text.splitlines(keepends=True) if not line.startswith("# canary")]
        sound.write_text("".join(lines))
        words = replay_words(text)
        with redirect_stdout(io.StringIO()) as told, redirect_stderr(io.StringIO()):
            status = main([*words, str(sound)])
        if status:
            story = told.getvalue()[-2000:]
            command = " ".join(["watosfs-fuzz", *words, str(sound)])
            title = f"kept trace {trace.relative_to(folder)} fails again"
            found.append(Found(piece.stage, title, story, str(sound), command))
        else:
            sound.unlink()
    return len(traces), "traces", found


def replay_words(text: str) -> list[str]:
    """The command that replays a trace with this text."""
    if "# level: kernel" in text:
        return ["kernel-replay"]
    return ["faults", "--replay"] if "# level: faults" in text else ["replay"]


def corpora(piece: Slice) -> Worked:
    """The kept inputs of one parser harness."""
    harness = require_harness(piece.subject)
    inputs = corpus.load(piece.root / CORPORA, harness.name)
    if not inputs:
        raise Missing(f"no kept inputs of {harness.name} in {CORPORA}")
    return parser_result(piece, loop.replay(harness, inputs))


def parsers(piece: Slice) -> Worked:
    """Mutants of its seeds and kept inputs."""
    harness = require_harness(piece.subject)
    kept = corpus.load(piece.root / CORPORA, harness.name)
    seed = piece.seed + piece.number
    executions = len(kept) + PARSER_EXECUTIONS
    return parser_result(piece, loop.run(harness, kept, seed=seed, executions=executions))


def parser_result(piece: Slice, tally: loop.Tally) -> Worked:
    """Failures as files."""
    found = []
    for failure in tally.failures.values():
        path = parser_findings.write(failure, piece.out)
        title = f"{failure.kind} in {failure.place or failure.harness}"
        command = parser_findings.command(path, failure.harness)
        found.append(Found(piece.stage, title, failure.story, str(path), command))
    return tally.executions, "inputs", found


def proofs(piece: Slice) -> Worked:
    """``watosfs-prove``, which settles anew only what has changed. Another process: it is no part
    of the fuzzer.
    """
    for module in ("watosfs_proofs", "z3"):
        if importlib.util.find_spec(module) is None:
            raise Missing(f"{module} is not installed (the extra 'prove')")
    command = [sys.executable, "-m", "watosfs_proofs", "--json"]
    if piece.canary is not None:
        command += ["--canary", piece.canary]
    kept = ["--kept", str(piece.root / ".watosfs-prove")]
    done = subprocess.run(
        [*command, *kept], capture_output=True, text=True, check=False, timeout=_PROOF_SECONDS_MAX
    )
    if done.returncode not in (0, _REFUTED, _UNKNOWN):
        raise Missing(f"watosfs-prove: {done.stderr.strip()[-300:]}")
    results = json.loads(done.stdout)["obligations"]
    found = [
        Found(
            piece.stage,
            f"obligation {result['name']} is {result['verdict']}",
            json.dumps(result, indent=1)[:2000],
            "",
            f"watosfs-prove --only {result['name']}",
        )
        for result in results
        if result["verdict"] != "proved"
    ]
    return len(results), "obligations", found


def exhaust(piece: Slice) -> Worked:
    """Workloads of one change, every crash of each, and a power cut in recovery."""
    first = piece.number * WORKLOADS
    memo: dict[object, object] = {}
    operations = 0
    found: list[Found] = []
    for workload in islice(workloads(1), first, first + WORKLOADS):
        case = Case(workload.operations, nested=1)
        report = case.run(memo=memo)
        operations += len(report.operations)
        if report.failure is not None and not found:
            finding = Finding(case, report.failure, report.choice, piece.canary)
            found.append(kept(piece, finding))
    return operations, "operations", found


def kept(piece: Slice, finding: Finding) -> Found:
    """A finding of the volume level as a file."""
    path = write_finding(finding, piece.out)
    failure = finding.failure
    title = f"{failure.kind}: {failure.subject}"
    return Found(piece.stage, title, failure.story, str(path), f"watosfs-fuzz replay {path}")


def campaign(piece: Slice) -> Worked:
    """Four traces with all their crashes."""
    settings = Settings(
        target=piece.subject,
        seed=piece.seed,
        nested=piece.number % 2,
        canary=piece.canary if target_broken_by(piece.canary) else None,
        crashes=make_target(piece.subject, Geometry()).dialect.can_crash,
        out=piece.out,
    )
    # run_task plants the canary itself: it is named in what is found.
    tally = run_task(settings, 4 * piece.number, frozenset(), piece.is_late)
    return tally.operations, "operations", [kept(piece, f) for f in tally.findings]


def kernel(piece: Slice) -> Worked:
    """Traces of several processes."""
    target = WatosfsKernelTarget()
    calls = 0
    for number in range(piece.number * KERNEL_TRACES, (piece.number + 1) * KERNEL_TRACES):
        report = run_generated(target, piece.seed, number, KERNEL_CALLS)
        calls += len(report.steps)
        if report.key is None:
            continue
        short = minimise(report.steps, lambda steps: run_steps(target, steps))
        origin = f"seed {piece.seed} trace {number}"
        path = write_kernel_finding(short, piece.out, origin=origin, canary=piece.canary or "")
        title = f"{report.key[0]} of {report.key[1]}"
        command = f"watosfs-fuzz kernel-replay {path}"
        return calls, "calls", [Found(piece.stage, title, text_of(short), str(path), command)]
    return calls, "calls", []


def interleave(piece: Slice) -> Worked:
    """Every schedule of every program of two processes with up to two calls."""
    coverage = Explorer(InlineChecks(WatosfsKernelTarget()), 2, 2).explore()
    if coverage.failure is None:
        return coverage.transitions, "transitions", []
    report = coverage.failure
    path = write_kernel_finding(report, piece.out, canary=piece.canary or "")
    what, where, story = report.failure or ("", "", "")
    command = f"watosfs-fuzz kernel-replay {path}"
    found = Found(piece.stage, f"{what} of {where}", story, str(path), command)
    return coverage.transitions, "transitions", [found]


def faults(piece: Slice) -> Worked:
    """Traces on a device that fails."""
    tally = run_profile(
        piece.subject,
        piece.seed + piece.number,
        seconds=0,
        traces=FAULT_TRACES,
        out=piece.out,
        canary=piece.canary or "",
        findings_max=1,
    )
    found = []
    for path in tally.findings:
        story = path.read_text()
        title = f"a fault of {piece.subject} is not survived"
        command = f"watosfs-fuzz faults --replay {path}"
        found.append(Found(piece.stage, title, story[-2000:], str(path), command))
    return tally.operations, "operations", found


_KINDS: dict[str, Callable[[Slice], Worked]] = {
    "regressions": regressions,
    "corpora": corpora,
    "parsers": parsers,
    "proofs": proofs,
    "exhaust": exhaust,
    "interleave": interleave,
    "campaign": campaign,
    "kernel": kernel,
    "faults": faults,
}
