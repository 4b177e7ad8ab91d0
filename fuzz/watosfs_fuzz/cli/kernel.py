"""``watosfs-fuzz kernel``, ``interleave``, ``registers``: what processes see, against its model."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from watosfs_fuzz.kernel.canaries import KERNEL_CANARIES
from watosfs_fuzz.kernel.edge_checks import ForkedChecks, InlineChecks
from watosfs_fuzz.kernel.findings import read_kernel_trace, text_of, write_kernel_finding
from watosfs_fuzz.kernel.interleavings import ALPHABET, Coverage, Explorer
from watosfs_fuzz.kernel.lockstep import run_generated, run_steps
from watosfs_fuzz.kernel.minimise import minimise
from watosfs_fuzz.kernel.registers import attack
from watosfs_fuzz.kernel.watosfs_target import WatosfsKernelTarget

TRACE_CALLS = 60
_LOG_SECONDS = 5.0
_EXIT_FOUND = 1


def applied(name: str | None) -> AbstractContextManager[object]:
    """A canary of the kernel in force. Raises ValueError for an unknown name."""
    if name is None:
        return nullcontext()
    if name not in KERNEL_CANARIES:
        raise ValueError(f"no kernel canary {name!r}; there are: {', '.join(KERNEL_CANARIES)}")
    return KERNEL_CANARIES[name].plant()


def campaign(options: argparse.Namespace) -> int:
    """Generated traces until the budget ends; each kind of failure once, made short."""
    target, seen, keys = WatosfsKernelTarget(), Counter[tuple[str, str]](), set[tuple[str, str]]()
    start = last = time.monotonic()
    number = calls = 0
    permitted: set[tuple[str, str]] = set()
    files = []
    with applied(options.canary):
        while len(keys) < options.findings_max:
            now = time.monotonic()
            is_over = now - start >= options.seconds if options.traces is None else (
                number >= options.traces
            )  # fmt: skip
            if is_over:
                break
            report = run_generated(target, options.seed, number, TRACE_CALLS)
            number += 1
            calls += len(report.steps)
            seen.update(report.seen)
            permitted |= report.permitted
            if report.key is not None and report.key not in keys:
                keys.add(report.key)
                short = minimise(report.steps, lambda steps: run_steps(target, steps))
                origin = f"seed {options.seed} trace {number - 1}"
                canary = options.canary or ""
                path = write_kernel_finding(short, options.out, origin=origin, canary=canary)
                files.append(str(path))
                print(f"finding: {report.key[0]} of {report.key[1]}: {path}", file=sys.stderr)
            if now - last >= _LOG_SECONDS:
                last = now
                rate = calls / (now - start)
                print(f"{now - start:6.0f} s  {calls:,} calls ({rate:,.0f}/s)  {len(seen)} "
                      f"call-outcome pairs  {len(keys)} findings", file=sys.stderr)  # fmt: skip
    if options.json:
        pairs = {f"{call} {word}": count for (call, word), count in sorted(seen.items())}
        unseen = [f"{call} {word}" for call, word in sorted(permitted - set(seen))]
        print(json.dumps({
            "traces": number, "calls": calls, "pairs": pairs, "unseen": unseen, "findings": files,
        }))  # fmt: skip
    else:
        print(f"calls               {calls:,} in {number:,} traces")
        print(f"call-outcome pairs  {len(seen)}")
        unseen_text = ", ".join(f"{call} {word}" for call, word in sorted(permitted - set(seen)))
        print(f"permitted, unseen   {unseen_text or 'nothing'}")
        print(f"findings            {len(keys)}")
        for file in files:
            print(f"  watosfs-fuzz kernel-replay {file}")
    return _EXIT_FOUND if keys else 0


def replay(options: argparse.Namespace) -> int:
    """A kernel trace again, each call with its outcome."""
    header, steps = read_kernel_trace(options.trace)
    with applied(header.get("canary")):
        report = run_steps(WatosfsKernelTarget(), steps)
    print(text_of(report), end="")
    return 0 if report.failure is None else _EXIT_FOUND


def interleave(options: argparse.Namespace) -> int:
    """Every interleaving of every small program."""

    def progress(now: Coverage) -> None:
        print(f"{now.states:,} states  {now.transitions:,} transitions  "
              f"{now.interleavings:,} interleavings ended", file=sys.stderr)  # fmt: skip

    size = (options.processes, options.calls)
    found = explore_on(options.jobs, *size, options.canary, progress)
    print(f"processes, calls    {options.processes}, {options.calls} of {len(ALPHABET)}")
    print(f"states              {found.states:,}")
    print(f"transitions         {found.transitions:,} run and compared")
    print(f"interleavings       {found.interleavings:,} of all programs"
          f" ({found.ends_parked:,} end with a process parked)")  # fmt: skip
    print(f"complete            {'yes' if found.is_complete else 'no'}")
    if found.failure is not None:
        print(text_of(found.failure), end="")
        return _EXIT_FOUND
    return 0


def explore_on(
    jobs: int,
    processes: int,
    longest: int,
    canary: str | None,
    progress: Callable[[Coverage], None],
) -> Coverage:
    """The walk of the model here, the target on forks where there are to be more jobs than one."""
    target = WatosfsKernelTarget()
    checks = InlineChecks(target) if jobs == 1 else ForkedChecks(target, jobs)
    with applied(canary):
        return Explorer(checks, processes, longest, progress=progress).explore()


def registers(options: argparse.Namespace) -> int:
    """Hostile system calls by register."""
    answers = attack(options.calls, options.seed, options.watched)
    failures = sum(count for number, count in answers.items() if number)
    print(f"system calls        {options.calls:,}, of {options.watched:.0%} the state compared")
    print(f"succeeded           {answers.get(0, 0):,}")
    print(f"failed              {failures:,} in {len(answers) - 1} ways")
    return 0
