"""How two handshakes differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analyzer
from analyzer.comparison import WHATS, compare
from analyzer.connection import CertificateState, Connection, Outcome, Side
from tests.build.connections import (
    CLIENT_DONE,
    CLIENT_FLIGHT,
    DATA,
    HANDSHAKE,
    HANDSHAKE_13,
    HELLOS,
    SERVER_FLIGHT,
    TCP,
    ca_list,
    client_hello,
    connection,
)
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, chain, name

WHOLE: dict[str, Any] = {
    "server_chain": chain(SERVER, SUB),
    "client_chain": chain(CLIENT, SUB, ROOT),
    "request": ca_list(name(ROOT)),
}
NOTHING_SEEN = dict.fromkeys(WHOLE)
OLD = SUB.issue("edge.example", san=["edge.example"], not_after=datetime(2026, 1, 1, tzinfo=UTC))
COLLEAGUE = SUB.issue("other.example", san=["other.example"])
STRANGER = OTHER.issue("edge.example", san=["edge.example"])
HELLO = client_hello(
    supported_groups=(29, 23),
    signature_schemes=(0x0403, 0x0804),
    alpn=("h2",),
    supported_versions=(0x0A0A, 0x0304, 0x0303),
)


def parts(facts: dict[str, Any]) -> dict[str, Any]:
    """WHOLE with these facts; None takes one away."""
    return {key: value for key, value in (WHOLE | facts).items() if value is not None}


def worked(**facts: Any) -> Connection:
    """A whole mutual handshake with data."""
    return connection(*HANDSHAKE, *DATA, **parts(facts))


def refused(**facts: Any) -> Connection:
    """The server resets after the client's flight."""
    return connection(*CLIENT_DONE, "< RST", **parts(facts))


def hello(**facts: Any) -> Any:
    """HELLO with these fields."""
    return replace(HELLO, **facts)


def after_hello(**facts: Any) -> Connection:
    """The server resets the hello."""
    return connection(*TCP, "> ClientHello", "< RST", client_hello=hello(**facts))


