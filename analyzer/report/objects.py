"""The JSON of schema `mtlscope/1`: one TypedDict an object, one described key a fact.

docs/fields.md, docs/schema/mtlscope-1.schema.json and `mtlscope fields` are made from these descriptions.
A key is always there; null where the fact is absent or cannot be seen.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from analyzer.report.object_findings import AmendmentObject, ComparisonObject, FindingObject, Frames, Number

SCHEMA = "mtlscope/1"
Sides = Literal["client", "server"]
Outcomes = Literal["established", "failed", "not-tls", "no-data", "unknown"]
States = Literal["sent", "empty", "not-requested", "not-sent", "hidden", "inferred-sent", "inferred-empty", "lost"]
Frame = Annotated[
    Number | None, Meta(description="frame number, counted from 1 as in Wireshark; in later files of a ring FILE#N")
]
Time = Annotated[str, Meta(description="RFC 3339, UTC")]


class CodeObject(TypedDict):
    """A code of the protocol and its name."""

    code: Annotated[int, Meta(description="as on the wire")]
    name: Annotated[str, Meta(description="IANA name; an unknown code as 0x7f1c; GREASE values as such")]


class ClientHelloObject(TypedDict):
    """What the client offered: all that it sent. After a HelloRetryRequest the second hello."""

    frame: Frame
    first_frame: Annotated[Number | None, Meta(description="first hello's frame if there were two")]
    record_version: Annotated[CodeObject, Meta(description="version of the record that carried it")]
    legacy_version: Annotated[CodeObject, Meta(description="the hello's version field")]
    random: Annotated[str, Meta(description="hex")]
    session_id: Annotated[str, Meta(description="hex")]
    server_name: Annotated[str | None, Meta(description="SNI as sent; the outer name if `ech` is outer")]
    versions: Annotated[list[CodeObject] | None, Meta(description="supported_versions")]
    cipher_suites: Annotated[
        list[CodeObject], Meta(description="client's order, GREASE and signalling values included")
    ]
    compression_methods: list[int]
    extensions: Annotated[list[CodeObject] | None, Meta(description="types in wire order; null: no extensions block")]
    groups: Annotated[list[CodeObject] | None, Meta(description="supported_groups")]
    key_share_groups: Annotated[list[CodeObject] | None, Meta(description="groups of key_share")]
    signature_schemes: Annotated[list[CodeObject] | None, Meta(description="signature_algorithms")]
    signature_schemes_cert: Annotated[list[CodeObject] | None, Meta(description="signature_algorithms_cert")]
    ec_point_formats: list[int] | None
    alpn: Annotated[list[str] | None, Meta(description="protocols offered")]
    psk_key_exchange_modes: list[int] | None
    compress_certificate: Annotated[list[int] | None, Meta(description="algorithms of compress_certificate")]
    certificate_authorities: Annotated[list[str] | None, Meta(description="names of extension 47, RFC 4514")]
    session_ticket_bytes: Annotated[int | None, Meta(description="its size; 0: the client asks for a ticket")]
    psk_identities: Annotated[int | None, Meta(description="number of pre_shared_key identities")]
    early_data: bool
    ech: Annotated[str | None, Meta(description="Encrypted ClientHello: outer, inner or draft-esni")]
    sslv2: Annotated[bool, Meta(description="sent in the SSLv2 format, where extensions are impossible")]
    fixed_pattern: Annotated[str | None, Meta(description="ms-turn or google: the fixed hello of pseudo-TLS")]
    oddities: Annotated[list[str], Meta(description="what broke a rule without making the message unreadable")]


class HelloRetryObject(TypedDict):
    """The server's wish for a second hello (RFC 8446 section 4.1.4)."""

    frame: Frame
    cipher_suite: CodeObject
    key_share_group: Annotated[CodeObject | None, Meta(description="group that the second hello must use")]


