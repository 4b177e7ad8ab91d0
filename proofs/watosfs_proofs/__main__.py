"""``watosfs-prove``: settle the obligations, print them as a table or as JSON.

Exit status: 0 all proved, 1 one is refuted, 2 usage, 3 none is refuted but not all are proved.
With ``--mutants``: 0 when each survivor is explained, 1 when one is not or a reason is stale.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watosfs_proofs.obligation import Result

USAGE_ERROR = 2
REFUTED_STATUS = 1
UNKNOWN_STATUS = 3


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="watosfs-prove",
        description="Prove with Z3 what docs/PROOFS.md claims of the code that runs.",
        epilog="exit status: 0 proved, 1 refuted, 2 usage, 3 unknown",
    )
    result.add_argument("--json", action="store_true", help="print one JSON object")
    result.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="obligations (with --mutants: functions) whose name contains NAME",
    )
    result.add_argument(
        "--mutants", action="store_true", help="break each proved function in every small way"
    )
    result.add_argument(
        "--canary", metavar="NAME", help="plant a fault of `watosfs-fuzz canaries` first"
    )
    result.add_argument(
        "--traces",
        type=Path,
        metavar="DIR",
        help="write a trace for `watosfs-fuzz replay` of each operation that is refuted",
    )
    result.add_argument(
        "--fresh", action="store_true", help="do not use verdicts kept from earlier runs"
    )
    result.add_argument(
        "--kept",
        type=Path,
        default=Path(".watosfs-prove"),
        metavar="DIR",
        help="where verdicts are kept (.watosfs-prove)",
    )
    result.add_argument(
        "--timeout", type=float, default=60.0, metavar="SECONDS", help="for each obligation (60)"
    )
    return result


def main(argv: list[str] | None = None) -> int:
    """Settle the chosen obligations; the exit status."""
    options = parser().parse_args(argv)
    try:
        import z3
    except ModuleNotFoundError as missing:
        if missing.name != "z3":
            raise
        return _usage("needs z3-solver (the extra 'prove')")
    assert z3
    if options.timeout <= 0:
        return _usage("--timeout takes a positive number")
    if options.mutants:
        return _mutants(options)
    if options.canary is None and options.traces is None:
        return _prove(options)
    from watosfs_proofs import traces

    try:
        with traces.canary_in_force(options.canary):
            return _prove(options)
    except ValueError as error:
        return _usage(str(error))


def _prove(options: argparse.Namespace) -> int:
    from watosfs_proofs import catalogue, kept, report

    chosen = catalogue.chosen(options.only)
    if not chosen:
        return _usage(f"no obligation is named {options.only}")
    # The hash of the sources says nothing of a canary.
    folder = options.kept if options.canary is None else None
    store = kept.Kept(folder, "proofs", is_fresh=options.fresh)
    results = report.settle_all(chosen, options.timeout, store, quiet=options.json)
    if options.json:
        print(json.dumps(report.as_json(results), indent=1))
    else:
        report.show(results)
    if options.traces is not None:
        _write_traces(results, options)
    verdicts = {result.verdict for result in results}
    if "refuted" in verdicts:
        return REFUTED_STATUS
    return 0 if verdicts == {"proved"} else UNKNOWN_STATUS


def _write_traces(results: "list[Result]", options: argparse.Namespace) -> None:
    from watosfs_proofs import traces

    for name, path in traces.write_traces(results, options.canary, options.traces).items():
        told = "no trace of it was found" if path is None else f"watosfs-fuzz replay {path}"
        print(f"{name}: {told}", file=sys.stderr if options.json else sys.stdout)


def _usage(problem: str) -> int:
    print(f"watosfs-prove: {problem}", file=sys.stderr)
    return USAGE_ERROR


def _mutants(options: argparse.Namespace) -> int:
    from watosfs_proofs import mutant_report
    from watosfs_proofs.equivalents import explanations
    from watosfs_proofs.kept import Kept

    store = Kept(options.kept, "mutants", is_fresh=options.fresh)
    explained = explanations()
    found = mutant_report.judge_all(options.only, store, explained, quiet=options.json)
    if not found.functions:
        return _usage(f"no proved function is named {options.only}")
    if options.json:
        print(json.dumps(mutant_report.as_json(found), indent=1))
    else:
        mutant_report.show(found)
    return 0 if found.is_clean else REFUTED_STATUS


if __name__ == "__main__":
    sys.exit(main())
