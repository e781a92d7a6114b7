"""The command as a process of its own, which may be killed."""

import sys

# Who starts the tests in the background has the processes ignore Ctrl-C.
_HEARS_CTRL_C = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from skmer.cli import main
sys.exit(main())
"""
SKMER = [sys.executable, "-c", _HEARS_CTRL_C]
