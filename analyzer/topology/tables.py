"""Takes values out of a TOML table, one checked kind a method; what nobody took is a mistake."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from typing import Any

from analyzer.certificates.hostnames import is_address, normal_host
from analyzer.errors import UsageError
from analyzer.nearest import meant, nearest
from analyzer.topology.model import ANY_PORT, Address
from analyzer.topology.positions import Path, line_of, lines_of

HOST_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
"""At least two labels; a single one is a short name, which no certificate of this product may have."""
URL = re.compile(r"(?:https?://)?([^/:\s]+)(?::\d{1,5})?(?:/\S*)?", re.IGNORECASE)
WITH_PORT = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})", re.ASCII)
MOST_CHARACTERS = 80
"""Of what was found, in a message."""


class Source:
    """The file of a table: for messages, and to see that no address stands twice in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._lines: dict[Path, int] | None = None
        self.owners: dict[Address, str] = {}

    def place(self, path: Path) -> str:
        """ "lab.toml, line 12, pool 2, role"."""
        if self._lines is None:
            self._lines = lines_of(self._text)
        line = line_of(path, self._lines)
        words: list[str] = []
        for part in path:
            if isinstance(part, int):
                words[-1] += f" {part + 1}"
            else:
                words.append(_printable(part))
        return ", ".join(filter(None, (self.file, f"line {line:,}" if line else "", *words)))


class Table:
    """One table; every method takes a key out of it. A key that is not there gives None, "" or ()."""

    def __init__(self, values: dict[str, Any], source: Source, path: Path = ()) -> None:
        self._values, self._source, self._path = values, source, path
        self._known: list[str] = []

    def mistake(self, key: str, found: object, expected: str, near: tuple[str, ...] = ()) -> UsageError:
        """What to raise; `found` None: the key is missing or it is the key itself that is wrong."""
        strangers = [other for other in self._values if other not in self._known] if found is None else []
        if key not in self._values and (misspelt := nearest(key, strangers, 1, 0.6)):
            return UsageError(f"{self._source.place((*self._path, misspelt[0]))}: no such key; did you mean: {key}")
        said = "expected" if found is None else f"found {_shown(found)}, expected"
        return UsageError(f"{self._source.place((*self._path, key))}: {said} {expected}{meant(str(found), near)}")

    def end(self) -> None:
        """Raise UsageError if there is a key that nobody took."""
        for key in self._values:
            if key not in self._known:
                close = meant(key, self._known) or f"; there are {', '.join(self._known)}"
                raise UsageError(f"{self._source.place((*self._path, key))}: no such key{close}")

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._values.get(key)

    def table(self, key: str) -> Table:
        """A table in this one; an empty one if it is not there."""
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            raise self.mistake(key, value, f"a table [{key}]")
        return Table(value or {}, self._source, (*self._path, key))

    def tables(self, key: str) -> list[Table]:
        """An array of tables."""
        value = self._take(key)
        if value is not None and not (isinstance(value, list) and all(isinstance(one, dict) for one in value)):
            raise self.mistake(key, None if isinstance(value, dict) else value, f"tables with two brackets: [[{key}]]")
        return [Table(one, self._source, (*self._path, key, at)) for at, one in enumerate(value or ())]

    def flag(self, key: str) -> bool | None:
        """true or false."""
        value = self._take(key)
        if value is not None and not isinstance(value, bool):
            raise self.mistake(key, value, "true or false")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], *, needed: bool = False, what: str = "") -> str:
        """One of these words."""
        value = self._take(key)
        if value is None and not needed:
            return ""
        folded = value.lower().removesuffix(".") if isinstance(value, str) else value
        if folded not in allowed:
            raise self.mistake(key, value, what or f"one of {', '.join(allowed)}", allowed)
        return str(folded)

    def texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts."""
        value = self._take(key)
        listed = [] if value is None else value if isinstance(value, list) else [value]
        for one in listed:
            if not isinstance(one, str) or not one:
                raise self.mistake(key, one, "a text, or a list of texts")
        return tuple(listed)

    def name(self, key: str, *, needed: bool = False) -> str:
        """A host name, in lower case and without a dot at its end."""
        value = self._take(key)
        if value is None and not needed:
            return ""
        return self._host_name(key, value, url=False)

    def names(self, key: str, *, url: bool = False) -> tuple[str, ...]:
        """Host names, or the hosts of URLs; none of them twice."""
        return tuple(dict.fromkeys(self._host_name(key, text, url) for text in self.texts(key)))

    def _host_name(self, key: str, value: object, url: bool) -> str:
        text = value.strip() if isinstance(value, str) else ""
        match = URL.fullmatch(text) if url else None
        name = normal_host(match[1] if match else text)
        if is_address(name) or not HOST_NAME.fullmatch(name):
            what = "a URL such as https://meet.contoso.example" if url else "a name with a domain: sip.contoso.example"
            raise self.mistake(key, value, what)
        return name

    def addresses(self, key: str) -> tuple[Address, ...]:
        """IP addresses, each with a port or without: "192.0.2.1", "192.0.2.1:443", "[2001:db8::1]:443"."""
        found = tuple(dict.fromkeys(self._address(key, text) for text in self.texts(key)))
        here = self._source.place(self._path).partition(", ")[2]
        for address in found:
            other = self._source.owners.setdefault(address, f"{here}, {key}")
            if other != f"{here}, {key}":
                raise self.mistake(
                    key, address[0], f"an address of its own: {other} has it too (a port can tell them apart)"
                )
        return found

    def _address(self, key: str, text: str) -> Address:
        match = WITH_PORT.fullmatch(text)
        try:
            port = int(match[3]) if match else ANY_PORT
            if match and not 0 < port < 2**16:
                raise ValueError
            return str(ip_address(match[1] or match[2] if match else text)), port
        except ValueError:
            raise self.mistake(
                key, text, "an IP address, with :PORT or without: 192.0.2.1, [2001:db8::1]:443"
            ) from None


def _shown(found: object) -> str:
    if found is None or isinstance(found, bool):
        return str(found).lower()
    text = json.dumps(found, ensure_ascii=False) if isinstance(found, str) else repr(found)
    text = _printable(text)
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 3]}..."


def _printable(text: str) -> str:
    """The text on one line, and harmless to a terminal."""
    return text if text.isprintable() else ascii(text)
