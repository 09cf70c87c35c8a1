"""`python -m tools.console_pages` (`make docs`): runs the commands that stand in pages, and writes what they print behind them.

A block behind `<!-- console -->` holds lines `$ COMMAND`. All of a page run one after the other in a folder of their own, in
which are captures/ and, if the page has one, its example of a mtlscope.toml. Needs bash, and what the commands name.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from analyzer.cli.docs import write_pages

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "docs/annotated.md", ROOT / "docs/configuration.md")
_BLOCK = re.compile(r"(<!-- console -->\n```\n)(.*?)(```\n)", re.DOTALL)
_SETTINGS = re.compile(r"```toml\n(# mtlscope\.toml.*?)```\n", re.DOTALL)
_SHOWN = "/srv/case-7"
"""What the folder is called in a page."""
_STORES = ("stores/partner", "stores/edge")
"""What that example names has to be there, and so has topology.toml."""
_AS_ROOT = "Running as user"
"""tshark says so, depending on who writes the page."""


def page(text: str) -> str:
    """The page with every output made anew."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve() / "case"
        (folder / "bin").mkdir(parents=True)
        command = folder / "bin/mtlscope"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m analyzer "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        (folder / "captures").symlink_to(ROOT / "captures")
        if (found := _SETTINGS.search(text)) is not None:
            (folder / "mtlscope.toml").write_text(found[1], encoding="utf-8")
            for store in _STORES:
                (folder / store).mkdir(parents=True)
            (folder / "topology.toml").touch()
        return _BLOCK.sub(lambda block: f"{block[1]}{console(block[2], folder)}{block[3]}", text)


def console(block: str, folder: Path) -> str:
    """The commands of a block, each with what it prints."""
    lines: list[str] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            lines += [line, *printed(line[2:], folder)]
    return "".join(f"{line}\n" for line in lines)


def printed(command: str, folder: Path) -> list[str]:
    """What one command prints, to either side."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("MTLSCOPE_", "XDG_"))}
    path = f"{folder}/bin:{known.get('PATH', os.defpath)}"
    settings = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": f"{folder}/home", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=known | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    lines = done.stdout.replace(str(folder), _SHOWN).splitlines()
    return [line.rstrip() for line in lines if not line.startswith(_AS_ROOT)]


if __name__ == "__main__":
    sys.exit(write_pages({path: page(path.read_text(encoding="utf-8")) for path in PAGES}))
