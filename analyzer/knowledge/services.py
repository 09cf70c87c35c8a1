"""What is known of the services around TLS: revocation and its addresses, SIP federation in DNS, ports that tell a role.

The data is in revocation.csv, federation.toml and placement.toml.
"""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
PROVIDER = "provider"


@cache
def revocation_endings() -> tuple[tuple[str, str], ...]:
    """(end of a path in lower case, what is fetched: "CRL", "AIA" or "root list")."""
    return tuple(_signs("path").items())


@cache
def revocation_contents() -> dict[str, str]:
    """Content type of a request -> what is asked."""
    return _signs("content")


@cache
def revocation_ports() -> dict[int, str]:
    """Port -> "HTTP" or "LDAP": where validators look for CRLs and the like."""
    return {int(port): what for port, what in _signs("port").items()}


def sip_service(name: str) -> tuple[str, str] | None:
    """(use, SIP domain) of a service name in DNS: ("federation", "example.com") of "_sipfederationtls._tcp.example.com",
    "sign-in" of the names that clients look up; None for other names."""
    for row in _rows("federation", "entry"):
        if row["use"] != PROVIDER and name.startswith(row["name"]) and len(name) > len(row["name"]):
            return row["use"], name.removeprefix(row["name"])
    return None


def provider(target: str) -> str | None:
    """The hosting provider whose edge this is; None if no known one."""
    rows = _rows("federation", "entry")
    return next((row["who"] for row in rows if row["use"] == PROVIDER and row["name"] == target), None)


@cache
def placed_ports() -> dict[int, str]:
    """Port -> the only role that listens on it."""
    placed = {}
    for row in _rows("placement", "place"):
        first, last = row["ports"]
        placed.update(dict.fromkeys(range(first, last + 1), row["role"]))
    return placed


def _signs(where: str) -> dict[str, str]:
    with (_HERE / "revocation.csv").open(encoding="ascii", newline="") as lines:
        return {sign: what for sign, at, what, _source in list(csv.reader(lines))[2:] if at == where}


@cache
def _rows(table: str, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((_HERE / f"{table}.toml").read_text(encoding="ascii"))[key]
    return rows
