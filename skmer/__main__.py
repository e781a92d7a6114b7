"""The command, also where its script is not on the path: ``python -m skmer``."""

import sys

from skmer.cli import main

if __name__ == "__main__":
    sys.exit(main())
