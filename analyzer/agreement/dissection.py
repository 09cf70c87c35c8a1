"""Facts of a capture as the tshark that is installed here sees them, read from its PDML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from hashlib import sha256
from typing import IO
from xml.etree.ElementTree import Element, ParseError, iterparse

from analyzer.agreement.facts import SHOWN_NAMES, Facts, Message, firsts, hello_frames, types
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError
from analyzer.tls.names import HandshakeType
from analyzer.wireshark.tool import Process, needed_tool

PREFERENCES = (
    "tcp.reassemble_out_of_order:TRUE",
    "tcp.desegment_tcp_streams:TRUE",
    "tls.desegment_ssl_records:TRUE",
    "tls.keylog_file:",
)
"""Whatever the user's profile says: what Wireshark can show without keys."""
OPTIONS = ("-n", *(word for one in PREFERENCES for word in ("-o", one)), "-T", "pdml", "-J", "ip ipv6 tcp tls")
SHOWN = "tcp && !icmp && !icmpv6 && (tls || tcp.time_relative == 0 || tcp.flags.fin == 1 || tcp.flags.reset == 1)"
ALERT, SIGNATURE_ALGORITHMS = "21", "13"
RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
SEQUENCE, SET = b"\x30", b"\x31"
SHORT_LENGTH = 0x80  # X.690 section 8.1.3.4: below it the length is the octet itself
Address = str


@dataclass(slots=True)
class Stream:
    """What one TCP connection adds up to, in the order of the capture."""

    number: int
    messages: list[tuple[int, Address, Element]] = field(default_factory=list)
    alerts: list[tuple[int, Address, int, int]] = field(default_factory=list)
    ends: list[tuple[int, Address, str]] = field(default_factory=list)
    senders: list[Address] = field(default_factory=list)
    first_frame: int = 0
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Dissection:
    """What tshark saw.

    Attributes:
        streams: frame of the first packet, and facts, of the TCP connections in which it finds TLS.
        problem: why it could not read the file, or not to its end; "" when it could.
    """

    streams: tuple[tuple[int, Facts], ...]
    problem: str = ""


def dissected(path: str) -> Dissection:
    """Run tshark over one file. Raise UsageError if there is none."""
    command = [needed_tool("comparing with Wireshark"), *OPTIONS, "-r", path, "-Y", SHOWN]
    streams: dict[int, Stream] = {}
    problem = ""
    with Process(command, path) as process:
        try:
            for packet in _packets(process.output, path):
                _read_packet(packet, streams)
            process.finish()
        except CaptureError as error:
            problem = str(error)
    found = tuple((stream.first_frame, _facts(stream)) for stream in streams.values() if stream.tls)
    return Dissection(found, problem)


class Legible:
    """tshark's output without the control characters that XML forbids, and that it may copy from packets."""

    BAD = bytes(set(range(0x20)) - set(b"\t\n\r"))

    def __init__(self, output: IO[bytes]) -> None:
        self._output = output

    def read(self, size: int = -1) -> bytes:
        """As of a file; b"" only at the end."""
        while data := self._output.read(size):
            if clean := data.translate(None, self.BAD):
                return clean
        return b""


def _packets(output: IO[bytes], path: str) -> Iterator[Element]:
    """Packet by packet: the whole document of a large capture would not fit into memory."""
    root: Element | None = None
    try:
        for event, element in iterparse(Legible(output), ("start", "end")):  # noqa: S314 - tshark's own words, no document type
            root = element if root is None else root
            if event == "end" and element.tag == "packet":
                yield element
                root.clear()
    except ParseError as error:
        if root is not None:  # else it wrote nothing, and says why
            raise CaptureError(f"{path}: tshark's PDML cannot be read: {error}") from None


