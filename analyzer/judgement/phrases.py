"""How shared sentences say where, how long and how many."""

from __future__ import annotations

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.names import Name
from analyzer.connection import Connection, Side

MOST_CHARACTERS = 240
"""A name from the wire can be longer than any sentence; longer than this no honest one is."""
MINUTE, HOUR, DAY = 60, 3600, 86_400


def where(conn: Connection, side: Side) -> str:
    """The machine to go to: "198.51.100.5:5061" for the server, "192.0.2.10" for the client, whose port says nothing."""
    return conn.address(side) if side is Side.SERVER else conn.client_ip


def amount(seconds: int) -> str:
    """ "3 days", "1 hour", "12 seconds": in the largest unit that fits."""
    for size, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= size:
            return counted(seconds // size, unit)
    return counted(seconds, "second")


def counted(number: int, what: str) -> str:
    """ "1 name", "1,204 names"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def some(things: tuple[str, ...], shown: int = 4) -> str:
    """The first few, and how many more there are."""
    listed = ", ".join(map(brief, things[:shown]))
    return listed if len(things) <= shown else f"{listed} and {len(things) - shown:,} more"


def called(certificate: Certificate) -> str:
    """The certificate's short name, cut if it is endless."""
    return brief(certificate.short)


def dn(name: Name) -> str:
    """The distinguished name, cut if it is endless."""
    return brief(name.text)


def brief(text: str) -> str:
    """The text, cut with "..." if it is endless."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 3]}..."
