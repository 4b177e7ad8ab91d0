"""``watosfs-fuzz parsers``: every parser of bytes from outside, against hostile bytes."""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from watosfs_fuzz.cli import parsers_kept
from watosfs_fuzz.parsers import atheris_engine, corpus, findings, loop
from watosfs_fuzz.parsers.catalogue import harnesses, require_harness
from watosfs_fuzz.parsers.harness import Failure, Harness
from watosfs_fuzz.parsers.loop import Tally

_EXIT_FOUND = 1
_CORPORA = Path("tests/corpora")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    parse = commands.add_parser("parsers", help="every on-disk parser against hostile bytes")
    parse.add_argument("--harness", action="append", metavar="NAME", help="only this one (all)")
    parse.add_argument("--list", action="store_true", help="the harnesses")
    parse.add_argument("--seconds", type=float, default=60.0, help="budget over all harnesses (60)")
    parse.add_argument("--executions", type=int, help="of each harness: repeatable exactly")
    parse.add_argument("--seed", type=int, default=0, help="where the randomness starts (0)")
    parse.add_argument("--jobs", type=int, default=1, help="processes (1)")
    engine = "own: deterministic; atheris: libFuzzer with branch feedback (own)"
    parse.add_argument("--engine", choices=("own", "atheris"), default="own", help=engine)
    work = "atheris: keep corpora and dictionaries here (they are thrown away)"
    parse.add_argument("--work", type=Path, metavar="DIR", help=work)
    parse.add_argument("--replay", nargs="*", type=Path, metavar="FILE",
                       help="run inputs or images again (without FILE: the corpora)")  # fmt: skip
    parse.add_argument("--corpora", type=Path, default=_CORPORA, help="kept inputs (tests/corpora)")
    parsers_kept.add(parse)
    parse.add_argument("--out", type=Path, default=Path("findings"), help="for findings (findings)")
    parse.add_argument("--json", action="store_true", help="print JSON")
    parse.set_defaults(run=run)


def chosen(options: argparse.Namespace) -> list[Harness]:
    """The harnesses that were asked for. Raises ValueError for an unknown name."""
    if not options.harness:
        return harnesses()
    return [require_harness(name) for name in options.harness]


def run(options: argparse.Namespace) -> int:
    """Fuzz, replay, or list; 1 when something was found."""
    todo = chosen(options)
    if options.list:
        for harness in todo:
            print(f"{harness.name:24}{harness.description}")
        return 0
    if options.keep:
        return parsers_kept.keep(options, todo)
    if options.coverage:
        return parsers_kept.coverage(options, todo)
    if options.replay is not None:
        return replay(options, todo)
    tallies = fuzz(options, todo)
    if options.json:
        print(json.dumps([as_json(tally) for tally in tallies]))
    return _EXIT_FOUND if any(tally.failures for tally in tallies) else 0


def replay(options: argparse.Namespace, todo: list[Harness]) -> int:
    """Files, or the corpora, once each."""
    if options.replay and len(todo) != 1:
        raise ValueError("--replay FILE needs one --harness NAME: it says how to read the file")
    failed = 0
    for harness in todo:
        if harness.missing():
            print(f"{harness.name:24}skipped: {harness.missing()}")
            continue
        if options.replay:
            inputs = [findings.read(path, harness.unit_bytes) for path in options.replay]
        else:
            inputs = corpus.load(options.corpora, harness.name)
        tally = loop.replay(harness, inputs)
        print(line(tally))
        for verdict in tally.verdicts if options.replay else ():
            print(f"  verdict: {verdict}")
        for failure in tally.failures.values():
            print(f"{failure.kind} {failure.place}\n{failure.story}")
        failed += len(tally.failures)
    return _EXIT_FOUND if failed else 0


def fuzz(options: argparse.Namespace, todo: list[Harness]) -> list[Tally]:
    """Every harness that can run, with its share of the budget; the others say what is missing."""
    for harness in todo:
        if harness.missing():
            print(f"{harness.name:24}skipped: {harness.missing()}", file=sys.stderr)
    todo = [harness for harness in todo if not harness.missing()]
    if not todo:
        return []
    jobs = min(options.jobs, len(todo))
    share = None if options.executions else options.seconds * jobs / len(todo)
    one = fuzz_one if options.engine == "own" else partial(fuzz_one_atheris, options.work)
    arguments = [
        (harness.name, options.corpora, options.seed, share, options.executions, options.out)
        for harness in todo
    ]
    tallies = []
    pool = ProcessPoolExecutor(jobs) if jobs > 1 else None
    for tally in (pool.map if pool else map)(one, arguments):
        tallies.append(tally)
        print(line(tally), file=sys.stderr if options.json else sys.stdout, flush=True)
        for failure in tally.failures.values():
            path = options.out / f"{failure.harness}-{failure.identity}{findings.SUFFIX}"
            print(f"  {failure.kind} {failure.place}: {findings.command(path, failure.harness)}")
    return tallies


def fuzz_one(arguments: tuple[str, Path, int, float | None, int | None, Path]) -> Tally:
    """One harness, in any process; its findings are on disk when this returns."""
    name, corpora, seed, seconds, executions, out = arguments
    harness = require_harness(name)

    def found(failure: Failure) -> None:
        findings.write(failure, out)

    kept = corpus.load(corpora, name)
    return loop.run(harness, kept, seed=seed, seconds=seconds, executions=executions, found=found)


def fuzz_one_atheris(
    work: Path | None, arguments: tuple[str, Path, int, float | None, int | None, Path]
) -> Tally:
    """One harness under libFuzzer; its corpus is kept in ``work`` when there is one."""
    name, corpora, seed, seconds, executions, out = arguments
    harness, kept = require_harness(name), corpus.load(corpora, name)
    with TemporaryDirectory() as folder:
        return atheris_engine.run(
            harness, kept, work=work or Path(folder), out=out, seed=seed, seconds=seconds,
            executions=executions,
        )  # fmt: skip


def line(tally: Tally) -> str:
    """One harness' figures."""
    rate = f"{tally.executions / tally.seconds:8,.0f} a second" if tally.seconds else ""
    return (
        f"{tally.harness:24}{tally.executions:10,} executions {rate}  {len(tally.verdicts):5,}"
        f" verdicts  {len(tally.failures)} findings ({tally.repeated} more of the same)"
    )


def as_json(tally: Tally) -> dict[str, object]:
    """Plain values."""
    return {
        "harness": tally.harness,
        "executions": tally.executions,
        "seconds": round(tally.seconds, 3),
        "verdicts": len(tally.verdicts),
        "findings": [
            {"id": failure.identity, "kind": failure.kind, "place": failure.place}
            for failure in tally.failures.values()
        ],
    }