class ServerHelloObject(TypedDict):
    """What the server chose."""

    frame: Frame
    legacy_version: Annotated[CodeObject, Meta(description="the hello's version field")]
    version: Annotated[CodeObject, Meta(description="supported_versions if present (TLS 1.3), else legacy_version")]
    random: Annotated[str, Meta(description="hex")]
    session_id: Annotated[str, Meta(description="hex")]
    cipher_suite: CodeObject
    compression_method: int
    extensions: Annotated[list[CodeObject] | None, Meta(description="types in wire order; null: no extensions block")]
    key_share_group: CodeObject | None
    alpn: Annotated[str | None, Meta(description="protocol chosen, before TLS 1.3 (where it is encrypted)")]
    psk_identity: Annotated[int | None, Meta(description="index of the chosen pre_shared_key")]
    hello_retry: Annotated[HelloRetryObject | None, Meta(description="the HelloRetryRequest before it")]
    downgrade: Annotated[str | None, Meta(description="downgrade sentinel of RFC 8446 section 4.1.3")]
    sslv2: bool
    fixed_pattern: Annotated[str | None, Meta(description="ms-turn or google: the fixed hello of pseudo-TLS")]
    oddities: list[str]


class SentCertificateObject(TypedDict):
    """A certificate in a chain. All its fields are in the object of type `certificate` with the same sha256."""

    sha256: Annotated[str, Meta(description="lower hex of the DER")]
    subject: Annotated[str, Meta(description="RFC 4514")]
    issuer: Annotated[str, Meta(description="RFC 4514")]
    not_before: Annotated[str | None, Meta(description="RFC 3339, UTC; null if it is no date")]
    not_after: Annotated[str | None, Meta(description="RFC 3339, UTC; null if it is no date")]


Chain = Annotated[
    list[SentCertificateObject] | None, Meta(description="as sent, in order; [] = an empty message; null = none seen")
]


class CertificateRequestObject(TypedDict):
    """The server asks for a client certificate."""

    frame: Annotated[Number, Meta(description="first frame of the message")]
    frames: Frames
    certificate_types: Annotated[list[CodeObject], Meta(description="[] in TLS 1.3, which has none")]
    signature_schemes: Annotated[list[CodeObject] | None, Meta(description="null before TLS 1.2")]
    ca_list: Annotated[str, Meta(description="id of the object of type `ca-list` with every name")]
    certificate_authorities_count: int
    certificate_authorities_bytes: Annotated[int, Meta(description="the list's length field, 0..65535")]
    complete: Annotated[bool, Meta(description="false if the list or a name runs past its end")]
    bytes: Annotated[int, Meta(description="size of the whole message")]
    records: Annotated[int, Meta(description="TLS records that the message spans")]


AlertObject = TypedDict(
    "AlertObject",
    {
        "from": Sides,
        "level": Annotated[str | None, Meta(description="warning, fatal, or a number; null if encrypted")],
        "code": Annotated[int | None, Meta(description="null if encrypted")],
        "description": Annotated[str | None, Meta(description="RFC name, e.g. unknown_ca; null if encrypted")],
        "frame": Annotated[Number, Meta(description="frame number")],
        "encrypted": bool,
        "inferred": Annotated[bool, Meta(description="TLS 1.3: told from the size of the record alone")],
    },
)


class ClosedObject(TypedDict):
    """How the connection ended."""

    by: Annotated[Sides | None, Meta(description="null if nobody closed it")]
    how: Annotated[
        Literal["fin", "rst", "timeout", "open"], Meta(description="open: still going when the capture ended")
    ]
    stage: Annotated[str | None, Meta(description="the last handshake message before it; null if there was none")]
    frame: Frame
    after: Annotated[float | None, Meta(description="seconds since the peer's last payload")]


