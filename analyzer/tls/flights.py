"""What was read before is recognised, not read again: a program says nearly the same in every handshake.

A direction that begins with a record starts at one common `Place`. A `Flight` is a run of whole records that was read there
before; it leads to the next place. Bytes equal to a flight in all but random values, keys, signatures and encrypted content
have its events; only the hellos are made anew. This only saves time: what is not recognised is read as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from analyzer.dataclass import dataclass
from analyzer.tls.hellos import (
    GOOGLE_SERVER_RANDOM,
    RETRY_RANDOM,
    same_client_hello,
    same_server_hello,
    varying_places,
)
from analyzer.tls.messages import (
    CertificateVerify,
    ChangeCipherSpec,
    ClientHello,
    Event,
    Handshake,
    NewSessionTicket,
    OpaqueRecord,
    ServerHello,
    ServerKeyExchange,
    Unreadable,
)
from analyzer.tls.names import TLS13, ContentType, HandshakeType
from analyzer.tls.preamble import HEADER, MAX_RECORD, MESSAGE_HEADER
from analyzer.tls.records import Records

MAX_FLIGHTS, MAX_BYTES = 4_096, 16 * 2**20
"""Remembered at most, in all; then everything is forgotten. Twice the bytes are counted."""
MAX_CHOICES, MAX_SIZES = 8, 64
"""Flights remembered at one place that begin with the same header, and different headers."""
_RANDOM = 32
_TELLING_RANDOMS = frozenset((RETRY_RANDOM, GOOGLE_SERVER_RANDOM))
"""Server randoms that change what follows."""
_CLIENT_HELLO, _SERVER_HELLO = int(HandshakeType.client_hello), int(HandshakeType.server_hello)
_HANDSHAKE, _ALERT = int(ContentType.handshake), int(ContentType.alert)
_APPLICATION_DATA = int(ContentType.application_data)
_CLEAR_ALERT = 2
"""Bytes of an alert."""

Region = tuple[int, int]


@dataclass(slots=True)
class Sums:
    """What was counted among some events.

    Attributes:
        opaque_records, opaque_bytes: encrypted records. app_records: those that say that they are application data.
        tls13: a ServerHello (no HelloRetryRequest) chose TLS 1.3 or a draft of it.
    """

    opaque_records: int = 0
    opaque_bytes: int = 0
    app_records: int = 0
    tls13: bool = False

    def count(self, events: Iterable[Event]) -> None:
        """Add some events."""
        for event in events:
            if type(event) is OpaqueRecord:  # isinstance costs more, and most events come here
                self.opaque_records += 1
                self.opaque_bytes += event.length
                self.app_records += event.content_type == _APPLICATION_DATA
            elif type(event) is Handshake and type(event.body) is ServerHello:
                version = event.body.selected_version
                self.tls13 |= (version == TLS13 or version >> 8 == 0x7F) and not event.body.hello_retry_request


@dataclass(frozen=True, slots=True)
class Flight:
    """A run of whole records.

    Attributes:
        size: bytes. fixed: (offset, bytes) of what does not vary.
        sealed: offsets where an encrypted handshake record must not look like a ClientHello.
        randoms: offsets of the randoms of ServerHellos, which may mean something.
        hellos: (number of the event, offsets of random, session id and its end).
        events: as they were; the places in the stream are the same for all who come this way.
        after: where the direction stands behind it.
    """

    size: int
    fixed: tuple[tuple[int, bytes], ...]
    sealed: tuple[int, ...]
    randoms: tuple[int, ...]
    hellos: tuple[tuple[int, int, int, int], ...]
    events: tuple[Event, ...]
    after: Place

    def is_in(self, data: bytes) -> bool:
        """`data` begins with this flight."""
        if len(data) < self.size:
            return False
        for at, piece in self.fixed:
            if not data.startswith(piece, at):
                return False
        for at in self.randoms:
            if data[at : at + _RANDOM] in _TELLING_RANDOMS:
                return False
        return all([data[at] != _CLIENT_HELLO for at in self.sealed])  # noqa: C419  (a generator costs twice as much)

    def events_of(self, data: bytes) -> list[Event]:
        """The events of `data`, which begins with this flight."""
        events = list(self.events)
        for number, random, session_id, end in self.hellos:
            known = events[number]
            if isinstance(known, Handshake):
                body, values = known.body, (data[random : random + _RANDOM], data[session_id:end])
                if isinstance(body, ClientHello):
                    body = same_client_hello(body, *values)
                elif isinstance(body, ServerHello):
                    body = same_server_hello(body, *values)
                events[number] = Handshake(known.type, body, known.size, known.records, known.span)
        return events


class Place:
    """Where a direction stands after known flights. `records` stands there too and is never fed, only copied. `sums`: of all
    events up to there."""

    __slots__ = ("_flights", "_missed", "records", "sums")

    def __init__(self, records: Records, sums: Sums) -> None:
        self.records, self.sums = records, sums
        self._flights: dict[bytes, tuple[Flight, ...]] = {}  # by the header of the first record; the longest first
        self._missed: set[tuple[bytes, int]] = set()  # came once, which is not worth a memory

    def find(self, data: bytes) -> Flight | None:
        """The flight that `data` begins with; None if it is not known."""
        for flight in self._flights.get(data[:HEADER], ()):
            if flight.is_in(data):
                return flight
        return None

    def misses(self, data: bytes) -> bool:
        """`data` is not known here. Is it worth remembering: did as much come before, and is there room?"""
        key = data[:HEADER], len(data)
        if key not in self._missed:
            if len(self._missed) >= MAX_SIZES:
                self._missed.clear()
            self._missed.add(key)
            return False
        known = self._flights.get(key[0])
        return len(self._flights) < MAX_SIZES if known is None else len(known) < MAX_CHOICES

    def add(self, header: bytes, flight: Flight) -> None:
        """Remember."""
        known = (*self._flights.get(header, ()), flight)
        self._flights[header] = tuple(sorted(known, key=lambda flight: -flight.size))


class _Memory:
    """Where all directions start, and how much is remembered."""

    def __init__(self) -> None:
        self.start = Place(Records(), Sums())
        self._count = self._bytes = 0

    def charge(self, size: int) -> None:
        """One more flight; if it is one too many, directions start at an empty place from now on."""
        self._count += 1
        self._bytes += 2 * size
        if self._count > MAX_FLIGHTS or self._bytes > MAX_BYTES:
            self.start = Place(Records(), Sums())
            self._count = self._bytes = 0


_memory = _Memory()


def start() -> Place:
    """Where a direction stands before its first byte."""
    return _memory.start


def whole_records(data: bytes) -> int:
    """Bytes of whole records at the start of `data`."""
    pos, size = 0, len(data)
    while size - pos >= HEADER and is_begun(data[pos : pos + HEADER]):
        end = pos + HEADER + (data[pos + 3] << 8 | data[pos + 4])
        if end > size:
            break
        pos = end
    return pos


def is_begun(data: bytes) -> bool:
    """These may be the first bytes of a record."""
    if not ContentType.change_cipher_spec <= data[0] <= ContentType.heartbeat or (len(data) > 1 and data[1] != 3):
        return False
    return len(data) < HEADER or data[3] << 8 | data[4] <= MAX_RECORD


def remember(place: Place, data: bytes, events: Sequence[Event], after: Records) -> Flight | None:
    """Make a flight of whole records that were read at this place; None if they are of a kind that is read each time.
    `after` read them and belongs to the flight from now on."""
    base = after.offset - len(data)
    if not after.is_between or after.suppressed or after.empty_records:
        return None
    varying: list[Region] = []
    sealed, hellos = [], []
    for number, event in enumerate(events):
        if type(event) is OpaqueRecord:
            at = event.span.start + HEADER - base
            if event.content_type == _ALERT and event.length == _CLEAR_ALERT:
                return None  # other bytes may be an alert in clear
            varying.append((at, at + event.length))
            if event.content_type == _HANDSHAKE and event.length:
                sealed.append(at)
        elif type(event) is Handshake:
            at = event.span.start + MESSAGE_HEADER - base
            regions = _varying(event, data[at : event.span.end - base])
            if regions is None:
                return None
            varying += [(at + start, at + end) for start, end in regions]
            if event.type in (_CLIENT_HELLO, _SERVER_HELLO):
                random, session_id = regions[0], regions[1]
                hellos.append((number, at + random[0], at + session_id[0], at + session_id[1]))
        elif type(event) is not ChangeCipherSpec:
            return None
    fixed = _between(varying, data)
    randoms = tuple([at for number, at, _, _ in hellos if _kind(events[number]) == _SERVER_HELLO])
    sums = replace(place.sums)
    sums.count(events)
    flight = Flight(len(data), fixed, tuple(sealed), randoms, tuple(hellos), tuple(events), Place(after, sums))
    place.add(data[:HEADER], flight)
    _memory.charge(len(data))
    return flight


def _kind(event: Event) -> int | None:
    return event.type if isinstance(event, Handshake) else None


def _between(varying: list[Region], data: bytes) -> tuple[tuple[int, bytes], ...]:
    """What does not vary."""
    fixed, at = [], 0
    for start, end in (*sorted(varying), (len(data), len(data))):
        if start > at:
            fixed.append((at, data[at:start]))
        at = max(at, end)
    return tuple(fixed)


def _varying(event: Handshake, body: bytes) -> Sequence[Region] | None:
    """Regions of a message's body that influence nothing; of hellos, random and session id first. None: it is read each
    time."""
    parsed, size = event.body, len(body)
    if isinstance(parsed, Unreadable) or getattr(parsed, "oddities", None):
        return None
    if event.records != 1:
        return () if event.type in _FIXED else None
    if isinstance(parsed, ClientHello | ServerHello):
        usual = event.type in (_CLIENT_HELLO, _SERVER_HELLO) and not parsed.sslv2 and parsed.fixed_pattern is None
        if not usual or not 0x0300 <= parsed.legacy_version <= 0x0303:
            return None
        if isinstance(parsed, ServerHello) and parsed.hello_retry_request:
            return None
        return varying_places(body, client=isinstance(parsed, ClientHello))
    if event.type in _FIXED:
        return ()
    if event.type == HandshakeType.client_key_exchange:
        return ((0, size),)
    if isinstance(parsed, NewSessionTicket):
        return ((6, size),) if size > 6 and 6 + (body[4] << 8 | body[5]) == size else None
    if isinstance(parsed, CertificateVerify):
        return ((2 if parsed.signature_scheme is None else 4, size),)
    if isinstance(parsed, ServerKeyExchange) and parsed.curve is not None:
        return _varying_exchange(body, parsed.signature_scheme)
    return None


_FIXED = frozenset(
    map(
        int,
        (
            HandshakeType.certificate,
            HandshakeType.certificate_request,
            HandshakeType.certificate_status,
            HandshakeType.server_hello_done,
        ),
    )
)


def _varying_exchange(body: bytes, scheme: int | None) -> Sequence[Region] | None:
    """An elliptic curve's point and the signature (RFC 8422 section 5.4); None if an identity hint comes first."""
    if len(body) < 4 or body[0] != 3 or 4 + body[3] > len(body):
        return None
    point = 4 + body[3]
    signature = point + (2 if scheme is None else 4)
    return ((4, point), (signature, len(body))) if signature <= len(body) else None
