"""``python -m snapfill``: the command line."""

import sys

from ._native import run_command_line


def main() -> int:
    """Runs the command line with the arguments of this process, and gives its exit code."""
    return run_command_line(sys.executable, ["-m", "snapfill"], ["snapfill", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
