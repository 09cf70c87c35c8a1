"""wildcard-before-fqdn: the order of the names."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.connection import Seen
from tests.build.connections import DATA, HANDSHAKE, connection
from tests.rules.cast import SUB, answer, chain, finding, raw

RULE = "wildcard-before-fqdn"


def leaf(*san: str) -> Any:
    """A chain whose leaf has these names."""
    return chain(SUB.issue("fe.lab.example", san=list(san) or None), SUB)


SKYPE = ("*.lab.example", "lyncdiscover.lab.example")


@pytest.mark.parametrize(
    ("port", "sent", "expected"),
    [
        pytest.param(5061, leaf("fe.lab.example"), "silent", id="no wildcard"),
        pytest.param(5061, leaf(), "silent", id="no SAN"),
        pytest.param(5061, leaf("fe.lab.example", "*.lab.example"), "silent", id="the wildcard comes last"),
        pytest.param(5061, leaf("*.lab.example"), "silent", id="nothing stands behind it"),
        pytest.param(5061, leaf("*.lab.example", "*.example"), "silent", id="only wildcards"),
        pytest.param(5061, leaf("*.lab.example", "192.0.2.1"), "silent", id="only an address stands behind it"),
        pytest.param(5061, leaf("*.lab.example", "fe"), "silent", id="only a short name stands behind it"),
        pytest.param(443, leaf("*.lab.example", "lab.example"), "silent", id="the usual certificate of a web server"),
        pytest.param(443, raw(b"junk"), "silent", id="a web server whose leaf cannot be read"),
        pytest.param(5061, raw(b"junk"), "cannot tell", id="the leaf cannot be read"),
        pytest.param(443, leaf(*SKYPE), "note", id="the names are those of Skype for Business"),
        pytest.param(5061, leaf("*.lab.example", "fe.lab.example"), "warning", id="on a SIP port"),
        pytest.param(5061, leaf("a.example", "*.lab.example", "fe.lab.example"), "warning", id="in the middle"),
    ],
)
def test_order(port: int, sent: Any, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_port=port, server_chain=sent)) == expected


def test_a_client_may_order_its_names_as_it_likes() -> None:
    conn = connection(*HANDSHAKE, server_chain=leaf("fe.lab.example"), client_chain=leaf(*SKYPE))
    assert answer(RULE, conn) == "silent"


def test_without_a_certificate_there_is_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE)) == "cannot tell"


def test_both_names_are_told() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=leaf("*.lab.example", "fe.lab.example", "b.example")))
    assert "the wildcard *.lab.example stands before fe.lab.example" in said.summary