GREETED = worked(client_hello=HELLO)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        pytest.param(
            worked(),
            refused(client_chain=chain(CLIENT)),
            "the client sent 3 certificates (edge.example, Sub, Root) in the working handshake, 1 certificate (edge.example) "
            "in this one",
            id="an intermediate is missing",
        ),
        pytest.param(
            worked(),
            refused(client_chain=chain(SUB, CLIENT, ROOT)),
            "3 certificates (Sub, edge.example, Root) in this one",
            id="another order",
        ),
        pytest.param(
            worked(),
            refused(client_chain=chain(OLD, SUB, ROOT)),
            "edge.example valid until 2026-01-01, sha256",
            id="an older one of the same name",
        ),
        pytest.param(
            worked(), refused(client_chain=chain(STRANGER)), "(edge.example) in this one", id="another certificate"
        ),
        pytest.param(
            worked(),
            refused(client_chain=None, client_certificate_state=CertificateState.EMPTY),
            "no certificate, although it was asked in this one",
            id="none",
        ),
        pytest.param(
            connection(
                *HANDSHAKE_13, *DATA, version="TLSv1.3", client_certificate_state=CertificateState.INFERRED_SENT
            ),
            connection(
                *HANDSHAKE_13, "< RST", version="TLSv1.3", client_certificate_state=CertificateState.INFERRED_EMPTY
            ),
            "a certificate (by the record sizes) in the working handshake, no certificate (by the record sizes)",
            id="none, by the sizes of TLS 1.3",
        ),
        pytest.param(
            worked(),
            refused(request=replace(ca_list(name(ROOT), name(OTHER)), id="b")),
            "bytes in the working handshake, 2 CAs in 39 bytes (among them CN=Other) in this one",
            id="another CA list",
        ),
        pytest.param(
            worked(request=ca_list(name(ROOT), name(OTHER)), client_chain=chain(CLIENT)),
            refused(client_chain=chain(CLIENT)),
            "",
            id="lists with one id are one list",
        ),
        pytest.param(
            worked(),
            refused(client_chain=None, request=None, client_certificate_state=CertificateState.NOT_REQUESTED),
            "the server asked for a client certificate in the working handshake, did not ask for one in this one",
            id="not asked",
        ),
        pytest.param(
            worked(),
            connection(*SERVER_FLIGHT, "> Alert 48", server_chain=chain(SERVER), request=ca_list(name(ROOT))),
            "the server sent 2 certificates (sip.example.com, Sub) in the working handshake, 1 certificate (sip.example.com)",
            id="the server's intermediate is missing",
        ),
        pytest.param(
            GREETED,
            after_hello(server_name="old.example.com"),
            'the client asked for "sip.example.com" in the working handshake, for "old.example.com" in this one',
            id="another name",
        ),
        pytest.param(GREETED, after_hello(server_name=None), "for no name (no SNI) in this one", id="no name"),
        pytest.param(
            GREETED,
            after_hello(supported_versions=(0x0302,)),
            "the client offered TLSv1.3, TLSv1.2 in the working handshake, TLSv1.1 in this one",
            id="other versions",
        ),
        pytest.param(
            GREETED,
            after_hello(cipher_suites=(0xC02F, 0x0005)),
            "besides common suites the client offered TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_RSA_WITH_AES_128_GCM_SHA256 "
            "in the working handshake, TLS_RSA_WITH_RC4_128_SHA in this one",
            id="other suites",
        ),
        pytest.param(
            GREETED,
            after_hello(cipher_suites=(0x009C, 0xC02F, 0xC030)),
            "the same suites in another order, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 in place 1 in",
            id="another order of suites",
        ),
        pytest.param(
            GREETED,
            after_hello(supported_groups=(29, 23, 21)),
            "groups the client offered no others in the working handshake, secp224r1 in this one",
            id="a group with the number of the padding extension",
        ),
        pytest.param(
            GREETED,
            after_hello(supported_groups=(29,)),
            "offered secp256r1 in the working handshake, no others",
            id="groups",
        ),
        pytest.param(
            GREETED, after_hello(signature_schemes=(0x0403,)), "rsa_pss_rsae_sha256 in the working", id="schemes"
        ),
        pytest.param(
            GREETED, after_hello(alpn=None), "the client offered h2 in the working handshake, no ALPN", id="ALPN"
        ),
        pytest.param(
            GREETED, after_hello(extensions=(0, 10, 13, 35)), "extensions the client offered no others", id="extensions"
        ),
        pytest.param(
            worked(),
            worked(version="TLSv1.1", version_code=0x0302),
            "the server chose TLSv1.2 in the working handshake, TLSv1.1 in this one",
            id="another version",
        ),
        pytest.param(
            worked(),
            worked(cipher_code=0xC030),
            "the server chose TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 in",
            id="another suite",
        ),
        pytest.param(
            worked(resumed=True, server_chain=None, client_chain=None, request=None),
            refused(),
            "the session was resumed (no certificates) in the working handshake, negotiated anew in this one",
            id="resumed",
        ),
        pytest.param(worked(preamble="HTTP CONNECT"), worked(), "TLS began after HTTP CONNECT in the", id="a proxy"),
        pytest.param(
            worked(server={"ttl": 64, "data_ttl": 118}),
            refused(server={"data_ttl": 52}),
            "with TTL 118 in the",
            id="distance",
        ),
        pytest.param(
            worked(),
            worked(client={"mss": 1_300}),
            "segments of up to 1460 and 1460 bytes in the working",
            id="segments",
        ),
        pytest.param(
            worked(),
            connection(*SERVER_FLIGHT, "> Certificate", "> ChangeCipherSpec", "< RST", **WHOLE),
            "after the client's Certificate came the client's ClientKeyExchange in the working handshake, the client's "
            "ChangeCipherSpec in this one",
            id="another course",
        ),
    ],
)
def test_first_difference(a: Connection, b: Connection, said: str) -> None:
    found = compare(a, b)
    assert bool(found) is bool(said)
    if said:
        assert said in found[0].text()
        assert found[0].what in WHATS


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(worked(), worked(), id="the same"),
        pytest.param(worked(), refused(), id="the end alone: that is why they are compared"),
        pytest.param(
            worked(),
            worked(client_port=1, ts_ns=7, client_hello=client_hello(random=b"\1" * 32)),
            id="ports, times, randoms",
        ),
        pytest.param(
            worked(client_hello=HELLO),
            worked(client_hello=hello(supported_versions=(0x1A1A, 0x0304, 0x0303))),
            id="GREASE",
        ),
        pytest.param(
            worked(client_hello=hello(extensions=(0, 10, 13))),
            worked(client_hello=hello(extensions=(13, 21, 0, 10))),
            id="shuffled extensions and padding",
        ),
        pytest.param(worked(server_name="SIP.example.com"), worked(), id="the case of a name"),
        pytest.param(
            worked(),
            refused(client_ip="192.0.2.11", client_chain=chain(COLLEAGUE, SUB, ROOT)),
            id="another client with a certificate of the same CA",
        ),
        pytest.param(
            worked(),
            connection(*SERVER_FLIGHT, "> RST", server_chain=chain(SERVER, SUB), request=ca_list(name(ROOT))),
            id="it did not get that far",
        ),
        pytest.param(
            worked(),
            connection(
                *CLIENT_FLIGHT,
                "< RST",
                client_certificate_state=CertificateState.LOST,
                outcome=Outcome.UNKNOWN,
                visibility={"gap_bytes": 900, "gap_side": Side.CLIENT},
            ),
            id="lost from the capture",
        ),
        pytest.param(
            worked(),
            worked(client_certificate_state=CertificateState.HIDDEN, **NOTHING_SEEN),
            id="encrypted",
        ),
        pytest.param(connection(*HELLOS, "> FIN"), connection(*TCP, "> FIN"), id="nothing was said"),
        pytest.param(worked(), connection(*HANDSHAKE, *DATA, "< FIN", "> FIN", **WHOLE), id="who closed first"),
        pytest.param(worked(), connection("> SYN", "< RST"), id="refused"),
    ],
)
def test_what_is_no_difference(a: Connection, b: Connection) -> None:
    assert compare(a, b) == ()
    assert compare(b, a) == ()


