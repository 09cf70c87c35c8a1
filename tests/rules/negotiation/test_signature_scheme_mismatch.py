"""Signatures, and what the other side says it accepts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from analyzer import knowledge
from analyzer.certificates.algorithms import SIGNATURES
from analyzer.connection import Connection, Seen
from analyzer.findings import Confidence, Depth, Severity
from tests.build import pki
from tests.build.cases import Case, cannot_tell, clear, hit
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HANDSHAKE_13,
    SERVER_FLIGHT,
    TCP,
    FakeHistory,
    ca_list,
    client_hello,
    connection,
    context,
)
from tests.rules.cast import SERVER, SUB, chain

RSA = pki.root("Rsa", key="rsa")
OLD = RSA.issue("old.example", san=["old.example"], digest="sha512")
PSS = RSA.issue("pss.example", san=["pss.example"], pss=True)
PLAIN = RSA.issue("plain.example", san=["plain.example"])
RSA_512, RSA_256, EC_256, PSS_256, RSA_1 = 0x0601, 0x0401, 0x0403, 0x0804, 0x0201


def server(*ladder: str, sent: Any, accepts: tuple[int, ...] | None, **facts: Any) -> Connection:
    """The server's chain, and a hello with these signature_algorithms."""
    hello = client_hello(signature_schemes=accepts, signature_schemes_cert=facts.pop("for_chains", None))
    return connection(*ladder, server_chain=sent, client_hello=hello, **facts)


def client(*ladder: str, sent: Any, accepts: tuple[int, ...] | None, **facts: Any) -> Connection:
    """The client's chain, and a request with these schemes."""
    conn = connection(*ladder, client_chain=sent, request=ca_list(), **facts)
    request = conn.certificate_request
    assert request is not None
    return replace(conn, certificate_request=replace(request, signature_schemes=accepts))


def hello(end: str, accepts: tuple[int, ...] | None, server_name: str = "old.example") -> Connection:
    """A hello with these signature_algorithms, and how the server ends it."""
    offer = client_hello(signature_schemes=accepts, server_name=server_name)
    return connection(*TCP, "> ClientHello", end, client_hello=offer)


REFUSED = (*SERVER_FLIGHT, "> Alert 43")

