"""`Connection`: everything the capture shows of one TCP connection and its TLS handshake. Facts only, no opinion.

Every fact is there, absent, or hidden: an attribute is None when the fact is absent or cannot be seen, and `hidden` says
which facts may exist but cannot be seen (encrypted, lost from the capture, or on a side that was not captured).
The record and the parts that every connection has are not frozen, only never changed: a frozen object takes three times
as long to make (docs/decisions). Field names are Zeek's where the meaning is equal.
Times are nanoseconds since 1970-01-01 UTC (`_ns`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import IntFlag, StrEnum
from typing import Any, overload

from analyzer import views
from analyzer.addresses import endpoint
from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.names import Name
from analyzer.dataclass import dataclass
from analyzer.findings import Comparison, Confidence, Finding
from analyzer.packets.columns import IcmpError
from analyzer.tls.messages import Alert as WireAlert
from analyzer.tls.messages import ClientHello, Event, ServerHello


class Side(StrEnum):
    """A TLS role. The client sent the ClientHello; before one, it is who sent the SYN."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def peer(self) -> Side:
        """The other side."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class Outcome(StrEnum):
    """How it went: the handshake was completed, or failed; no TLS; no payload at all; or nobody can tell."""

    ESTABLISHED = "established"
    FAILED = "failed"
    NOT_TLS = "not-tls"
    NO_DATA = "no-data"
    UNKNOWN = "unknown"


class CertificateState(StrEnum):
    """What is known of one side's Certificate message."""

    SENT = "sent"
    EMPTY = "empty"
    NOT_REQUESTED = "not-requested"
    NOT_SENT = "not-sent"
    HIDDEN = "hidden"
    INFERRED_SENT = "inferred-sent"
    INFERRED_EMPTY = "inferred-empty"
    LOST = "lost"


class Seen(IntFlag):
    """Facts that a rule can need. `Connection.seen` has the bits of those that are there, `Connection.hidden` of those
    that may exist but cannot be seen. ESTABLISHED ... UNKNOWN mirror `outcome`; exactly one of them is set."""

    SYN = 1 << 0
    SYN_ACK = 1 << 1
    PAYLOAD = 1 << 2
    CLIENT_HELLO = 1 << 3
    SERVER_HELLO = 1 << 4
    SERVER_CERTIFICATE = 1 << 5
    """A Certificate message of the server with at least one certificate."""
    CERTIFICATE_REQUEST = 1 << 6
    CLIENT_CERTIFICATE = 1 << 7
    """A Certificate message of the client with at least one certificate."""
    CLIENT_CERTIFICATE_MESSAGE = 1 << 8
    """The client answered the request, empty or not; also when inferred in TLS 1.3."""
    ALERT = 1 << 9
    """An alert in clear."""
    ENCRYPTED_ALERT = 1 << 10
    RESET = 1 << 11
    FIN = 1 << 12
    ICMP = 1 << 13
    RESUMED = 1 << 14
    APPLICATION_DATA = 1 << 15
    ESTABLISHED = 1 << 16
    FAILED = 1 << 17
    NOT_TLS = 1 << 18
    NO_DATA = 1 << 19
    UNKNOWN = 1 << 20
    SERVER_KEY_EXCHANGE = 1 << 21
    LIMITED_VIEW = 1 << 22
    """Gap, one-sided, mid-stream start or packets cut by the snapshot length."""
    RETRANSMISSION = 1 << 23
    """A segment was sent more than once, or acknowledged late: what the loss rules look at."""
    ZERO_WINDOW = 1 << 24
    PREAMBLE = 1 << 25
    TROUBLED_END = 1 << 26
    """outcome failed, or the end (reset, silence) came at once after the handshake: rules about endings need it."""
    HELLO_RETRY = 1 << 27
    """A HelloRetryRequest."""


NOTHING = Seen(0)


@dataclass(slots=True, unsafe_hash=True)
class Step:
    """One thing that one side did, for ladders, histories and evidence, in the order of the capture.

    Attributes:
        side: who.
        name: "ClientHello", "ChangeCipherSpec", "Alert", "EncryptedHandshake", "ApplicationData", "SYN", "FIN", "RST", ...
        frames: frames that carry it, ascending; at least one.
        time_ns: when its last byte was seen.
        size: bytes (0 for SYN, FIN, RST).
        event: the parsed event; None for SYN, FIN, RST and plain bytes.
        count: how many equal steps in a row this stands for (application data records).
    """

    side: Side
    name: str
    frames: tuple[int, ...]
    time_ns: int
    size: int = 0
    event: Event | None = None
    count: int = 1


