"""Every TLS message and event as a record. Codes stay `int`, so unknown ones survive.

Field names follow RFC 8446 and RFC 5246; `Span` says where in one direction's byte stream a thing lies, and the frames
are found from it. Records are frozen dataclasses, but for those that every connection makes anew: the events that it has
dozens of are frozen structs, made in a third of the time of a dataclass, and the hellos are not frozen, only never changed.
Texts that a peer chose are `str` with every byte outside printable ASCII written as `\\xNN`.
"""

from __future__ import annotations

from msgspec import Struct

from analyzer.dataclass import dataclass


class Span(Struct, frozen=True, gc=False):
    """Where something lies in its direction's stream: `start` is the first byte's offset, `end` one past the last."""

    start: int
    end: int


@dataclass(slots=True, unsafe_hash=True)
class ClientHello:
    """The client's offer. Source: RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2; SSLv2 form RFC 5246 appendix E.2.

    Attributes:
        legacy_version: the version field; in TLS 1.3 always 0x0303.
        record_version: version in the header of the record that carried it.
        random: 32 bytes (an SSLv2 challenge may be shorter).
        session_id: 0..32 bytes.
        cipher_suites: client's order, GREASE and signalling values included (SSLv2: 3-byte kinds with a first byte 0 as
            their 2-byte code, others as 0x010000 and above).
        compression_methods: as sent; () in the SSLv2 form.
        extensions: extension types in wire order; None if the message ends before the extensions block.
        server_name: the first host_name of server_name; None if the extension is absent; "" if it is empty.
        alpn: application_layer_protocol_negotiation; None if absent.
        supported_versions, supported_groups, key_share_groups, signature_schemes, signature_schemes_cert,
        ec_point_formats, psk_key_exchange_modes, compress_certificate: the lists of these extensions; None if absent.
        certificate_authorities: DER names of extension 47; None if absent.
        session_ticket_bytes: length of the session_ticket extension's data; None if absent.
        psk_identities: number of pre_shared_key identities; None if absent.
        early_data: early_data was sent.
        ech: "outer" (encrypted_client_hello: `server_name` is the outer name), "inner", "draft-esni", or None.
        sslv2: the hello came in the SSLv2 record format: extensions were impossible.
        fixed_pattern: "ms-turn" or "google" for the known pseudo-TLS hellos; None otherwise.
        ja3, ja4: fingerprints, see tls/fingerprints.py. ja3 is "" in the SSLv2 form.
        oddities: what broke a rule without making the message unreadable.
    """

    legacy_version: int
    random: bytes
    session_id: bytes
    cipher_suites: tuple[int, ...]
    compression_methods: tuple[int, ...]
    extensions: tuple[int, ...] | None = None
    record_version: int = 0
    server_name: str | None = None
    alpn: tuple[str, ...] | None = None
    supported_versions: tuple[int, ...] | None = None
    supported_groups: tuple[int, ...] | None = None
    key_share_groups: tuple[int, ...] | None = None
    signature_schemes: tuple[int, ...] | None = None
    signature_schemes_cert: tuple[int, ...] | None = None
    ec_point_formats: tuple[int, ...] | None = None
    psk_key_exchange_modes: tuple[int, ...] | None = None
    compress_certificate: tuple[int, ...] | None = None
    certificate_authorities: tuple[bytes, ...] | None = None
    session_ticket_bytes: int | None = None
    psk_identities: int | None = None
    early_data: bool = False
    ech: str | None = None
    sslv2: bool = False
    fixed_pattern: str | None = None
    ja3: str = ""
    ja4: str = ""
    oddities: tuple[str, ...] = ()


@dataclass(slots=True, unsafe_hash=True)
class ServerHello:
    """The server's choice. Source: RFC 8446 section 4.1.3 and 4.1.4, RFC 5246 section 7.4.1.3.

    Attributes:
        legacy_version: the version field.
        selected_version: supported_versions if present (TLS 1.3), else `legacy_version`.
        random, session_id: as sent.
        cipher_suite: the chosen suite.
        compression_method: 0 almost always.
        extensions: extension types in wire order; None if there is no extensions block.
        key_share_group: group of key_share (also in HelloRetryRequest); None if absent.
        alpn: the chosen protocol (before TLS 1.3 only); None if absent.
        psk_identity: the chosen pre_shared_key index; None if absent.
        hello_retry_request: the random is the one of RFC 8446 section 4.1.3.
        downgrade: "TLSv1.2" or "TLSv1.1" if the random ends in the downgrade sentinel of RFC 8446 section 4.1.3; else None.
        sslv2: an SSLv2 SERVER-HELLO.
        fixed_pattern: "ms-turn" or "google" for the known pseudo-TLS hellos.
        ja3s: fingerprint.
        oddities: as in ClientHello.
    """

    legacy_version: int
    selected_version: int
    random: bytes
    session_id: bytes
    cipher_suite: int
    compression_method: int = 0
    extensions: tuple[int, ...] | None = None
    key_share_group: int | None = None
    alpn: str | None = None
    psk_identity: int | None = None
    hello_retry_request: bool = False
    downgrade: str | None = None
    sslv2: bool = False
    fixed_pattern: str | None = None
    ja3s: str = ""
    oddities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """A chain as sent. Source: RFC 5246 section 7.4.2, RFC 8446 section 4.4.2.

    Attributes:
        certificates: DER, sender's order; () is the empty message that says "I have none".
        request_context: TLS 1.3 only, b"" otherwise.
        oddities: as in ClientHello (e.g. a length that runs past the message: the whole ones before it are kept).
    """

    certificates: tuple[bytes, ...]
    request_context: bytes = b""
    oddities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """The server asks for a client certificate. Source: RFC 5246 section 7.4.4; RFC 8446 section 4.3.2.

    Attributes:
        certificate_types: ClientCertificateType codes; () in TLS 1.3, which has none.
        signature_schemes: SignatureScheme codes; None before TLS 1.2.
        authorities: DER DistinguishedNames, wire order, every one. () means "any CA may do", not "none will".
        authorities_bytes: the list's length field, 0..65535.
        authorities_raw: the list's bytes as far as they are there.
        complete: False if the list runs past the message or a name past the list.
        oddities: as in ClientHello.
    """

    certificate_types: tuple[int, ...]
    signature_schemes: tuple[int, ...] | None
    authorities: tuple[bytes, ...]
    authorities_bytes: int
    authorities_raw: bytes
    complete: bool = True
    oddities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerKeyExchange:
    """Key-exchange parameters. Source: RFC 5246 section 7.4.3, RFC 8422 section 5.4.

    Attributes:
        curve: named group of ECDHE; None otherwise.
        dh_bits: size of the DHE prime in bits; None otherwise.
        signature_scheme: TLS 1.2 scheme of the signature; None before TLS 1.2, for anonymous suites, and if not readable.
    """

    curve: int | None = None
    dh_bits: int | None = None
    signature_scheme: int | None = None


