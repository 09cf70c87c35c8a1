"""`Connection` records by hand, for the tests of rules: a ladder drawn as strings, and the facts that are special.

    connection("> SYN", "< SYN-ACK", "> ClientHello", "< Alert 40", "< FIN", server_name="sip.example")

Each line is one frame, 10 ms after the one before; "> " is the client, "< " the server. Other lines:
"... 30 s" (a pause, no frame), "> Alert 48", "< Alert warning 112", "< EncryptedAlert", "> ApplicationData".
What the ladder does not say is the most ordinary value; keyword arguments are attributes of `Connection`, with these
conveniences: `server_chain`, `client_chain` may be a `Chain`; `request` a `CaList`; `client`, `server` and `visibility`
a dict of the attributes that differ; `seen` replaces, `also` adds to and `without` takes from the bits that were derived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import Any

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.names import Name
from analyzer.connection import (
    NOTHING,
    Alert,
    CaList,
    CertificateRequest,
    CertificateState,
    Closed,
    Connection,
    Ending,
    Outcome,
    Seen,
    SentChain,
    Side,
    SideTraffic,
    Step,
    Visibility,
)
from analyzer.rules.rule import Context
from analyzer.tls.messages import ClientHello, ServerHello

START_NS = 1_790_000_000_000_000_000  # 2026-09-21
FRAME_NS = 10_000_000
SECOND_NS = 1_000_000_000
VERSIONS = {"SSLv3": 0x0300, "TLSv1.0": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
TCP_STEPS = {"SYN", "SYN-ACK", "ACK", "FIN", "RST"}
NOT_HANDSHAKE = TCP_STEPS | {"Alert", "EncryptedAlert", "ApplicationData", "PlainText", "Preamble", "Heartbeat"}
NO_PAYLOAD = {"SYN", "SYN-ACK", "ACK", "FIN", "RST"}

MAY_BE_LOST = (
    Seen.SYN
    | Seen.SYN_ACK
    | Seen.CLIENT_HELLO
    | Seen.HELLO_RETRY
    | Seen.SERVER_HELLO
    | Seen.SERVER_CERTIFICATE
    | Seen.CERTIFICATE_REQUEST
    | Seen.CLIENT_CERTIFICATE
    | Seen.CLIENT_CERTIFICATE_MESSAGE
    | Seen.ALERT
)
"""What is hidden, if it is not seen, when the capture does not show the whole handshake."""

TCP = ("> SYN", "< SYN-ACK", "> ACK")
HELLOS = (*TCP, "> ClientHello", "< ServerHello")
SERVER_FLIGHT = (*HELLOS, "< Certificate", "< CertificateRequest", "< ServerHelloDone")
CLIENT_FLIGHT = (*SERVER_FLIGHT, "> Certificate", "> ClientKeyExchange", "> CertificateVerify")
CLIENT_DONE = (*CLIENT_FLIGHT, "> ChangeCipherSpec", "> Finished")
HANDSHAKE = (*CLIENT_DONE, "< ChangeCipherSpec", "< Finished")
"""A whole mutual TLS 1.2 handshake; the shorter ladders are its beginnings."""
HELLOS_13 = (*TCP, "> ClientHello", "< ServerHello", "< EncryptedHandshake")
HANDSHAKE_13 = (*HELLOS_13, "> ChangeCipherSpec", "> EncryptedHandshake", "> Finished", "< NewSessionTicket")
"""A whole mutual TLS 1.3 handshake as it looks without keys."""
DATA = ("> ApplicationData", "< ApplicationData")


def client_hello(**facts: Any) -> ClientHello:
    """An ordinary TLS 1.2 hello with three suites and a server name."""
    usual: dict[str, Any] = {
        "legacy_version": 0x0303,
        "random": bytes(32),
        "session_id": b"",
        "cipher_suites": (0xC02F, 0xC030, 0x009C),
        "compression_methods": (0,),
        "extensions": (0, 10, 13),
        "record_version": 0x0301,
        "server_name": "sip.example.com",
    }
    return ClientHello(**(usual | facts))


def server_hello(**facts: Any) -> ServerHello:
    """An ordinary TLS 1.2 answer."""
    usual: dict[str, Any] = {
        "legacy_version": 0x0303,
        "selected_version": 0x0303,
        "random": bytes(32),
        "session_id": b"",
        "cipher_suite": 0xC02F,
    }
    return ServerHello(**(usual | facts))


def ca_list(*names: Name, size: int | None = None, complete: bool = True) -> CaList:
    """The CA names of a request; `size` defaults to their DER with two length bytes each."""
    length = sum(len(name.der) + 2 for name in names)
    return CaList(id="ca-list", names=names, size=length if size is None else size, complete=complete)


@dataclass(frozen=True, slots=True)
class FakeHistory:
    """A `HistoryView` that has seen what its attributes say, by default nothing."""

    roots: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, str] = field(default_factory=dict)
    cas: tuple[Certificate, ...] = ()
    served: tuple[str, ...] = ()
    alive: tuple[str, ...] = ()
    both: bool = False
    successes: int = 0
    dhe: int = 0
    chain: Chain | None = None
    number: int = field(default_factory=count(-1, -1).__next__)

    def known_root(self, name: Name) -> str | None:
        """`roots` is keyed by the name's text."""
        return self.roots.get(name.text)

    def intermediates(self, subject: Name) -> tuple[Certificate, ...]:
        """Those of `cas` with this subject."""
        return tuple(ca for ca in self.cas if ca.subject == subject)

    def shown_root(self, name: Name) -> str | None:
        """`roots`, but for those that a CA list shows."""
        how = self.roots.get(name.text)
        return None if how is None or "CA list" in how else how

    def learned(self) -> int:
        """It never learns; all that know nothing know the same."""
        return self.number if self.roots or self.cas else 0

    def sender_of(self, sha256: str) -> str | None:
        """`sent` is keyed by the hash."""
        return self.sent.get(sha256)

    def served_names(self, server_ip: str, server_port: int) -> tuple[str, ...]:
        """`served`, whatever the server."""
        return self.served

    def served_chain(self, server_ip: str, server_port: int) -> Chain | None:
        """`chain`, whatever the server."""
        return self.chain

    def answers_from(self, ip: str) -> bool:
        """Is the address among `alive`?"""
        return ip in self.alive

    def both_directions(self) -> bool:
        """`both`."""
        return self.both

    def dhe_worked(self, client_ip: str, server_ip: str, server_port: int) -> int:
        """`dhe`, whatever the pair."""
        return self.dhe


