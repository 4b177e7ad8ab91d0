"""``watosfs-fuzz bench --automutants N``: random edits of production code, and what survives."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from watosfs_fuzz.bench.automutants import MODULES, Automutant, drawn
from watosfs_fuzz.bench.figures import wilson
from watosfs_fuzz.bench.judging import SURVIVED, judged
from watosfs_fuzz.findings import write_whole
from watosfs_fuzz.provenance import commit

Row = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """Judge what the state file does not have yet; print the survivors with their diffs. Ends with
    1 when one survived, 0 otherwise.
    """
    mutants = drawn(options.module or MODULES, options.automutants, options.seed)
    key = {"budget": options.seconds, "commit": commit(), "seed": options.seed}
    known = {row["identity"]: row for row in read_state(options.state, key)}
    for mutant in mutants:
        if mutant.identity in known:
            continue
        found = judged(mutant, Path(), options.seed, options.seconds)
        row = known[mutant.identity] = {"identity": mutant.identity, **asdict(found), **key}
        if options.state is not None:
            with options.state.open("a") as file:
                file.write(json.dumps(row) + "\n")
        print(line(mutant, row), file=sys.stderr, flush=True)
    rows = [{**asdict(mutant), "diff": mutant.diff, **known[mutant.identity]} for mutant in mutants]
    report = {**key, "runs": rows, **summary(rows)}
    if options.json is not None:
        write_whole(options.json, json.dumps(report, indent=1) + "\n")
    for mutant in mutants:
        if known[mutant.identity]["status"] == SURVIVED:
            print(f"{line(mutant, known[mutant.identity])}\n{mutant.diff}\n")
    print(sentence(summary(rows)))
    return int(any(row["status"] == SURVIVED for row in rows))


def read_state(path: Path | None, key: Row) -> list[Row]:
    """The judgements of an earlier call of the same kind, whole lines only."""
    if path is None or not path.exists():
        return []
    rows = [json.loads(text) for text in path.read_text().splitlines() if text.endswith("}")]
    return [row for row in rows if all(row[name] == key[name] for name in key)]


def line(mutant: Automutant, row: Row) -> str:
    """One judgement for a log."""
    why = f" {row['by']}: {row['story'][:60]}" if row["by"] else ""
    unreached = "" if row["is_reached"] else " (never called)"
    place = f"{mutant.module.removeprefix('watosfs.')}.{mutant.function}"
    return f"{mutant.identity} {place} ({mutant.kind}) {row['status']}{unreached}{why}"


def summary(rows: list[Row]) -> Row:
    """How many were killed, with Wilson's interval; equivalent mutants are not taken out."""
    killed = sum(row["status"] != SURVIVED for row in rows)
    return {
        "killed": killed,
        "tried": len(rows),
        "never_called": sum(not row["is_reached"] for row in rows),
        "interval_95": wilson(killed, len(rows)) if rows else None,
    }


def sentence(total: Row) -> str:
    """The figures in words."""
    if not total["tried"]:
        return "no mutants"
    low, high = total["interval_95"]
    return (
        f"{total['killed']} of {total['tried']} mutants killed (95 % interval {low:.0%} to "
        f"{high:.0%}); of the survivors {total['never_called']} are in functions never called; "
        f"equivalent ones are not taken out"
    )
