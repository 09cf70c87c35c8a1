"""`mtlscope wireshark install|uninstall|path`: the menu Tools > mtlscope in Wireshark.

It analyses the capture that is open, shows the findings in a window, and jumps to the frame at fault. See docs/wireshark.md.
"""

from __future__ import annotations

from pathlib import Path

from analyzer.cli.main import Exit, say, show
from analyzer.cli.parser import Parser, one_of, place


def run(words: list[str]) -> int:
    """Do it and say where. Raise UsageError if the file cannot be written or is not ours."""
    parser = Parser(prog="mtlscope wireshark", description=__doc__)
    what = one_of(("install", "uninstall", "path"))
    parser.add_argument("what", type=what, metavar="WHAT", help="install, uninstall, or path: print where it belongs")
    parser.add_argument(
        "--folder", type=place, metavar="DIR", help="folder of Lua plugins (default: the one Wireshark names)"
    )
    args = parser.parse_args(words)
    from analyzer.report import safe
    from analyzer.wireshark import menu

    where = Path(args.folder) if args.folder else menu.folder()
    if args.what == "install":
        target = menu.install(where)
        say(f"wrote {target}; start Wireshark anew, then: Tools > mtlscope")
    elif args.what == "uninstall":
        removed = menu.uninstall(where)
        say(f"removed {removed}" if removed else f"there is no {where / menu.NAME}")
    else:
        show(safe.line(str(where / menu.NAME)) + "\n")
    return Exit.OK