StepRow = tuple[int, int, int, Side, str, tuple[int, ...], int, int, Event | None, int]
"""A step as plain data: completing frame, place within it, running number, then the fields of Step."""


class Steps(Sequence[Step]):
    """Steps that are worked out when somebody looks: most connections are healthy, and nobody does."""

    __slots__ = ("_hellos", "_made", "_rows", "_work_out")

    def __init__(
        self,
        rows: Sequence[StepRow] | None = None,
        work_out: Callable[[], Sequence[StepRow]] | None = None,
        hellos: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        """`work_out` gives the rows if they are not known yet; it is called once at most. `hellos`: frames of the first
        ClientHello and ServerHello, which every output shows."""
        self._rows, self._work_out, self._hellos = rows, work_out, hellos
        self._made: tuple[Step, ...] | None = None

    @property
    def rows(self) -> Sequence[StepRow]:
        """The steps as plain data."""
        if self._rows is None:
            self._rows = self._work_out() if self._work_out is not None else ()
            self._work_out = None
        return self._rows

    def frames_of(self, name: str, side: Side | None) -> tuple[int, ...]:
        """Frames of the first step of this name (and side); () if there is none."""
        if self._rows is None and self._hellos is not None and side is None and name in self._hellos:
            return self._hellos[name]
        return next((row[5] for row in self.rows if row[4] == name and (side is None or row[3] is side)), ())

    def __reduce__(self) -> tuple[type[Steps], tuple[Sequence[StepRow]]]:
        return Steps, (self.rows,)  # from another process nothing is worked out

    def _steps(self) -> tuple[Step, ...]:
        if self._made is None:
            self._made = tuple(Step(*row[3:]) for row in self.rows)
        return self._made

    @overload
    def __getitem__(self, index: int) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Step, ...]: ...

    def __getitem__(self, index: int | slice) -> Step | tuple[Step, ...]:
        return self._steps()[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._steps() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._steps())

    def __repr__(self) -> str:
        return repr(self._steps())


@dataclass(frozen=True, slots=True)
class CaList:
    """The CA names of a CertificateRequest: one object for equal lists.

    Attributes:
        id: sha256 (lower hex) of the list's bytes.
        names: every name, wire order; a name that cannot be read is still there, with its DER.
        size: value of the list's length field in bytes, 0..65535.
        complete: False if the list or a name runs past its end.
    """

    id: str
    names: tuple[Name, ...]
    size: int
    complete: bool = True


@dataclass(slots=True, unsafe_hash=True)
class CertificateRequest:
    """What the server asked for. `signature_schemes` is None before TLS 1.2. `frames` carry the message."""

    frames: tuple[int, ...]
    time_ns: int
    certificate_types: tuple[int, ...]
    signature_schemes: tuple[int, ...] | None
    ca_list: CaList
    size: int
    records: int


@dataclass(slots=True, unsafe_hash=True)
class SentChain:
    """A Certificate message with at least one certificate, and where it was seen."""

    side: Side
    frames: tuple[int, ...]
    time_ns: int
    chain: Chain
    size: int
    records: int


@dataclass(slots=True, unsafe_hash=True)
class Alert:
    """An alert. `level` and `code` are None if it is encrypted.

    Attributes:
        after_handshake: its sender's and the peer's Finished had been seen before it: most likely a close_notify.
        inferred: TLS 1.3: a record of alert size, not a record of type alert.
    """

    side: Side
    level: int | None
    code: int | None
    frame: int
    time_ns: int
    encrypted: bool = False
    after_handshake: bool = False
    inferred: bool = False

    @property
    def fatal(self) -> bool:
        """Level 2. An encrypted alert tells nothing of its level."""
        return self.level == 2


@dataclass(slots=True, unsafe_hash=True)
class Ending:
    """One FIN or RST. `first_of_side`: no FIN or RST of the same side came before."""

    side: Side
    how: str
    frame: int
    time_ns: int
    seq_fits: bool = True
    ttl: int = 0
    ip_id: int = 0
    first_of_side: bool = True


