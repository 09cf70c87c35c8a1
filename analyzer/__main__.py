"""`mtlscope` and `python -m analyzer`: the same command."""

from __future__ import annotations

import gc
import os
import sys

GARBAGE_THRESHOLD = 1_000_000
"""Objects made between two searches for garbage in cycles: we leave none behind, and Python's 700 cost a quarter of the
time, from the first import on."""
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""numpy's linear algebra starts a thread a core when it is loaded (75 ms of work on two cores); nothing here uses it."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words == ["--version"]:  # imports nothing: scripts ask it often
        from analyzer.version import __version__

        try:
            sys.stdout.write(f"mtlscope {__version__}\n")
            sys.stdout.flush()
            return 0
        except (AttributeError, OSError):  # closed, or its disk is full: below that is told
            pass
    gc.set_threshold(GARBAGE_THRESHOLD)
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    from analyzer.cli.main import run

    return run(words)


def command() -> int:
    """`main` as all that this process does."""
    code = main()
    gc.freeze()  # or Python searches all that is left for garbage before it ends: 20 ms
    return code


if __name__ == "__main__":
    sys.exit(command())
