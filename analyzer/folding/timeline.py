"""The two directions of a conversation merged into one list of steps, in the order of the capture."""

from __future__ import annotations

from dataclasses import field, replace
from operator import itemgetter

from analyzer.connection import Side, StepRow, Steps
from analyzer.dataclass import dataclass
from analyzer.folding.arrival import never_arrived
from analyzer.folding.conversation import Conversation
from analyzer.folding.half import Half
from analyzer.folding.inference import Reading
from analyzer.folding.naming import name_13, read_13
from analyzer.folding.unread import speaks_late, unread_bytes
from analyzer.tls.messages import (
    Alert,
    ChangeCipherSpec,
    Event,
    Handshake,
    Lost,
    Malformed,
    NotTls,
    OpaqueRecord,
    Preamble,
    ServerHello,
    Span,
    Unreadable,
)
from analyzer.tls.names import ContentType, HandshakeType

HANDSHAKE_NAMES: dict[int, str] = {
    HandshakeType.hello_request: "HelloRequest",
    HandshakeType.client_hello: "ClientHello",
    HandshakeType.server_hello: "ServerHello",
    HandshakeType.hello_verify_request: "HelloVerifyRequest",
    HandshakeType.new_session_ticket: "NewSessionTicket",
    HandshakeType.end_of_early_data: "EndOfEarlyData",
    HandshakeType.hello_retry_request: "HelloRetryRequest",
    HandshakeType.encrypted_extensions: "EncryptedExtensions",
    HandshakeType.certificate: "Certificate",
    HandshakeType.server_key_exchange: "ServerKeyExchange",
    HandshakeType.certificate_request: "CertificateRequest",
    HandshakeType.server_hello_done: "ServerHelloDone",
    HandshakeType.certificate_verify: "CertificateVerify",
    HandshakeType.client_key_exchange: "ClientKeyExchange",
    HandshakeType.finished: "Finished",
    HandshakeType.certificate_url: "CertificateURL",
    HandshakeType.certificate_status: "CertificateStatus",
    HandshakeType.supplemental_data: "SupplementalData",
    HandshakeType.key_update: "KeyUpdate",
    HandshakeType.compressed_certificate: "CompressedCertificate",
    HandshakeType.next_protocol: "NextProtocol",
}
HISTORY_LETTERS = {
    "HelloRequest": "h",
    "ClientHello": "c",
    "ServerHello": "s",
    "HelloVerifyRequest": "v",
    "NewSessionTicket": "t",
    "Certificate": "x",
    "CompressedCertificate": "x",
    "ServerKeyExchange": "k",
    "CertificateRequest": "r",
    "ServerHelloDone": "n",
    "CertificateVerify": "y",
    "ClientKeyExchange": "g",
    "CertificateURL": "w",
    "CertificateStatus": "u",
    "SupplementalData": "a",
    "ChangeCipherSpec": "i",
    "ApplicationData": "d",
    "HelloRetryRequest": "j",
    "Alert": "l",
    "EncryptedAlert": "l",
    "Heartbeat": "b",
}
"""Zeek's ssl_history: upper case for the client, lower for the server (base/protocols/ssl/consts)."""
TCP_STEPS = frozenset({"SYN", "SYN-ACK", "FIN", "RST"})
NOT_STAGES = TCP_STEPS | {"ApplicationData", "Alert", "EncryptedAlert", "PlainText", "Preamble", "Heartbeat"}
"""Steps that are no handshake message: `Closed.stage` passes over them."""
MAX_HISTORY = 100
"""Letters of a history at most, as Zeek has it (SSL::max_ssl_history_length)."""
FIRST, MIDDLE, LAST = 0, 1, 2


