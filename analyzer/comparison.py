"""How two handshakes differ, likeliest relevant first: `compare(a, b)`.

What always differs is left out: addresses, ports, times, randoms, session ids, key shares, GREASE. What the capture does not
show of one of them (encrypted, lost) is no difference. `Sample` is the little of a connection that a comparison needs, so
that a run can remember many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType

from analyzer import knowledge
from analyzer.certificates.chain import Chain
from analyzer.connection import CaList, CertificateState, Connection, Seen, Side
from analyzer.dataclass import dataclass
from analyzer.findings import Difference
from analyzer.judgement.hellos import offer_text, offered_suites
from analyzer.judgement.phrases import brief, called, counted, dn, some
from analyzer.judgement.story import READABLE
from analyzer.tls.messages import ClientHello
from analyzer.tls.names import is_grease

WHATS = MappingProxyType(
    {
        "preamble": "plain text before TLS, e.g. HTTP CONNECT",
        "server-name": "the server name (SNI) that the client asked for",
        "offered-versions": "the TLS versions that the client offered",
        "version": "the TLS version that the server chose",
        "resumed": "an earlier session was resumed",
        "server-certificates": "the certificates that the server sent, and their order",
        "certificate-request": "whether the server asked for a client certificate",
        "ca-list": "the CA names that the server sent with its request",
        "client-certificates": "the certificates that the client sent, and their order",
        "cipher-suites": "the cipher suites that the client offered",
        "cipher": "the cipher suite that the server chose",
        "groups": "the groups (curves) that the client offered",
        "signature-schemes": "the signature schemes that the client offered",
        "alpn": "the application protocols that the client offered",
        "extensions": "the extensions of the ClientHello",
        "distance": "the TTL of the server's packets: another machine may have answered",
        "segment-size": "the maximum segment sizes that were announced",
        "course": "the first message that differs",
    }
)
"""Every `Difference.what` and its meaning, in the order of relevance."""

HELLO = ("server-name", "offered-versions", "cipher-suites", "groups", "signature-schemes", "alpn", "extensions")
CLIENT_CERTIFICATE = ("client-certificates", "certificate-request", "ca-list")
SERVER_CERTIFICATE = ("server-certificates", "server-name", "offered-versions")

NOT_COMPARED = frozenset({"SYN", "SYN-ACK", "Heartbeat", "Preamble", "PlainText", "NewSessionTicket"})
ENDS = frozenset({"FIN", "RST", "Alert", "EncryptedAlert"})
LONGEST_COURSE = 40
SHORT_HASH = 8
PADDING = 21
TTL_JITTER = "ttl_jitter"
_TOLD = {
    CertificateState.EMPTY: "no certificate, although it was asked",
    CertificateState.INFERRED_EMPTY: "no certificate (by the record sizes)",
    CertificateState.INFERRED_SENT: "a certificate (by the record sizes)",
    CertificateState.SENT: "certificates",
}
_SENDS = frozenset({CertificateState.SENT, CertificateState.INFERRED_SENT})

Course = tuple[tuple[Side, str], ...]


@dataclass(slots=True, eq=False, repr=False)  # nobody compares or prints one: a cheaper start
class Sample:
    """What a comparison needs of a connection; hello, chains and CA list are the record's own objects.

    Attributes:
        whole: the handshake is in full view; else what is absent may only be unseen.
        refused_by: who ended a handshake that failed, or threw the client out right after it; None if nobody did.
        requested: the server asked for a client certificate; None if that cannot be seen.
        course: who sent which message, up to the first application data or the end.
        segment_sizes: announced by client and server; None if unknown.
        The others are attributes of Connection.
    """

    stream: int
    uid: str
    ts_ns: int
    client_ip: str
    server_ip: str
    server_port: int
    whole: bool
    refused_by: Side | None
    server_name: str | None
    version_code: int | None
    cipher_code: int | None
    resumed: bool
    preamble: str | None
    hello: ClientHello | None
    server: Chain | None
    client: Chain | None
    client_state: CertificateState | None
    requested: bool | None
    ca_list: CaList | None
    server_ttl: int
    segment_sizes: tuple[int | None, int | None]
    course: Course

    def like(self, conn: Connection) -> bool:
        """Would a sample of this connection say nothing new? Cheap: chains and lists are the same objects when equal."""
        if (self.version_code, self.cipher_code, self.server_name) != (
            conn.version_code,
            conn.cipher_code,
            conn.server_name,
        ):
            return False
        if conn.resumed:
            return True
        server, client, request = conn.server_chain, conn.client_chain, conn.certificate_request
        return (
            not self.resumed
            and self.server is (None if server is None else server.chain)
            and self.client is (None if client is None else client.chain)
            and self.ca_list is (None if request is None else request.ca_list)
        )


def sample_of(conn: Connection) -> Sample:
    """The slim copy of a record."""
    refused = next((side for side in Side if conn.refused_by(side)), None)
    if refused is None and conn.established and Seen.TROUBLED_END & conn.seen:
        refused = conn.closed.by
    request, whole = conn.certificate_request, not conn.visibility.limited
    return Sample(
        stream=conn.stream,
        uid=conn.uid,
        ts_ns=conn.ts_ns,
        client_ip=conn.client_ip,
        server_ip=conn.server_ip,
        server_port=conn.server_port,
        whole=whole,
        refused_by=refused,
        server_name=conn.server_name,
        version_code=conn.version_code,
        cipher_code=conn.cipher_code,
        resumed=conn.resumed,
        preamble=conn.preamble,
        hello=conn.first_client_hello or conn.client_hello,
        server=conn.server_chain.chain if conn.server_chain else None,
        client=conn.client_chain.chain if conn.client_chain else None,
        client_state=conn.client_certificate_state,
        requested=_requested(conn),
        ca_list=request.ca_list if request else None,
        server_ttl=conn.server.data_ttl or conn.server.ttl,
        segment_sizes=(conn.client.mss, conn.server.mss),
        course=_course(conn),
    )


def _requested(conn: Connection) -> bool | None:
    state = conn.client_certificate_state
    if conn.certificate_request is not None:
        return True
    if state is CertificateState.NOT_REQUESTED:
        return False
    return True if state in _TOLD else None


def _course(conn: Connection) -> Course:
    course: list[tuple[Side, str]] = []
    for step in conn.steps:
        if step.name == "ApplicationData" or len(course) == LONGEST_COURSE:
            break
        if step.name not in NOT_COMPARED and (step.side, step.name) not in course[-1:]:
            course.append((step.side, step.name))
        if step.name in ("FIN", "RST"):
            break
    return tuple(course)


def compare(a: Connection, b: Connection) -> tuple[Difference, ...]:
    """How two handshakes differ, likeliest relevant first; () if nothing that can be seen does.

    The order follows how `b` ended (or `a`, if `b` went well): a refused hello by the hellos, a refused certificate by
    that side's certificates. `Difference.what` is a key of `comparison.WHATS`.
    """
    return differences(sample_of(a), sample_of(b))


def differences(a: Sample, b: Sample) -> tuple[Difference, ...]:
    """As `compare`, of samples."""
    found = [difference for look in _LOOKS for difference in look(a, b)]
    near = _near_the_end(b) or _near_the_end(a)
    order = {what: place for place, what in enumerate(dict.fromkeys((*near, *WHATS)))}
    return tuple(sorted(found, key=lambda difference: order[difference.what]))


def _near_the_end(sample: Sample) -> tuple[str, ...]:
    """What the side that ended it had just received."""
    if sample.refused_by is None:
        return ()
    if sample.version_code is None:
        return HELLO
    if sample.refused_by is Side.CLIENT:
        return SERVER_CERTIFICATE
    return CLIENT_CERTIFICATE


# ---- what is looked at -----------------------------------------------------------------------------------------------

Found = Iterator[Difference]


def _opening(a: Sample, b: Sample) -> Found:
    if a.preamble != b.preamble and a.whole and b.whole:
        yield Difference("preamble", "TLS began", *(f"after {s.preamble}" if s.preamble else "at once" for s in (a, b)))
    if a.hello is not None and b.hello is not None and (a.server_name or "").lower() != (b.server_name or "").lower():
        names = (f'for "{brief(s.server_name)}"' if s.server_name else "for no name (no SNI)" for s in (a, b))
        yield Difference("server-name", "the client asked", *names)


def _versions(a: Sample, b: Sample) -> Found:
    if a.hello is not None and b.hello is not None:
        offers = offer_text(a.hello), offer_text(b.hello)
        if offers[0] != offers[1]:
            yield Difference("offered-versions", "the client offered", *offers)
    if a.version_code is None or b.version_code is None:
        return
    if a.version_code != b.version_code:
        names = (knowledge.version_name(code) for code in (a.version_code, b.version_code))
        yield Difference("version", "the server chose", *names)
    elif a.cipher_code is not None and b.cipher_code is not None and a.cipher_code != b.cipher_code:
        suites = (knowledge.cipher_suite(code) for code in (a.cipher_code, b.cipher_code))
        yield Difference("cipher", "the server chose", *suites)


def _certificates(a: Sample, b: Sample) -> Found:
    if a.resumed != b.resumed:
        if a.version_code and b.version_code:
            told = ("resumed (no certificates)" if s.resumed else "negotiated anew" for s in (a, b))
            yield Difference("resumed", "the session was", *told)
        return
    if a.server is not None and b.server is not None:
        same_owner = a.server_ip == b.server_ip
        yield from _chains("server-certificates", "the server sent", a.server, b.server, same_owner)
    if a.requested is not None and b.requested is not None and a.requested != b.requested:
        asked = ("asked for a client certificate" if s.requested else "did not ask for one" for s in (a, b))
        yield Difference("certificate-request", "the server", *asked)
        return
    if a.ca_list is not None and b.ca_list is not None and a.ca_list.id != b.ca_list.id:
        yield from _lists(a.ca_list, b.ca_list)
    yield from _client_certificates(a, b)


def _client_certificates(a: Sample, b: Sample) -> Found:
    if a.client is not None and b.client is not None:
        same_owner = a.client_ip == b.client_ip
        yield from _chains("client-certificates", "the client sent", a.client, b.client, same_owner)
    elif (
        a.client_state in _TOLD and b.client_state in _TOLD and (a.client_state in _SENDS) != (b.client_state in _SENDS)
    ):
        yield Difference("client-certificates", "the client sent", _sent(a), _sent(b))


def _sent(sample: Sample) -> str:
    if sample.client is not None:
        return _listed(sample.client)
    return _TOLD[sample.client_state] if sample.client_state is not None else ""


def _chains(what: str, subject: str, a: Chain, b: Chain, same_owner: bool) -> Found:
    """Of different machines, another certificate of the same issuer is no difference."""
    if a is b or [c.sha256 for c in a.certificates] == [c.sha256 for c in b.certificates]:
        return
    if not same_owner and [c.issuer for c in a.certificates] == [c.issuer for c in b.certificates]:
        return
    first, second = _listed(a), _listed(b)
    if first == second:  # the same names: an older and a newer one
        first, second = (_listed(chain, _generation(a, b, chain)) for chain in (a, b))
    yield Difference(what, subject, first, second)


def _listed(chain: Chain, remark: str = "") -> str:
    """ "3 certificates (sip.example.com, Issuing CA, Root CA)"."""
    names = some(tuple(map(called, chain.certificates)))
    return f"{counted(len(chain.certificates), 'certificate')} ({names}{remark})"


def _generation(a: Chain, b: Chain, chain: Chain) -> str:
    """What tells the first certificate that differs from its namesake."""
    pairs = enumerate(zip(a.certificates, b.certificates, strict=False))
    place = next(place for place, (one, other) in pairs if one.sha256 != other.sha256)
    certificate = chain.certificates[place]
    until = f"valid until {certificate.not_after:%Y-%m-%d}, " if certificate.not_after else ""
    return f"; {called(certificate)} {until}sha256 {certificate.sha256[:SHORT_HASH]}"


def _lists(a: CaList, b: CaList) -> Found:
    """The order says nothing (RFC 5246 section 7.4.4)."""
    if len(a.names) != len(b.names) or set(a.names) != set(b.names):
        yield Difference("ca-list", "the server named", _names(a, b), _names(b, a))


def _names(own: CaList, other: CaList) -> str:
    there = set(other.names)
    more = tuple(dn(name) for name in own.names if name not in there)
    text = f"{counted(len(own.names), 'CA')} in {own.size:,} bytes"
    return f"{text} (among them {some(more, 3)})" if more else text


def _offers(a: Sample, b: Sample) -> Found:
    if a.hello is None or b.hello is None:
        return
    one, other = a.hello, b.hello
    if one.cipher_suites != other.cipher_suites:
        yield from _codes("cipher-suites", "suites", offered_suites(one), offered_suites(other), knowledge.cipher_suite)
    if one.sslv2 or other.sslv2:
        return
    pairs = (
        ("groups", "groups", one.supported_groups, other.supported_groups, knowledge.group),
        ("signature-schemes", "signature schemes", one.signature_schemes, other.signature_schemes, _scheme),
        ("extensions", "extensions", one.extensions, other.extensions, knowledge.extension),
    )
    for what, noun, first, second, name in pairs:
        if first == second:
            continue
        kept = (first, second) if what != "extensions" else (_unordered(first), _unordered(second))
        yield from _codes(what, noun, _plain(kept[0]), _plain(kept[1]), name)
    if one.alpn != other.alpn:
        yield Difference("alpn", "the client offered", *(some(h.alpn) if h.alpn else "no ALPN" for h in (one, other)))


def _scheme(code: int) -> str:
    return knowledge.signature_scheme(code)


def _plain(codes: Iterable[int] | None) -> tuple[int, ...]:
    """Without GREASE."""
    return tuple(code for code in codes or () if not is_grease(code))


def _unordered(extensions: Iterable[int] | None) -> list[int]:
    """Clients shuffle their extensions, and pad their hello to a size (RFC 7685)."""
    return sorted(code for code in extensions or () if code != PADDING)


def _codes(what: str, noun: str, a: tuple[int, ...], b: tuple[int, ...], name: Callable[[int], str]) -> Found:
    if a == b:
        return
    only = [tuple(name(code) for code in own if code not in other) for own, other in ((a, set(b)), (b, set(a)))]
    if any(only):
        told = (f"{some(more)}" if more else "no others" for more in only)
        yield Difference(what, f"besides common {noun} the client offered", *told)
    else:
        place = next((i for i, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), 0)
        told = (f"{name(codes[place])} in place {place + 1}" for codes in (a, b))
        yield Difference(what, f"the client offered the same {noun} in another order,", *told)


def _path(a: Sample, b: Sample) -> Found:
    comparable = a.server_ip == b.server_ip and a.server_ttl and b.server_ttl
    if comparable and abs(a.server_ttl - b.server_ttl) > knowledge.limit(TTL_JITTER):
        yield Difference("distance", "the server's packets came with", *(f"TTL {s.server_ttl}" for s in (a, b)))
    if a.segment_sizes != b.segment_sizes and None not in (*a.segment_sizes, *b.segment_sizes):
        told = (f"{s.segment_sizes[0]} and {s.segment_sizes[1]} bytes" for s in (a, b))
        yield Difference("segment-size", "client and server announced segments of up to", *told)


def _courses(a: Sample, b: Sample) -> Found:
    """Where the two part; only of the same kind of handshake, seen whole."""
    if (
        not (a.whole and b.whole)
        or a.version_code is None
        or a.version_code != b.version_code
        or a.resumed != b.resumed
    ):
        return
    place = next((i for i, (one, other) in enumerate(zip(a.course, b.course, strict=False)) if one != other), None)
    if place is None:
        place = min(len(a.course), len(b.course))
    if place == 0 or (place == len(a.course) == len(b.course)):
        return
    if all(s.refused_by is None for s in (a, b)):
        return  # both went well: who closed first does not matter
    if any(place >= len(s.course) or s.course[place][1] in ENDS for s in (a, b)):
        return  # that one ended here and the other did not is why they are compared
    before = _message(a.course, place - 1)
    yield Difference("course", f"after {before} came", _message(a.course, place), _message(b.course, place))


def _message(course: Course, place: int) -> str:
    side, name = course[place]
    return f"the {side.value}'s {READABLE.get(name, name)}"


_LOOKS: tuple[Callable[[Sample, Sample], Found], ...] = (_opening, _versions, _certificates, _offers, _path, _courses)

__all__ = ["WHATS", "Difference", "Sample", "compare", "differences", "sample_of"]
