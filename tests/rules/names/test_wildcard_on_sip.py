"""wildcard-on-sip: wildcards where SIP is spoken."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Seen
from tests.build.connections import DATA, HANDSHAKE, connection
from tests.rules.cast import CLIENT, SERVER, SUB, answer, chain, finding, raw

RULE = "wildcard-on-sip"


def leaf(cn: str, *san: str) -> Any:
    """A chain whose leaf has these names."""
    return chain(SUB.issue(cn, san=list(san) or None), SUB)


@pytest.mark.parametrize(
    ("port", "asked", "sent", "expected"),
    [
        pytest.param(5061, "sip.lab.example", leaf("sip.lab.example", "sip.lab.example"), "silent", id="no wildcard"),
        pytest.param(
            5061,
            "sip.lab.example",
            leaf("sip.lab.example", "*.lab.example", "sip.lab.example"),
            "silent",
            id="a wildcard beside the whole name",
        ),
        pytest.param(443, "sip.lab.example", leaf("*.lab.example", "*.lab.example"), "silent", id="a web server"),
        pytest.param(
            5061, None, leaf("fe.lab.example", "fe.lab.example", "*.lab.example"), "silent", id="no name asked for"
        ),
        pytest.param(
            5061, "www.example", leaf("x.example", "x.example", "*.lab.example"), "silent", id="no match at all"
        ),
        pytest.param(5061, "x.lab.example", leaf("Lab", "x.lab.example"), "silent", id="a title as common name"),
        pytest.param(5061, "a.example", raw(b"junk"), "cannot tell", id="the leaf cannot be read"),
        pytest.param(443, "a.example", raw(b"junk"), "silent", id="it cannot be read, and no SIP either"),
        pytest.param(
            5061, "a.lab.example", leaf("sip.example", "sip.example", "*.lab.example"), "warning", id="wildcard alone"
        ),
        pytest.param(5061, None, leaf("Lab", "*.lab.example", "*.example"), "warning", id="nothing but wildcards"),
        pytest.param(
            5061, "sip.lab.example", leaf("*.lab.example", "sip.lab.example"), "error", id="the common name is one"
        ),
        pytest.param(5061, None, leaf("*.lab.example"), "error", id="the common name is one, and there is no SAN"),
    ],
)
def test_server(port: int, asked: str | None, sent: Any, expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, server_port=port, server_name=asked, server_chain=sent)
    assert answer(RULE, conn) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(CLIENT, SUB), "silent", id="an edge with its name"),
        pytest.param(leaf("edge.example", "edge.example", "*.example"), "silent", id="with a wildcard besides"),
        pytest.param(leaf("Lab", "*.example"), "warning", id="an edge of which only the domain is known"),
        pytest.param(leaf("*.example", "edge.example"), "error", id="the common name is a wildcard"),
    ],
)
def test_client(sent: Any, expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, server_chain=chain(SERVER, SUB), client_chain=sent)
    assert answer(RULE, conn) == expected


def test_without_certificates_there_is_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == (
        "cannot tell"
    )


def test_the_sentence() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=leaf("*.lab.example")))
    assert "the server's certificate on SIP port 5061 has the wildcard *.lab.example as its common name" in said.summary
