"""``watosfs-fuzz parsers --keep`` and ``--coverage``: the kept corpora and the branches they take.

Apart from fuzzing because both need coverage.py, which nothing else here does.
"""

import argparse
import json
import sys

from watosfs_fuzz.parsers import branches, corpus, keeping
from watosfs_fuzz.parsers.branches import ModuleCoverage
from watosfs_fuzz.parsers.harness import Harness

_EXIT_FOUND = 1
#: Mutants tried for each harness where ``--executions`` says nothing.
_EXECUTIONS = 2000


def add(parse: argparse.ArgumentParser) -> None:
    """The arguments of both."""
    keep = "rebuild the kept corpora: seeds, what is kept and --executions mutants, minimised"
    parse.add_argument("--keep", action="store_true", help=keep)
    coverage = "branches that the kept corpora take, by module; 1 when one has less than 95 %%"
    parse.add_argument("--coverage", action="store_true", help=coverage)


def _runnable(todo: list[Harness]) -> list[Harness]:
    """Those that can run here. Raises ValueError without coverage.py."""
    if not branches.is_installed():
        raise ValueError(branches.MISSING)
    for harness in todo:
        if harness.missing():
            print(f"{harness.name:24}skipped: {harness.missing()}", file=sys.stderr)
    return [harness for harness in todo if not harness.missing()]


def keep(options: argparse.Namespace, todo: list[Harness]) -> int:
    """Rebuild the corpora, one file for each harness."""
    executions = _EXECUTIONS if options.executions is None else options.executions
    for harness in _runnable(todo):
        count = keeping.keep(harness, options.corpora, seed=options.seed, executions=executions)
        size = corpus.path_of(options.corpora, harness.name).stat().st_size
        print(f"{harness.name:24}{count:5,} inputs {size:8,} bytes", flush=True)
    return 0


def coverage(options: argparse.Namespace, todo: list[Harness]) -> int:
    """A row for each parsing module; 1 when one is below the share that is due."""
    chosen = _runnable(todo)
    rows = branches.coverage_of(
        (harness, corpus.load(options.corpora, harness.name)) for harness in chosen
    )
    if options.json:
        print(json.dumps([as_json(row) for row in rows]))
    else:
        for row in rows:
            print(line(row))
    return _EXIT_FOUND if any(row.share < branches.SHARE_MIN for row in rows) else 0


def line(row: ModuleCoverage) -> str:
    """One module in a line, with the lines that have an exit not taken."""
    missed = " ".join(map(str, row.missed))
    return f"{row.module:40}{row.taken:4} of {row.branches:4} {row.share:7.1%}  {missed}".rstrip()


def as_json(row: ModuleCoverage) -> dict[str, object]:
    """Plain values."""
    return {
        "module": row.module,
        "branches": row.branches,
        "taken": row.taken,
        "share": round(row.share, 4),
        "missed": list(row.missed),
    }
