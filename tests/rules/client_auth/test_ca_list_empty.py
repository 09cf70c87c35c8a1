"""ca-list-empty: the server names no CA."""

from __future__ import annotations

import pytest

from analyzer.connection import CaList, Seen
from tests.build.connections import HANDSHAKE, SERVER_FLIGHT, ca_list, connection
from tests.rules.cast import OTHER, ROOT, answer, finding, name

RULE = "ca-list-empty"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(ca_list(name(ROOT)), "silent", id="one name"),
        pytest.param(ca_list(name(ROOT), name(OTHER)), "silent", id="two names"),
        pytest.param(ca_list(size=40, complete=False), "silent", id="a list of which no name can be read"),
        pytest.param(ca_list(size=0, complete=False), "cannot tell", id="the message ends before the list"),
        pytest.param(ca_list(), "note", id="no names"),
    ],
)
def test_the_list(names: CaList, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, request=names)) == expected


def test_it_stays_a_note_when_the_connection_dies() -> None:
    assert answer(RULE, connection(*SERVER_FLIGHT, "> RST", request=ca_list())) == "note"


def test_no_request_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.CERTIFICATE_REQUEST)) == "cannot tell"


def test_where_it_is_seen() -> None:
    said = finding(RULE, connection(*HANDSHAKE, request=ca_list()))
    assert said.frames == (7,)
    assert "names no CA" in said.summary
