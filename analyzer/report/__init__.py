"""One file, one output. An output is a module of this folder with `OUTPUT = Output(name="...", help="...", write=...)`."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.report.output import Output

_OUTPUT = re.compile(r'^OUTPUT = Output\(\s*name="([^"]+)",\s*help="([^"]+)"', re.MULTILINE)


@cache
def _found() -> dict[str, tuple[str, str]]:
    """Name -> (module, help), read from the sources: importing them all would make `--help` slow."""
    found = {}
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if match := _OUTPUT.search(file.read_text(encoding="utf-8")):
            found[match[1]] = (file.stem, match[2])
    return found


def outputs() -> dict[str, str]:
    """Every output: name -> one line of help; text first."""
    return {name: text for name, (_module, text) in sorted(_found().items(), key=lambda item: item[0] != "text")}


def find(name: str) -> Output | None:
    """The output of this name; None if there is none."""
    if name not in _found():
        return None
    output: Output = importlib.import_module(f"{__name__}.{_found()[name][0]}").OUTPUT
    return output
