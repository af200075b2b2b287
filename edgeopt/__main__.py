"""``python -m edgeopt``: the command line, for where the console script is not on PATH."""

import sys

from edgeopt.cli import main

if __name__ == "__main__":
    sys.exit(main())
