"""Odd and hostile chains: every rule stays silent or speaks in a bounded sentence, and none takes long."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.chain import assess
from analyzer.connection import CertificateState
from analyzer.findings import CannotTell, Finding
from analyzer.rules import verdicts
from analyzer.rules.history import History
from analyzer.rules.rule import Context
from tests.build import pki
from tests.build.connections import CLIENT_DONE, HANDSHAKE, SERVER_FLIGHT, ca_list, connection
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, name

LONGEST_SENTENCE = 4_000
OLD: dict[str, Any] = {"not_after": datetime(2021, 1, 1, tzinfo=UTC)}
TWINS = [OTHER.issue("Twin", ca=True, serial=number, key_label=f"twin {number % 3}", **OLD) for number in range(1, 120)]
RING_A = pki.make("A", issuer=pki.root("B"), ca=True, **OLD)
RING_B = pki.make("B", issuer=pki.root("A"), ca=True, **OLD)
ENDLESS = pki.root("Endless " + "x" * 20_000)
DEEP: list[pki.Identity] = [pki.root("deep 0", **OLD)]
for level in range(1, 130):
    DEEP.append(DEEP[-1].issue(f"deep {level}", ca=True, key_label=f"deep {level % 2}", **OLD))

PIECES = [SERVER, CLIENT, SUB, ROOT, OTHER, RING_A, RING_B, ENDLESS, ENDLESS.issue("under endless"), *TWINS[:3]]


def judge_all(ders: tuple[bytes, ...], ladder: tuple[str, ...]) -> list[Finding | CannotTell]:
    """What all rules say, without a crash, when both sides send these certificates; learned afterwards."""
    chain = assess(ders)
    conn = connection(
        *ladder,
        server_chain=chain,
        client_chain=chain,
        client_certificate_state=CertificateState.SENT,
        request=ca_list(name(ENDLESS), name(OTHER)),
    )
    history = History()
    said: list[Finding | CannotTell] = []
    for verdict in verdicts(conn, Context(history)):
        assert verdict.outcome.value != "crashed", verdict.reason
        said += verdict.findings
    history.learn(conn)
    return said


@pytest.mark.parametrize(
    "ders",
    [
        pytest.param(tuple(twin.der for twin in [TWINS[0].issue("leaf"), *TWINS]), id="a hundred CAs of one name"),
        pytest.param((RING_A.der, RING_B.der), id="two CAs that issue each other"),
        pytest.param((RING_A.der, RING_A.der, RING_B.der), id="a ring, sent twice"),
        pytest.param((ENDLESS.issue("leaf").der,), id="an issuer with an endless name"),
        pytest.param((ENDLESS.der,), id="an endless name that signs itself"),
        pytest.param(tuple(one.der for one in reversed(DEEP)), id="a hierarchy of 130 levels"),
        pytest.param((b"",), id="no bytes"),
        pytest.param((b"\x30\x82\xff\xff", b"\x00"), id="no certificates"),
    ],
)
@pytest.mark.parametrize(
    "ladder",
    [
        pytest.param(HANDSHAKE, id="works"),
        pytest.param((*SERVER_FLIGHT, "> RST"), id="the client refuses"),
        pytest.param((*CLIENT_DONE, "< RST"), id="the server refuses"),
    ],
)
def test_sentences_stay_bounded(ders: tuple[bytes, ...], ladder: tuple[str, ...]) -> None:
    for said in judge_all(ders, ladder):
        assert isinstance(said, Finding)
        assert len(said.summary) < LONGEST_SENTENCE, said.rule
        assert len(said.advice) < LONGEST_SENTENCE, said.rule


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=5),
    junk=st.binary(max_size=40),
    at=st.integers(0, 5),
    refused=st.booleans(),
)
def test_any_chain_can_be_judged(pieces: list[pki.Identity], junk: bytes, at: int, refused: bool) -> None:
    ders = [piece.der for piece in pieces]
    ders[at:at] = [junk] if junk else []
    judge_all(tuple(ders), (*CLIENT_DONE, "< Alert 48") if refused else HANDSHAKE)
