"""What two readers of one capture can disagree about: facts by connection, compared field by field.

`differences.toml` lists every difference that is Wireshark's, with the reason. A listed one that no longer occurs is an
error too: the list stays true.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from analyzer.connection import Alert, Connection, Side
from analyzer.tls.messages import Handshake
from analyzer.tls.names import HandshakeType

Facts = Mapping[str, object]
"""Field -> value. A reader leaves out the fields that it cannot tell; only fields of both are compared."""

LISTED = Path(__file__).with_name("differences.toml")
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


def _first_frame(conn: Connection) -> int:
    return min(side.first_frame for side in (conn.client, conn.server) if side.first_frame)


def listed(group: str) -> dict[Difference, str]:
    """The known differences of "corpus" or "captures", and why they are there."""
    table = tomllib.loads(LISTED.read_text(encoding="utf-8"))
    return {
        Difference(entry["capture"], stream, name): entry["reason"]
        for entry in table.get(group, [])
        for stream in entry.get("streams", [NO_STREAM])
        for name in entry["fields"]
    }


def complaints(capture: str, found: Iterable[Disagreement], known: Mapping[Difference, str]) -> list[str]:
    """One line for each difference that is not listed, and for each listed one of this capture that did not occur."""
    seen, lines = set(), []
    for difference, theirs, ours in found:
        seen.add(difference)
        if difference not in known:
            lines.append(f"{difference}: tshark has {theirs!r}, we have {ours!r}")
    gone = sorted(item for item in known if item.capture == capture and item not in seen)
    return [*lines, *(f"{item}: listed in {LISTED.name}, but both agree" for item in gone)]