@dataclass(frozen=True, slots=True)
class CertificateVerify:
    """Proof of the private key. Source: RFC 5246 section 7.4.8.

    Attributes:
        signature_scheme: None before TLS 1.2 (there is no such field).
        signature_bytes: length of the signature.
    """

    signature_scheme: int | None
    signature_bytes: int


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """A stapled OCSP response. Source: RFC 6066 section 8. `response` is its DER, None for other types."""

    status_type: int
    response: bytes | None


@dataclass(frozen=True, slots=True)
class CompressedCertificate:
    """RFC 8879 section 4. `certificate` is the unpacked message; None if the algorithm is not ours or the size lies."""

    algorithm: int
    uncompressed_length: int
    certificate: Certificate | None
    oddities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewSessionTicket:
    """RFC 5077 section 3.3. Units: seconds and bytes."""

    lifetime_hint: int
    ticket_bytes: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A handshake message without fields of interest, or of an unknown type: HelloRequest, ServerHelloDone, ..."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A whole handshake message whose body breaks its format. `reason` says where and how."""

    reason: str


Body = (
    ClientHello
    | ServerHello
    | Certificate
    | CertificateRequest
    | ServerKeyExchange
    | CertificateVerify
    | CertificateStatus
    | CompressedCertificate
    | NewSessionTicket
    | Plain
    | Unreadable
)


# ---- events of one direction -------------------------------------------------------------------------------------


class Handshake(Struct, frozen=True, gc=False):
    """One whole handshake message in clear.

    Attributes:
        type: HandshakeType code (SSLv2 messages appear as client_hello and server_hello).
        body: the parsed message.
        size: bytes of the message with its header.
        records: number of records it spans.
        span: exactly the message, from its type byte to its last byte (record headers between its parts included); of a
            message in SSLv2 format the whole record.
    """

    type: int
    body: Body
    size: int
    records: int
    span: Span


class ChangeCipherSpec(Struct, frozen=True, gc=False):
    """RFC 5246 section 7.1."""

    span: Span


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert in clear. Source: RFC 5246 section 7.2, RFC 8446 section 6. `level` 1 = warning, 2 = fatal."""

    level: int
    description: int
    span: Span


class OpaqueRecord(Struct, frozen=True, gc=False):
    """A record whose content cannot be seen (encrypted), or application data.

    Attributes:
        content_type: 20..24 as on the wire; in TLS 1.3 nearly always 23 whatever is inside; 0 for a record in SSLv2
            format, which has no type.
        length: the record's length field, without the 5-byte header.
        span: the whole record with its header.
    """

    content_type: int
    length: int
    span: Span


@dataclass(frozen=True, slots=True)
class Preamble:
    """Plain text before TLS on the same connection. `protocol`: "HTTP CONNECT", "SMTP", "PostgreSQL", ... or "unknown"."""

    protocol: str
    span: Span


@dataclass(frozen=True, slots=True)
class NotTls:
    """The first bytes of this direction are no TLS, and none was found behind them.

    Attributes:
        protocol: what it looks like: "HTTP", "SIP", "SSH", ... or "unknown".
        sample: the first bytes, at most 64.
        span: what was looked at.
    """

    protocol: str
    sample: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class Malformed:
    """The peer's bytes broke a rule. An observation, never an exception. `at` is an offset in this direction."""

    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A handshake message or record that the capture does not show whole.

    Attributes:
        what: HandshakeType code of the message known to lie here; None if unknown.
        content_type: content type of the record known to lie here; None if unknown.
        missing: bytes missing from the capture.
        at: offset in this direction where the hole starts; at the end of the direction its last byte's offset + 1.
        resumed: framing could go on behind the hole (the record's length was known). False too at the end of a direction
            that stops inside a message or record (`missing` = what it still needed, 0 if that is unknown).
    """

    what: int | None
    content_type: int | None
    missing: int
    at: int
    resumed: bool


Event = Handshake | ChangeCipherSpec | Alert | OpaqueRecord | Preamble | NotTls | Malformed | Lost
