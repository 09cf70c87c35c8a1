"""cn-not-in-san: the common name and the dNSNames beside it."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Seen
from analyzer.findings import Depth
from tests.build.connections import DATA, HANDSHAKE, SERVER_FLIGHT, connection
from tests.rules.cast import CLIENT, SERVER, SUB, answer, chain, finding, findings, raw

RULE = "cn-not-in-san"


def leaf(cn: str, *san: str) -> Any:
    """A chain whose leaf has these names; no name at all means no SAN."""
    return chain(SUB.issue(cn, san=list(san) or None), SUB)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(leaf("sip.example", "sip.example"), "silent", id="it is repeated"),
        pytest.param(leaf("SIP.Example", "sip.example"), "silent", id="case does not count"),
        pytest.param(leaf("sip.example", "a.example", "sip.example"), "silent", id="at any place"),
        pytest.param(leaf("sip.lab.example", "*.lab.example"), "silent", id="a wildcard covers it"),
        pytest.param(leaf("*.lab.example", "*.lab.example"), "silent", id="a wildcard, repeated"),
        pytest.param(leaf("sip.example"), "silent", id="no SAN: peers fall back to the common name"),
        pytest.param(leaf("sip.example", "192.0.2.1"), "silent", id="only an address: the same"),
        pytest.param(leaf("sip.example", "alice@lab.example"), "silent", id="only a mail address: the same"),
        pytest.param(leaf("alice@lab.example", "lab.example"), "silent", id="a user, no host"),
        pytest.param(leaf("Lab Server", "lab.example"), "silent", id="a title, no host"),
        pytest.param(leaf("fe01", "fe01.example"), "silent", id="a short name: another rule"),
        pytest.param(leaf("192.0.2.1", "lab.example"), "silent", id="an address"),
        pytest.param(leaf("O=Lab", "lab.example"), "silent", id="no common name"),
        pytest.param(leaf("a..example", "lab.example"), "silent", id="an empty label: no host name"),
        pytest.param(leaf("-a.example", "lab.example"), "silent", id="a label that starts with a hyphen"),
        pytest.param(raw(b"junk"), "cannot tell", id="the leaf cannot be read"),
        pytest.param(leaf("sip.example", "web.example"), "warning", id="another name"),
        pytest.param(leaf("example.com", "www.example.com"), "warning", id="the bare domain"),
        pytest.param(leaf("a.b.example", "*.example"), "warning", id="a wildcard is for one label"),
        pytest.param(leaf("*.example", "www.example"), "warning", id="a wildcard that is not repeated"),
    ],
)
def test_names(sent: Any, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        pytest.param(5061, "warning", id="a peer on a port of mutual TLS is known by its names"),
        pytest.param(443, "note", id="nobody looks at the names of a web client"),
    ],
)
def test_a_client(port: int, expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, server_port=port, client_chain=leaf("edge.example", "web.example"))
    assert answer(RULE, conn) == expected


def test_both_sides_are_looked_at() -> None:
    odd = leaf("edge.example", "web.example")
    assert len(findings(RULE, connection(*HANDSHAKE, server_chain=odd, client_chain=odd))) == 2
    healthy = connection(*HANDSHAKE, server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, SUB))
    assert answer(RULE, healthy) == "silent"


def test_without_certificates_there_is_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    hidden = Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE
    assert answer(RULE, connection(*HANDSHAKE, hidden=hidden)) == "cannot tell"


def test_names_are_told_and_it_stands_behind_the_cause_of_a_failure() -> None:
    odd = leaf("edge.example", "a.example", "b.example")
    said = finding(RULE, connection(*HANDSHAKE, server_chain=odd))
    assert "common name edge.example" in said.summary
    assert "a.example, b.example" in said.summary
    assert (said.frames, said.depth) == ((6,), Depth.ROOT)
    assert finding(RULE, connection(*SERVER_FLIGHT, "> RST", server_chain=odd)).depth is Depth.SYMPTOM
