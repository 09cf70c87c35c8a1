"""What two readers of one capture can disagree about: facts by connection, compared field by field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from analyzer.connection import Alert, Connection, Side
from analyzer.dataclass import dataclass
from analyzer.tls.messages import Handshake
from analyzer.tls.names import HandshakeType

Facts = Mapping[str, object]
"""Field -> value. A reader leaves out the fields that it cannot tell; only fields of both are compared."""

THEIRS, OURS = "only tshark", "only we"
"""Fields of a connection in which only one of both finds TLS."""
SHOWN_NAMES = 100
"""tshark shows no more names of a CA list."""
NO_STREAM = -1
"""The stream of what is said of a file as a whole."""


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One field of one connection about which both readers disagree. `stream`: tshark's number."""

    capture: str
    stream: int
    field: str

    def __str__(self) -> str:
        return f"{self.capture}, {f'stream {self.stream}, ' if self.stream >= 0 else ''}{self.field}"


FIELDS = {
    THEIRS: ("only Wireshark finds TLS in this connection", "tls"),
    OURS: ("only mtlscope finds a hello in this connection", "tls"),
    "stream": ("number of the connection", "tcp.stream"),
    "client": ("address and port of the client", "ip.src, tcp.srcport"),
    "server": ("address and port of the server", "ip.dst, tcp.dstport"),
    "packets": ("packets of the connection", "frame"),
    "cut_packets": ("packets that the snapshot length cut", "frame.cap_len"),
    "version": ("version that was negotiated", "tls.handshake.version"),
    "cipher": ("cipher suite that was negotiated", "tls.handshake.ciphersuite"),
    "server_name": ("server name that the client sent", "tls.handshake.extensions_server_name"),
    "alpn": ("application protocol that the server chose", "tls.handshake.extensions_alpn_str"),
    "messages": ("types of the client's handshake messages, and of the server's", "tls.handshake.type"),
    "hello_frames": ("frames that complete the ClientHellos", "frame.number"),
    "alerts": ("frame, sender, level and code of each alert; -1: encrypted", "tls.alert_message"),
    "server_certificates": ("SHA-256 of the server's certificates", "tls.handshake.certificate"),
    "client_certificates": ("SHA-256 of the client's certificates", "tls.handshake.certificate"),
    "fin": ("frame and sender of the first FINs", "tcp.flags.fin"),
    "rst": ("frame and sender of the first RSTs", "tcp.flags.reset"),
    "hello_random": ("random of the ClientHello", "tls.handshake.random"),
    "hello_session_id": ("bytes of its session id", "tls.handshake.session_id_length"),
    "hello_suites": ("its cipher suites", "tls.handshake.ciphersuite"),
    "hello_extensions": ("its extensions", "tls.handshake.extension.type"),
    "hello_groups": ("its groups", "tls.handshake.extensions_supported_group"),
    "hello_versions": ("its supported_versions", "tls.handshake.extensions.supported_version"),
    "hello_alpn": ("its application protocols", "tls.handshake.extensions_alpn_str"),
    "hello_key_shares": ("groups of its key shares", "tls.handshake.extensions_key_share_group"),
    "hello_schemes": ("its signature schemes", "tls.handshake.sig_hash_alg"),
    "ja3": ("JA3 of the client", "tls.handshake.ja3"),
    "answer_random": ("random of the ServerHello", "tls.handshake.random"),
    "answer_session_id": ("bytes of its session id", "tls.handshake.session_id_length"),
    "answer_extensions": ("its extensions", "tls.handshake.extension.type"),
    "ja3s": ("JA3S of the server", "tls.handshake.ja3s"),
    "ca_names": ("the first 100 names of the CA list, DER", "tls.handshake.dname"),
    "ca_lengths": ("bytes of each name of the CA list", "tls.handshake.dname_len"),
    "ca_bytes": ("bytes of the CA list", "tls.handshake.dnames_len"),
    "certificate_types": ("types of certificates that the server takes", "tls.handshake.cert_type"),
    "request_schemes": ("signature schemes that the server takes", "tls.handshake.sig_hash_alg"),
}
"""Field -> what it is, and the field of Wireshark to look at."""

Disagreement = tuple[Difference, object, object]
"""What about, what tshark says, what we say."""
Message = tuple[int, str, int]
"""Frame that completes it, side, type."""


def of_connection(conn: Connection) -> Facts:
    """Our view, in the words of tshark."""
    messages = list(_messages(conn))
    facts: dict[str, object] = {
        "stream": conn.stream,
        "client": f"{conn.client_ip}:{conn.client_port}",
        "server": f"{conn.server_ip}:{conn.server_port}",
        "packets": conn.client.packets + conn.server.packets,
        "cut_packets": conn.visibility.truncated_packets,
        "version": conn.version_code,
        "cipher": conn.cipher_code,
        "server_name": conn.server_name or None,
        "alpn": conn.next_protocol,
        "messages": types(messages),
        "hello_frames": hello_frames(messages),
        "alerts": tuple(sorted(_alert(alert) for alert in conn.alerts if not alert.inferred)),
        "server_certificates": _hashes(conn, Side.SERVER),
        "client_certificates": _hashes(conn, Side.CLIENT),
    }
    ends = [(end.frame, str(end.side), end.how) for end in conn.endings]
    facts["fin"] = firsts((frame, side) for frame, side, how in ends if how == "fin")
    facts["rst"] = firsts((frame, side) for frame, side, how in ends if how == "rst")
    return {**facts, **_hellos(conn), **_request(conn)}


