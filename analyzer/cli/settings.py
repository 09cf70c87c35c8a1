"""Settings from configuration files and the environment: what an option is when the command line does not give it.

An option wins over a variable MTLSCOPE_*, that over the project's mtlscope.toml (the nearest in this folder or above), that
over the user's file. Settings choose how to judge and show; none makes the program write or run anything.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from analyzer.dataclass import dataclass
from analyzer.errors import UsageError
from analyzer.nearest import meant, nearest

PROJECT_FILE = "mtlscope.toml"
USER_FILE = "config.toml"
PREFIX = "MTLSCOPE_"
MAX_BYTES = 2**20
MAX_SHOWN = 60
MISSPELT = 0.75
"""Likeness from which an unknown variable MTLSCOPE_* is taken for a misspelt one; others are none of our business."""
TRUTH = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)
SIDES = ("client", "server")

Value = str | int | bool | list[str]


class Wrong(Exception):
    """A value is not what the setting takes. Holds what was expected, and the nearest right words if there are any."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        option: the option that does the same; dest: where argparse keeps it.
        help: what it may be.
        read: value of a file or text of a variable, and the folder that paths start from -> what argparse would make of the
            option. Raises Wrong.
    """

    option: str
    dest: str
    help: str
    read: Callable[[Any, Path], Value]


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting that is set: its value and the place it comes from, e.g. "/srv/mtlscope.toml line 3"."""

    value: Value
    origin: str


def _ports(found: Any, _base: Path) -> str:
    words = [str(one) for one in found] if isinstance(found, list) else str(found).split(",")
    words = [word.strip() for word in words]
    if (
        not words
        or isinstance(found, bool)
        or not all(re.fullmatch("[0-9]{1,5}", word) and 0 < int(word) < 65536 for word in words)
    ):
        if found == "any":
            return "any"
        raise Wrong('ports such as [5061, 443], or "any"')
    return ",".join(words)


def _zone(found: Any, _base: Path) -> str:
    from zoneinfo import available_timezones

    from analyzer.capture.zones import parse_zone

    text = _text(found)
    try:
        parse_zone(text)
    except UsageError:
        raise Wrong(f"a time zone such as Europe/Berlin or +02:00{meant(text, available_timezones())}") from None
    return text


def _one_of(words: Callable[[], list[str]]) -> Callable[[Any, Path], str]:
    def read(found: Any, _base: Path) -> str:
        if found in (allowed := words()):
            return str(found)
        raise Wrong(f"one of {', '.join(allowed)}{meant(str(found), allowed)}")

    return read


def _formats() -> list[str]:
    from analyzer.report import outputs

    return list(outputs())


def _count(found: Any, _base: Path) -> int:
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 10:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise Wrong("a number of at least 1")
    return found


def _flag(found: Any, _base: Path) -> bool:
    truth = TRUTH.get(found.lower()) if isinstance(found, str) else found
    if not isinstance(truth, bool):
        raise Wrong("true or false")
    return truth


def _flag_off(found: Any, base: Path) -> bool:
    return not _flag(found, base)


def _text(found: Any) -> str:
    if not isinstance(found, str) or not found:
        raise Wrong("a text")
    return found


def _path(found: Any, base: Path) -> str:
    given = Path(_text(found))
    try:
        path = base / given.expanduser()
        there = path.exists()
    except (OSError, ValueError, RuntimeError) as error:  # too long a name, a null byte, no such user
        raise Wrong(f"a file or folder: {_printable(str(error))}") from None
    if not there:
        raise Wrong(f"a file or folder that is there: {_printable(str(path))} is not")
    return str(path)


def _trust(found: Any, base: Path) -> list[str]:
    """Each "PATH", "client=PATH" or "server=PATH"; in a variable they are joined as in PATH."""
    stores = []
    for word in found if isinstance(found, list) else _text(found).split(os.pathsep):
        side, sign, path = _text(word).partition("=")
        named = bool(sign) and side in SIDES
        stores.append(f"{side}={_path(path, base)}" if named else _path(word, base))
    return stores


SETTINGS = {
    "ports": Setting("--ports", "ports", 'where TLS is expected: [5061, 443], or "any"', _ports),
    "timezone": Setting("--timezone", "timezone", "zone of captures with local time", _zone),
    "fail-on": Setting(
        "--fail-on",
        "fail_on",
        "what makes exit code 1: error, warning, note or never",
        _one_of(lambda: ["error", "warning", "note", "never"]),
    ),
    "trust": Setting("--trust", "trust", "trust stores: a list of PATH, client=PATH or server=PATH", _trust),
    "topology": Setting("--topology", "topology", "hosts, roles, pools and domains: a file", _path),
    "workers": Setting("-j", "workers", "worker processes: a number", _count),
    "format": Setting("-T", "T", "output of analyze: text, json, jsonl ...", _one_of(_formats)),
    "color": Setting("--color", "color", "auto, always or never", _one_of(lambda: ["auto", "always", "never"])),
    "each": Setting("--each", "each", "every connection by itself: true or false", _flag),
    "progress": Setting("--no-progress", "no_progress", "progress on standard error: true or false", _flag_off),
    "quiet": Setting("--quiet", "quiet", "only errors on standard error: true or false", _flag),
}
"""Name in a file -> setting. As a variable: MTLSCOPE_ and the name in capitals, "_" for "-"."""


