"""Which bytes of a stream are application data: the analysis once more, for where each record lies."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import field

from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.export.choosing import Chooser
from analyzer.export.marks import Wanted
from analyzer.flows import Flow
from analyzer.folding.case import Setting
from analyzer.folding.conversation import Conversation
from analyzer.folding.half import Half
from analyzer.folding.identity import flow_key
from analyzer.folding.outcome import Clock
from analyzer.reassembly import seq_distance
from analyzer.tls.messages import Lost, Malformed, NotTls, OpaqueRecord, Preamble
from analyzer.tls.names import ContentType
from analyzer.tls.opening import State
from analyzer.tls.preamble import HEADER, is_record
from analyzer.tls.protocols import SAMPLE
from analyzer.tracker import Tracker

SSLV2_HEADER = 3
MAX_ALERT = 64
"""Bytes of an alert record, encrypted or not; what claims to be one and is longer is something else."""
BEFORE = 65_536
"""How far before the beginning of a stream a sequence number can still mean that; further away it is far behind it."""
EVERYTHING = 1 << 62
_PLAIN_KINDS = (int(ContentType.change_cipher_spec), int(ContentType.alert), int(ContentType.handshake))
_TOKEN = re.compile(rb"[A-Za-z0-9]+")
_REPLY_CODE = re.compile(rb"(?m)(?:^|HTTP/1\.[01] )\d{3}(?=[ \-\r\n])")
_WORDS = frozenset(
    b"ACK ADB AUTH BYE CAP CAPA CAPABILITIES CAPABILITY CNXN CONNECT DELETE EHLO ESMTP FEAT FTP GET HEAD HELO HTTP ID "
    b"IMAP4rev1 IMPLEMENTATION LHLO LOGIN MODE MSRP NICK NOOP NOTICE OK OPTIONS PATCH POST PREAUTH PROPFIND PROXY PUT QUIT "
    b"READER READY REGISTER INVITE MESSAGE SUBSCRIBE NOTIFY CANCEL REFER INFO UPDATE REPORT RFB RTSP SASL SIP sip sips tel SMTP "
    b"SSH SSL STARTTLS STLS TCP4 TCP6 TLS TRACE UNKNOWN USER xml version stream starttls "
    b"proceed urn ietf params ns xmpp tls ERR BEGIN begin failed S N SMB 1 2 0 1466 20037 3 6 4".split()
)
"""Words of the protocols before TLS: they say that TLS is to begin, and nothing of anybody."""


@dataclass(slots=True)
class Lane:
    """One direction of a connection, by offsets in its stream.

    Attributes:
        base: sequence number of offset 0; None if nothing is known of the direction.
        blanks: what is application data: sorted, without overlaps.
        text: up to here it is plain text, of which the words of protocols stay.
        tail: from here on nobody followed the records: only their headers stay.
    """

    base: int | None = None
    blanks: list[tuple[int, int]] = field(default_factory=list)
    text: int = 0
    tail: int = 0

    def clean(self, seq: int, payload: bytes) -> bytes:
        """The payload of a segment without application data, of the same length."""
        if self.base is None:
            return blank_records(payload, 0)
        at = seq_distance(seq, self.base)
        if at < -BEFORE:
            return blank_records(payload, 0)
        out, end = bytearray(payload), at + len(payload)
        if at < 0:
            out[: min(-at, len(out))] = bytes(min(-at, len(out)))
        if at < self.text:
            plain = min(self.text, end) - at
            out[:plain] = masked(bytes(out[:plain]))
        index = max(0, bisect_right(self.blanks, (at, EVERYTHING)) - 1)
        while index < len(self.blanks) and self.blanks[index][0] < end:
            low, high = (min(max(place - at, 0), len(out)) for place in self.blanks[index])
            out[low:high] = bytes(high - low)
            index += 1
        return blank_records(bytes(out), max(0, self.tail - at)) if end > self.tail else bytes(out)


def masked(text: bytes) -> bytes:
    """Letters as x and digits as 0, but for words of protocols and the codes of their replies."""
    kept = {match.end() - 3 for match in _REPLY_CODE.finditer(text)}

    def mask(match: re.Match[bytes]) -> bytes:
        word = match.group()
        if word in _WORDS or word.upper() in _WORDS or match.start() in kept:
            return word
        return re.sub(rb"[A-Za-z]", b"x", re.sub(rb"\d", b"0", word))

    return _TOKEN.sub(mask, text)


def blank_records(payload: bytes, at: int) -> bytes:
    """From `at` on zero bytes, but for the headers of records that begin there one after the other, and what is no data."""
    out, size = bytearray(payload), len(payload)
    while size - at >= HEADER and is_record(out, at):
        length = out[at + 3] << 8 | out[at + 4]
        if out[at] not in _PLAIN_KINDS or (out[at] != ContentType.handshake and length > MAX_ALERT):
            end = min(size, at + HEADER + length)
            out[at + HEADER : end] = bytes(max(0, end - at - HEADER))
        at += HEADER + length
    if at < size:
        out[at:] = bytes(size - at)
    return bytes(out)


def lane_of(half: Half) -> Lane:
    """What the events of a direction say."""
    assembler, stream = half.assembler, half.stream
    if assembler is None or stream is None:
        return Lane()
    lane, end, broken = Lane(assembler.base, tail=EVERYTHING), 0, EVERYTHING
    opaque = stream.state in (State.OPAQUE, State.BROKEN)
    for event in half.events:
        if isinstance(event, Lost):
            if not event.resumed and event.at < assembler.high:
                broken = min(broken, event.at)
            continue
        if isinstance(event, Malformed):
            continue
        end = max(end, event.span.end)
        if isinstance(event, NotTls):
            lane.text, lane.blanks = SAMPLE, [(SAMPLE, EVERYTHING)]
            return lane
        if isinstance(event, Preamble):
            lane.text = event.span.end
        elif isinstance(event, OpaqueRecord) and event.content_type not in _PLAIN_KINDS:
            header = HEADER if event.content_type else SSLV2_HEADER
            lane.blanks.append((event.span.start + header, event.span.end))
            opaque = True
    lane.tail = end if opaque else broken if broken >= end else EVERYTHING
    return lane


class Streams(Tracker):
    """Follows a capture as the analysis did, and keeps the lanes of the wanted connections instead of their records."""

    def __init__(self, setting: Setting, chooser: Chooser) -> None:
        super().__init__(setting)
        self._chooser = chooser
        self._found: dict[Wanted, tuple[Lane, Lane]] = {}

    def lanes(self, one: Wanted) -> tuple[Lane, Lane]:
        """Of the lower endpoint, and of the higher one."""
        return self._found.get(one) or (Lane(), Lane())

    def _report(self, flow: Flow, clock: Clock, *, evicted: bool = False) -> Connection | None:
        conversation = flow.owner
        conn = super()._report(flow, clock, evicted=evicted)
        if conn is not None and isinstance(conversation, Conversation):
            key = flow_key(conn.client_ip, conn.client_port, conn.server_ip, conn.server_port)
            one = self._chooser.find(key, flow.first_frame)
            if one is not None:
                self._found[one] = (lane_of(conversation.halves[0]), lane_of(conversation.halves[1]))
        return conn