def _read_packet(packet: Element, streams: dict[int, Stream]) -> None:
    frame = int(_get(packet, "num") or 0)
    protocols = list(packet)
    at = max((index for index, one in enumerate(protocols) if one.get("name") == "tcp"), default=0)
    network = next((one for one in reversed(protocols[:at]) if one.get("name") in ("ip", "ipv6")), None)
    if network is None:
        return
    transport = protocols[at]
    kind = network.get("name")
    ends = [
        f"{_get(network, f'{kind}.{ip}')}:{_get(transport, f'tcp.{port}')}"
        for ip, port in (("src", "srcport"), ("dst", "dstport"))
    ]
    number = int(_get(transport, "tcp.stream") or 0)
    stream = streams.setdefault(number, Stream(number, senders=ends, first_frame=frame))
    stream.ends += [
        (frame, ends[0], how)
        for how, flag in (("fin", "fin"), ("rst", "reset"))
        if _get(transport, f"tcp.flags.{flag}") == "1"
    ]
    for protocol in protocols[at:]:
        if protocol.get("name") == "tls":
            for record in _all(protocol, "tls.record"):
                _read_record(record, frame, ends[0], stream)


def _read_record(record: Element, frame: int, sender: Address, stream: Stream) -> None:
    stream.tls = True
    holders = [record] if _children(record, "tls.handshake.type") else _children(record, "tls.handshake")
    stream.messages += [(frame, sender, one) for one in holders if _children(one, "tls.handshake.type")]
    if _get(record, "tls.record.content_type") == ALERT:
        levels = _values(record, "tls.alert_message.level") or [-1]
        codes = _values(record, "tls.alert_message.desc") or [-1]
        stream.alerts += [(frame, sender, level, code) for level, code in zip(levels, codes, strict=True)]


# ---- from a stream to facts ------------------------------------------------------------------------------------------


def _facts(stream: Stream) -> Facts:
    client, server = _roles(stream)

    def side(sender: Address) -> str:
        return "client" if sender == client else "server"

    messages: list[Message] = [(frame, side(sender), _kind(one)) for frame, sender, one in stream.messages]
    sent = [(side(sender), _kind(one), one) for _, sender, one in stream.messages]
    hellos = [one for _, kind, one in sent if kind == HandshakeType.client_hello]
    answers = [one for _, kind, one in sent if kind == HandshakeType.server_hello and _random(one) != RETRY]
    requests = [one for _, kind, one in sent if kind == HandshakeType.certificate_request]
    result: dict[str, object] = {
        "stream": stream.number,
        "client": client,
        "server": server,
        "messages": types(messages),
        "hello_frames": hello_frames(messages),
        "alerts": tuple(sorted((frame, side(sender), *rest) for frame, sender, *rest in stream.alerts)),
        "fin": firsts((frame, side(sender)) for frame, sender, how in stream.ends if how == "fin"),
        "rst": firsts((frame, side(sender)) for frame, sender, how in stream.ends if how == "rst"),
        "ca_names": None,
    }
    for who in ("client", "server"):
        chains = (one for sender, kind, one in sent if (sender, kind) == (who, HandshakeType.certificate))
        result[f"{who}_certificates"] = _certificates(next(chains, None))
    if hellos:
        result |= _hello(hellos[-1])
    if answers:
        result |= _answer(answers[-1])
    if requests:
        result |= _request(requests[0])
    return result


def _roles(stream: Stream) -> tuple[Address, Address]:
    """Client and server: from the hellos, else from the ports."""
    first = {_kind(message): sender for _, sender, message in reversed(stream.messages)}
    a, b = stream.senders
    if HandshakeType.client_hello in first:
        client = first[HandshakeType.client_hello]
    elif HandshakeType.server_hello in first:
        client = next(end for end in stream.senders if end != first[HandshakeType.server_hello])
    else:
        client = max(stream.senders, key=lambda end: int(end.rpartition(":")[2]))
    return client, b if client == a else a


def _kind(message: Element) -> int:
    return int(_get(message, "tls.handshake.type") or -1)


def _random(hello: Element) -> str:
    return "".join(one.get("show", "").replace(":", "") for one in _children(hello, "tls.handshake.random"))


def _certificates(message: Element | None) -> tuple[str, ...]:
    if message is None:
        return ()
    return tuple(
        sha256(bytes.fromhex(one.get("value", ""))).hexdigest() for one in _all(message, "tls.handshake.certificate")
    )