@dataclass(slots=True, unsafe_hash=True)
class Closed:
    """How the connection ended.

    Attributes:
        by: who ended it; None if nobody did.
        how: "fin", "rst", "timeout" (silence, sent again or given up) or "open" (still going when the capture ended).
        stage: name of the last handshake step before the end, "" if none (e.g. "ServerHelloDone").
        stage_side: whose step that was.
        frame: the FIN's or RST's frame; None for timeout and open.
        time_ns: when; for timeout and open the last packet.
        after_ns: nanoseconds since the peer's last payload (or since the last packet with payload if the peer sent none).
        echo: this end only answers an earlier close of the peer (its FIN, alert or RST).
    """

    by: Side | None
    how: str
    stage: str = ""
    stage_side: Side | None = None
    frame: int | None = None
    time_ns: int = 0
    after_ns: int | None = None
    echo: bool = False


@dataclass(slots=True, unsafe_hash=True)
class SideTraffic:
    """What one side sent, on TCP level.

    Attributes:
        packets: segments seen.
        bytes: payload bytes seen, retransmissions excluded as far as known.
        app_records: application data records after the handshake; tickets of TLS 1.3 excluded; as far as followed.
        app_bytes: payload bytes after the handshake (all of them, also those not followed record by record).
        unread_bytes: those behind the last record that was followed; an alert at the end excluded. Nobody knows what they
            are: with app_records 0, tickets of TLS 1.3 perhaps, or data.
        first_frame, last_frame, last_payload_ns, last_payload_frame: None if nothing was seen.
        last_ns: time of its last packet of any kind.
        syn_frame, syn_count: connection openers (SYN of the client, SYN-ACK of the server).
        mss: maximum segment size it announced; None if no SYN was seen or it had no such option.
        max_segment: largest payload of one segment.
        ttl, ip_id: of its first packet (SYN or SYN-ACK if seen).
        data_ttl, data_ip_id: of its first packet with payload; 0 if there was none.
        acked_bytes: how many bytes of this side's stream the peer has acknowledged, relative to its first byte; None if
            unknown.
        sent_bytes: how many bytes of its stream this side sent, holes included.
        retransmitted: segments sent again. `retransmitted_frames`: the first few.
        retransmitted_full: how many of these were full-size.
        unacked_full_size: the peer never acknowledged a full-size segment that was sent at least three times, while
            smaller segments passed.
        zero_window_frame: first segment of this side with window 0 (not RST) during the handshake; None if none.
        zero_window_ns: how long that lasted, until its window opened or the capture of the connection ended.
        after_close_bytes: payload it sent after the other side's FIN or RST.
    """

    packets: int = 0
    bytes: int = 0
    app_records: int = 0
    app_bytes: int = 0
    unread_bytes: int = 0
    first_frame: int | None = None
    last_frame: int | None = None
    last_payload_ns: int | None = None
    last_payload_frame: int | None = None
    last_ns: int | None = None
    syn_frame: int | None = None
    syn_count: int = 0
    mss: int | None = None
    max_segment: int = 0
    ttl: int = 0
    ip_id: int = 0
    data_ttl: int = 0
    data_ip_id: int = 0
    acked_bytes: int | None = None
    sent_bytes: int = 0
    retransmitted: int = 0
    retransmitted_frames: tuple[int, ...] = ()
    retransmitted_full: int = 0
    unacked_full_size: bool = False
    zero_window_frame: int | None = None
    zero_window_ns: int = 0
    after_close_bytes: int = 0