class InferenceObject(TypedDict):
    """TLS 1.3 without keys: what the sizes of the encrypted records tell."""

    client_certificate: Literal["sent", "empty", "not-requested"] | None
    confidence: str
    refused: Annotated[
        bool, Meta(description="the server answered the client's Finished with an alert's size and closed")
    ]
    client_records: Annotated[list[int], Meta(description="lengths of the client's encrypted records looked at")]
    server_records: Annotated[list[int], Meta(description="lengths of the server's encrypted records looked at")]


class VisibilityObject(TypedDict):
    """How much of the connection the capture shows, and what it shows besides TLS."""

    syn_seen: Annotated[bool, Meta(description="the SYN or SYN-ACK is in the capture")]
    client_bytes: Annotated[int, Meta(description="payload bytes seen of the client")]
    server_bytes: Annotated[int, Meta(description="payload bytes seen of the server")]
    gap_bytes: Annotated[int, Meta(description="bytes of the handshake missing from the capture")]
    gap_side: Sides | None
    truncated_packets: Annotated[int, Meta(description="packets that the snapshot length cut")]
    truncated_handshake: Annotated[bool, Meta(description="such a cut hit the handshake")]
    conflicts: Annotated[int, Meta(description="segments that disagree about the same bytes, or with urgent data")]
    conflict_frames: Frames
    one_sided: Annotated[Sides | None, Meta(description="only this side's packets are there although the other spoke")]
    mid_stream: Annotated[bool, Meta(description="the capture starts inside the connection")]
    open_end: Annotated[bool, Meta(description="the capture ends before the connection does")]
    lost_packets: Annotated[
        int, Meta(description="packets of any connection that a live capture lost while this one was going on", ge=0)
    ]
    evicted: Annotated[bool, Meta(description="closed early because the table of connections was full")]
    roles_known: Annotated[str, Meta(description="what client and server were told from, e.g. client-hello or syn")]
    round_trip: Annotated[float | None, Meta(description="seconds, from the TCP handshake")]
    preamble: Annotated[str | None, Meta(description="plain text before TLS, e.g. HTTP CONNECT")]
    payload: Annotated[str | None, Meta(description="what the payload looks like when it is no TLS, e.g. SIP")]
    payload_from: Annotated[Sides | None, Meta(description="who sent that payload")]
    local_time_doubt: Annotated[bool, Meta(description="the capture has local time of an unknown zone")]
    malformed: Annotated[list[str], Meta(description="where the peers' bytes broke a rule, with side and place")]
    inference: InferenceObject | None


class ConnectionObject(TypedDict):
    """One TCP connection that carried, tried or failed to start TLS."""

    schema: Literal["mtlscope/1"]
    type: Literal["connection"]
    capture: Annotated[str, Meta(description="input file, as it was named")]
    stream: Annotated[int, Meta(description="number in order of the first packet, the same as Wireshark's tcp.stream")]
    uid: Annotated[str, Meta(description="ours; stable for the same file")]
    community_id: Annotated[str, Meta(description="Community ID v1")]
    ts: Annotated[str, Meta(description="first packet, RFC 3339 UTC with all digits the capture has")]
    duration: Annotated[float, Meta(description="seconds from the first to the last packet")]
    client_ip: Annotated[str, Meta(description="who sent the ClientHello; before one, who sent the SYN")]
    client_port: int
    server_ip: str
    server_port: int
    outcome: Annotated[
        Outcomes,
        Meta(
            description="established: the handshake completed as far as can be seen; failed; not-tls: the first bytes are "
            "no TLS; no-data: no payload; unknown: the capture does not show enough"
        ),
    ]
    version: Annotated[str | None, Meta(description="negotiated: SSLv2, SSLv3, TLSv1.0 ... TLSv1.3")]
    cipher: Annotated[str | None, Meta(description="negotiated suite, IANA name; an unknown code as 0x7f1c")]
    curve: Annotated[str | None, Meta(description="group of the key exchange, IANA name")]
    server_name: Annotated[str | None, Meta(description="SNI as sent")]
    next_protocol: Annotated[str | None, Meta(description="ALPN chosen")]
    resumed: Annotated[bool, Meta(description="an earlier session was resumed: no certificates to be expected")]
    established: bool
    ssl_history: Annotated[str, Meta(description="Zeek's letters, the client's in upper case")]
    ja3: str | None
    ja3s: str | None
    ja4: str | None
    client_hello: ClientHelloObject | None
    server_hello: ServerHelloObject | None
    server_certificates: Chain
    client_certificates: Chain
    server_certificate_state: States | None
    client_certificate_state: Annotated[
        States | None, Meta(description="inferred-...: from record sizes; lost: in a gap of the capture")
    ]
    certificate_request: CertificateRequestObject | None
    alerts: list[AlertObject]
    closed: ClosedObject
    visibility: VisibilityObject
    diagnosis: Annotated[str | None, Meta(description="one sentence: the likeliest cause; null when all is well")]
    findings: Annotated[list[FindingObject], Meta(description="likeliest cause first")]
    diagnosis_confidence: Annotated[
        Literal["high", "medium", "low"] | None, Meta(description="how sure it is that this is the cause")
    ]
    worked_beside: Annotated[
        ComparisonObject | None,
        Meta(description="an earlier connection of the same kind that worked, and how they differ"),
    ]


