"""The two directions of a conversation merged into one list of steps, in the order of the capture."""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.connection import Side, Step
from analyzer.folding.conversation import Conversation, Half
from analyzer.folding.inference import Reading, Record, read
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
FIRST, MIDDLE, LAST = 0, 1, 2


@dataclass(slots=True)
class Direction:
    """What one direction's events add up to. Frames are those that complete a thing; None = not there."""

    messages: dict[int, Handshake] = field(default_factory=dict)
    finished_frame: int | None = None
    ccs_frame: int | None = None
    alerts: list[tuple[Alert | OpaqueRecord, int, int, int]] = field(default_factory=list)  # event, frame, time, step
    app_records: int = 0
    handshake_end: int = 0
    lost: list[Lost] = field(default_factory=list)
    malformed: list[str] = field(default_factory=list)
    preamble: str | None = None
    not_tls: NotTls | None = None
    hello_retry: Handshake | None = None
    first_hello: Handshake | None = None
    second_hellos: int = 0
    tls: bool = False


@dataclass(slots=True)
class Timeline:
    """Steps in order, what each direction adds up to (client first), and the TLS 1.3 reading (None for other versions)."""

    steps: list[Step]
    client: Direction
    server: Direction
    reading: Reading | None


_Mark = tuple[int, int, int, Step]  # completing frame, place within a frame, running number, step


def build(conversation: Conversation, client: int) -> Timeline:
    """Merge both directions; `client` is the client's direction."""
    halves = (conversation.halves[client], conversation.halves[1 - client])
    marks: list[_Mark] = []
    directions = (Direction(), Direction())
    for side, half, direction in zip((Side.CLIENT, Side.SERVER), halves, directions, strict=True):
        _add_syns(marks, side, half)
        _add_events(marks, side, half, direction)
    for end in conversation.ends:
        side = Side.CLIENT if end.direction == client else Side.SERVER
        marks.append((end.frame, LAST, len(marks), Step(side, end.how.upper(), (end.frame,), end.time_ns)))
    marks.sort(key=_order)
    reading = _read_13(marks, conversation, client) if conversation.tls13 else None
    if reading is not None:
        _name_13(marks, reading)
    steps = _fold_runs(marks)
    _sum_up(steps, directions)
    return Timeline(steps, directions[0], directions[1], reading)


def history(steps: list[Step]) -> str:
    """Zeek's letters; each kind of a side's application data once."""
    out: list[str] = []
    for step in steps:
        letter = HISTORY_LETTERS.get(step.name)
        if letter is not None:
            letter = letter.upper() if step.side is Side.CLIENT else letter
            if letter not in "Dd" or letter not in out:
                out.append(letter)
    return "".join(out)


def _order(mark: _Mark) -> tuple[int, int, int]:
    return mark[:3]


def _add_syns(marks: list[_Mark], side: Side, half: Half) -> None:
    if half.syn_frame is not None:
        name = "SYN" if half.opened else "SYN-ACK"
        step = Step(side, name, tuple(half.syn_frames), half.syn_ns or 0, count=half.syn_count)
        marks.append((half.syn_frame, FIRST, len(marks), step))


def _add_events(marks: list[_Mark], side: Side, half: Half, direction: Direction) -> None:
    assembler = half.assembler
    if assembler is None:
        return
    encrypted = False
    for event in half.events:
        name = ""
        if isinstance(event, Handshake):
            name, size = _handshake_name(event, direction), event.size
        elif isinstance(event, OpaqueRecord):
            name, size = _opaque_name(event, encrypted), event.length
            encrypted |= event.content_type == ContentType.handshake
        elif isinstance(event, ChangeCipherSpec):
            name, size = "ChangeCipherSpec", 1
        elif isinstance(event, Alert):
            name, size = "Alert", 2
        else:
            _note(event, side, half, direction)
            if isinstance(event, NotTls | Preamble):
                name, size = "PlainText" if isinstance(event, NotTls) else "Preamble", event.span.end - event.span.start
        if not name or isinstance(event, Malformed | Lost):
            continue
        direction.tls |= not isinstance(event, NotTls | Preamble)
        start, end = event.span.start, event.span.end
        frames = assembler.frames(start, end)
        if frames:
            step = Step(side, name, frames, assembler.time_ns(start, end), size, event)
            marks.append((frames[-1], MIDDLE, len(marks), step))


def _handshake_name(event: Handshake, direction: Direction) -> str:
    body = event.body
    if isinstance(body, ServerHello) and body.hello_retry_request:
        direction.hello_retry = event
        return "HelloRetryRequest"
    if event.type == HandshakeType.client_hello and HandshakeType.client_hello in direction.messages:
        direction.first_hello = direction.messages[event.type]
        direction.messages[event.type] = event
        direction.second_hellos += 1
    direction.messages.setdefault(event.type, event)
    return HANDSHAKE_NAMES.get(event.type) or f"Handshake({event.type})"