@dataclass(slots=True, unsafe_hash=True)
class Visibility:
    """How much of the connection the capture shows.

    Attributes:
        syn_seen: the SYN (or SYN-ACK) is in the capture.
        client_bytes, server_bytes: payload bytes seen of each side.
        gap_bytes: bytes of the handshake missing from the capture (acknowledged or overtaken, never seen).
        gap_side: whose; None if no gap or both.
        truncated_packets: packets of this connection that the snapshot length cut.
        truncated_handshake: such a cut hit bytes of the handshake.
        conflicts: segments that disagree about the same bytes, or carry urgent data, of which a receiver may leave out a
            byte. conflict_frames: where.
        undecided: no checksum decides which bytes the receiver took; those that came first are shown.
        one_sided: only this side's packets are in the capture although the other's acknowledgements show that it spoke.
        mid_stream: the capture starts inside the connection.
        open_end: the capture ends while the connection is still going (no FIN, no RST).
        evicted: the record was closed early because the table of connections was full.
        lost_packets: packets, of whatever connection, that a live capture lost while this one was going on.
    """

    syn_seen: bool = False
    client_bytes: int = 0
    server_bytes: int = 0
    gap_bytes: int = 0
    gap_side: Side | None = None
    truncated_packets: int = 0
    truncated_handshake: bool = False
    conflicts: int = 0
    conflict_frames: tuple[int, ...] = ()
    undecided: bool = False
    one_sided: Side | None = None
    mid_stream: bool = False
    open_end: bool = False
    evicted: bool = False
    lost_packets: int = 0

    @property
    def limited(self) -> str:
        """Why verdicts about what a side did NOT do must be withheld, as a clause; "" when the view is whole."""
        if self.one_sided:
            return f"only the {self.one_sided.value}'s packets are in the capture"
        if self.gap_bytes:
            return f"{self.gap_bytes:,} bytes of the handshake are missing from the capture"
        if self.truncated_handshake:
            return "the snapshot length cut packets of the handshake"
        if self.mid_stream:
            return "the capture starts inside the connection"
        if self.lost_packets:
            return f"the capture lost {self.lost_packets:,} packets while the connection was going on"
        if self.undecided:
            return f"{self.conflicts:,} packets disagree about the same bytes; the receiver may have taken others"
        return ""


@dataclass(frozen=True, slots=True)
class ClientAuth13:
    """TLS 1.3 without keys: what record sizes tell of the client's certificate (RFC 8446 section 5.2, sizes measured).

    Attributes:
        answer: "sent", "empty", "not-requested", or None if the records do not tell.
        confidence: "high" or "medium".
        refused: the server's only answer to the client's Finished was a record of alert size, and the close.
        client_refused: the client ended with an alert before its Finished.
        client_records, server_records: lengths of the encrypted records looked at, in order.
        frames: frames of the client's records looked at.
        arrived: False if the server's own acknowledgements show that it never had the client's whole flight.
    """

    answer: str | None = None
    confidence: str = "medium"
    refused: bool = False
    client_refused: bool = False
    client_records: tuple[int, ...] = ()
    server_records: tuple[int, ...] = ()
    frames: tuple[int, ...] = ()
    arrived: bool = True


