"""Real OpenSSL handshakes, both directions, read by two streams: what one side sent is what the other side saw."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from analyzer.tls.messages import (
    Alert,
    Certificate,
    CertificateRequest,
    ClientHello,
    Event,
    Handshake,
    ServerHello,
    ServerKeyExchange,
)
from analyzer.tls.stream import State, TlsStream
from tests.tls.streams import slices, words


@dataclass(frozen=True)
class Keys:
    """A self-signed certificate that both sides use and trust."""

    pem: Path
    der: bytes


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edge.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("edge.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path_factory.mktemp("keys") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return Keys(pem, certificate.public_bytes(serialization.Encoding.DER))


def talk(
    keys: Keys, version: ssl.TLSVersion, *, mutual: bool, curve: str = "", trusted: bool = True
) -> tuple[bytes, bytes]:
    """All bytes that the client and the server send until the handshake is over on both sides, or fails."""
    client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(keys.pem)
    server.minimum_version = server.maximum_version = version
    server.set_ecdh_curve(curve or ("X25519" if version is ssl.TLSVersion.TLSv1_3 else "prime256v1"))
    server.set_alpn_protocols(["h2"])
    client.set_alpn_protocols(["h2", "http/1.1"])
    if trusted:
        client.load_verify_locations(keys.pem)
    if mutual:
        client.load_cert_chain(keys.pem)
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(keys.pem)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname="edge.example.com"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    sent = [b"", b""]
    outputs, inputs = (to_server, to_client), (to_client, to_server)
    for turn in range(20):
        side = turn % 2
        incoming = inputs[side]
        try:
            sides[side].do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            incoming.read()
        data = outputs[side].read()
        sent[side] += data
        outputs[side].write(data)
    return sent[0], sent[1]


def read(data: bytes, step: int = 0) -> tuple[list[Event], State]:
    stream = TlsStream()
    parts = slices(data, range(0, len(data), step)) if step else [data]
    events = [event for part in parts for event in stream.feed(part)]
    return events + stream.finish(), stream.state


def body(events: list[Event], kind: type) -> object:
    """The last body of this type."""
    return [e.body for e in events if isinstance(e, Handshake) and isinstance(e.body, kind)][-1]


def test_tls12_mutual(keys: Keys) -> None:
    client_bytes, server_bytes = talk(keys, ssl.TLSVersion.TLSv1_2, mutual=True)
    client, server = read(client_bytes), read(server_bytes)
    assert words(client[0]) == ["1", "11", "16", "15", "ccs", "opaque 22"]
    assert words(server[0])[:5] == ["2", "11", "12", "13", "14"]
    assert words(server[0])[-2:] == ["ccs", "opaque 22"]
    assert client[1] is server[1] is State.OPAQUE
    hello, answer = body(client[0], ClientHello), body(server[0], ServerHello)
    assert isinstance(hello, ClientHello)
    assert isinstance(answer, ServerHello)
    assert (hello.server_name, hello.alpn, hello.oddities) == ("edge.example.com", ("h2", "http/1.1"), ())
    assert (answer.selected_version, answer.alpn, answer.cipher_suite in hello.cipher_suites) == (0x0303, "h2", True)
    assert body(client[0], Certificate) == body(server[0], Certificate) == Certificate((keys.der,))
    request, exchange = body(server[0], CertificateRequest), body(server[0], ServerKeyExchange)
    assert isinstance(request, CertificateRequest)
    assert isinstance(exchange, ServerKeyExchange)
    assert (request.authorities, request.complete, request.oddities) == ((), True, ())
    assert exchange.curve == 23
    assert exchange.signature_scheme in (hello.signature_schemes or ())


def test_tls13_mutual_is_encrypted_after_the_hellos(keys: Keys) -> None:
    client_bytes, server_bytes = talk(keys, ssl.TLSVersion.TLSv1_3, mutual=True)
    client, server = read(client_bytes), read(server_bytes)
    assert words(client[0])[:2] == ["1", "ccs"]
    assert words(server[0])[:2] == ["2", "ccs"]
    assert set(words(client[0])[2:]) == set(words(server[0])[2:]) == {"opaque 23"}
    answer = body(server[0], ServerHello)
    assert isinstance(answer, ServerHello)
    assert (answer.selected_version, answer.hello_retry_request) == (0x0304, False)


def test_tls13_with_a_hello_retry(keys: Keys) -> None:
    client_bytes, server_bytes = talk(keys, ssl.TLSVersion.TLSv1_3, mutual=False, curve="secp521r1")
    client, server = read(client_bytes), read(server_bytes)
    assert words(client[0])[:4] == ["1", "ccs", "1", "opaque 23"]
    assert words(server[0])[:4] == ["2", "ccs", "2", "opaque 23"]
    retry = server[0][0]
    assert isinstance(retry, Handshake)
    assert isinstance(retry.body, ServerHello)
    assert (retry.body.hello_retry_request, retry.body.key_share_group) == (True, 25)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_does_not_trust_says_so_in_clear(keys: Keys, version: ssl.TLSVersion) -> None:
    client_bytes, _ = talk(keys, version, mutual=False, trusted=False)
    events, _ = read(client_bytes)
    alerts = [event for event in events if isinstance(event, Alert)]
    assert [(alert.level, alert.description) for alert in alerts] == [(2, 48)]


@pytest.mark.parametrize("step", [1, 3, 100])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_slices_do_not_matter(keys: Keys, version: ssl.TLSVersion, step: int) -> None:
    for data in talk(keys, version, mutual=True):
        assert read(data, step) == read(data)
