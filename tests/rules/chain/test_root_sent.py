"""root-sent: the root is in the chain."""

from __future__ import annotations

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from tests.build import pki
from tests.build.connections import DATA, HANDSHAKE, SERVER_FLIGHT, connection
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, answer, chain, finding, findings, raw

RULE = "root-sent"
DIRECT = ROOT.issue("direct.example", san=["direct.example"])
CROSS = OTHER.cross_sign(ROOT)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER), "silent", id="a leaf alone"),
        pytest.param(chain(SERVER, SUB), "silent", id="leaf and intermediate"),
        pytest.param(chain(SERVER, SUB, CROSS), "silent", id="the root's key, certified by another root"),
        pytest.param(
            chain(pki.self_signed("lone")), "silent", id="a lone self-signed certificate: another rule's matter"
        ),
        pytest.param(chain(ROOT), "silent", id="a lone root"),
        pytest.param(chain(ROOT, ROOT), "silent", id="a lone root, twice"),
        pytest.param(chain(SERVER, SUB, OTHER), "silent", id="a root of another hierarchy: another rule's matter"),
        pytest.param(chain(SERVER, ROOT), "silent", id="the intermediate is missing below it"),
        pytest.param(raw(b"junk", ROOT.der), "silent", id="the leaf cannot be read"),
        pytest.param(chain(SERVER, SUB, ROOT), "note", id="leaf, intermediate, root"),
        pytest.param(chain(DIRECT, ROOT), "note", id="leaf and root"),
        pytest.param(chain(SERVER, ROOT, SUB), "note", id="in the wrong order"),
        pytest.param(chain(ROOT, SUB, SERVER), "note", id="upside down"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


def test_a_failure_makes_it_no_worse() -> None:
    assert answer(RULE, connection(*SERVER_FLIGHT, "> Alert 48", server_chain=chain(SERVER, SUB, ROOT))) == "note"


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    hidden = connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)
    assert answer(RULE, hidden) == "cannot tell"


def test_it_says_who_and_how_much() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(SERVER, SUB, ROOT)))
    assert said.summary == f"the server sends its root Root along, {len(ROOT.der):,} bytes that nobody needs"
    assert "198.51.100.5:5061" in said.advice
    assert said.frames == (6,)


def test_both_sides_are_looked_at() -> None:
    whole = connection(*HANDSHAKE, server_chain=chain(SERVER, SUB, ROOT), client_chain=chain(CLIENT, SUB, ROOT))
    assert [said.summary.split()[1] for said in findings(RULE, whole)] == ["server", "client"]