def _hashes(conn: Connection, side: Side) -> tuple[str, ...]:
    chain = conn.chain(side)
    return tuple(certificate.sha256 for certificate in chain.chain.certificates) if chain else ()


def _messages(conn: Connection) -> Iterator[Message]:
    for step in conn.steps:
        if isinstance(step.event, Handshake):
            yield step.frames[-1], str(step.side), step.event.type


def types(messages: Iterable[Message]) -> tuple[tuple[int, ...], ...]:
    """Types of the client's messages and of the server's. Finished is left out: with NULL ciphers tshark can read it."""
    shown = [(side, kind) for _, side, kind in messages if kind != HandshakeType.finished]
    return tuple(tuple(kind for who, kind in shown if who == side) for side in ("client", "server"))


def hello_frames(messages: Iterable[Message]) -> tuple[int, ...]:
    """Frames that complete the ClientHellos. Of other messages tshark names the end of the record, we of the message."""
    return tuple(frame for frame, _, kind in messages if kind == HandshakeType.client_hello)


def firsts(ends: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """The first of each side: a FIN or RST that is sent again is no second one."""
    seen: dict[str, int] = {}
    for frame, side in ends:
        seen.setdefault(side, frame)
    return tuple((frame, side) for side, frame in seen.items())


def _alert(alert: Alert) -> tuple[int, str, int, int]:
    """An encrypted one has level and code -1."""
    level, code = (-1, -1) if alert.level is None or alert.code is None else (alert.level, alert.code)
    return alert.frame, str(alert.side), level, code


def _hellos(conn: Connection) -> Facts:
    facts: dict[str, object] = {}
    if hello := conn.client_hello:
        facts |= {
            "hello_random": hello.random.hex(),
            "hello_session_id": len(hello.session_id),
            "hello_suites": hello.cipher_suites,
            "hello_extensions": hello.extensions or (),
            "hello_groups": hello.supported_groups or (),
            "hello_versions": hello.supported_versions or (),
            "hello_alpn": hello.alpn or (),
            "hello_key_shares": hello.key_share_groups or (),
            "hello_schemes": hello.signature_schemes or (),
            "ja3": hello.ja3,
        }
    if answer := conn.server_hello:
        facts |= {
            "answer_random": answer.random.hex(),
            "answer_session_id": len(answer.session_id),
            "answer_extensions": answer.extensions or (),
            "ja3s": answer.ja3s,
        }
    return facts


def _request(conn: Connection) -> Facts:
    request = conn.certificate_request
    if request is None:
        return {"ca_names": None, "ca_lengths": None}
    return {
        "ca_lengths": tuple(len(name.der) for name in request.ca_list.names),
        "ca_bytes": request.ca_list.size,
        "ca_names": tuple(name.der.hex() for name in request.ca_list.names[:SHOWN_NAMES]),
        "certificate_types": request.certificate_types,
        "request_schemes": request.signature_schemes or (),
    }


def disagreements(capture: str, theirs: Iterable[tuple[int, Facts]], run: Iterable[object]) -> Iterator[Disagreement]:
    """Every field of a connection of theirs (found by the frame of its first packet) in which ours differs, and the
    connections with a hello that only we have."""
    ours = {_first_frame(item): item for item in run if isinstance(item, Connection) and item.tls}
    for first, wanted in theirs:
        stream, conn = wanted["stream"], ours.pop(first, None)
        assert isinstance(stream, int)
        if conn is None:
            yield Difference(capture, stream, THEIRS), "TLS", "none"
            continue
        found = of_connection(conn)
        for name in sorted(wanted.keys() & found.keys()):
            if wanted[name] != found[name]:
                yield Difference(capture, stream, name), wanted[name], found[name]
    for conn in ours.values():
        if conn.client_hello or conn.server_hello:
            yield Difference(capture, conn.stream, OURS), "none", "TLS"


def compared(theirs: Iterable[tuple[int, Facts]], run: Iterable[object]) -> int:
    """How many fields of connections that both have were compared."""
    ours = {_first_frame(item): item for item in run if isinstance(item, Connection) and item.tls}
    return sum(len(wanted.keys() & of_connection(ours[first]).keys()) for first, wanted in theirs if first in ours)


def _first_frame(conn: Connection) -> int:
    return min(side.first_frame for side in (conn.client, conn.server) if side.first_frame)
