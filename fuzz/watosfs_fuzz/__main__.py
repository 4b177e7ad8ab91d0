"""``python -m watosfs_fuzz``."""

import sys

from watosfs_fuzz.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
