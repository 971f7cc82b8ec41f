"""`python -m tokenbudget` is the same as `tokens`."""

import sys

from tokenbudget.cli import main

if __name__ == "__main__":
    sys.exit(main())