def context(history: FakeHistory | None = None, **facts: Any) -> Context:
    """A context in which 5061 is a SIP and mutual-TLS port and nothing happened before."""
    usual: dict[str, Any] = {"mtls_ports": frozenset({5061}), "sip_ports": frozenset({5061})}
    return Context(history=history or FakeHistory(), **(usual | facts))


def connection(*ladder: str, also: Seen = NOTHING, without: Seen = NOTHING, **facts: Any) -> Connection:
    """The record of a connection that went as the ladder says; see the top of this file."""
    steps = _steps(ladder)
    record = Connection(
        capture="test.pcap",
        stream=0,
        uid="Ctest0000000000000",
        community_id="1:test",
        ts_ns=steps[0].time_ns if steps else START_NS,
        end_ns=_end(ladder),
        time_digits=6,
        client_ip="192.0.2.10",
        client_port=50000,
        server_ip="198.51.100.5",
        server_port=5061,
        roles_known="client-hello",
        outcome=Outcome.UNKNOWN,
        closed=Closed(by=None, how="open"),
        steps=steps,
        tls=any(step.name not in NOT_HANDSHAKE for step in steps),
    )
    record = replace(record, **_derived(record, ladder))
    record = replace(record, **_given(record, facts))
    if "closed" not in facts:
        record = replace(record, closed=_closed(record))
    if "outcome" not in facts:
        record = replace(record, outcome=_outcome(record))
    if "established" not in facts:
        record = replace(record, established=record.outcome is Outcome.ESTABLISHED)
    seen = facts.get("seen", (_seen(record) | also) & ~without)
    hidden = facts.get("hidden", MAY_BE_LOST & ~seen if record.visibility.limited else NOTHING)
    return replace(record, seen=seen, hidden=hidden)