def _hello(hello: Element) -> Facts:
    texts = {name: [one.get("show", "") for one in _all(hello, name)] for name in (_NAME, _ALPN, _JA3)}
    facts: dict[str, object] = {
        "hello_suites": tuple(_values(hello, "tls.handshake.ciphersuite", "tls.handshake.cipherspec")),
        "hello_extensions": tuple(_values(hello, "tls.handshake.extension.type")),
        "hello_groups": tuple(_values(hello, "tls.handshake.extensions_supported_group")),
        "hello_versions": tuple(_values(hello, "tls.handshake.extensions.supported_version")),
        "hello_alpn": tuple(texts[_ALPN]),
        "hello_key_shares": tuple(_values(hello, "tls.handshake.extensions_key_share_group")),
        "hello_schemes": tuple(_in_extension(hello, SIGNATURE_ALGORITHMS, "tls.handshake.sig_hash_alg")),
        "server_name": next(iter(texts[_NAME]), None),
    }
    if length := _values(hello, "tls.handshake.session_id_length"):
        facts["hello_session_id"] = length[0]
    if random := _random(hello):
        facts["hello_random"] = random
    if texts[_JA3]:
        facts["ja3"] = texts[_JA3][0]
    return facts


def _answer(answer: Element) -> Facts:
    versions = _values(answer, "tls.handshake.extensions.supported_version")
    protocols = [one.get("show") for one in _all(answer, _ALPN)]
    facts: dict[str, object] = {
        "alpn": next(iter(protocols), None),
        "answer_random": _random(answer),
        "answer_extensions": tuple(_values(answer, "tls.handshake.extension.type")),
    }
    prints = [one.get("show") for one in _all(answer, "tls.handshake.ja3s")]
    found: dict[str, Sequence[object]] = {
        "version": versions or _values(answer, "tls.handshake.version"),
        "cipher": _values(answer, "tls.handshake.ciphersuite"),
        "answer_session_id": _values(answer, "tls.handshake.session_id_length"),
        "ja3s": prints,
    }
    return {**facts, **{name: values[0] for name, values in found.items() if values}}  # a cut message lacks some


def _request(request: Element) -> Facts:
    return {
        "ca_bytes": next(iter(_values(request, "tls.handshake.dnames_len")), 0),
        "ca_names": tuple(_name(one).hex() for one in _all(request, "tls.handshake.dname"))[:SHOWN_NAMES],
        "certificate_types": tuple(_values(request, "tls.handshake.cert_type")),
        "request_schemes": tuple(_values(request, "tls.handshake.sig_hash_alg")),
    }


def _name(name: Element) -> bytes:
    """tshark shows what is inside each SET of the name."""
    parts = (bytes.fromhex(one.get("value", "")) for one in _all(name, "x509if.RDNSequence_item"))
    return _der(SEQUENCE, b"".join(_der(SET, part) for part in parts))


def _der(tag: bytes, content: bytes) -> bytes:
    size = len(content)
    if size < SHORT_LENGTH:
        return tag + bytes([size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return tag + bytes([SHORT_LENGTH | len(length)]) + length + content


_NAME, _ALPN = "tls.handshake.extensions_server_name", "tls.handshake.extensions_alpn_str"
_JA3 = "tls.handshake.ja3"


# ---- fields ----------------------------------------------------------------------------------------------------------


def _children(element: Element, name: str) -> list[Element]:
    return [one for one in element if one.get("name") == name]


def _all(element: Element, *names: str) -> list[Element]:
    return [one for one in element.iter("field") if one.get("name") in names]


def _get(element: Element, name: str) -> str | None:
    return next((one.get("show") for one in element.iter("field") if one.get("name") == name), None)


def _in_extension(message: Element, code: str, name: str) -> list[int]:
    for one in message.iter("field"):
        kinds = _children(one, "tls.handshake.extension.type")
        if kinds and kinds[0].get("show") == code:
            return _values(one, name)
    return []


def _values(element: Element, *names: str) -> list[int]:
    return [int(one.get("show", ""), 0) for one in _all(element, *names)]
