"""`python -m legacy_ref_scan`."""

import sys

from legacy_ref_scan.cli import main

if __name__ == "__main__":
    sys.exit(main())
