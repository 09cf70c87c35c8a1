"""`Conversation`: one TCP connection while it is being followed. Sans-IO: `feed` rows, then `finish`.

Each direction has its own reassembly and TLS stream, so that nothing depends on how packets were cut or interleaved.
Once both sides have shown encrypted traffic beyond the handshake, only ends and alert-like records are looked at.
"""

from __future__ import annotations

from analyzer.flows import Flow, Rows
from analyzer.folding.beginning import announced_mss, begins_earlier, first_byte, is_far
from analyzer.folding.closing import End, closing_time, reach, unheeded
from analyzer.folding.half import Half
from analyzer.folding.settling import is_settled, memory
from analyzer.packets.columns import ACK, FIN, RST, SYN, URG
from analyzer.picked import Columns
from analyzer.picking import ALERT_SEGMENTS, Wants
from analyzer.reassembly import COPY_NS, Assembler, Hole, seq_distance
from analyzer.tls.names import ContentType
from analyzer.tls.stream import TlsStream

SMALLEST_FULL = 1_200
"""Payload bytes of a full-size segment at least, where no maximum was announced."""
OPTION_BYTES = 40
"""TCP options that may take room in a full-size segment."""
CHECK_ROWS = 16
"""Rows with payload after which it is asked whether the handshake is over. They are counted per connection, so that the
answer does not depend on how the capture was cut into batches."""
SENT_AGAIN = 1_048_576
"""How far back, in bytes, a sequence number is an old one: more than a window is never sent again."""
MAX_ENDINGS = 16
"""FINs and RSTs remembered of one connection."""


