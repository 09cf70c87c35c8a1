"""TLS 1.3 without keys: what the lengths of encrypted records tell (RFC 8446 section 5.2: content + 1 + tag).

Lengths are exact for stacks that put one message into one record (OpenSSL, GnuTLS, Go); JSSE pads each record by 16
bytes. Stacks that coalesce messages leave only totals, and then nothing, or less, is said.
"""

from __future__ import annotations

from analyzer.connection import ClientAuth13
from analyzer.dataclass import dataclass

HEADER, INNER_TYPE = 4, 1
TLS_AES_256_GCM_SHA384, TLS_AES_128_CCM_8_SHA256 = 0x1302, 0x1305
PADDING = (0, 16)
"""Bytes of padding a record may carry: none, or JSSE's 16."""
SMALLEST_CHAIN = 100
"""A Certificate message with a certificate in it is never shorter than this many bytes."""
LOOK_AHEAD = 5
"""Records of the client's flight among which its Finished is looked for."""
MOST_TICKETS = 4
"""NewSessionTicket records that a server sends at once at most."""
SMALLEST_TICKET = 50
"""A NewSessionTicket record is never shorter: its fields and a ticket of 16 bytes (RFC 8446 section 4.6.1), type and tag."""
MOST_ALERTS = 2
"""Alerts that a server sends one behind the other when it refuses: GnuTLS says access_denied, and then why."""
PROMPT_NS = 1_000_000_000
"""Who refuses a certificate does so at once: after a client that has talked on for longer, a close is a close."""
UNREAD = 0
"""Length of a `Record` that stands for any number of records that were only counted; none is that short."""


@dataclass(slots=True)
class Record:
    """An encrypted record: its length field, the frame that completes it, and when."""

    length: int
    frame: int
    time_ns: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """Record lengths that a cipher suite gives to messages of known size."""

    alert: int
    finished: int
    empty_certificate: int
    empty_and_finished: int
    end_of_early_data: int

    def is_alert(self, length: int) -> bool:
        """An alert, padded or not."""
        return length - self.alert in PADDING

    def is_finished(self, length: int) -> bool:
        """A Finished message alone in its record."""
        return length - self.finished in PADDING


def sizes(cipher_suite: int | None) -> Sizes:
    """Lengths for this suite. Source: RFC 8446 sections 4.4.2, 4.4.4, 4.5, 5.2, 6."""
    overhead = INNER_TYPE + (8 if cipher_suite == TLS_AES_128_CCM_8_SHA256 else 16)
    digest = 48 if cipher_suite == TLS_AES_256_GCM_SHA384 else 32
    empty = HEADER + 1 + 3  # empty request context, empty list
    return Sizes(
        alert=2 + overhead,
        finished=HEADER + digest + overhead,
        empty_certificate=empty + overhead,
        empty_and_finished=empty + HEADER + digest + overhead,
        end_of_early_data=HEADER + overhead,
    )


@dataclass(slots=True)
class Reading:
    """What the records say.

    Attributes:
        auth: the facts for the record.
        client_flight: how many of the client's records are its handshake; the rest is data. 0 = its Finished was not seen.
        server_flight: how many of the server's records came before that.
        tickets: how many of the server's records after that look like session tickets.
        client_alert, server_alert: index of a record that is an alert by its size and place; None if there is none.
        in_flight: the server refused before it had the client's Finished.
    """

    auth: ClientAuth13
    client_flight: int
    server_flight: int
    tickets: int
    client_alert: int | None = None
    server_alert: int | None = None
    in_flight: bool = False


