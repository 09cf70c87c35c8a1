"""`Sightings`: feed it what was decoded, ask it what hosts did beside TLS. Every table is bounded and forgets the oldest.

It looks at single packets, never at streams (but for DNS over TCP): heads of HTTP and answers of DNS fit one segment, and
nobody pays for reassembling what is not TLS. Which segments are worth a look is worked out for a whole batch at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from analyzer.knowledge import services
from analyzer.packets.addresses import address_text
from analyzer.packets.columns import ACK, RST, SYN, Decoded, Segments
from analyzer.sightings.facts import Act, Errand, Stated
from analyzer.sightings.streams import DNS_PORT, DnsStreams

if TYPE_CHECKING:
    from analyzer.sightings.dns import Alias, Message, Service

K = TypeVar("K")
V = TypeVar("V")
Ends = tuple[str, int, str, int]
"""Address and port of who asks, and of who is asked."""

MAX_PER_HOST = 128
"""Errands remembered of one host."""
MAX_ERRANDS = 32_768
"""Errands remembered in all; then the host that did its first one longest ago is forgotten."""
MAX_WAITING = 4_096
"""Questions of one kind that wait for an answer."""
MAX_TOLD = 65_536
"""Addresses, aliases and services that DNS told of."""
MAX_NAMES = 16
"""Names remembered of one address."""
MAX_CLOCKS, MAX_CLOCKS_OF_HOST = 4_096, 8
"""Hosts whose statements about the time are remembered, and how many of each."""
LEAST_HEAD = 16
"""Payload bytes of the shortest head of HTTP."""
MOST_HEAD = 8_192
"""Bytes of a head that are looked at."""
STARTS = (b"GET ", b"POST", b"HTTP")
"""How requests for CRLs and the like, and answers, begin."""
_HEADS = np.zeros(256, np.bool_)
_HEADS[[start[0] for start in STARTS]] = True


class Sightings:
    """What was seen beside TLS in one capture, so far."""

    def __init__(self) -> None:
        self._ports = services.revocation_ports()
        self._watched = np.zeros(65_536, np.bool_)
        self._watched[list(self._ports)] = True
        self._errands: dict[str, deque[Errand]] = {}
        self._count = 0
        self._forgotten: dict[str, int] = {}
        self._asked: dict[tuple[str, int, str, int], Errand] = {}
        self._fetching: dict[Ends, Errand] = {}
        self._trying: dict[Ends, Errand] = {}
        self._names: dict[tuple[str, str], dict[str, int]] = {}
        self._services: dict[tuple[str, str, int], Service] = {}
        self._aliases: dict[str, Alias] = {}
        self._clocks: dict[str, list[Stated]] = {}
        self._streams = DnsStreams()

    # ------------------------------------------------------------------------------------------------------- answers

    def errands(self, host: str, since_ns: int, until_ns: int) -> tuple[Errand, ...]:
        """What this host began to do in that time, in order."""
        return tuple(e for e in self._errands.get(host, ()) if since_ns <= e.time_ns <= until_ns)

    def remembers(self, host: str, since_ns: int) -> bool:
        """Something of this host beside TLS is known, and nothing since then was forgotten."""
        return host in self._errands and self._forgotten.get(host, since_ns - 1) < since_ns

    def names_for(self, client: str, address: str, before_ns: int) -> tuple[str, ...]:
        """Names that this client had looked up by then and for which DNS had told it this address."""
        told = self._names.get((client, address))
        return tuple(name for name, time_ns in told.items() if time_ns <= before_ns) if told else ()

    def means(self, host: str, address: str) -> frozenset[str]:
        """Every name that may stand for this address: those told to the host, else those told to anybody."""
        told = self._names.get((host, address)) or self._names.get(("", address))
        return frozenset(told or ())

    def services(self) -> Iterator[Service]:
        """SRV records, in order."""
        yield from self._services.values()

    def alias(self, name: str) -> Alias | None:
        """The CNAME record of this name; None if none was seen."""
        return self._aliases.get(name)

    def clocks(self) -> Iterator[Stated]:
        """What servers said of the time."""
        for said in self._clocks.values():
            yield from said

    # -------------------------------------------------------------------------------------------------------- feeding

    def feed(self, decoded: Decoded) -> None:
        """One batch."""
        for datagram in sorted(decoded.dns, key=lambda one: one.frame):
            (source, sport), (target, _) = datagram.source, datagram.target
            self._on_dns(source, target, sport == DNS_PORT, datagram.payload, datagram.time_ns, datagram.frame)
        if len(decoded.segments):
            self._on_segments(decoded.segments)
        for error in decoded.icmp:
            errand = self._trying.pop(error.quoted, None)
            if errand is not None:
                errand.answered_ns, errand.answer, errand.ok = error.time_ns, "unreachable", False

    def _on_segments(self, seg: Segments) -> None:
        for i in _worth_a_look(seg, self._watched).tolist():
            source = address_text(bool(seg.v4[i]), int(seg.src_hi[i]), int(seg.src_lo[i]))
            target = address_text(bool(seg.v4[i]), int(seg.dst_hi[i]), int(seg.dst_lo[i]))
            ends = (source, int(seg.src_port[i]), target, int(seg.dst_port[i]))
            time_ns, frame, flags = int(seg.time_ns[i]), int(seg.frame[i]), int(seg.flags[i])
            if flags & (SYN | RST):
                self._on_control(ends, flags, time_ns, frame)
                continue
            at, size = int(seg.payload_at[i]), int(seg.payload[i])
            if DNS_PORT in (ends[1], ends[3]):
                payload = seg.data[at : at + size].tobytes()
                for message in self._streams.feed(ends, int(seg.seq[i]), payload):
                    self._on_dns(source, target, ends[1] == DNS_PORT, message, time_ns, frame)
            else:
                self._on_head(ends, seg.data[at : at + min(size, MOST_HEAD)].tobytes(), time_ns, frame)

    # ---- TCP ---------------------------------------------------------------------------------------------------------

    def _on_control(self, ends: Ends, flags: int, time_ns: int, frame: int) -> None:
        """A SYN to a port of interest, or its answer."""
        if flags & (SYN | ACK) == SYN and not flags & RST:
            what = self._ports.get(ends[3])
            if what is None:
                return
            known = self._trying.get(ends)
            if known is not None:
                known.tries += 1
                return
            errand = Errand(Act.ATTEMPT, ends[0], ends[2], "", what, str(ends[3]), time_ns, frame)
            _put(self._trying, ends, errand, MAX_WAITING)
            self._remember(errand)
            return
        trying = self._trying.pop((ends[2], ends[3], ends[0], ends[1]), None)
        if trying is not None:
            trying.answered_ns, trying.ok = time_ns, not flags & RST
            trying.answer = "refused" if flags & RST else "accepted"

    def _on_head(self, ends: Ends, head: bytes, time_ns: int, frame: int) -> None:
        if head.startswith(b"HTTP"):
            self._on_answer(ends, head, time_ns, frame)
            return
        from analyzer.sightings import http  # most captures have none: each of these imports costs milliseconds

        asked = http.request(head)
        if asked is not None:
            errand = Errand(Act.FETCH, ends[0], ends[2], asked.host, asked.what, asked.url, time_ns, frame)
            _put(self._fetching, ends, errand, MAX_WAITING)
            self._remember(errand)

    def _on_answer(self, ends: Ends, head: bytes, time_ns: int, frame: int) -> None:
        fetching = self._fetching.pop((ends[2], ends[3], ends[0], ends[1]), None)
        said = self._clocks.get(ends[0])
        if fetching is None and said is not None and len(said) >= MAX_CLOCKS_OF_HOST:
            return
        from analyzer.sightings import http

        answer = http.answer(head)
        if answer is None:
            return
        if fetching is not None and answer.status >= 200:
            fetching.answered_ns, fetching.answer = time_ns, str(answer.status)
            fetching.ok = answer.status < 400
        if answer.clock_s is not None and (said is None or len(said) < MAX_CLOCKS_OF_HOST):
            if said is None:
                _put(self._clocks, ends[0], said := [], MAX_CLOCKS)
            said.append(Stated(ends[0], answer.clock_s, time_ns, frame))

    # ---- DNS ---------------------------------------------------------------------------------------------------------

    def _on_dns(self, source: str, target: str, from_server: bool, data: bytes, time_ns: int, frame: int) -> None:
        from analyzer.sightings import dns

        message = dns.parse(data)
        if message is None or message.answer is not from_server or not message.name:
            return
        if not message.answer:
            if message.type in (dns.A, dns.AAAA, dns.SRV, dns.CNAME):
                self._on_question(source, target, message, time_ns, frame)
            return
        self._learn(target, message, time_ns, frame)
        errand = self._asked.pop((target, message.id, message.name, message.type), None)
        if errand is None:
            return
        found = any(record.type == message.type for record in message.records)
        errand.answered_ns = time_ns
        errand.answer = "no such record" if message.rcode == "NOERROR" and not found else message.rcode
        errand.ok = True if found else None if message.type == dns.AAAA else False

    def _on_question(self, client: str, server: str, message: Message, time_ns: int, frame: int) -> None:
        key = (client, message.id, message.name, message.type)
        known = self._asked.get(key)
        if known is not None:
            known.tries += 1
            return
        errand = Errand(Act.LOOKUP, client, server, message.name, "", "", time_ns, frame)
        _put(self._asked, key, errand, MAX_WAITING)
        self._remember(errand)

    def _learn(self, client: str, message: Message, time_ns: int, frame: int) -> None:
        """Addresses, aliases and services of an answer."""
        from analyzer.sightings import dns

        wanted = {message.name: message.name}  # a name on the way from the question -> the question
        for record in message.records:
            if record.type == dns.CNAME:
                if record.owner not in self._aliases:
                    _put(self._aliases, record.owner, dns.Alias(record.owner, record.value, frame), MAX_TOLD)
                if record.owner in wanted:
                    wanted.setdefault(record.value, wanted[record.owner])
            elif record.type == dns.SRV:
                key = (record.owner, record.value, record.port)
                if key not in self._services:
                    _put(self._services, key, dns.Service(*key, frame), MAX_TOLD)
        for record in message.records:
            if record.type in (dns.A, dns.AAAA):
                name = wanted.get(record.owner, record.owner)
                for who in (client, ""):
                    self._learn_address(who, record.value, name, time_ns)

    def _learn_address(self, client: str, address: str, name: str, time_ns: int) -> None:
        told = self._names.get((client, address))
        if told is None:
            _put(self._names, (client, address), {name: time_ns}, MAX_TOLD)
        elif name not in told and len(told) < MAX_NAMES:
            told[name] = time_ns

    # ---- memory ------------------------------------------------------------------------------------------------------

    def _remember(self, errand: Errand) -> None:
        own = self._errands.get(errand.host)
        if own is None:
            own = self._errands[errand.host] = deque()
        if len(own) >= MAX_PER_HOST:
            self._forgotten[errand.host] = own.popleft().time_ns
            self._count -= 1
        own.append(errand)
        self._count += 1
        while self._count > MAX_ERRANDS:
            oldest = next(iter(self._errands))
            self._count -= len(self._errands.pop(oldest))
            self._forgotten.pop(oldest, None)


def _put(table: dict[K, V], key: K, value: V, most: int) -> None:
    """Set an entry; a full table forgets the one that was put first."""
    if key not in table and len(table) >= most:
        del table[next(iter(table))]
    table[key] = value


def _worth_a_look(seg: Segments, watched: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows that may be heads of HTTP, DNS, or ends of connections to the ports that are `watched`."""
    heads = np.flatnonzero(_HEADS[seg.first] & (seg.payload >= LEAST_HEAD))
    if len(heads):
        starts = [seg.data[seg.payload_at[heads] + place] for place in range(1, 4)]
        known = np.zeros(len(heads), np.bool_)
        for start in STARTS:
            known |= (starts[0] == start[1]) & (starts[1] == start[2]) & (starts[2] == start[3])
        heads = heads[known]
    control = np.flatnonzero((seg.flags & (SYN | RST)) != 0)
    if len(control):
        control = control[watched[seg.src_port[control]] | watched[seg.dst_port[control]]]
    lookups = np.flatnonzero((seg.payload > 0) & ((seg.src_port == DNS_PORT) | (seg.dst_port == DNS_PORT)))
    rows = np.concatenate((heads, control, lookups))
    rows.sort()
    return rows[np.flatnonzero(np.diff(rows, prepend=-1))]
