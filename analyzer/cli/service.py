"""`mtlscope service systemd|windows|container`: print a file that runs `mtlscope live` as a service.

It says at its top how to use it; docs/service.md says more.
"""

from __future__ import annotations

from pathlib import Path

from analyzer.cli.main import Exit, show
from analyzer.cli.parser import Parser, one_of

FILES = {"systemd": "mtlscope@.service", "windows": "windows.ps1", "container": "Containerfile"}
FOLDER = Path(__file__).parent.parent / "service"


def run(words: list[str]) -> int:
    """Print it as it is."""
    parser = Parser(prog="mtlscope service", description=__doc__)
    help_ = "systemd: a unit for Linux; windows: a script for the Task Scheduler; container: a Containerfile"
    parser.add_argument("what", type=one_of(FILES), metavar="WHAT", help=help_)
    args = parser.parse_args(words)
    show((FOLDER / FILES[args.what]).read_text(encoding="ascii"))
    return Exit.OK
