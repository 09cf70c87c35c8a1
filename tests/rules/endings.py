"""Ends of a handshake that are told alike, whether by a FIN or by a RST."""

from __future__ import annotations

from typing import Any

from analyzer.findings import Confidence
from tests.build.cases import hit
from tests.build.connections import CLIENT_FLIGHT, SERVER_FLIGHT, TCP, connection


def behind_plain_text(how: str) -> list[Any]:
    """Cases of a handshake behind a PROXY header, or other plain text, that ends by `how`, a step of a ladder."""
    header: dict[str, Any] = {"preamble": "PROXY protocol"}
    return [
        hit(
            "the server ends it behind a PROXY header, before the hello",
            connection(*TCP, "> Preamble", f"< {how}", "> ClientHello", **header),
            says=("right after the client's PROXY header", "does not take one", "send-proxy"),
            confidence=Confidence.MEDIUM,
            frames=(4, 5),
        ),
        hit(
            "the server ends it behind a PROXY header and the hello",
            connection(*TCP, "> Preamble", "> ClientHello", f"< {how}", **header),
            says=("right after the client's ClientHello behind a PROXY header", "does not take one"),
            confidence=Confidence.MEDIUM,
            frames=(4, 5, 6),
        ),
        hit(
            "the server takes the PROXY header and ends it after the client's certificate",
            connection(*TCP, "> Preamble", *CLIENT_FLIGHT[3:], f"< {how}", **header),
            says=("clientAuth",),
            confidence=Confidence.HIGH,
        ),
        hit(
            "the client ends it behind its own PROXY header and the server's flight",
            connection(*TCP, "> Preamble", *SERVER_FLIGHT[3:], f"> {how}", **header),
            says=("does not accept the server's certificate",),
            confidence=Confidence.HIGH,
        ),
        hit(
            "the server ends it behind other plain text",
            connection(*TCP, "< Preamble", "> Preamble", f"< {how}", "> ClientHello", preamble="SMTP"),
            says=("right after the client's plain text (SMTP)",),
            frames=(5, 6),
        ),
    ]