@dataclass(slots=True)
class Direction:
    """What one direction's events add up to. Frames are those that complete a thing; None = not there. `late_alert`: frame and
    time of one that came after what was followed; `unread`: see `unread_bytes`; `behind_lost`: bytes behind the last hole."""

    messages: dict[int, Handshake] = field(default_factory=dict)
    places: dict[int, tuple[tuple[int, ...], int]] = field(default_factory=dict)  # message type -> frames, time
    finished_frame: int | None = None
    finished_ns: int | None = None
    ccs_frame: int | None = None
    alerts: list[tuple[Alert | OpaqueRecord, int, int]] = field(default_factory=list)  # event, frame, time
    late_alert: tuple[int, int] | None = None
    app_records: int = 0
    unread: int = 0
    lost: list[Lost] = field(default_factory=list)
    behind_lost: int = 0
    malformed: list[str] = field(default_factory=list)
    preamble: str | None = None
    not_tls: NotTls | None = None
    hello_retry: Handshake | None = None
    first_hello: Handshake | None = None
    tls: bool = False
    odd: bool = False

    @property
    def clear_end(self) -> int:
        """Offset behind the last handshake message in clear; 0 if there is none."""
        return max([message.span.end for message in self.messages.values()], default=0)


@dataclass(slots=True)
class Timeline:
    """Steps in order, what each direction adds up to, and the TLS 1.3 reading (None for other versions)."""

    rows: list[StepRow]
    client: Direction
    server: Direction
    reading: Reading | None

    @property
    def steps(self) -> Steps:
        """The steps for the record: objects are made when somebody looks."""
        return Steps(self.rows)


def build(conversation: Conversation, client: int) -> Timeline:
    """Merge both directions; `client` is the client's direction."""
    rows: list[StepRow] = []
    first, second = Direction(), Direction()
    halves = conversation.halves
    for side, half, direction in ((Side.CLIENT, halves[client], first), (Side.SERVER, halves[1 - client], second)):
        if half.syn_frame is not None:
            name = "SYN" if half.opened else "SYN-ACK"
            frames = tuple(half.syn_frames)
            rows.append(
                (half.syn_frame, FIRST, len(rows), side, name, frames, half.syn_ns or 0, 0, None, half.syn_count)
            )
        if half.assembler is not None:
            _add_events(rows, side, half, direction)
    if first.first_hello is not None and _answers_first(second):
        first.messages[HandshakeType.client_hello], first.first_hello = first.first_hello, None
    for end in conversation.ends:
        side = Side.CLIENT if end.direction == client else Side.SERVER
        rows.append((end.frame, LAST, len(rows), side, end.how.upper(), (end.frame,), end.time_ns, 0, None, 1))
    rows.sort(key=_ORDER)
    reading = read_13(rows, conversation, client) if conversation.tls13 else None
    named = name_13(rows, reading) if reading is not None else (0, 0)
    if conversation.settled:
        _add_rest(rows, conversation, client, (first, second), reading, named)
    if reading is not None:
        _deny_13(rows, reading, first, conversation, client)
        first.app_records = second.app_records = 0
        first.alerts.clear()
        second.alerts.clear()
        _sum_up_13(rows, first, second)
    if first.app_records > 1 or second.app_records > 1:
        rows = _fold_runs(rows)
    return Timeline(rows, first, second, reading)


def _add_rest(
    rows: list[StepRow],
    conversation: Conversation,
    client: int,
    directions: tuple[Direction, Direction],
    reading: Reading | None,
    named: tuple[int, int],
) -> None:
    """What came after all that was followed: an alert at the end, and bytes of which nothing is known."""
    alerts = (reading.client_alert, reading.server_alert) if reading is not None else (None, None)
    for at, side in enumerate(Side):
        number, half = alerts[at], conversation.halves[client ^ at]
        late = speaks_late(conversation, half) if not conversation.tls13 else number is not None and number >= named[at]
        directions[at].unread = unread_bytes(conversation, client ^ at, tail=late)
        if late and half.tail is not None:
            frame, time_ns, _, size, _ = half.tail
            directions[at].late_alert = frame, time_ns
            rows.append((frame, MIDDLE, len(rows), side, "EncryptedAlert", (frame,), time_ns, size, None, 1))
    rows.sort(key=_ORDER)


