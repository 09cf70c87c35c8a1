"""chain-order: all there, but in the wrong order."""

from __future__ import annotations

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from analyzer.findings import Depth
from tests.build.connections import CLIENT_FLIGHT, DATA, HANDSHAKE, SERVER_FLIGHT, connection
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, answer, chain, finding, findings, raw

RULE = "chain-order"
TOP = ROOT.issue("Top", ca=True)
MID = TOP.issue("Mid", ca=True)
LOW = MID.issue("Low", ca=True)
DEEP = MID.issue("deep.example", san=["deep.example"])


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER), "silent", id="one certificate has no order"),
        pytest.param(chain(SERVER, SUB), "silent", id="leaf, issuer"),
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="leaf, issuer, root"),
        pytest.param(chain(DEEP, MID, TOP), "silent", id="leaf and two CAs"),
        pytest.param(chain(SERVER, OTHER, SUB), "silent", id="a stranger between: another rule's matter"),
        pytest.param(chain(SERVER, SERVER, SUB), "silent", id="a duplicate between: another rule's matter"),
        pytest.param(chain(SERVER, SUB, SUB, ROOT), "silent", id="an intermediate twice"),
        pytest.param(chain(DEEP, ROOT, TOP), "silent", id="a link is missing: another rule's matter"),
        pytest.param(
            chain(LOW.issue("low.example"), MID, LOW, ROOT), "silent", id="a link is missing above the disorder as well"
        ),
        pytest.param(chain(ROOT, SUB), "silent", id="CAs only: nobody knows which one is meant"),
        pytest.param(chain(ROOT, OTHER), "silent", id="two roots"),
        pytest.param(chain(SUB, SERVER, CLIENT), "silent", id="two end entities behind their CA: nobody knows which"),
        pytest.param(raw(b"junk", SUB.der), "silent", id="the leaf cannot be read"),
        pytest.param(chain(SERVER, ROOT, SUB), "warning", id="root before intermediate"),
        pytest.param(chain(DEEP, TOP, MID), "warning", id="the two CAs are swapped"),
        pytest.param(chain(SUB, SERVER), "warning", id="the issuer before the leaf"),
        pytest.param(chain(ROOT, SUB, SERVER), "warning", id="upside down"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("sent", "ladder", "expected"),
    [
        pytest.param(chain(SUB, SERVER), (*SERVER_FLIGHT, "> Alert 42"), "error", id="leaf not first, and refused"),
        pytest.param(chain(SUB, SERVER), (*CLIENT_FLIGHT, "< Alert 48"), "warning", id="the server refuses the client"),
        pytest.param(chain(SUB, SERVER), (*SERVER_FLIGHT, "> Alert 45"), "warning", id="refused for its date"),
        pytest.param(chain(DEEP, TOP, MID), (*SERVER_FLIGHT, "> Alert 42"), "warning", id="CAs swapped, and refused"),
    ],
)
def test_only_a_leaf_that_is_not_first_breaks_a_must(sent: Chain, ladder: tuple[str, ...], expected: str) -> None:
    assert answer(RULE, connection(*ladder, server_chain=sent)) == expected


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )


def test_the_right_order_is_told() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(DEEP, TOP, MID)))
    assert "certificate 1, 3, 2" in said.summary
    assert said.advice.endswith("deep.example, Mid, Top.")
    assert said.frames == (6,)


def test_both_sides_are_looked_at() -> None:
    conn = connection(*CLIENT_FLIGHT, "< Alert 42", server_chain=chain(SUB, SERVER), client_chain=chain(SUB, CLIENT))
    client, server = findings(RULE, conn)
    assert (
        "the server sent the CA's certificate Sub first and its own, sip.example.com, only as number 2"
        in server.summary
    )
    assert client.summary.endswith("the server refused with the alert bad_certificate (42)")
    assert (client.severity.value, client.depth) == ("error", Depth.ROOT)
