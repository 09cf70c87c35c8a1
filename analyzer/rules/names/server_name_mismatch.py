"""The server's certificate does not cover the name that the client asked for.

## What it does
Compares the server_name of the ClientHello with the names of the server's leaf: dNSName entries (a wildcard stands for one
whole left-most label), or the common name where there is no dNSName. It is a warning when the client goes on all the same
and an error otherwise. A server_name that is no host name (an IP address, an empty value) is not compared. Where the client
sent none, but a topology names the address (--topology) or the capture shows that the client had looked it up in DNS, the
certificate must cover one of the names that can be meant: an error if the client then refused it, else a warning where the
topology says so and a note where DNS does.

## Why it matters
Clients check this name and refuse: Windows with event 36884 or 14428 (0x80090322), others with bad_certificate or
certificate_unknown, many by just closing. One that goes on checks another name than it sent, or nothing.

## What to do
Reissue the certificate with the name in its SAN, or bind the certificate that has it to this name and port (a server that
does not know the name sends its default). Or correct the name that the client is configured with.

## When it cannot tell
TLS 1.3 without keys and resumed sessions show no certificates. Without server_name, topology and DNS the expected name is not
known. A leaf that cannot be read shows no names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, Outcome, Seen, SentChain, Side
from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.chains import as_meant
from analyzer.judgement.expected import Expected, covers_one, expected_names
from analyzer.judgement.kind import Kind, Period, quiet_if
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import some, where
from analyzer.judgement.refusal import Defect, Weight, weigh, went_on
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="server-name-mismatch",
    title="the server's certificate does not cover the name asked for",
    severity=Severity.ERROR,
    confidence=Confidence.HIGH,
    depth=Depth.ROOT,
    needs=(Seen.CLIENT_HELLO, Seen.SERVER_CERTIFICATE),
    citations=("RFC 6066 section 3", "RFC 6125 section 6.4", "RFC 9525 section 6.3"),
)

HOST_NAME = re.compile(r"(?!.*\.\d+\.?$)(?=.{1,254}$)(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?", re.ASCII)
"""A DNS name as RFC 6066 section 3 wants it; underscores are tolerated, a numeric last label is an IP address."""


def check(conn: Connection, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    sent, asked = conn.server_chain, conn.server_name
    expected = None if asked else expected_names(conn, context)
    if sent is None or (
        covered(sent.chain, asked) if asked else not expected or covers_one(sent.chain, expected.names)
    ):
        return
    leaf = as_meant(sent.chain).leaf
    if not leaf.readable:
        yield CannotTell("the server's certificate cannot be read, so its names are unknown")
    elif expected is not None:
        yield _unexpected(conn, sent, leaf, expected)
    else:
        yield _mismatch(conn, sent, leaf)


def _mismatch(conn: Connection, sent: SentChain, leaf: Certificate) -> Finding:
    """The client named a server."""
    asked = conn.server_name
    weight = _weight(conn, sent.time_ns)
    summary = f"the client asked for {asked}, but the server's certificate is for {_names(leaf)}"
    advice = (
        f"Put {asked} into the subject alternative names of the certificate on {where(conn, Side.SERVER)}, bind the "
        "certificate that already has it to this name there, or correct the name that the client connects to."
    )
    frames = (*conn.frames_of("ClientHello", Side.CLIENT), *sent.frames)
    return RULE.judged(conn, weight.judgement(summary, advice, frames))


def _unexpected(conn: Connection, sent: SentChain, leaf: Certificate, expected: Expected) -> Finding:
    """The client named none, but what it can have meant is known."""
    weight = weigh(conn, Side.SERVER, Defect.NAME, expected.severity)
    summary = f"{expected.source}, but the server's certificate there is for {_names(leaf)}"
    advice = (
        f"Bind a certificate that has {expected.names[0]} on {where(conn, Side.SERVER)}, or correct the address that "
        "the client is sent to (or the topology, or DNS)."
    )
    return RULE.judged(conn, weight.judgement(summary, advice, sent.frames, expected.confidence))


def quiet(kind: Kind) -> Period | None:
    """See judgement/kind.py."""
    if kind.server is None:
        return quiet_if(True)
    return quiet_if(covered(kind.server, kind.server_name)) if kind.server_name else None  # else others may know


@lru_cache(maxsize=CAPACITY)
def covered(chain: Chain, asked: str) -> bool:
    """Does the leaf cover what was asked for, or was that no host name?"""
    if as_meant(chain).leaf.covers(asked) is not None:
        return True
    return asked.isdecimal() or not HOST_NAME.fullmatch(asked)


def _weight(conn: Connection, since: int) -> Weight:
    """A warning if the client went on, or if the capture does not show what it did; an error otherwise."""
    goes_on = conn.outcome is Outcome.ESTABLISHED or went_on(conn, Side.CLIENT, since)
    unseen = conn.outcome is Outcome.UNKNOWN or bool(conn.visibility.limited)
    return weigh(conn, Side.SERVER, Defect.NAME, Severity.WARNING if goes_on or unseen else Severity.ERROR)


def _names(leaf: Certificate) -> str:
    return some(leaf.names) or "no host name at all"
