"""`python -m mac_profiler`, the same as `macprof`."""

import sys

from mac_profiler.cli import main

if __name__ == "__main__":
    sys.exit(main())
