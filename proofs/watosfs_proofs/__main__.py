"""``watosfs-prove``: settle the obligations, print them as a table or as JSON.

Exit status: 0 all proved, 1 one is refuted, 2 usage, 3 none is refuted but not all are proved.
With ``--mutants``: 0 when each survivor is explained, 1 when one is not or a reason is stale.
"""

import argparse
import json
import sys
from pathlib import Path

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
        from watosfs_proofs import catalogue, kept, report
    except ModuleNotFoundError as missing:
        if missing.name != "z3":
            raise
        return _usage("needs z3-solver (the extra 'prove')")
    if options.timeout <= 0:
        return _usage("--timeout takes a positive number")
    if options.mutants:
        return _mutants(options)
    chosen = catalogue.chosen(options.only)
    if not chosen:
        return _usage(f"no obligation is named {options.only}")
    store = kept.Kept(options.kept, "proofs", is_fresh=options.fresh)
    results = report.settle_all(chosen, options.timeout, store, quiet=options.json)
    if options.json:
        print(json.dumps(report.as_json(results), indent=1))
    else:
        report.show(results)
    verdicts = {result.verdict for result in results}
    if "refuted" in verdicts:
        return REFUTED_STATUS
    return 0 if verdicts == {"proved"} else UNKNOWN_STATUS


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
