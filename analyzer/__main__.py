"""`mtlscope` and `python -m analyzer`: the same command."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words == ["--version"]:  # imports nothing: scripts ask it often
        from analyzer.version import __version__

        sys.stdout.write(f"mtlscope {__version__}\n")
        return 0
    from analyzer.cli.main import run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
