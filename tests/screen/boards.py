"""Boards with something on them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from analyzer.connection import Connection, Outcome
from analyzer.findings import Confidence, Finding, Severity
from analyzer.live.board import Board
from analyzer.screen.draw import About
from tests.build.connections import CLIENT_DONE, HANDSHAKE, SECOND_NS, START_NS, connection

ABOUT = About("eth0", "af-packet", "tcp port 5061 or tcp port 443")
HEALTHY = connection(*HANDSHAKE, server_name="sip.example")
FAILED = connection(*CLIENT_DONE, "< Alert 48", "< FIN", server_name="sip.example", outcome=Outcome.FAILED)
RULES = ("untrusted-root", "certificate-expired", "reset-during-handshake", "intermediate-missing")


def failed(number: int = 0, **facts: Any) -> Connection:
    """A connection in trouble, another client and second for each number."""
    finding = Finding(RULES[number % 4], Severity.ERROR, Confidence.HIGH, f"cause {number}", "do something about it")
    usual: dict[str, Any] = {
        "client_ip": f"192.0.2.{number}",
        "ts_ns": START_NS + number * SECOND_NS,
        "stream": number,
        "findings": (finding,),
        "diagnosis": f"cause {number}",
    }
    return replace(FAILED, **(usual | facts))


def healthy(number: int = 0) -> Connection:
    """One that worked."""
    return replace(HEALTHY, client_ip=f"198.51.100.{number}", ts_ns=START_NS + number * SECOND_NS)


def board(*conns: Connection) -> Board:
    """A board that has seen these, after 61 seconds; the capture lost 4 of 12,345 packets, and 7 connections go on."""
    clock = iter((0.0,))
    seen = Board(lambda: next(clock, 61.0), lambda: (12_345, 7))
    for conn in conns:
        seen.see(conn)
    seen.lost(4)
    seen.tick(0)
    return seen


def ascending(texts: list[str], whole: str) -> bool:
    """Do these stand in `whole`, in this order?"""
    places = [whole.find(text) for text in texts]
    return -1 not in places and all(before < after for before, after in pairwise(places))
