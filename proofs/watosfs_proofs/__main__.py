"""``watosfs-prove``: settle the obligations, print them as a table or as JSON.

Exit status: 0 all proved, 1 one is refuted, 2 usage, 3 none is refuted but not all are proved.
"""

import argparse
import json
import sys

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
        "--only", action="append", metavar="NAME", help="obligations whose name contains NAME"
    )
    result.add_argument(
        "--timeout", type=float, default=60.0, metavar="SECONDS", help="for each obligation (60)"
    )
    return result


def main(argv: list[str] | None = None) -> int:
    """Settle the chosen obligations; the exit status."""
    options = parser().parse_args(argv)
    try:
        from watosfs_proofs import catalogue, report
    except ModuleNotFoundError as missing:
        if missing.name != "z3":
            raise
        print("watosfs-prove: needs z3-solver (the extra 'prove')", file=sys.stderr)
        return USAGE_ERROR
    chosen = catalogue.chosen(options.only)
    if not chosen:
        print(f"watosfs-prove: no obligation is named {options.only}", file=sys.stderr)
        return USAGE_ERROR
    if options.timeout <= 0:
        print("watosfs-prove: --timeout takes a positive number", file=sys.stderr)
        return USAGE_ERROR
    results = report.settle_all(chosen, options.timeout, quiet=options.json)
    if options.json:
        print(json.dumps(report.as_json(results), indent=1))
    verdicts = {result.verdict for result in results}
    if "refuted" in verdicts:
        return REFUTED_STATUS
    return 0 if verdicts == {"proved"} else UNKNOWN_STATUS


if __name__ == "__main__":
    sys.exit(main())
