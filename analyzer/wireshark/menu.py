"""The menu in Wireshark: a Lua file in its personal folder of plugins, that knows where our command line is."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib import resources
from pathlib import Path

from analyzer import places
from analyzer.errors import UsageError
from analyzer.wireshark.tool import find_tool

NAME = "mtlscope.lua"
FOLDER_LINE = "Personal Lua Plugins:"
MARK = b"-- mtlscope for Wireshark:"
"""How every Lua file of ours begins, of earlier versions as well."""
PLAIN = 'local COMMAND = { "mtlscope" } -- installed: the full path'
"""The line of our Lua file that is replaced."""
WAIT = 30
"""Seconds for tshark to say its folders."""


def folder() -> Path:
    """Where Wireshark looks for the user's own Lua files: asked of tshark, else the usual place."""
    tshark = find_tool()
    if tshark is not None:
        try:
            told = subprocess.run(
                [tshark, "-G", "folders"], capture_output=True, timeout=WAIT, check=False, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired):
            return _usual()
        for line in told.stdout.decode("utf-8", "replace").splitlines():
            if line.startswith(FOLDER_LINE):
                return Path(line.removeprefix(FOLDER_LINE).strip())
    return _usual()


def _usual() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home())) / "Wireshark" / "plugins"
    return Path.home() / ".local" / "lib" / "wireshark" / "plugins"


def command() -> list[str]:
    """The words that start us: the script beside this Python, else this Python with our package."""
    script = Path(sysconfig.get_path("scripts")) / ("mtlscope.exe" if sys.platform == "win32" else "mtlscope")
    return [str(script)] if script.is_file() else [sys.executable, "-m", "analyzer"]


def text(words: list[str]) -> str:
    """The Lua file, with the command line that it starts."""
    plain = resources.files("analyzer.wireshark").joinpath(NAME).read_text(encoding="utf-8")
    assert PLAIN in plain, "the line is there to be replaced"
    return plain.replace(PLAIN, f"local COMMAND = {{ {', '.join(map(lua_text, words))} }}")


def lua_text(word: str) -> str:
    """A word as a text of Lua, any bytes of a path included."""
    escaped = (
        f"\\{byte:03d}" if byte < 32 or byte > 126 or byte in b'"\\' else chr(byte) for byte in os.fsencode(word)
    )
    return f'"{"".join(escaped)}"'


def install(where: Path) -> Path:
    """Write the file, or an earlier one of ours anew. Raise UsageError if another file has its name, or it cannot be written."""
    target = where / NAME
    _refuse_foreign(target)
    try:
        where.mkdir(parents=True, exist_ok=True)
        target.write_text(text(command()), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None
    return target


def uninstall(where: Path) -> Path | None:
    """Remove the file; None if it is not there. Raise UsageError if it is not ours, or cannot be removed."""
    target = where / NAME
    _refuse_foreign(target)
    if not places.is_there(target):
        return None
    try:
        target.unlink()
    except OSError as error:
        raise UsageError(f"cannot remove {target}: {error.strerror or error}") from None
    return target


def _refuse_foreign(target: Path) -> None:
    try:
        if target.exists() and not target.read_bytes().startswith(MARK):
            raise UsageError(f"{target} is not ours; it stays as it is")
    except OSError as error:
        raise UsageError(f"cannot read {target}: {error.strerror or error}") from None