class SubjectAltNameObject(TypedDict):
    """subjectAltName."""

    dns: list[str]
    ip: list[str]
    uri: list[str]
    email: list[str]
    in_order: Annotated[list[str], Meta(description="all of them as sent, with their kind in front")]
    bytes: Annotated[int, Meta(description="size of the extension")]


class KeyObject(TypedDict):
    """A public key."""

    algorithm: Annotated[str, Meta(description="RSA, EC, Ed25519 ... or a dotted OID")]
    bits: int | None
    curve: str | None
    spki_sha256: Annotated[str, Meta(description="lower hex of the SubjectPublicKeyInfo")]


class OidObject(TypedDict):
    """An object identifier and its name."""

    oid: str
    name: str


class ExtensionObject(TypedDict):
    """An extension of a certificate."""

    oid: str
    name: str
    critical: bool


class CertificateObject(TypedDict):
    """A certificate, written once, before the connection that first needs it."""

    schema: Literal["mtlscope/1"]
    type: Literal["certificate"]
    sha256: Annotated[str, Meta(description="lower hex of the DER")]
    sha1: Annotated[str, Meta(description="lower hex of the DER: the thumbprint that Windows shows")]
    readable: Annotated[bool, Meta(description="false if not even our own tolerant reader could read it")]
    version: int | None
    serial: Annotated[str | None, Meta(description="lower hex")]
    subject: Annotated[str, Meta(description="RFC 4514")]
    issuer: Annotated[str, Meta(description="RFC 4514")]
    self_issued: Annotated[bool, Meta(description="subject and issuer are the same name")]
    not_before: Annotated[str | None, Meta(description="RFC 3339, UTC; null if it is no date")]
    not_after: Annotated[str | None, Meta(description="RFC 3339, UTC; null if it is no date")]
    not_before_text: Annotated[str, Meta(description="as written in the certificate")]
    not_after_text: Annotated[str, Meta(description="as written in the certificate")]
    san: SubjectAltNameObject | None
    key: KeyObject | None
    signature_algorithm: str
    signature_hash: str | None
    eku: Annotated[list[OidObject] | None, Meta(description="extended key usage; null if the extension is absent")]
    key_usage: Annotated[list[str] | None, Meta(description="RFC 5280 names; null if the extension is absent")]
    crl_urls: list[str]
    aia_urls: Annotated[list[str], Meta(description="where the issuer's certificate can be had")]
    ocsp_urls: list[str]
    is_ca: Annotated[bool | None, Meta(description="basicConstraints; null if the extension is absent")]
    path_length: int | None
    subject_key_id: Annotated[str | None, Meta(description="hex")]
    authority_key_id: Annotated[str | None, Meta(description="hex")]
    extensions: list[ExtensionObject]
    oddities: Annotated[
        list[str], Meta(description="what is odd about it, e.g. a negative serial or the library's refusal")
    ]