def _steps(ladder: tuple[str, ...]) -> Sequence[Step]:
    """One step a line, but none for a bare ACK, and one for all SYNs of a side, as in real records."""
    steps: list[Step] = []
    for frame, ((side, line), time_ns) in enumerate(_timed(ladder), start=1):
        name = line.partition(" ")[0]
        again = next((i for i, step in enumerate(steps) if name in ("SYN", "SYN-ACK") and step.name == name), None)
        if again is not None:
            first = steps[again]
            steps[again] = replace(first, frames=(*first.frames, frame), count=first.count + 1)
        elif name != "ACK":
            steps.append(Step(side, name, (frame,), time_ns, 0 if name in NO_PAYLOAD else 100))
    return tuple(steps)


def _timed(ladder: tuple[str, ...]) -> list[tuple[tuple[Side, str], int]]:
    now, timed = START_NS, []
    for line in ladder:
        mark, _, rest = line.partition(" ")
        if mark == "...":
            now += int(float(rest.removesuffix("s")) * SECOND_NS)
            continue
        timed.append(((Side.CLIENT if mark == ">" else Side.SERVER, rest), now))
        now += FRAME_NS
    return timed


def _end(ladder: tuple[str, ...]) -> int:
    """The last frame's time; a pause at the end of the ladder is time that the capture goes on without a packet."""
    timed = _timed(ladder)
    return timed[-1][1] if timed else START_NS


def _derived(record: Connection, ladder: tuple[str, ...]) -> dict[str, Any]:
    """What the ladder alone tells."""
    names = {(step.side, step.name) for step in record.steps}
    alerts, endings = _alerts(record, ladder), _endings(record.steps)
    got_client_hello, got_server_hello = (Side.CLIENT, "ClientHello") in names, (Side.SERVER, "ServerHello") in names
    client, server = (_traffic(record.steps, side) for side in Side)
    return {
        "alerts": alerts,
        "endings": endings,
        "client": client,
        "server": server,
        "client_hello": client_hello() if got_client_hello else None,
        "server_hello": server_hello() if got_server_hello else None,
        "server_name": "sip.example.com" if got_client_hello else None,
        "version": "TLSv1.2" if got_server_hello else None,
        "version_code": 0x0303 if got_server_hello else None,
        "cipher": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" if got_server_hello else None,
        "cipher_code": 0xC02F if got_server_hello else None,
        "server_certificate_state": CertificateState.SENT if (Side.SERVER, "Certificate") in names else None,
        "client_certificate_state": CertificateState.SENT if (Side.CLIENT, "Certificate") in names else None,
        "client_certificate_frames": record.frames_of("Certificate", Side.CLIENT),
        "finished": _finished(names),
        "rtt_ns": 2 * FRAME_NS if (Side.SERVER, "SYN-ACK") in names else None,
        "visibility": Visibility(
            syn_seen=(Side.CLIENT, "SYN") in names, client_bytes=client.bytes, server_bytes=server.bytes
        ),
    }


def _finished(names: set[tuple[Side, str]]) -> frozenset[Side]:
    """TLS 1.3 encrypts the server's Finished: the client's shows that both were sent."""
    if (Side.CLIENT, "Finished") in names and (Side.SERVER, "EncryptedHandshake") in names:
        return frozenset(Side)
    return frozenset(side for side in Side if (side, "Finished") in names)