def variable(name: str) -> str:
    """ "MTLSCOPE_FAIL_ON" for "fail-on"."""
    return PREFIX + name.upper().replace("-", "_")


def in_force(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> dict[str, InForce]:
    """Every setting that is set, by name. Raise UsageError, one line, for the first mistake."""
    environ = os.environ if environ is None else environ
    found: dict[str, InForce] = {}
    for path in files(environ, folder):
        if os.path.isfile(path):  # noqa: PTH113 - Path raises in a folder that this user may not enter (sudo keeps HOME)
            found |= of_file(path)
    return found | of_environment(environ)


def files(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Iterator[Path]:
    """The files that count, the weaker first: the user's, whether it is there or not, and the project's if there is one."""
    user = user_file(os.environ if environ is None else environ)
    if user is not None:
        yield user
    try:
        here = (folder or Path()).absolute()
    except OSError:  # the current folder was deleted
        return
    above = (up / PROJECT_FILE for up in (here, *here.parents))
    project = next((path for path in above if os.path.isfile(path)), None)  # noqa: PTH113 - as above
    if project is not None:
        yield project


def user_file(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """Where the user's file belongs; None if the environment names no home."""
    home = environ.get("HOME", "")
    if platform == "win32":
        base = environ.get("APPDATA", "")
    elif platform == "darwin":
        base = f"{home}/Library/Application Support" if home else ""
    else:
        given = environ.get("XDG_CONFIG_HOME", "")
        base = given if given.startswith("/") else f"{home}/.config" if home else ""
    return Path(base, "mtlscope", USER_FILE) if base else None


def of_file(path: Path) -> dict[str, InForce]:
    """The settings of one file. Raise UsageError for a mistake in it."""
    text, table = _toml(path)
    found = {}
    for name, value in table.items():
        origin = f"{path} line {_line(text, name)}"
        if name not in SETTINGS:
            near = meant(name.replace("_", "-"), SETTINGS) or f"; there are {', '.join(SETTINGS)}"
            raise UsageError(f"{origin}: no setting called {_shown(name)}{near}")
        found[name] = InForce(_read(name, value, path.parent, origin, name), origin)
    return found


def of_environment(environ: Mapping[str, str]) -> dict[str, InForce]:
    """The settings of variables MTLSCOPE_*; an empty one counts as not set. Raise UsageError for a mistake."""
    known = {variable(name): name for name in SETTINGS}
    found = {}
    for key, text in environ.items():
        if not key.startswith(PREFIX):
            continue
        if key not in known:
            near = nearest(key.removeprefix(PREFIX), [one.removeprefix(PREFIX) for one in known], 1, MISSPELT)
            if near:
                raise UsageError(f"environment: no variable called {_shown(key)}; did you mean: {PREFIX}{near[0]}")
        elif text:
            found[known[key]] = InForce(_read(known[key], text, Path(), "environment", key), key)
    return found


def _read(name: str, found: Any, base: Path, origin: str, key: str) -> Value:
    try:
        return SETTINGS[name].read(found, base)
    except Wrong as wrong:
        raise UsageError(f"{origin}: {key} is {_shown(found)}; expected {wrong}") from None


def _toml(path: Path) -> tuple[str, dict[str, Any]]:
    import tomllib  # here: most runs have no such file

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise UsageError(f"{path}: larger than 1 MB; expected a few lines of settings, see docs/configuration.md")
        text = raw.decode("utf-8-sig")
        return text, tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start:,} is no UTF-8; save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        what, _, place = str(error).partition(" (at ")
        where = f" {place.rstrip(')')}" if place else ""
        raise UsageError(f"{path}{where}: no TOML: {_printable(what)}") from None


def _line(text: str, name: str) -> int:
    """The line on which a key, or a table of that name, starts."""
    key = re.compile(rf"""\s*\[*\s*["']?{re.escape(name)}["']?\s*[]=.]""")
    return next((number for number, line in enumerate(text.split("\n"), 1) if key.match(line)), 1)


def _shown(found: Any) -> str:
    text = ("false", "true")[found] if isinstance(found, bool) else ascii(found)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _printable(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")