def read(
    client: list[Record],
    server: list[Record],
    cipher_suite: int | None,
    *,
    client_end: int | None,
    server_end: int | None,
    early_data: bool = False,
    wants_tickets: bool = True,
) -> Reading:
    """Judge the records after the ServerHello. `client_end`, `server_end`: frame of the first FIN or RST of that side,
    None if it sent none. `early_data`: the ClientHello announced some (RFC 8446 section 4.2.10). `wants_tickets`: it said how
    it would use session tickets; else a server sends none (section 4.2.9)."""
    size = sizes(cipher_suite)
    closed = client_end is not None or server_end is not None
    if client and size.is_alert(client[0].length) and len(client) == 1 and closed:
        auth = ClientAuth13(None, "medium", False, True, _lengths(client), _lengths(server), (client[0].frame,))
        return Reading(auth, 0, len(server), 0, client_alert=0)
    lengths = [record.length for record in client]
    padded = bool(client and server) and lengths[0] == server[0].length  # EncryptedExtensions, as long as a chain
    answer, confidence, flight = _behind_early_data(lengths, size) if early_data else _client_answer(lengths, size)
    if not flight or padded:
        auth = ClientAuth13(None, "medium", False, False, _lengths(client), _lengths(server), ())
        # no handshake message is as short as an alert
        alone = closed and not client and len(server) > 1 and server[-1].length == size.alert
        return Reading(auth, 0, len(server), 0, server_alert=len(server) - 1 if alone else None)
    done = client[flight - 1]
    before = sum(1 for record in server if record.frame <= done.frame)
    in_flight = before == len(server) and server_end is not None and not early_data and _breaks_in(client, server, size)
    before -= in_flight
    after = server[before:]
    asked = bool(after) and len(client) > flight and client[flight].frame < after[0].frame
    last = client[-1] if len(client) > flight and size.is_alert(client[-1].length) else None
    client_alert = len(client) - 1 if last is not None and closed else None
    refused = (
        0 < len(after) <= (1 if asked else MOST_ALERTS)
        and all(size.is_alert(record.length) for record in after)
        and not (asked and after[0].time_ns - done.time_ns >= PROMPT_NS)
        and closed
        and not (last is not None and last.frame < after[0].frame)
        and not (client_end is not None and client_end < after[0].frame)
    )
    server_alert = len(server) - 1 if after and closed and size.is_alert(after[-1].length) else None
    tickets = _tickets(after, client[flight:], size) if wants_tickets and not refused else 0
    frames = tuple(sorted({record.frame for record in client[:flight]}))
    if refused and asked:
        confidence = "medium"  # an answer of two bytes looks the same
    auth = ClientAuth13(answer, confidence, refused, False, _lengths(client), _lengths(server), frames)
    return Reading(auth, flight, before, tickets, client_alert, server_alert, in_flight)


def _breaks_in(client: list[Record], server: list[Record], size: Sizes) -> bool:
    """The server's last record is an alert amid the flight of a client that sends each message by itself (JSSE): it judged
    the Certificate, and the rest was under way. No handshake message is so short."""
    return len(server) > 1 and size.is_alert(server[-1].length) and client[0].frame < server[-1].frame


def _lengths(records: list[Record]) -> tuple[int, ...]:
    return tuple(record.length for record in records[:16] if record.length != UNREAD)


def _behind_early_data(lengths: list[int], size: Sizes) -> tuple[str | None, str, int]:
    """As `_client_answer`, where the first records may be early data: of any length, so that nothing but its end, or a
    Finished that comes first, tells where the handshake goes on. A refused one has no end."""
    if lengths and size.is_finished(lengths[0]):
        return _client_answer(lengths, size)
    for at, length in enumerate(lengths[:-1]):
        if length == size.end_of_early_data and size.is_finished(lengths[at + 1]):
            answer, confidence, flight = _client_answer(lengths[at:], size)
            return answer, confidence, at + flight
    return None, "medium", 0


def _client_answer(lengths: list[int], size: Sizes) -> tuple[str | None, str, int]:
    """(answer, confidence, number of records of the flight); 0 records if the Finished is not there."""
    skip = 1 if lengths and lengths[0] == size.end_of_early_data else 0
    rest = lengths[skip:]
    if not rest:
        return None, "medium", 0
    first = rest[0]
    if size.is_finished(first):
        return "not-requested", "high" if first == size.finished else "medium", skip + 1
    if first - size.empty_certificate in PADDING and len(rest) > 1 and size.is_finished(rest[1]):
        return "empty", "high" if first == size.empty_certificate else "medium", skip + 2
    if first - size.empty_and_finished in PADDING:
        return "empty", "medium", skip + 1
    if first > SMALLEST_CHAIN:
        for at in range(1, min(len(rest), LOOK_AHEAD)):
            if size.is_finished(rest[at]):
                return "sent", "high" if at == 2 else "medium", skip + at + 1
        if first > SMALLEST_CHAIN + size.finished:
            return "sent", "medium", skip + 1  # everything in one record
    return None, "medium", 0


def _tickets(after: list[Record], said: list[Record], size: Sizes) -> int:
    """Leading records of the server that look like tickets: of one length, and nothing that the client said came between.

    One that comes behind data of the client is taken for an answer. One that comes before cannot be told from a greeting; it
    counts as a ticket, so that silence stays silence.
    """
    if not after or after[0].length < SMALLEST_TICKET or size.is_alert(after[0].length):
        return 0
    asked = said[0].frame if said else None
    again = next((record.frame for record in said if record.frame > after[0].frame), None)
    count = 1
    while count < min(len(after), MOST_TICKETS) and abs(after[count].length - after[0].length) <= 1:
        if again is not None and again < after[count].frame:
            break
        count += 1
    return 0 if count == 1 and asked is not None and asked < after[0].frame else count