def _answers_first(server: Direction) -> bool:
    """Nobody asked for the client's second hello (no HelloRetryRequest, and none can have been lost): the server's choice
    is about the first."""
    return HandshakeType.server_hello in server.messages and server.hello_retry is None and not server.lost


def history(rows: list[StepRow]) -> str:
    """Zeek's letters; each side's application data once."""
    client = Side.CLIENT
    out = "".join([(_UPPER if row[3] is client else HISTORY_LETTERS).get(row[4], "") for row in rows])
    for letter in "Dd":
        first = out.find(letter) + 1
        if first and letter in out[first:]:
            out = out[:first] + out[first:].replace(letter, "")
    return out[:MAX_HISTORY]


_UPPER = {name: letter.upper() for name, letter in HISTORY_LETTERS.items()}


_ORDER = itemgetter(0, 1, 2)


def _add_events(rows: list[StepRow], side: Side, half: Half, direction: Direction) -> None:
    """Every event with the frames that carry it. Events come in stream order, so one walk along the segments finds all.

    An event has its place where it and all before it were there: of segments out of order, a later message can have
    arrived earlier, but nobody could read it yet.
    """
    assembler = half.assembler
    if assembler is None:
        return
    starts = [segment[0] for segment in assembler.segments]
    frame_of = [segment[1] for segment in assembler.segments]
    time_of = [segment[2] for segment in assembler.segments]
    low, last, due = 0, len(starts) - 1, 0
    encrypted = False
    for event in half.events:
        if type(event) is Handshake:
            name, size = _handshake_name(event, direction), event.size
        elif type(event) is OpaqueRecord:
            name, size = _opaque_name(event, encrypted), event.length
            encrypted |= name == "Finished"
            direction.app_records += name == "ApplicationData"
        elif type(event) is ChangeCipherSpec:
            name, size = "ChangeCipherSpec", 1
        elif type(event) is Alert:
            name, size = "Alert", 2
        elif isinstance(event, NotTls | Preamble):
            name, size = _note_text(event, direction), event.span.end - event.span.start
        else:
            _note(event, side, half, direction)
            continue
        span: Span = event.span
        while low and starts[low] > span.start:  # the message began before the event that came between its parts
            low -= 1
        while low < last and starts[low + 1] <= span.start:
            low += 1
        high = low
        while high < last and starts[high + 1] < span.end:
            high += 1
        if low == high:
            frame = frame_of[low]
            frames: tuple[int, ...] = (frame,)
            time_ns = time_of[low]
        else:
            frames = tuple(sorted(set(frame_of[low : high + 1])))
            frame, time_ns = frames[-1], max(time_of[low : high + 1])
        if frame > due:
            due = frame
        rows.append((due, MIDDLE, len(rows), side, name, frames, time_ns, size, event, 1))
        if type(event) is Handshake:
            if direction.messages.get(event.type) is event:
                direction.places[event.type] = frames, time_ns
        elif name == "Finished":
            direction.finished_frame, direction.finished_ns = frame, time_ns
        elif name == "ChangeCipherSpec" and direction.ccs_frame is None:
            direction.ccs_frame = frame
        elif type(event) is Alert or (name == "EncryptedAlert" and type(event) is OpaqueRecord):
            direction.alerts.append((event, frame, time_ns))
    direction.tls = bool(direction.messages) or any(_is_tls(event) for event in half.events)


def _is_tls(event: Event) -> bool:
    """A record, or the header of one that the capture does not have whole."""
    return type(event) in _RECORDS or (type(event) is Lost and event.content_type is not None)


_RECORDS = frozenset((Handshake, OpaqueRecord, ChangeCipherSpec, Alert))
_HANDSHAKE, _DATA = int(ContentType.handshake), int(ContentType.application_data)
_OPAQUE_NAMES = {int(ContentType.alert): "EncryptedAlert", int(ContentType.heartbeat): "Heartbeat"}