CASES = [
    hit(
        "SHA-512, and the client does not offer it",
        server(*REFUSED, sent=chain(OLD, RSA), accepts=(0x1A1A, RSA_256, EC_256)),
        severity=Severity.ERROR,
        confidence=Confidence.MEDIUM,
        says=(
            "the server's certificate old.example is signed with sha512WithRSAEncryption",
            "(rsa_pkcs1_sha256, ecdsa_secp256r1_sha256); the client refused with the alert unsupported_certificate",
        ),
        frames=(6, 9),
    ),
    hit("RSASSA-PSS", server(*SERVER_FLIGHT, "> RST", sent=chain(PSS), accepts=(RSA_256,)), says=("RSASSA-PSS with",)),
    hit("ECDSA, and only RSA is accepted", server(*REFUSED, sent=chain(SERVER, SUB), accepts=(RSA_256,)), says=("and 1",)),
    hit(
        "the list for chains counts, not the one for proofs",
        server(*REFUSED, sent=chain(OLD), accepts=(RSA_512, RSA_256), for_chains=(RSA_256,)),
    ),
    hit(
        "illegal_parameter",
        server(*SERVER_FLIGHT, "> Alert 47", sent=chain(OLD), accepts=(RSA_256,)),
        says=("illegal_parameter (47)",),
    ),
    hit(
        "the client's chain, and the server's list",
        client(*CLIENT_FLIGHT, "< RST", sent=chain(OLD), accepts=(RSA_256,)),
        says=("the client's certificate old.example", "the server refused with a reset"),
    ),
    hit(
        "refused right after the handshake",
        client(*HANDSHAKE, "< RST", sent=chain(OLD), accepts=(RSA_256,)),
        says=("right after the handshake",),
    ),
    hit(
        "the proof itself is of a foreign scheme",
        server(*SERVER_FLIGHT, "> Alert 47", sent=chain(PLAIN), accepts=(RSA_256,), server_signature_scheme=RSA_1),
        confidence=Confidence.HIGH,
        says=("signed its ServerKeyExchange with rsa_pkcs1_sha1",),
    ),
    hit(
        "the client's proof is of a foreign scheme",
        client(*CLIENT_DONE, "< Alert 51", sent=chain(PLAIN), accepts=(RSA_256,), client_signature_scheme=PSS_256),
        confidence=Confidence.HIGH,
        says=("CertificateVerify with rsa_pss_rsae_sha256", "decrypt_error (51)"),
    ),
    clear("it is accepted", server(*REFUSED, sent=chain(OLD), accepts=(RSA_512,))),
    clear("PSS by its other name", server(*REFUSED, sent=chain(PSS), accepts=(0x0809,))),
    clear("the root's own signature does not count", server(*REFUSED, sent=chain(PLAIN, RSA), accepts=(RSA_256,))),
    clear("a lone root", server(*REFUSED, sent=chain(RSA), accepts=(EC_256,))),
    clear("not announced, but taken", server(*HANDSHAKE, *DATA, sent=chain(OLD), accepts=(RSA_256,))),
    clear("the capture ends", server(*SERVER_FLIGHT, sent=chain(OLD), accepts=(RSA_256,))),
    clear("an old client announces nothing", server(*REFUSED, sent=chain(OLD), accepts=None)),
    clear("before TLS 1.2", server(*REFUSED, sent=chain(OLD), accepts=(RSA_256,), version="TLSv1.1")),
    clear("refused for its date", server(*SERVER_FLIGHT, "> Alert 45", sent=chain(OLD), accepts=(RSA_256,))),
    clear("refused for its root", server(*SERVER_FLIGHT, "> Alert 48", sent=chain(OLD), accepts=(RSA_256,))),
    clear("decrypt_error is not about a chain", server(*SERVER_FLIGHT, "> Alert 51", sent=chain(OLD), accepts=(RSA_256,))),
    clear("the server ended it itself", server(*SERVER_FLIGHT, "< RST", sent=chain(OLD), accepts=(RSA_256,))),
    clear("the client went on", server(*CLIENT_DONE, "> RST", sent=chain(OLD), accepts=(RSA_256,))),
    clear("refused late, but accepted", client(*HANDSHAKE, "< RST", sent=chain(OLD), accepts=(RSA_512,))),
    clear(
        "a foreign proof that was taken",
        server(*HANDSHAKE, *DATA, sent=chain(PLAIN), accepts=(RSA_256,), server_signature_scheme=RSA_1),
    ),
    cannot_tell(
        "bytes are missing",
        server(*REFUSED[:-1], "> RST", sent=chain(OLD), accepts=(RSA_256,), visibility={"gap_bytes": 9}),
        says=("9 bytes",),
    ),
    hit(
        "the hello is refused, and another connection shows the server's chain",
        hello("< Alert 40", accepts=(RSA_256,)),
        context=context(FakeHistory(chain=chain(OLD, RSA))),
        severity=Severity.ERROR,
        confidence=Confidence.MEDIUM,
        says=("old.example, as it sent it on another connection", "handshake_failure (40)", "KB 2973337"),
        frames=(4, 5),
    ),
    hit(
        "the hello is reset",
        hello("< RST", accepts=(RSA_256,)),
        context=context(FakeHistory(chain=chain(OLD))),
        confidence=Confidence.LOW,
    ),
    clear("the hello is refused, and nothing is known of the server", hello("< Alert 40", accepts=(RSA_256,))),
    clear(
        "the server's chain fits the hello",
        hello("< Alert 40", accepts=(RSA_512,)),
        context=context(FakeHistory(chain=chain(OLD))),
    ),
    clear(
        "for this name the server has another certificate",
        hello("< Alert 40", accepts=(RSA_256,), server_name="new.example"),
        context=context(FakeHistory(chain=chain(OLD))),
    ),
    clear(
        "the hello is refused for its version",
        hello("< Alert 70", accepts=(RSA_256,)),
        context=context(FakeHistory(chain=chain(OLD))),
    ),
    clear(
        "an old hello without schemes", hello("< Alert 40", accepts=None), context=context(FakeHistory(chain=chain(OLD)))
    ),
    clear("the client gives up", hello("> FIN", accepts=(RSA_256,)), context=context(FakeHistory(chain=chain(OLD)))),
    cannot_tell(
        "TLS 1.3 hides it",
        connection(*HANDSHAKE_13, "< RST", hidden=Seen.SERVER_CERTIFICATE | Seen.CLIENT_CERTIFICATE),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_verdict(case: Case) -> None:
    finding = case.check("signature-scheme-mismatch")
    assert finding is None or finding.depth is Depth.ROOT


def test_each_algorithm_that_we_read_has_its_schemes() -> None:
    known = {knowledge.signature_scheme(code) for code in range(0x0100, 0x0A00)}
    for found in SIGNATURES.values():
        schemes = knowledge.certificate_schemes(found.name, found.hash)
        assert schemes <= known
        odd = ("md2", "sha3-", "SM2")
        assert bool(schemes) != any(word in f"{found.name} {found.hash}" for word in odd), found.name
    assert knowledge.certificate_schemes("1.2.3.4", None) == frozenset()