class Conversation:
    """What has been seen of one flow.

    Attributes:
        halves: of directions 0 and 1. ends: FINs and RSTs, in order. ignored: those that nobody heeded.
        closed_ns: when the connection was over: the first RST, or the second FIN; None while it is open.
        settled: the handshake has been followed to its end; what follows is only counted.
        carried, bytes: segments with payload that were followed, and their bytes.
        full_size: payload bytes of a full-size segment by the announced maximum; 0 if none was announced.
        held: about how many bytes of memory it takes, once there was payload.
        tls13: the server chose TLS 1.3 (or a draft of it).
    """

    __slots__ = (
        "bytes",
        "carried",
        "closed_ns",
        "ends",
        "flow",
        "full_size",
        "halves",
        "held",
        "ignored",
        "settled",
        "tls13",
    )

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.halves = (Half(), Half())
        self.ends: list[End] = []
        self.ignored: list[End] = []
        self.closed_ns: int | None = None
        self.settled = self.tls13 = False
        self.carried = self.bytes = self.full_size = self.held = 0

    def feed(self, rows: Rows) -> None:
        """Look at rows one by one, then read what they completed."""
        c, data, halves, settled = rows.columns, rows.data.data, self.halves, self.settled
        just_settled = False
        mine = slice(rows.start, rows.stop)
        for i, flags, direction, wire, seq, window, frame, time_ns, start, at, size in zip(
            range(rows.start, rows.stop),
            c.flags[mine],
            c.direction[mine],
            c.wire_payload[mine],
            c.seq[mine],
            c.window[mine],
            c.frame[mine],
            c.time_ns[mine],
            c.ip_at[mine],
            c.payload_at[mine],
            c.payload[mine],
            strict=True,
        ):
            if just_settled and not _is_light(self.flow.wants, c, i, data):
                continue
            half = halves[direction]
            if half.ttl < 0:
                half.ttl, half.ip_id = c.ttl[i], c.ip_id[i]
            if flags & SYN:
                self._on_syn(half, c, i, data)
            elif half.ack_ns is None and flags & ACK:
                half.ack_ns = time_ns
            if wire:
                half.spoke_ns = time_ns
                if settled:
                    self._on_tail(half, c, i, data)
                else:
                    if flags & SYN:
                        seq = seq + 1 & 0xFFFFFFFF
                    assembler = half.assembler
                    if assembler is None:
                        assembler = self._begin(half, first_byte(self.flow, direction, half.syn_seq, seq))
                        half.data_ttl, half.data_ip_id = c.ttl[i], c.ip_id[i]
                    packet, head = data[start : at + size].tobytes(), at - start
                    if wire > half.largest:
                        half.largest = wire
                    if seq == assembler.expected and size == wire:
                        assembler.follow(packet, wire, frame, time_ns)
                    else:
                        self._on_other(half, seq, packet[head:], wire, frame, time_ns, packet[:head])
                    if self.ends and (self.closed_ns is not None or self.ends[0].direction != direction):
                        half.after_close_bytes += wire
                    self.carried += 1
                    self.bytes += wire
                    if self.carried % CHECK_ROWS == 0:
                        settled = just_settled = self._settle()
            if window == 0 or half.zero_since is not None:
                self._on_window(half, c, i)
            if flags & (FIN | RST):
                self._on_end(half, rows, i)
        if not settled:
            self._read()
        self.held = memory(self.bytes, self.carried, settled)

    def finish(self) -> None:
        """The connection is over, or the capture is: holes are given up, streams say what they still hold."""
        self.recheck()
        for direction, half in enumerate(self.halves):
            assembler = half.assembler
            if assembler is None:
                assembler = self._unseen(half, direction)
            if assembler is None or half.stream is None:
                continue
            half.acked = self.acknowledged(direction)
            if not self.settled:
                assembler.finish(half.acked, reach(direction, self.ends, self.flow, assembler.base, assembler.high))
                self._read_half(half)
                half.events += half.stream.finish()

    def _unseen(self, half: Half, direction: int) -> Assembler | None:
        """A direction without payload: did it speak, so that the capture must have lost it all?"""
        lane = self.flow.lanes[direction]
        base = half.syn_seq if half.syn_seq is not None else lane.base
        if base is None or not lane.packets:
            return None
        start = (base + 1) & 0xFFFFFFFF
        return self._begin(half, start) if reach(direction, self.ends, self.flow, start, 0) else None

    def acknowledged(self, direction: int) -> int | None:
        """Offset up to which the peer has acknowledged this direction; None if its packets are not in the capture."""
        peer, assembler = self.flow.lanes[1 - direction], self.halves[direction].assembler
        if assembler is None or peer.last_ack is None:
            return None
        offset = assembler.offset(peer.last_ack)
        return min(offset, assembler.high) if offset <= assembler.high + 1 else offset

    # ---- rows --------------------------------------------------------------------------------------------------------

    def _on_syn(self, half: Half, c: Columns, i: int, data: memoryview) -> None:
        if half.syn_seq == c.seq[i] and abs(c.time_ns[i] - half.syn_last_ns) <= COPY_NS:
            return
        half.syn_count += 1
        half.syn_seq, half.syn_last_ns = c.seq[i], c.time_ns[i]
        opening = not c.flags[i] & ACK
        half.opened |= opening
        if (
            opening and self.ends and half.assembler is None
        ):  # refused as a left-over of an earlier connection, tried again
            self.ends.clear()
            self.closed_ns = None
            for each in self.halves:
                each.fin_seq = None
        if len(half.syn_frames) < MAX_ENDINGS:
            half.syn_frames.append(c.frame[i])
        if half.syn_frame is None:
            half.syn_frame, half.syn_ns = c.frame[i], c.time_ns[i]
            half.ttl, half.ip_id = c.ttl[i], c.ip_id[i]
            half.mss = announced_mss(data[c.tcp_at[i] + 20 : c.payload_at[i]].tobytes())
            announced = [each.mss for each in self.halves if each.mss]
            self.full_size = max(1, min(announced) - OPTION_BYTES) if announced else 0

    def _on_other(
        self, half: Half, seq: int, payload: bytes, wire: int, frame: int, time_ns: int, headers: bytes
    ) -> None:
        """Payload that is cut, or not what is expected next."""
        if half.assembler is None:
            return
        assembler = self._mend_beginning(half, half.assembler, seq)
        full = self.full_size or max(half.largest, SMALLEST_FULL)
        assembler.feed(seq, payload, wire, frame, time_ns, headers, full)
        if len(payload) < wire:
            half.truncated += 1

    def _begin(self, half: Half, start: int) -> Assembler:
        """The first payload of a direction, or the proof that there was one."""
        half.assembler = Assembler(start)
        half.stream = TlsStream(mid_stream=not self.syn_seen)
        return half.assembler

    def _mend_beginning(self, half: Half, assembler: Assembler, seq: int) -> Assembler:
        """A segment out of order may show that the direction begins elsewhere than its first payload said."""
        if half.syn_seq is None:
            if begins_earlier(seq, assembler.base, self.carried):
                assembler.rebase(seq)
        elif is_far(assembler.base, half.syn_seq) and not is_far(seq, half.syn_seq):
            assembler = self._begin(half, (half.syn_seq + 1) & 0xFFFFFFFF)  # forged, or left over from another one
            half.events = []
        return assembler

    def _on_tail(self, half: Half, c: Columns, i: int, data: memoryview) -> None:
        """After the handshake: remember the last segment that is one lone record of an alert's kind and size. A copy of
        what was seen before is no second one."""
        at, size = c.payload_at[i], c.payload[i]
        if size < 5 or data[at + 1] != 3 or (data[at + 3] << 8 | data[at + 4]) != size - 5:
            return
        end = (c.seq[i] + size) & 0xFFFFFFFF
        if half.tail is not None:
            again = -SENT_AGAIN < seq_distance(end, half.tail[4]) <= 0
        else:
            again = half.assembler is not None and 0 < half.assembler.offset(end) <= half.assembler.high
        if not again:
            half.tail = (c.frame[i], c.time_ns[i], data[at], size - 5, end)

    def _on_window(self, half: Half, c: Columns, i: int) -> None:
        if c.flags[i] & (RST | SYN):
            return
        if c.window[i] == 0:
            if half.zero_since is None and not self.settled:
                half.zero_since = c.time_ns[i]
                half.zero_frame = half.zero_frame or c.frame[i]
                self.flow.wants = Wants.EVERYTHING
        elif half.zero_since is not None:
            half.zero_ns = max(half.zero_ns, c.time_ns[i] - half.zero_since)
            half.zero_since = None
            if self.flow.wants is Wants.EVERYTHING and all(each.zero_since is None for each in self.halves):
                self.flow.wants = Wants.ALL

    def _on_end(self, half: Half, rows: Rows, i: int) -> None:
        c = rows.columns
        flags, time_ns, direction = c.flags[i], c.time_ns[i], c.direction[i]
        if flags & URG and c.wire_payload[i] and half.assembler is not None and not self.settled:
            half.assembler.note_conflict(c.frame[i])  # receivers may leave a byte of it out (RFC 6093 section 3.1)
        if not flags & (FIN | RST):
            return
        how = "rst" if flags & RST else "fin"
        seq = (c.seq[i] + c.wire_payload[i]) & 0xFFFFFFFF
        self.flow.ended = True
        if how == "fin":
            if half.fin_seq == seq:
                return  # sent again
            half.fin_seq = seq
        elif any(
            end.how == how and end.seq == seq and end.direction == direction and abs(time_ns - end.time_ns) <= COPY_NS
            for end in self.ends
        ):
            return  # a mirror port's copy
        if len(self.ends) < MAX_ENDINGS:
            heard = self.halves[1 - direction].spoke_ns
            fits, ack = self._seq_fits(half, rows, i, seq), c.ack[i] if flags & ACK else None
            self.ends.append(End(direction, how, c.frame[i], time_ns, fits, c.ttl[i], c.ip_id[i], heard, seq, ack))
            self.closed_ns = closing_time(self.ends)

    def recheck(self) -> None:
        """Take back the FINs and RSTs after which the connection went on."""
        ignored = unheeded(self.ends, self.flow)
        if not ignored:
            return
        self.ignored += ignored
        self.ends = [end for end in self.ends if end not in ignored]
        self.closed_ns = closing_time(self.ends)
        for half in self.halves:
            half.after_close_bytes = 0

    def _seq_fits(self, half: Half, rows: Rows, i: int, seq: int) -> bool:
        """The number behind its payload is the one that the sender's other packets lead to expect (FIN counted or not)."""
        lane = self.flow.lanes[rows.columns.direction[i]]
        if self.settled and lane.last_payload_seq is not None:
            late = (lane.last_payload_frame or 0) > rows.columns.frame[i]
            last = rows.sent_before(i) if late else lane.last_payload_seq
            return last is None or -1 <= seq_distance(seq, last & 0xFFFFFFFF) <= 1
        if half.assembler is not None:
            return half.assembler.offset(seq) - half.assembler.high in (0, 1)
        return lane.base is None or seq_distance(seq, lane.base) in (0, 1, 2) or seq == 0

    @property
    def syn_seen(self) -> bool:
        """A SYN or SYN-ACK of this connection is in the capture."""
        return self.halves[0].syn_frame is not None or self.halves[1].syn_frame is not None

    # ---- streams -----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        for half in self.halves:
            if half.assembler is not None:
                self._read_half(half)

    def _settle(self) -> bool:
        """Read on; if the handshake is over, look at no more than its ends from here on."""
        self._read()
        if is_settled(self.halves, self.bytes, self.carried, self.tls13):
            self.settled = True
            encrypted = self.halves[0].sums.opaque_records or self.halves[1].sums.opaque_records
            self.flow.wants = Wants.LIGHT if encrypted else Wants.ENDS
            self.forget()
        return self.settled

    def forget(self) -> None:
        """Let go of the payload; where it lay stays known."""
        for half in self.halves:
            if half.assembler is not None:
                half.assembler.forget()

    def _read_half(self, half: Half) -> None:
        assembler, stream = half.assembler, half.stream
        if assembler is None or stream is None:
            return
        pieces = assembler.take()
        if assembler.rewritten:  # a forged copy had been read: read everything again
            pieces = assembler.replay()
            half.stream = stream = TlsStream(mid_stream=not self.syn_seen)
            half.events = []
            self.tls13 = any(each.sums.tls13 for each in self.halves)
        for piece in pieces:
            half.events += stream.gap(piece.size) if isinstance(piece, Hole) else stream.feed(piece)
        self.tls13 |= stream.sums.tls13


def _is_light(wants: Wants, c: Columns, i: int, data: memoryview) -> bool:
    """Of rows handed up while the handshake was followed: one that is still wanted now that it is over (flows.py)."""
    if c.flags[i] & (SYN | FIN | RST):
        return True
    if wants is not Wants.LIGHT or not c.payload[i]:
        return False
    first = data[c.payload_at[i]]
    return first == ContentType.alert or (first == ContentType.application_data and c.wire_payload[i] in ALERT_SEGMENTS)