def _opaque_name(event: OpaqueRecord, encrypted: bool) -> str:
    """`encrypted`: a handshake record came before, so this one is no Finished."""
    if event.content_type == _DATA:
        return "ApplicationData"
    if event.content_type == _HANDSHAKE:
        return "EncryptedHandshake" if encrypted else "Finished"
    return _OPAQUE_NAMES.get(event.content_type, "ChangeCipherSpec")


def _handshake_name(event: Handshake, direction: Direction) -> str:
    body, messages, code = event.body, direction.messages, event.type
    if type(body) is Unreadable or getattr(body, "oddities", None):
        direction.odd = True
    if code == HandshakeType.server_hello and type(body) is ServerHello and body.hello_retry_request:
        direction.hello_retry = event
        return "HelloRetryRequest"
    if code not in messages:
        messages[code] = event
    elif code == HandshakeType.client_hello:
        direction.first_hello = messages[code]
        messages[code] = event
    return HANDSHAKE_NAMES.get(code) or f"Handshake({code})"


def _note_text(event: NotTls | Preamble, direction: Direction) -> str:
    if isinstance(event, NotTls):
        direction.not_tls = event
        return "PlainText"
    direction.preamble = event.protocol
    return "Preamble"


def _note(event: Event, side: Side, half: Half, direction: Direction) -> None:
    """Keep what is no step."""
    if isinstance(event, Lost):
        direction.lost.append(event)
        direction.behind_lost = max(0, half.assembler.high - event.at - event.missing) if half.assembler else 0
    elif isinstance(event, Malformed):
        frames = half.assembler.frames(event.at, event.at + 1) if half.assembler else ()
        where = f", frame {frames[0]}" if frames else ""
        direction.malformed.append(f"{side.value} (byte {event.at:,}{where}): {event.reason}")


_BEHIND_13 = frozenset({"NewSessionTicket", "ApplicationData"})


def _deny_13(rows: list[StepRow], reading: Reading, hellos: Direction, conversation: Conversation, client: int) -> None:
    """What the server never had it cannot have refused. If it went on, it did have it; who refuses the Certificate does not
    wait for the rest."""
    if reading.in_flight:
        return
    assembler, acked = conversation.halves[client].assembler, conversation.halves[client].acked
    if assembler is None or acked is None or acked >= assembler.high:  # nearly always
        return
    if any(row[3] is Side.SERVER and row[4] in _BEHIND_13 for row in rows):
        return
    done = next((row[8] for row in rows if row[3] is Side.CLIENT and row[4] == "Finished"), None)
    if isinstance(done, OpaqueRecord) and never_arrived(conversation, client, hellos.clear_end, done.span.end):
        reading.auth = replace(reading.auth, arrived=False, refused=False)


def _sum_up_13(rows: list[StepRow], client: Direction, server: Direction) -> None:
    """Count again what was renamed."""
    for frame, _, _, side, name, _, time_ns, _, event, _ in rows:
        direction = client if side is Side.CLIENT else server
        if name == "Finished" and direction.finished_frame is None:
            direction.finished_frame, direction.finished_ns = frame, time_ns
        elif name == "ApplicationData":
            direction.app_records += 1
        elif isinstance(event, Alert) or (name == "EncryptedAlert" and isinstance(event, OpaqueRecord)):
            direction.alerts.append((event, frame, time_ns))


def _fold_runs(rows: list[StepRow]) -> list[StepRow]:
    """Neighbouring steps of application data of one side become one."""
    out: list[StepRow] = []
    for row in rows:
        if out and row[4] == "ApplicationData" == out[-1][4] and row[3] is out[-1][3]:
            last = out[-1]
            frames = last[5] if last[5][-1] == row[5][-1] else (last[5][0], row[5][-1])
            out[-1] = (*last[:5], frames, row[6], last[7] + row[7], last[8], last[9] + 1)
        else:
            out.append(row)
    return out
