"""``watosfs-prove``: not built yet, and it says so."""

import argparse
import sys

USAGE_ERROR = 2


def main(argv: list[str] | None = None) -> int:
    """Say that there are no proofs yet; exit status 2."""
    parser = argparse.ArgumentParser(
        prog="watosfs-prove",
        description="Z3 proofs of the allocator, the extents and the commit. Not built yet.",
    )
    parser.parse_args(argv)
    print("watosfs-prove: the proofs are not built yet (README, status table)", file=sys.stderr)
    return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