@dataclass(slots=True, unsafe_hash=True)
class Connection:
    """One TCP connection, as far as the capture shows it.

    Attributes:
        capture: the input file, as the user named it.
        stream: number in order of the first packet; equals Wireshark's tcp.stream for that file.
        uid: "C" and 16 letters and digits, from the file-independent facts: the same for the same capture at every run.
        community_id: Community ID v1.
        ts_ns, end_ns: first and last packet. time_digits: digits of a second that the capture has.
        client_ip ... server_port: who is who.
        roles_known: "client-hello", "server-hello", "syn", "port" or "guess": what the roles were told from.
        outcome, version, cipher, curve, server_name, next_protocol, resumed, established, ssl_history, ja3, ja3s, ja4:
            see docs/fields.md; version "TLSv1.2" style, cipher and curve are IANA names or "0x7f1c".
        version_code, cipher_code: the same as numbers; None if not negotiated.
        client_hello, server_hello: the last ones of a hello retry, else the only ones; None if not seen.
        first_client_hello, hello_retry_request: of a hello retry; None otherwise.
        server_chain, client_chain: the Certificate messages with certificates; None otherwise (see the states).
        server_certificate_state, client_certificate_state: None before the handshake got that far.
        client_certificate_frames: frames of the client's Certificate message, also when it is empty.
        certificate_request: None if none was seen in clear.
        server_key_exchange_curve, dh_bits, server_signature_scheme, client_signature_scheme: from ServerKeyExchange and
            CertificateVerify; None if absent.
        ocsp_stapled: a CertificateStatus was seen.
        client_auth_13: TLS 1.3 inference; None for other versions.
        alerts: in order. endings: every FIN and RST, in order. closed: how it ended.
        steps: everything that happened, in order; long runs of application data are one step.
        client, server: TCP facts of each side.
        rtt_ns: from SYN to SYN-ACK to ACK as seen here, the larger part; None if not seen.
        finished: which sides' Finished (or its encrypted record) has been seen.
        icmp: errors that quote this connection.
        preamble: protocol of plain text before TLS, e.g. "HTTP CONNECT"; None if TLS started at once.
        not_tls: what the payload looks like, and who sent it, when it is no TLS; None otherwise.
        not_tls_answer: the first bytes of the server's payload if that of both sides is no TLS; b"" otherwise.
        expected: TLS is expected on this port (--ports).
        tls: a TLS record of either side was recognised.
        visibility: see Visibility. malformed: oddities of the peers' bytes, one line each with side and place.
        seen, hidden: see Seen.
        local_time_doubt: the capture carries local time without a zone; its UTC times may be up to 14 hours off.
        files: in a ring of files: (number of the first frame, name) of the file of the first packet and the later ones.
        findings: filled by the rules, likeliest cause first; () before.
        diagnosis: the sentence an expert would say first; None when all is well.
        worked_beside: of a connection in trouble: an earlier one of the same client, server or server name that worked, and
            how they differ; None if there is none. (For one that worked only later see CaptureSummary.comparisons.)
    """

    capture: str
    stream: int
    uid: str
    community_id: str
    ts_ns: int
    end_ns: int
    time_digits: int
    client_ip: str
    client_port: int
    server_ip: str
    server_port: int
    roles_known: str
    outcome: Outcome
    closed: Closed
    version: str | None = None
    version_code: int | None = None
    cipher: str | None = None
    cipher_code: int | None = None
    curve: str | None = None
    server_name: str | None = None
    next_protocol: str | None = None
    resumed: bool = False
    established: bool = False
    ssl_history: str = ""
    ja3: str | None = None
    ja3s: str | None = None
    ja4: str | None = None
    client_hello: ClientHello | None = None
    server_hello: ServerHello | None = None
    first_client_hello: ClientHello | None = None
    hello_retry_request: ServerHello | None = None
    server_chain: SentChain | None = None
    client_chain: SentChain | None = None
    server_certificate_state: CertificateState | None = None
    client_certificate_state: CertificateState | None = None
    client_certificate_frames: tuple[int, ...] = ()
    certificate_request: CertificateRequest | None = None
    dh_bits: int | None = None
    server_signature_scheme: int | None = None
    client_signature_scheme: int | None = None
    ocsp_stapled: bool = False
    client_auth_13: ClientAuth13 | None = None
    alerts: tuple[Alert, ...] = ()
    endings: tuple[Ending, ...] = ()
    steps: Sequence[Step] = ()
    client: SideTraffic = field(default_factory=SideTraffic)
    server: SideTraffic = field(default_factory=SideTraffic)
    rtt_ns: int | None = None
    finished: frozenset[Side] = frozenset()
    icmp: tuple[IcmpError, ...] = ()
    preamble: str | None = None
    not_tls: tuple[str, Side, bytes] | None = None
    not_tls_answer: bytes = b""
    expected: bool = True
    tls: bool = False
    visibility: Visibility = field(default_factory=Visibility)
    malformed: tuple[str, ...] = ()
    seen: Seen = NOTHING
    hidden: Seen = NOTHING
    local_time_doubt: bool = False
    files: tuple[tuple[int, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    diagnosis: str | None = None
    worked_beside: Comparison | None = None

    @property
    def duration(self) -> float:
        """Seconds from the first to the last packet; never negative."""
        return max(0, self.end_ns - self.ts_ns) / 1e9

    @property
    def failed(self) -> bool:
        """outcome is "failed"."""
        return self.outcome is Outcome.FAILED

    @property
    def troubled(self) -> bool:
        """It failed, or a rule found an error or a warning: `--troubled`, and what the text report shows as a block."""
        return self.failed or any(finding.severity.rank < 2 for finding in self.findings)

    def set_findings(self, findings: tuple[Finding, ...], diagnosis: str | None) -> None:
        """Called once, by the pipeline, before anybody else has the record: a copy would cost as much as the record."""
        self.findings, self.diagnosis = findings, diagnosis

    def set_comparison(self, comparison: Comparison | None) -> None:
        """As `set_findings`."""
        object.__setattr__(self, "worked_beside", comparison)

    @property
    def diagnosis_confidence(self) -> Confidence | None:
        """How sure the diagnosis is the cause: that of the first finding; LOW for a failure that no rule explains; None
        without a diagnosis."""
        if self.diagnosis is None:
            return None
        return self.findings[0].confidence if self.findings else Confidence.LOW

    def frame_label(self, frame: int) -> int | str:
        """The frame number as a user finds it: counted within the file of the first packet; "FILE#N" in a later file of
        a ring (internally frames are counted through all files)."""
        if not self.files:
            return frame
        home, label = self.files[0], frame
        for first, name in self.files:
            if frame >= first:
                home, label = (first, name), frame - first + 1
        return label if home == self.files[0] else f"{home[1]}#{label}"

    def to_pyshark(self) -> list[Any]:
        """Its packets as pyshark.packet.packet.Packet, read again from the capture by tshark; of a ring those in the file
        of its first packet. Raise UsageError if pyshark, tshark or the capture is not there, and CaptureError if tshark
        cannot read it."""
        from analyzer.wireshark.packets import packets

        first, path = self.files[0] if self.files else (1, self.capture)
        if first == 1 and len(self.files) < 2:
            return packets(path, self.display_filter())
        ip = "ipv6" if ":" in self.client_ip else "ip"  # in a ring Wireshark's numbers begin anew in each file
        ends = ((self.client_ip, self.client_port), (self.server_ip, self.server_port))
        frames = [side.first_frame for side in (self.client, self.server) if side.first_frame]
        lasts = [side.last_frame for side in (self.client, self.server) if side.last_frame]
        return packets(
            path,
            " && ".join(f"{ip}.addr == {address} && tcp.port == {port}" for address, port in ends)
            + f" && frame.number >= {min(frames) - first + 1} && frame.number <= {max(lasts) - first + 1}",
        )

    def traffic(self, side: Side) -> SideTraffic:
        """TCP facts of one side."""
        return self.client if side is Side.CLIENT else self.server

    def chain(self, side: Side) -> SentChain | None:
        """The chain that this side sent; None if none was seen."""
        return self.client_chain if side is Side.CLIENT else self.server_chain

    def chains(self) -> Iterator[SentChain]:
        """The chains seen, the server's first."""
        if self.server_chain:
            yield self.server_chain
        if self.client_chain:
            yield self.client_chain

    def step(self, name: str, side: Side | None = None) -> Step | None:
        """The first step of this name (and side); None if there is none."""
        if isinstance(self.steps, Steps):  # without making an object of every step
            for row in self.steps.rows:
                if row[4] == name and (side is None or row[3] is side):
                    return Step(*row[3:])
            return None
        return next((step for step in self.steps if step.name == name and (side is None or step.side is side)), None)

    def frames_of(self, name: str, side: Side | None = None) -> tuple[int, ...]:
        """Frames of the first step of this name; () if there is none."""
        if isinstance(self.steps, Steps):
            return self.steps.frames_of(name, side)
        step = self.step(name, side)
        return step.frames if step else ()

    def address(self, side: Side) -> str:
        """ "192.0.2.1:5061" or "[2001:db8::1]:5061"."""
        if side is Side.CLIENT:
            return endpoint(self.client_ip, self.client_port)
        return endpoint(self.server_ip, self.server_port)

    def fatal_alert(self, side: Side) -> Alert | None:
        """The first fatal alert in clear that this side sent; None if there is none."""
        return next((a for a in self.alerts if a.side is side and not a.encrypted and a.fatal), None)

    def refused_by(self, side: Side) -> bool:
        """This side ended a handshake that failed: its fatal alert (seen or inferred), or its FIN or RST with no earlier
        close of the peer. The base of every "rejected" verdict; False unless outcome is failed."""
        if self.outcome is not Outcome.FAILED:
            return False
        alert = next((a for a in self.alerts if a.fatal or (a.encrypted and not a.after_handshake)), None)
        answers = alert is not None and self.closed.by is alert.side.peer and (self.closed.frame or 0) < alert.frame
        if alert is not None and not answers:
            return alert.side is side
        return self.closed.by is side and self.closed.how in ("fin", "rst") and not self.closed.echo

    def display_filter(self, frames: tuple[int, ...] = ()) -> str:
        """A Wireshark display filter for these frames, or for the whole connection if there are none."""
        if frames:
            return f"frame.number in {{{', '.join(map(str, frames))}}}"
        return f"tcp.stream == {self.stream}"

    def _repr_html_(self) -> str | None:
        """For notebooks: the diagnosis, the ladder, the findings and the chains."""
        return views.html(self)


__all__ = [
    "Alert",
    "CaList",
    "Certificate",
    "CertificateRequest",
    "CertificateState",
    "ClientAuth13",
    "Closed",
    "Connection",
    "Ending",
    "Outcome",
    "Seen",
    "SentChain",
    "Side",
    "SideTraffic",
    "Step",
    "Visibility",
    "WireAlert",
]