def _given(record: Connection, facts: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments, with the conveniences unfolded."""
    given = {key: value for key, value in facts.items() if key in _FIELDS}
    for key in ("client", "server", "visibility"):
        if isinstance(given.get(key), Mapping):
            given[key] = replace(getattr(record, key), **given[key])
    for side in Side:
        key = f"{side.value}_chain"
        if isinstance(given.get(key), Chain):
            given[key] = sent_chain(record, side, given[key])
            given.setdefault(f"{side.value}_certificate_state", CertificateState.SENT)
    if "request" in facts:
        given["certificate_request"] = request(record, facts["request"])
    hello = given.get("client_hello")
    if isinstance(hello, ClientHello):
        given.setdefault("server_name", hello.server_name)
    if "version" in given:
        given.setdefault("version_code", VERSIONS.get(given["version"]) if given["version"] else None)
    unknown = facts.keys() - _FIELDS - {"request", "seen"}
    assert not unknown, f"no attribute of Connection: {unknown}"
    return given


def sent_chain(record: Connection, side: Side, chain: Chain) -> SentChain:
    """A chain in the Certificate message of the ladder, or in frame 1 if the ladder has none."""
    step = record.step("Certificate", side)
    size = sum(len(certificate.der) + 3 for certificate in chain.certificates) + 7
    frames, time_ns = (step.frames, step.time_ns) if step else ((1,), record.ts_ns)
    return SentChain(side, frames, time_ns, chain, size, records=1)


def request(record: Connection, names: CaList) -> CertificateRequest:
    """A request for any of the usual certificate types, in the frame that the ladder says."""
    step = record.step("CertificateRequest", Side.SERVER)
    frames, time_ns = (step.frames, step.time_ns) if step else ((1,), record.ts_ns)
    return CertificateRequest(frames, time_ns, (1, 64), (0x0401, 0x0403), names, size=names.size + 20, records=1)


def _alerts(record: Connection, ladder: tuple[str, ...]) -> tuple[Alert, ...]:
    alerts: list[Alert] = []
    finished: set[Side] = set()
    for frame, ((side, line), time_ns) in enumerate(_timed(ladder), start=1):
        name, _, rest = line.partition(" ")
        if name == "Finished":
            finished.add(side)
        if name == "Alert":
            alerts.append(Alert(side, 1 if "warning" in rest else 2, int(rest.split()[-1]), frame, time_ns))
        elif name == "EncryptedAlert":
            done = len(finished) == len(Side)
            alerts.append(Alert(side, None, None, frame, time_ns, encrypted=True, after_handshake=done))
    return tuple(alerts)


def _endings(steps: Sequence[Step]) -> tuple[Ending, ...]:
    endings: list[Ending] = []
    for step in steps:
        if step.name in ("FIN", "RST"):
            first = all(ending.side is not step.side for ending in endings)
            endings.append(Ending(step.side, step.name.lower(), step.frames[0], step.time_ns, first_of_side=first))
    return tuple(endings)


def _traffic(steps: Sequence[Step], side: Side) -> SideTraffic:
    own = [step for step in steps if step.side is side]
    payload = [step for step in own if step.size]
    openers = [step for step in own if step.name in ("SYN", "SYN-ACK")]
    app = [step for step in own if step.name == "ApplicationData"]
    if not own:
        return SideTraffic()
    return SideTraffic(
        packets=sum(len(step.frames) for step in own),
        bytes=sum(step.size for step in own),
        app_records=len(app),
        app_bytes=sum(step.size for step in app),
        first_frame=own[0].frames[0],
        last_frame=own[-1].frames[-1],
        last_payload_ns=payload[-1].time_ns if payload else None,
        last_payload_frame=payload[-1].frames[0] if payload else None,
        last_ns=own[-1].time_ns,
        syn_frame=openers[0].frames[0] if openers else None,
        syn_count=sum(step.count for step in openers),
        mss=1460 if openers else None,
        max_segment=max((step.size for step in own), default=0),
        ttl=64,
        acked_bytes=sum(step.size for step in own),
        sent_bytes=sum(step.size for step in own),
    )


def _closed(record: Connection) -> Closed:
    """The first FIN or RST, an echo if the peer had sent a fatal or encrypted alert before."""
    stage = next((step for step in reversed(record.steps) if step.name not in NOT_HANDSHAKE), None)
    place: dict[str, Any] = {"stage": stage.name if stage else "", "stage_side": stage.side if stage else None}
    if not record.endings:
        return Closed(None, "open", time_ns=record.end_ns, **place)
    end = record.endings[0]
    last = record.traffic(end.side.peer).last_payload_ns or record.traffic(end.side).last_payload_ns
    echo = any(a.side is end.side.peer and (a.encrypted or a.fatal) and a.time_ns <= end.time_ns for a in record.alerts)
    after = None if last is None else max(0, end.time_ns - last)
    return Closed(end.side, end.how, frame=end.frame, time_ns=end.time_ns, after_ns=after, echo=echo, **place)


def _outcome(record: Connection) -> Outcome:
    if record.not_tls:
        return Outcome.NOT_TLS
    if not any(step.size for step in record.steps):
        return Outcome.NO_DATA
    if record.finished == set(Side):
        return Outcome.ESTABLISHED
    if record.endings or any(alert.fatal or alert.encrypted for alert in record.alerts):
        return Outcome.FAILED
    return Outcome.UNKNOWN


def _seen(record: Connection) -> Seen:
    """The bits that follow from the record."""
    names = {(step.side, step.name) for step in record.steps}
    end, view = record.closed, record.visibility
    quiet = record.closed.by is not None and record.traffic(record.closed.by).app_bytes == 0
    at_once = end.how in ("fin", "rst") and (end.after_ns or 0) < 2 * SECOND_NS and quiet
    sides = (record.client, record.server)
    empty = (CertificateState.EMPTY, CertificateState.INFERRED_EMPTY, CertificateState.INFERRED_SENT)
    bits = {
        Seen.SYN: (Side.CLIENT, "SYN") in names,
        Seen.SYN_ACK: (Side.SERVER, "SYN-ACK") in names,
        Seen.PAYLOAD: any(step.size for step in record.steps),
        Seen.CLIENT_HELLO: record.client_hello is not None,
        Seen.SERVER_HELLO: record.server_hello is not None,
        Seen.SERVER_CERTIFICATE: record.server_chain is not None,
        Seen.CERTIFICATE_REQUEST: record.certificate_request is not None,
        Seen.CLIENT_CERTIFICATE: record.client_chain is not None,
        Seen.CLIENT_CERTIFICATE_MESSAGE: record.client_chain is not None or record.client_certificate_state in empty,
        Seen.ALERT: any(not alert.encrypted for alert in record.alerts),
        Seen.ENCRYPTED_ALERT: any(alert.encrypted for alert in record.alerts),
        Seen.RESET: any(ending.how == "rst" for ending in record.endings),
        Seen.FIN: any(ending.how == "fin" for ending in record.endings),
        Seen.ICMP: bool(record.icmp),
        Seen.RESUMED: record.resumed,
        Seen.APPLICATION_DATA: any(side.app_bytes for side in sides),
        Seen.ESTABLISHED: record.outcome is Outcome.ESTABLISHED,
        Seen.FAILED: record.outcome is Outcome.FAILED,
        Seen.NOT_TLS: record.outcome is Outcome.NOT_TLS,
        Seen.NO_DATA: record.outcome is Outcome.NO_DATA,
        Seen.UNKNOWN: record.outcome is Outcome.UNKNOWN,
        Seen.LIMITED_VIEW: bool(view.limited or view.truncated_packets),
        Seen.RETRANSMISSION: any(side.retransmitted for side in sides),
        Seen.ZERO_WINDOW: any(side.zero_window_frame is not None for side in sides),
        Seen.PREAMBLE: record.preamble is not None,
        Seen.HELLO_RETRY: record.hello_retry_request is not None,
        Seen.TROUBLED_END: record.outcome is Outcome.FAILED or (record.established and at_once),
    }
    seen = NOTHING
    for bit, there in bits.items():
        seen |= bit if there else NOTHING
    return seen


_FIELDS = frozenset(attribute.name for attribute in fields(Connection))