class CaListObject(TypedDict):
    """The CA names of a CertificateRequest, written once, never cut."""

    schema: Literal["mtlscope/1"]
    type: Literal["ca-list"]
    id: Annotated[str, Meta(description="sha256 of the list's bytes")]
    names: Annotated[list[str], Meta(description="every name in wire order, RFC 4514")]
    bytes: Annotated[int, Meta(description="the list's length field")]
    complete: bool


class RepeatedObject(TypedDict):
    """Equal connections of one client and server beyond the first 25: counted, not listed."""

    schema: Literal["mtlscope/1"]
    type: Literal["repeated"]
    capture: str
    rule: str
    client_ip: str
    server_ip: str
    server_port: int
    count: Annotated[int, Meta(description="connections not listed one by one")]
    first: Time
    last: Time
    period: Annotated[float | None, Meta(description="their usual distance in seconds; null if there is none")]


class LossObject(TypedDict):
    """Packets that the capturing side says it lost, written when it says so; in a live run at most about once a minute."""

    schema: Literal["mtlscope/1"]
    type: Literal["loss"]
    capture: str
    begin: Annotated[str | None, Meta(description="they were lost after that, RFC 3339 UTC; null: at any time before")]
    end: Annotated[str | None, Meta(description="they were lost before that, RFC 3339 UTC; null if it was not said")]
    packets: Annotated[int | str, Meta(description="how many; the sum of all of a capture is its `dropped`")]


class PortObject(TypedDict):
    """Traffic of one port."""

    protocol: str
    port: int
    packets: int


class CaptureObject(TypedDict):
    """One input, after its last connection."""

    schema: Literal["mtlscope/1"]
    type: Literal["capture"]
    tool: Annotated[str, Meta(description="name and version of the program")]
    capture: Annotated[str, Meta(description="input file; the first one of a ring")]
    files: Annotated[list[str], Meta(description="all files of a ring")]
    format: str
    packets: Annotated[int, Meta(description="packets = decoded + the sum of not_decoded")]
    bytes: Annotated[int, Meta(description="captured bytes of all packets")]
    decoded: Annotated[int, Meta(description="packets of which a TCP or ICMP header was read")]
    not_decoded: Annotated[dict[str, int], Meta(description="reason -> packets: udp, arp, quic, dtls, truncated ...")]
    connections: Annotated[int, Meta(description="connections reported")]
    tcp_streams: Annotated[int, Meta(description="TCP connections seen")]
    tls_connections: Annotated[int, Meta(description="those with TLS in them")]
    first: Annotated[str | None, Meta(description="time of the first packet, RFC 3339 UTC")]
    last: Annotated[str | None, Meta(description="time of the last packet, RFC 3339 UTC")]
    ports: Annotated[list[PortObject], Meta(description="the busiest first")]
    snap_length: Annotated[int | None, Meta(description="bytes at which packets were cut")]
    dropped: Annotated[int | str | None, Meta(description="packets lost by the capturing side, if it said so")]
    cut_packets: Annotated[int, Meta(description="packets that the snapshot length cut")]
    one_sided: Annotated[int, Meta(description="connections of which only one direction is there")]
    evicted: Annotated[int, Meta(description="connections given up early because the table was full")]
    findings: Annotated[list[FindingObject], Meta(description="across connections")]
    amendments: list[AmendmentObject]
    comparisons: Annotated[
        list[ComparisonObject], Meta(description="connections that failed before the like of them worked")
    ]
    notes: Annotated[list[str], Meta(description="oddities of the file")]
    error: Annotated[str | None, Meta(description="why it could not be read to its end")]


Line = ConnectionObject | CertificateObject | CaListObject | RepeatedObject | LossObject | CaptureObject
"""One line of -T jsonl."""