@pytest.mark.parametrize(
    ("b", "order"),
    [
        pytest.param(
            refused(client_chain=chain(CLIENT), client_hello=hello(server_name="b.example", alpn=None)),
            ["client-certificates", "server-name", "alpn"],
            id="the client's certificate was refused: it comes first",
        ),
        pytest.param(
            connection(
                *SERVER_FLIGHT, "> RST", client_hello=hello(server_name="b.example"), server_chain=chain(SERVER)
            ),
            ["server-certificates", "server-name"],
            id="the server's certificate was refused",
        ),
        pytest.param(
            after_hello(cipher_suites=(0x0005,), alpn=None, server_name="b.example"),
            ["server-name", "cipher-suites", "alpn"],
            id="the hello was refused",
        ),
        pytest.param(
            worked(client_hello=hello(server_name="b.example", cipher_suites=(5,)), client_chain=chain(CLIENT)),
            ["server-name", "client-certificates", "cipher-suites"],
            id="it went well: in the order of the handshake, lesser things behind",
        ),
    ],
)
def test_order_follows_the_end(b: Connection, order: list[str]) -> None:
    assert [difference.what for difference in compare(GREETED, b)] == order


SOME = st.sampled_from(
    [worked(), refused(), GREETED, refused(client_chain=chain(CLIENT)), after_hello(alpn=None), worked(resumed=True),
     worked(client_hello=hello(cipher_suites=(5,))), connection("> SYN"), worked(version="TLSv1.1"), worked(preamble="SMTP")]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(a=SOME, b=SOME)
def test_the_other_way_round_the_same_things_differ(a: Connection, b: Connection) -> None:
    there = {(one.what, one.subject, one.first, one.second) for one in compare(a, b)}
    back = {(one.what, one.subject, one.second, one.first) for one in compare(b, a)}
    assert there == back
    assert compare(a, a) == ()


def test_it_is_public() -> None:
    assert analyzer.compare is compare
