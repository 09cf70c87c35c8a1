"""Packets of what happens beside TLS: questions to DNS, fetches over HTTP, attempts to connect. In nanoseconds and frames."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.packets.decode import Decoder
from analyzer.sightings.watch import Sightings
from tests.build import dns
from tests.build.frames import UDP, batch, ethernet, ipv4, ipv6, udp
from tests.build.pcap import Packet
from tests.build.tcp import CLIENT, SERVER, Tcp

HOST, RESOLVER, WEB = "192.0.2.10", "192.0.2.53", "203.0.113.80"
SECOND = 1_000_000_000


def datagram(payload: bytes, time_ns: int, *, back: bool = False, host: str = HOST, server: str = RESOLVER) -> Packet:
    """One message over UDP, from the host to its resolver; `back`: the other way."""
    body = udp(payload, 53, 40_000) if back else udp(payload, 40_000, 53)
    ends = (server, host) if back else (host, server)
    packet = ipv6(body, UDP, *ends) if ":" in host else ipv4(body, UDP, *ends)
    return Packet(ethernet(packet), time_ns)


def lookup(
    asked: str,
    *records: dns.Record,
    at: int,
    kind: int = dns.A,
    rcode: int = 0,
    answered: bool = True,
    host: str = HOST,
    number: int = 1,
    after: int = 1_000_000,
) -> list[Packet]:
    """A question and its answer, a millisecond later."""
    packets = [datagram(dns.question(asked, kind, number=number), at, host=host)]
    if answered:
        reply = dns.answer(asked, *records, kind=kind, rcode=rcode, number=number)
        packets.append(datagram(reply, at + after, back=True, host=host))
    return packets


def fetch(
    url: str,
    *,
    at: int,
    status: int | None = 200,
    host: str = HOST,
    server: str = WEB,
    port: int = 80,
    wait: float = 0,
    date: str = "",
    sport: int = 45_000,
) -> list[Packet]:
    """A GET and its answer after `wait` seconds; without a status it never comes."""
    name, _, path = url.removeprefix("http://").partition("/")
    talk = Tcp(host, sport, server, port, start_ns=at).open()
    talk.send(CLIENT, f"GET /{path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    if status is not None:
        talk.wait(wait)
        talk.send(SERVER, f"HTTP/1.1 {status} Text\r\n{f'Date: {date}' if date else 'X: y'}\r\n\r\n".encode())
        talk.close()
    return talk.packets


def attempt(
    *, at: int, port: int = 80, host: str = HOST, server: str = WEB, refused: bool = False, again: Sequence[float] = ()
) -> list[Packet]:
    """A SYN that is refused, or sent again after these pauses and never answered."""
    talk = Tcp(host, 46_000, server, port, start_ns=at).syn()
    for pause in again:
        talk.wait(pause).syn()
    if refused:
        talk.heard[SERVER] = talk.isn[CLIENT] + 1
        talk.rst(SERVER)
    return talk.packets


def seen(*parts: Sequence[Packet]) -> Sightings:
    """What the watch makes of these packets, one batch each."""
    watch, decoder, first = Sightings(), Decoder(), 1
    for packets in parts:
        ordered = sorted(packets, key=lambda packet: packet.time_ns)
        frames = batch([p.data for p in ordered], times=[p.time_ns for p in ordered], first_frame=first)
        watch.feed(decoder.feed(frames))
        first += len(ordered)
    return watch
