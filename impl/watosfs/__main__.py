"""``python -m watosfs``."""

import sys

from watosfs.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
