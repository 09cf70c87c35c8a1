"""Handshake messages: built from their fields, parsed back; cut, bent and hostile ones."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import ParseError
from analyzer.tls.handshake import (
    Context,
    parse_certificate,
    parse_certificate_request,
    parse_certificate_request_13,
    parse_message,
    parse_server_key_exchange,
)
from analyzer.tls.messages import (
    Body,
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    CompressedCertificate,
    NewSessionTicket,
    Plain,
    ServerKeyExchange,
    Unreadable,
)
from analyzer.tls.names import SSL3, TLS10, TLS12
from tests.build import handshake as hs

TLS12_ECDHE = Context(TLS12, 0xC02F, TLS12)
NAMES = (b"\x30\x0b" + b"n" * 11, b"\x30\x00", b"\x30\x7f" + b"m" * 127)


def body(message: bytes) -> bytes:
    """A message without its header."""
    return message[4:]


def parse(message: bytes, context: Context = TLS12_ECDHE) -> Body:
    return parse_message(message[0], body(message), context)


# ---- Certificate -----------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
def test_certificates_come_back_in_order(chain: list[bytes]) -> None:
    assert parse(hs.certificate(*chain)) == Certificate(tuple(chain))


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.binary(max_size=8))
def test_tls13_certificates_come_back_with_their_context(chain: list[bytes], context: bytes) -> None:
    message = hs.certificate_13(*chain, context=context)
    assert parse_certificate(body(message), tls13=True) == Certificate(tuple(chain), context)


@pytest.mark.parametrize(
    ("raw", "chain", "oddity"),
    [
        pytest.param("000000", (), "", id="the empty message that says: I have none"),
        pytest.param("000005 000002 6162", (b"ab",), "", id="one certificate"),
        pytest.param(
            "000009 000002 6162 0000ff 63", (b"ab",), "certificate 2 says 255 bytes, 1 remain", id="second cut"
        ),
        pytest.param("000099 000002 6162", (b"ab",), "certificate_list says 153 bytes, 5 remain", id="list cut"),
        pytest.param(
            "000005 000002 6162 ffff", (b"ab",), "certificate_list is followed by 2 bytes", id="bytes left over"
        ),
        pytest.param("000003 000000", (b"",), "certificate 1 is empty", id="a certificate of no bytes"),
    ],
)
def test_damaged_certificate_lists_keep_the_whole_ones(raw: str, chain: tuple[bytes, ...], oddity: str) -> None:
    parsed = parse_certificate(bytes.fromhex(raw))
    assert parsed.certificates == chain
    assert "; ".join(parsed.oddities).startswith(oddity)
    assert bool(parsed.oddities) == bool(oddity)


def test_a_certificate_message_without_a_list_is_unreadable() -> None:
    assert parse(hs.message(11, b"\0")) == Unreadable("certificate_list needs 3 bytes, 1 remain (byte 0 of its body)")


# ---- CertificateRequest ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "schemes"),
    [
        pytest.param(TLS12, (0x0401, 0x0403), id="TLS 1.2 form"),
        pytest.param(TLS10, None, id="TLS 1.0 form"),
        pytest.param(SSL3, None, id="SSL 3.0 form"),
        pytest.param(TLS12, None, id="old form although TLS 1.2 was chosen"),
        pytest.param(TLS10, (0x0401,), id="new form although TLS 1.0 was chosen"),
        pytest.param(0, (0x0401, 0x0501), id="ServerHello not seen, new form"),
        pytest.param(0, None, id="ServerHello not seen, old form"),
    ],
)
def test_request_form_is_told_by_version_and_else_by_fit(version: int, schemes: tuple[int, ...] | None) -> None:
    request = parse_certificate_request(body(hs.certificate_request(*NAMES, schemes=schemes)), version)
    size = sum(len(name) + 2 for name in NAMES)
    raw = b"".join(hs.vector(2, name) for name in NAMES)
    assert request == CertificateRequest((1, 64), schemes, NAMES, size, raw)


@settings(max_examples=60)
@given(names=st.lists(st.binary(max_size=60), max_size=30), schemes=st.lists(st.integers(0, 0xFFFF), max_size=8))
def test_every_name_comes_back(names: list[bytes], schemes: list[int]) -> None:
    request = parse_certificate_request(body(hs.certificate_request(*names, schemes=schemes)), TLS12)
    assert (request.authorities, request.signature_schemes, request.complete) == (tuple(names), tuple(schemes), True)


def test_the_largest_list_is_read_to_its_last_name() -> None:
    names = [b"%04d" % index + bytes(89) for index in range(689)]
    request = parse_certificate_request(body(hs.certificate_request(*names)), TLS12)
    assert (request.authorities_bytes, len(request.authorities), request.authorities[-1]) == (65_455, 689, names[-1])


@given(st.integers(1, 140))
def test_a_cut_list_keeps_its_whole_names_and_says_so(cut: int) -> None:
    raw = body(hs.certificate_request(*NAMES))[:-cut]
    request = parse_certificate_request(raw, TLS12)
    assert not request.complete
    assert request.authorities == NAMES[: len(request.authorities)]
    assert len(request.authorities) < len(NAMES)
    assert request.authorities_bytes == sum(len(name) + 2 for name in NAMES)
    assert request.oddities


def test_a_name_that_runs_past_the_list_makes_it_incomplete() -> None:
    raw = b"\1\1" + hs.vector(2, b"\4\1") + hs.vector(2, hs.vector(2, b"one") + b"\x00\x99two")
    request = parse_certificate_request(raw, TLS12)
    assert (request.authorities, request.complete) == ((b"one",), False)
    assert "runs past" in request.oddities[0]


def test_an_empty_list_is_complete() -> None:
    request = parse_certificate_request(body(hs.certificate_request()), TLS12)
    assert (request.authorities, request.authorities_bytes, request.complete) == ((), 0, True)


def test_bytes_behind_the_list_are_odd() -> None:
    request = parse_certificate_request(body(hs.certificate_request(b"x")) + b"??", TLS12)
    assert (request.authorities, request.complete) == ((b"x",), True)
    assert "2 bytes too many" in request.oddities[0]


def test_a_request_without_types_is_unreadable() -> None:
    assert isinstance(parse(hs.message(13, b"\x09\1")), Unreadable)
    assert isinstance(parse(hs.message(13, b"")), Unreadable)


@pytest.mark.parametrize("names", [(), NAMES], ids=["no list", "three names"])
def test_tls13_request_has_everything_in_extensions(names: tuple[bytes, ...]) -> None:
    request = parse_certificate_request_13(body(hs.certificate_request_13(*names)))
    assert (request.certificate_types, request.signature_schemes) == ((), (0x0403, 0x0804))
    assert (request.authorities, request.complete) == (names, True)
    assert request.authorities_bytes == sum(len(name) + 2 for name in names)


def test_tls13_request_with_a_cut_list_keeps_whole_names() -> None:
    cut = (47, b"\x00\x50" + hs.vector(2, b"one") + b"\x00\x09tw")
    request = parse_certificate_request_13(b"\0" + hs.extensions_block([cut]) + b"?")
    assert (request.authorities, request.complete, request.authorities_bytes) == ((b"one",), False, 0x50)
    assert request.oddities


# ---- keys, proofs, tickets, status -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "version", "suite", "expected"),
    [
        pytest.param(
            hs.server_key_exchange_ecdhe(0x001D), TLS12, 0xC02F, ServerKeyExchange(0x001D, None, 0x0401), id="ECDHE"
        ),
        pytest.param(
            hs.server_key_exchange_ecdhe(scheme=None), TLS10, 0xC013, ServerKeyExchange(23), id="ECDHE in TLS 1.0"
        ),
        pytest.param(
            hs.server_key_exchange_dhe(1024), TLS12, 0x009E, ServerKeyExchange(None, 1024, 0x0401), id="DHE, 1,024 bits"
        ),
        pytest.param(
            hs.server_key_exchange_dhe(2048, scheme=None),
            TLS10,
            0x0033,
            ServerKeyExchange(None, 2048),
            id="DHE in TLS 1.0",
        ),
        pytest.param(
            hs.server_key_exchange_ecdhe(), 0, 0, ServerKeyExchange(23, None, 0x0401), id="no ServerHello: ECDHE"
        ),
        pytest.param(
            hs.server_key_exchange_dhe(), 0, 0, ServerKeyExchange(None, 2048, 0x0401), id="no ServerHello: DHE"
        ),
        pytest.param(
            hs.server_key_exchange_ecdhe(), TLS12, 0xFFF0, ServerKeyExchange(23, None, 0x0401), id="unknown suite"
        ),
        pytest.param(hs.message(12, b"anything"), TLS12, 0x0003, ServerKeyExchange(), id="export RSA is not read"),
        pytest.param(hs.message(12, b"\1" + bytes(9)), TLS12, 0xC02F, ServerKeyExchange(), id="explicit curve"),
        pytest.param(
            hs.message(12, b"\0\4hint\3\0\x1d\x02ab"),
            TLS12,
            0xC035,
            ServerKeyExchange(0x1D),
            id="ECDHE_PSK: hint first",
        ),
        pytest.param(
            hs.message(12, b"\3\0\x17\x02ab"), TLS12, 0xC015, ServerKeyExchange(23), id="anonymous: no signature"
        ),
    ],
)
def test_server_key_exchange(message: bytes, version: int, suite: int, expected: ServerKeyExchange) -> None:
    assert parse_server_key_exchange(body(message), version, suite) == expected


@pytest.mark.parametrize("suite", [0, 0xC02F, 0x009E, 0xC035], ids=["unknown", "ECDHE", "DHE", "ECDHE_PSK"])
def test_broken_key_exchange_is_unreadable(suite: int) -> None:
    assert isinstance(parse(hs.message(12, b"\3\0"), Context(TLS12, suite)), Unreadable)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(hs.certificate_verify(0x0804), CertificateVerify(0x0804, 256), id="TLS 1.2"),
        pytest.param(hs.certificate_verify(None, bytes(128)), CertificateVerify(None, 128), id="TLS 1.0"),
        pytest.param(hs.new_session_ticket(bytes(50), 300), NewSessionTicket(300, 50), id="a ticket"),
        pytest.param(hs.certificate_status(b"\x30\0"), CertificateStatus(1, b"\x30\0"), id="a stapled response"),
        pytest.param(
            hs.message(22, b"\2" + hs.vector(3, hs.vector(3, b"") + hs.vector(3, b"two"))),
            CertificateStatus(2, b"two"),
            id="several responses: the first that is there",
        ),
        pytest.param(hs.message(22, b"\2\0\0\0"), CertificateStatus(2, None), id="several responses: none"),
        pytest.param(hs.message(22, b"\x09??"), CertificateStatus(9, None), id="a status of an unknown type"),
        pytest.param(hs.server_hello_done(), Plain(), id="ServerHelloDone"),
        pytest.param(hs.message(77, b"??"), Plain(), id="an unknown message"),
    ],
)
def test_small_messages(message: bytes, expected: Body) -> None:
    assert parse(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(hs.message(15, b"\4"), id="CertificateVerify of one byte"),
        pytest.param(hs.message(15, b"\4\1\0\x09ab"), id="CertificateVerify whose length does not fit"),
        pytest.param(hs.message(4, b"\0\0\0\1\0"), id="NewSessionTicket that ends in its length"),
        pytest.param(hs.message(4, b"\0\0\0\1\0\x09ab"), id="NewSessionTicket shorter than it says"),
        pytest.param(hs.message(22, b"\1\0\0\x09ab"), id="CertificateStatus shorter than it says"),
        pytest.param(hs.message(1, b"short"), id="ClientHello that ends in its random"),
        pytest.param(hs.message(2, bytes(34)), id="ServerHello that ends before its session id"),
    ],
)
def test_broken_small_messages_are_unreadable(message: bytes) -> None:
    parsed = parse(message)
    assert isinstance(parsed, Unreadable)
    assert parsed.reason


# ---- CompressedCertificate -------------------------------------------------------------------------------------------


def test_zlib_is_unpacked() -> None:
    plain = body(hs.certificate_13(b"leaf" * 100, b"root" * 100))
    parsed = parse(hs.compressed_certificate(zlib.compress(plain), len(plain)))
    assert parsed == CompressedCertificate(1, len(plain), Certificate((b"leaf" * 100, b"root" * 100)))


@pytest.mark.parametrize(
    ("packed", "size", "algorithm", "oddity"),
    [
        pytest.param(b"??", 900, 2, "brotli", id="brotli is named"),
        pytest.param(b"??", 900, 3, "zstd", id="zstd is named"),
        pytest.param(b"??", 900, 77, "0x004d", id="an unknown algorithm is named by its number"),
        pytest.param(b"no zlib", 900, 1, "cannot be unpacked", id="no zlib at all"),
        pytest.param(zlib.compress(bytes(500)), 900, 1, "says 900 bytes, unpacks to 500", id="less than announced"),
        pytest.param(zlib.compress(bytes(500)), 100, 1, "unpacks to more than 100", id="more than announced"),
        pytest.param(zlib.compress(bytes(2**24 - 1)), 2**24 - 1, 1, "more than 1,048,576", id="a bomb stops at 1 MiB"),
        pytest.param(zlib.compress(b"\0\0"), 2, 1, "certificate_list needs", id="no Certificate inside"),
    ],
)
def test_what_cannot_be_unpacked_says_why(packed: bytes, size: int, algorithm: int, oddity: str) -> None:
    parsed = parse(hs.compressed_certificate(packed, size, algorithm))
    assert isinstance(parsed, CompressedCertificate)
    assert parsed.certificate is None
    assert oddity in parsed.oddities[0]


# ---- anything --------------------------------------------------------------------------------------------------------


@settings(max_examples=300)
@given(
    kind=st.sampled_from([1, 2, 4, 6, 11, 12, 13, 15, 22, 25, 99]),
    data=st.binary(max_size=120),
    version=st.sampled_from([0, SSL3, TLS10, TLS12]),
    suite=st.sampled_from([0, 0xC02F, 0x0033, 0xC035, 0x0003, 0xFAFA]),
)
def test_any_body_gives_a_message(kind: int, data: bytes, version: int, suite: int) -> None:
    assert parse_message(kind, data, Context(version, suite)) is not None


@settings(max_examples=100)
@given(data=st.binary(max_size=100))
def test_tls13_forms_raise_parse_error_alone(data: bytes) -> None:
    for parse_form in (lambda: parse_certificate(data, tls13=True), lambda: parse_certificate_request_13(data)):
        try:
            parse_form()
        except ParseError as error:
            assert 0 <= error.at <= len(data)
