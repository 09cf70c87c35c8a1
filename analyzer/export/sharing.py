"""A capture that can be given away: the connections reported, without application data, with other addresses.

Made anew: what a file says of the host that captured it (names, interfaces, comments, keys) is not copied. The certificates
and names of the handshake stay, because they are the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer import knowledge
from analyzer.capture.inputs import Input
from analyzer.export import blocks
from analyzer.export.addresses import Addresses
from analyzer.export.beside import clean_fetching, clean_lookup
from analyzer.export.choosing import Chooser, batches, count_frames, key_from
from analyzer.export.disguise import Disguise
from analyzer.export.marks import SIGN, Marks
from analyzer.export.plan import Plan, Written
from analyzer.export.streams import Streams
from analyzer.folding.case import Setting
from analyzer.knowledge import services
from analyzer.packets.decode import Decoder
from analyzer.packets.layers import IP_UDP, Packet
from analyzer.packets.links import ETHERNET

THE_END = bytes(12) + bytes.fromhex("88b5") + bytes(46)
"""An Ethernet frame that is nothing (IEEE 802: 88b5 is for experiments). It stands at the time of the capture's last packet, so
that a silence before it stays a silence."""
TOLD_OF_THE_END = "the capture went on until here, with packets of no concern"


def share(one: Input, marks: Marks, plan: Plan, written: Written, addresses: Addresses) -> Iterator[bytes]:
    """The blocks of one input."""
    yield blocks.section()
    interfaces = blocks.Interfaces()
    chooser = Chooser(marks, plan.reading, everything=True)
    streams = follow(one, chooser, plan)
    place = Place(chooser, streams, addresses)
    disguise = Disguise(addresses, place.clean)
    before, latest_ns, written_ns, digits = 0, 0, 0, 6
    for path in one.files:
        chosen = chooser.choose(path, before)
        for capture, frames in batches(path, plan.reading):
            latest_ns, digits = int(frames.time_ns[-1]), capture.facts.time_digits
            for index in range(len(frames)):
                frame = frames.first_frame + index
                if frame not in chosen:
                    continue
                place.frame = frame + before
                start, captured = int(frames.start[index]), int(frames.captured[index])
                data = frames.data[start : start + captured].tobytes()
                time_ns = int(frames.time_ns[index])
                new = disguise.rewrite(data, int(frames.original[index]), int(frames.link_type[index]), time_ns)
                if new is None:
                    continue
                texts = [SIGN + addresses.text(text) for text in marks.comments.get(place.frame, ())]
                written.packets += 1
                written.commented += bool(texts)
                link, data, original = new
                written_ns = time_ns
                yield from interfaces.packet(link, capture.facts.time_digits, time_ns, data, original, texts)
        if len(one.files) > 1:
            before += count_frames(path, plan.reading)
    if latest_ns > written_ns:
        written.packets += 1
        yield from interfaces.packet(ETHERNET, digits, latest_ns, THE_END, len(THE_END), [SIGN + TOLD_OF_THE_END])


def follow(one: Input, chooser: Chooser, plan: Plan) -> Streams:
    """The analysis once more, for where in each stream its records are."""
    setting = Setting(capture=one.name, ports=plan.ports, known_ports=knowledge.default_tls_ports())
    streams, decoder, before = Streams(setting, chooser), Decoder(), 0
    for path in one.files:
        count = 0
        for _, frames in batches(path, plan.reading):
            decoded = decoder.feed(frames)
            if before:
                decoded.segments.frame = decoded.segments.frame + before
            for _ in streams.feed(decoded, int(frames.time_ns.max()), int(frames.time_ns[-1])):
                pass
            count += len(frames)
        before += count
    for _ in streams.finish():
        pass
    return streams


class Place:
    """Finds the stream that a packet belongs to. `frame`: the packet's number in the input."""

    def __init__(self, chooser: Chooser, streams: Streams, addresses: Addresses) -> None:
        self._chooser, self._streams, self._addresses = chooser, streams, addresses
        self.frame = 0

    def clean(self, packet: Packet, seq: int, payload: bytes) -> bytes:
        """The payload without application data."""
        if packet.ports is None:
            return bytes(len(payload))
        if packet.code == IP_UDP:
            return clean_lookup(payload, self._addresses)
        source = (int.from_bytes(packet.source, "big"), packet.ports[0])
        target = (int.from_bytes(packet.target, "big"), packet.ports[1])
        one = self._chooser.find(key_from((source, target), packet.v4), self.frame)
        if one is None:
            beside = not services.revocation_ports().keys().isdisjoint(packet.ports)
            return clean_fetching(payload) if beside else bytes(len(payload))
        return self._streams.lanes(one)[0 if source < target else 1].clean(seq, payload)
