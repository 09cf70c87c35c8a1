"""client-chain-incomplete: the same verdict for the other side (see test_server_chain_incomplete.py)."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.certificates.chain import Chain
from analyzer.connection import Seen
from analyzer.findings import Depth
from analyzer.rules import judge
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    FakeHistory,
    ca_list,
    connection,
    context,
)
from tests.rules.cast import CLIENT, OTHER, ROOT, ROOTS_KNOWN, SERVER, SUB, answer, chain, finding, name, raw

RULE = "client-chain-incomplete"
LONE = chain(CLIENT)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(chain(CLIENT, SUB), "silent", id="leaf and intermediate"),
        pytest.param(chain(CLIENT, SUB, ROOT), "silent", id="root included"),
        pytest.param(chain(ROOT), "silent", id="a lone root has no issuer to miss"),
        pytest.param(raw(b"junk"), "cannot tell", id="the leaf cannot be read"),
        pytest.param(LONE, "warning", id="a lone leaf"),
        pytest.param(chain(CLIENT, OTHER), "warning", id="a leaf and a root that is not above it"),
    ],
)
def test_what_was_sent(sent: Chain, expected: str) -> None:
    assert answer(RULE, connection(*HANDSHAKE, *DATA, client_chain=sent)) == expected


@pytest.mark.parametrize(
    ("ladder", "expected"),
    [
        pytest.param((*HANDSHAKE, *DATA), "warning", id="the server goes on"),
        pytest.param((*HANDSHAKE, *DATA, "< RST"), "warning", id="reset after data"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 48", "< FIN"), "error", id="unknown_ca before the server's Finished"),
        pytest.param((*CLIENT_DONE, "< RST"), "error", id="a bare reset after the client's flight"),
        pytest.param((*CLIENT_DONE, "< FIN"), "error", id="a bare close after the client's flight"),
        pytest.param((*CLIENT_DONE, "... 30 s", "< RST"), "error", id="a reset after 30 s of checking"),
        pytest.param((*HANDSHAKE, "< RST"), "error", id="validated late: reset right after the handshake"),
        pytest.param((*HANDSHAKE, "< EncryptedAlert", "< FIN"), "warning", id="close_notify right after the handshake"),
        pytest.param((*CLIENT_FLIGHT, "... 30 s", "< RST"), "warning", id="the client stopped in the middle"),
        pytest.param(
            (*CLIENT_FLIGHT, "< Alert 43", "< FIN"), "warning", id="unsupported_certificate is not about links"
        ),
        pytest.param((*CLIENT_FLIGHT, "< Alert 49", "< FIN"), "error", id="access_denied: GnuTLS says it of anything"),
        pytest.param((*CLIENT_FLIGHT, "< Alert 51", "< FIN"), "warning", id="decrypt_error: a key, not a path"),
        pytest.param((*CLIENT_DONE, "> FIN"), "warning", id="the client closes"),
        pytest.param((*CLIENT_DONE, "> Alert 48", "> FIN"), "warning", id="the client refuses the server"),
    ],
)
def test_who_ended_it(ladder: tuple[str, ...], expected: str) -> None:
    assert answer(RULE, connection(*ladder, client_chain=LONE)) == expected


@pytest.mark.parametrize(
    ("history", "facts", "expected"),
    [
        pytest.param(FakeHistory(), {"request": ca_list(name(OTHER))}, "warning", id="the list names others"),
        pytest.param(
            FakeHistory(), {"request": ca_list(name(OTHER), name(SUB))}, "silent", id="the list names the issuer"
        ),
        pytest.param(ROOTS_KNOWN, {}, "silent", id="the issuer is a known root"),
        pytest.param(
            FakeHistory(),
            {"hidden": Seen.CERTIFICATE_REQUEST},
            "cannot tell",
            id="the capture lacks the list, which may name the issuer",
        ),
        pytest.param(
            FakeHistory(), {"hidden": Seen.CLIENT_CERTIFICATE}, "warning", id="what is hidden besides is no matter"
        ),
    ],
)
def test_what_shows_that_the_issuer_is_a_root(history: FakeHistory, facts: dict[str, Any], expected: str) -> None:
    conn = connection(*HANDSHAKE, *DATA, client_chain=LONE, **facts)
    assert answer(RULE, conn, context(history)) == expected


def test_encrypted_certificates_cannot_be_told() -> None:
    assert answer(RULE, connection(*HANDSHAKE, hidden=Seen.CLIENT_CERTIFICATE)) == "cannot tell"


def test_the_deepest_proven_cause_comes_first() -> None:
    conn = connection(
        *CLIENT_FLIGHT,
        "< Alert 48",
        "< RST",
        server_chain=chain(SERVER, SUB),
        client_chain=LONE,
        request=ca_list(name(ROOT)),
    )
    order = [finding.rule for finding in judge(conn, context())]
    assert order[:3] == [RULE, "client-certificate-rejected", "tls-alert"]


def test_the_server_sent_the_missing_intermediate_itself() -> None:
    said = finding(RULE, connection(*CLIENT_FLIGHT, "< Alert 48", client_chain=LONE, server_chain=chain(SERVER, SUB)))
    assert "the server sent it on this connection" in said.advice
    assert "on 192.0.2.10 among the intermediates" in said.advice
    assert said.depth is Depth.ROOT


def test_an_issuer_that_may_be_a_root_has_a_second_way_out() -> None:
    said = finding(RULE, connection(*CLIENT_FLIGHT, "< Alert 48", "< FIN", client_chain=LONE))
    assert "If it is a root itself, import it on" in said.advice
    assert "a certificate of a CA that the server names" in said.advice
