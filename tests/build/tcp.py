"""A TCP conversation by script: what each side sends, and what becomes of it on the way and in the capture.

    talk = Tcp()
    talk.open()
    talk.send(CLIENT, hello)                  # in segments of the MSS; the other side acknowledges
    talk.send(SERVER, answer, cut=(5, 700))   # cut after these bytes instead
    talk.again(3)                             # the fourth packet once more
    talk.fin(CLIENT)
    pcap(talk.packets)

`packets` is a plain list in the order of the capture: drop, swap or repeat what you like. Two talks are merged by `merged`.
Right checksums unless told. No knowledge of TLS.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Self

from tests.build.frames import ACK, FIN, PSH, RST, SYN, ethernet, ipv4, ipv6, tcp
from tests.build.pcap import START_NS, Packet

CLIENT, SERVER = 0, 1
MILLISECOND = 1_000_000
MSS = 1_460


class Tcp:
    """One conversation; every packet comes a millisecond after the one before, unless `wait` is called.

    Attributes:
        packets: what the capture has, in order.
        now_ns: time of the next packet.
        seq: next sequence number of each side. heard: what each side has heard of the other (its next ACK).
        window: what each side announces.
    """

    def __init__(
        self,
        client: str = "192.0.2.10",
        sport: int = 50_000,
        server: str = "198.51.100.5",
        dport: int = 5061,
        *,
        isn: tuple[int, int] = (1_000, 500_000),
        start_ns: int = START_NS,
        mss: int | None = MSS,
    ) -> None:
        self.packets: list[Packet] = []
        self.now_ns = start_ns
        self.ends = ((client, sport), (server, dport))
        self.isn = isn
        self.seq = [isn[0], isn[1]]
        self.heard = [isn[1] + 1, isn[0] + 1]
        self.window = [64_000, 64_000]
        self.mss = mss

    # ---- packets -----------------------------------------------------------------------------------------------------

    def put(
        self,
        side: int,
        payload: bytes = b"",
        *,
        seq: int | None = None,
        ack: int | None = None,
        flags: int = ACK,
        window: int | None = None,
        options: bytes = b"",
        good: bool = True,
        snap: int | None = None,
        ttl: int = 64,
    ) -> None:
        """One segment as it is; changes nothing but the time. `snap`: bytes of the frame that the capture kept."""
        (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
        segment = tcp(
            payload,
            sport,
            dport,
            seq=self.seq[side] if seq is None else seq,
            ack=(self.heard[side] if ack is None else ack) if flags & ACK else 0,
            flags=flags,
            window=self.window[side] if window is None else window,
            options=options,
        )
        packet = (
            ipv6(segment, src=src, dst=dst, hops=ttl, good=good)
            if ":" in src
            else ipv4(segment, src=src, dst=dst, ttl=ttl, good=good)
        )
        frame = ethernet(packet)
        self.packets.append(Packet(frame[:snap], self.now_ns, len(frame)))
        self.now_ns += MILLISECOND

    def wait(self, seconds: float) -> Self:
        """Nothing happens for a while."""
        self.now_ns += round(seconds * 1_000_000_000)
        return self

    def again(self, index: int) -> Self:
        """A packet once more, now: a retransmission, or a mirror port's copy."""
        self.packets.append(replace(self.packets[index], time_ns=self.now_ns))
        self.now_ns += MILLISECOND
        return self

    # ---- the usual things --------------------------------------------------------------------------------------------

    def syn(self) -> Self:
        """The client's SYN; called twice it is sent again."""
        self.put(CLIENT, seq=self.isn[CLIENT], flags=SYN, options=self._options())
        self.seq[CLIENT] = self.isn[CLIENT] + 1
        return self

    def syn_ack(self) -> Self:
        """The server's answer."""
        self.put(SERVER, seq=self.isn[SERVER], ack=self.isn[CLIENT] + 1, flags=SYN | ACK, options=self._options())
        self.seq[SERVER] = self.isn[SERVER] + 1
        return self

    def open(self) -> Self:
        """SYN, SYN-ACK, ACK."""
        self.syn().syn_ack().ack(CLIENT)
        return self

    def ack(self, side: int) -> Self:
        """A pure acknowledgement."""
        self.put(side)
        return self

    def send(self, side: int, data: bytes, *, cut: Iterable[int] = (), heard: bool = True, size: int = MSS) -> Self:
        """Payload in segments of `size` bytes, or cut after the bytes `cut`; `heard`: the peer gets and acknowledges it."""
        for start, end in _edges(len(data), cut, size):
            self.put(side, data[start:end], seq=self.seq[side] + start, flags=ACK | PSH)
        self.seq[side] += len(data)
        if heard:
            self.heard[1 - side] = self.seq[side]
            self.ack(1 - side)
        return self

    def lose(self, side: int, size: int, *, heard: bool = True) -> Self:
        """Payload that the capture does not have; `heard`: the peer got it all the same."""
        self.seq[side] += size
        if heard:
            self.heard[1 - side] = self.seq[side]
        return self

    def fin(self, side: int) -> Self:
        """The side has nothing more to say."""
        self.put(side, flags=FIN | ACK)
        self.seq[side] += 1
        self.heard[1 - side] = self.seq[side]
        return self

    def rst(self, side: int) -> Self:
        """The side gives up."""
        self.put(side, flags=RST | ACK)
        return self

    def close(self, first: int = CLIENT) -> Self:
        """FIN, FIN, ACK."""
        self.fin(first).fin(1 - first).ack(first)
        return self

    def _options(self) -> bytes:
        return struct.pack(">BBH", 2, 4, self.mss) if self.mss is not None else b""


def _edges(size: int, cut: Iterable[int], step: int) -> list[tuple[int, int]]:
    places = {at for at in cut if 0 < at < size} or set(range(step, size, step))
    return list(pairwise([0, *sorted(places), size]))


def merged(*talks: Tcp | Sequence[Packet]) -> list[Packet]:
    """The packets of several conversations in order of time."""
    packets = [packet for talk in talks for packet in (talk.packets if isinstance(talk, Tcp) else talk)]
    return sorted(packets, key=lambda packet: packet.time_ns)