def _opaque_name(event: OpaqueRecord, encrypted: bool) -> str:
    kind = event.content_type
    if kind == ContentType.handshake:
        return "EncryptedHandshake" if encrypted else "Finished"
    if kind == ContentType.alert:
        return "EncryptedAlert"
    if kind == ContentType.application_data:
        return "ApplicationData"
    return "Heartbeat" if kind == ContentType.heartbeat else "ChangeCipherSpec"


def _note(event: Event, side: Side, half: Half, direction: Direction) -> None:
    if isinstance(event, Lost):
        direction.lost.append(event)
    elif isinstance(event, Malformed):
        frames = half.assembler.frames(event.at, event.at + 1) if half.assembler else ()
        where = f", frame {frames[0]}" if frames else ""
        direction.malformed.append(f"{side.value} (byte {event.at:,}{where}): {event.reason}")
    elif isinstance(event, NotTls):
        direction.not_tls = event
    elif isinstance(event, Preamble):
        direction.preamble = event.protocol


# ---- TLS 1.3: name what sizes tell -----------------------------------------------------------------------------------


def _read_13(marks: list[_Mark], conversation: Conversation, client: int) -> Reading | None:
    """Lengths of both sides' records after the ServerHello; None if that was not seen."""
    hello, cipher = None, None
    for frame, _, _, step in marks:
        if (
            step.name == "ServerHello"
            and isinstance(step.event, Handshake)
            and isinstance(step.event.body, ServerHello)
        ):
            hello, cipher = frame, step.event.body.cipher_suite
            break
    if hello is None:
        return None
    records: dict[Side, list[Record]] = {Side.CLIENT: [], Side.SERVER: []}
    for frame, _, _, step in marks:
        if (
            isinstance(step.event, OpaqueRecord)
            and step.event.content_type == ContentType.application_data
            and frame >= hello
        ):
            records[step.side].append(Record(step.event.length, frame, step.time_ns))
    for side, half in ((Side.CLIENT, conversation.halves[client]), (Side.SERVER, conversation.halves[1 - client])):
        lane = conversation.flow.lanes[client if side is Side.CLIENT else 1 - client]
        if half.tail is not None and half.tail[0] == lane.last_payload_frame:
            records[side].append(Record(half.tail[3], half.tail[0], half.tail[1]))
    ends: dict[int, int] = {}
    for end in conversation.ends:
        ends.setdefault(end.direction, end.frame)
    return read(
        records[Side.CLIENT], records[Side.SERVER], cipher, client_end=ends.get(client), server_end=ends.get(1 - client)
    )


def _name_13(marks: list[_Mark], reading: Reading) -> None:
    """Rename ApplicationData steps that are handshake, tickets or alerts by their size and place."""
    hello = next(frame for frame, _, _, step in marks if step.name == "ServerHello")
    seen = {Side.CLIENT: 0, Side.SERVER: 0}
    for index, (frame, place, number, step) in enumerate(marks):
        if step.name != "ApplicationData" or frame < hello:
            continue
        at = seen[step.side]
        seen[step.side] += 1
        name = _name_of_13(step.side, at, reading)
        if name != step.name:
            marks[index] = (
                frame,
                place,
                number,
                Step(step.side, name, step.frames, step.time_ns, step.size, step.event),
            )


def _name_of_13(side: Side, at: int, reading: Reading) -> str:
    if side is Side.CLIENT:
        if at == reading.client_alert:
            return "EncryptedAlert"
        if at == reading.client_flight - 1:
            return "Finished"
        return "EncryptedHandshake" if at < reading.client_flight else "ApplicationData"
    if at == reading.server_alert:
        return "EncryptedAlert"
    if at < reading.server_flight or not reading.client_flight:
        return "EncryptedHandshake"
    return "NewSessionTicket" if at < reading.server_flight + reading.tickets else "ApplicationData"


# ---- runs and sums ---------------------------------------------------------------------------------------------------


def _fold_runs(marks: list[_Mark]) -> list[Step]:
    """Neighbouring steps of application data of one side become one."""
    steps: list[Step] = []
    for _, _, _, step in marks:
        if step.name == "ApplicationData" and steps:
            last = steps[-1]
            if last.name == step.name and last.side is step.side:
                frames = last.frames if last.frames[-1] == step.frames[-1] else (last.frames[0], step.frames[-1])
                size, count = last.size + step.size, last.count + step.count
                steps[-1] = Step(step.side, step.name, frames, step.time_ns, size, last.event, count)
                continue
        steps.append(step)
    return steps


def _sum_up(steps: list[Step], directions: tuple[Direction, Direction]) -> None:
    for index, step in enumerate(steps):
        direction = directions[0 if step.side is Side.CLIENT else 1]
        name, frame = step.name, step.frames[-1]
        if name == "Finished" and direction.finished_frame is None:
            direction.finished_frame = frame
        elif name == "ChangeCipherSpec" and direction.ccs_frame is None:
            direction.ccs_frame = frame
        elif name == "ApplicationData":
            direction.app_records += step.count
        elif isinstance(step.event, Alert) or (name == "EncryptedAlert" and isinstance(step.event, OpaqueRecord)):
            direction.alerts.append((step.event, frame, step.time_ns, index))
