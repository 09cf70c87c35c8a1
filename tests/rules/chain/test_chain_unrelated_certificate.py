"""chain-unrelated-certificate: elements that belong to no link, and duplicates."""

from __future__ import annotations

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from analyzer.findings import Depth
from tests.build import pki
from tests.build.connections import DATA, HANDSHAKE, SERVER_FLIGHT, FakeHistory, ca_list, connection, context
from tests.rules.cast import (
    CLIENT,
    OTHER,
    ROOT,
    ROOTS_KNOWN,
    SERVER,
    SUB,
    answer,
    certificate,
    chain,
    finding,
    findings,
    name,
    raw,
)

RULE = "chain-unrelated-certificate"
TWIN = ROOT.issue("Sub", ca=True, key_label="the next generation of Sub")
THIRD = ROOT.issue("Sub", ca=True, key_label="one more generation of Sub")
CROSS_ROOT = OTHER.cross_sign(ROOT)
OTHER_SUB = OTHER.issue("OtherSub", ca=True)
TOP = ROOT.issue("Top", ca=True)
MID = TOP.issue("Mid", ca=True)
DEEP = MID.issue("deep.example", san=["deep.example"])


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(SERVER, SUB, ROOT), "silent", id="every one has its place"),
        pytest.param(chain(SERVER, SUB), "silent", id="the root stays at home"),
        pytest.param(chain(SERVER), "silent", id="a lone leaf"),
        pytest.param(chain(SERVER, ROOT, SUB), "silent", id="the wrong order"),
        pytest.param(chain(SUB, SERVER), "silent", id="the leaf last"),
        pytest.param(chain(SERVER, SUB, ROOT, CROSS_ROOT), "silent", id="a cross-certificate is a link"),
        pytest.param(chain(SERVER, SUB, ROOT, CROSS_ROOT, OTHER), "silent", id="both ways up to both roots"),
        pytest.param(chain(SERVER, TWIN), "silent", id="in place of the issuer: another rule's matter"),
        pytest.param(chain(SERVER, TWIN, THIRD), "silent", id="two in place of the issuer: another rule's matter"),
        pytest.param(raw(SERVER.der, SUB.der, b"junk"), "silent", id="what cannot be read is another rule's matter"),
        pytest.param(chain(SERVER, ROOT), "cannot tell", id="a hole, and the root may stand above it"),
        pytest.param(chain(DEEP, TOP), "cannot tell", id="a hole, and an intermediate may stand above it"),
        pytest.param(chain(SERVER, SUB, OTHER), "cannot tell", id="the top's issuer may be below that root"),
        pytest.param(chain(SUB, SERVER, CLIENT), "cannot tell", id="a CA first: whose leaf is it"),
        pytest.param(raw(b"junk", SUB.der), "cannot tell", id="the leaf cannot be read"),
        pytest.param(chain(SERVER, SERVER, SUB), "note", id="the leaf twice"),
        pytest.param(chain(SERVER, SUB, ROOT, OTHER), "warning", id="another root above a whole chain"),
        pytest.param(chain(SERVER, SUB, ROOT, OTHER_SUB), "warning", id="another intermediate above a whole chain"),
        pytest.param(chain(SERVER, SUB, CLIENT), "warning", id="a second leaf"),
        pytest.param(chain(SERVER, CLIENT), "warning", id="two leafs, and the issuer is missing"),
        pytest.param(chain(SERVER, TWIN, SUB), "warning", id="another generation of the intermediate"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, server_chain=sent)) == expected


@pytest.mark.parametrize(
    ("sent", "history", "expected"),
    [
        pytest.param(chain(SERVER, SUB, OTHER), ROOTS_KNOWN, "warning", id="the top's issuer is a known root"),
        pytest.param(chain(SERVER, ROOT), FakeHistory(cas=(certificate(SUB),)), "silent", id="somebody sent the link"),
        pytest.param(
            chain(SERVER, OTHER),
            FakeHistory(cas=(certificate(SUB),)),
            "cannot tell",
            id="somebody sent one link of two",
        ),
        pytest.param(
            chain(SERVER, OTHER),
            FakeHistory(cas=(certificate(SUB),), roots={"CN=Root": "a store"}),
            "warning",
            id="with what somebody sent it leads to another root",
        ),
    ],
)
def test_what_the_rest_of_the_capture_shows(sent: Chain, history: FakeHistory, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, server_chain=sent), context(history)) == expected


def test_the_ca_list_of_the_connection_shows_a_root() -> None:
    conn = connection(*HANDSHAKE, server_chain=chain(SERVER, SUB, OTHER), request=ca_list(name(ROOT)))
    assert answer(RULE, conn) == "warning"


def test_it_names_what_is_too_much() -> None:
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(SERVER, SUB, ROOT, OTHER)))
    assert "the server sent Other, which is no part of its chain" in said.summary
    assert certificate(OTHER).sha1 in said.advice
    assert said.frames == (6,)
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(SERVER, SUB, ROOT, OTHER, OTHER_SUB)))
    assert "2 certificates that are no part of its chain: Other, OtherSub" in said.summary
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(SERVER, TWIN, SUB)))
    assert "Sub in another generation as well" in said.summary
    said = finding(RULE, connection(*HANDSHAKE, server_chain=chain(SERVER, SUB, CLIENT)))
    assert "edge.example, which is no CA and not its own certificate either" in said.summary


def test_a_stranger_and_a_duplicate_are_two_findings() -> None:
    found = findings(RULE, connection(*HANDSHAKE, server_chain=chain(SERVER, SUB, ROOT, OTHER, SUB)))
    assert sorted(one.severity.value for one in found) == ["note", "warning"]
    assert any("1 certificate more than once: Sub" in one.summary for one in found)


def test_it_is_never_the_cause() -> None:
    conn = connection(*SERVER_FLIGHT, "> Alert 48", server_chain=chain(SERVER, SUB, ROOT, OTHER))
    said = finding(RULE, conn)
    assert (said.severity.value, said.depth) == ("warning", Depth.SYMPTOM)


def test_each_side_is_judged() -> None:
    both = connection(*HANDSHAKE, server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, SUB, ROOT, OTHER))
    assert "the client sent Other" in finding(RULE, both).summary


def test_no_certificates_no_verdict() -> None:
    assert answer(RULE, connection(*HANDSHAKE)) == "does not apply"
    assert (
        answer(RULE, connection(*HANDSHAKE, hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE)) == "cannot tell"
    )


def test_the_root_of_a_lone_self_signed_leaf_is_no_stranger() -> None:
    assert answer(RULE, connection(*HANDSHAKE, server_chain=chain(pki.self_signed("x.example")))) == "silent"
