"""The command ``fer``."""

import signal
import sys

from fer_cnn import _fer


def main() -> int:
    """Runs the program with the arguments of this process, and returns its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the program has its own handlers
    return _fer.run_program(["fer", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
