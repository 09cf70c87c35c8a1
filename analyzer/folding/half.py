"""`Half`: what a conversation keeps of one direction."""

from __future__ import annotations

from analyzer.reassembly import Assembler
from analyzer.tls.flights import Sums
from analyzer.tls.messages import Event
from analyzer.tls.stream import TlsStream

_NOTHING = Sums()


class Half:
    """One direction of a conversation. Frames are 1-based, times ns; None = not seen."""

    __slots__ = (
        "ack_ns",
        "acked",
        "after_close_bytes",
        "assembler",
        "data_ip_id",
        "data_ttl",
        "events",
        "fin_seq",
        "ip_id",
        "largest",
        "mss",
        "opened",
        "spoke_ns",
        "stream",
        "syn_count",
        "syn_frame",
        "syn_frames",
        "syn_last_ns",
        "syn_ns",
        "syn_seq",
        "tail",
        "truncated",
        "ttl",
        "zero_frame",
        "zero_ns",
        "zero_since",
    )

    def __init__(self) -> None:
        self.assembler: Assembler | None = None
        self.stream: TlsStream | None = None
        self.events: list[Event] = []
        self.syn_frame: int | None = None
        self.syn_seq: int | None = None  # of the latest SYN
        self.syn_ns: int | None = None
        self.syn_last_ns = 0  # of the latest one
        self.syn_count = 0
        self.syn_frames: list[int] = []
        self.ack_ns: int | None = None
        self.acked: int | None = None  # see Conversation.acknowledged; known when the conversation is finished
        self.spoke_ns: int | None = None  # its latest payload that was looked at
        self.mss: int | None = None
        self.opened = False  # sent a SYN without ACK
        self.ttl = self.ip_id = -1
        self.data_ttl = self.data_ip_id = 0  # of its first packet with payload; 0: there was none
        self.fin_seq: int | None = None  # of the latest FIN
        self.tail: tuple[int, int, int, int, int] | None = None  # frame, time, content type, record length, next seq
        self.truncated = self.largest = 0  # largest: payload of one segment
        self.after_close_bytes = 0
        self.zero_frame: int | None = None
        self.zero_since: int | None = None
        self.zero_ns = 0

    @property
    def sums(self) -> Sums:
        """What was encrypted among its events."""
        return self.stream.sums if self.stream is not None else _NOTHING
