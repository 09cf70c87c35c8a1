"""TLS 1.3 without keys: which records a conversation has, and the names that their lengths give them."""

from __future__ import annotations

from analyzer.connection import Side, StepRow
from analyzer.folding.conversation import Conversation
from analyzer.folding.inference import UNREAD, Reading, Record, read
from analyzer.folding.unread import unread_bytes
from analyzer.tls.messages import ClientHello, Handshake, ServerHello


def read_13(rows: list[StepRow], conversation: Conversation, client: int) -> Reading | None:
    """Lengths of both sides' records after the ServerHello; None if that was not seen."""
    hello, cipher, early_data, wants_tickets = None, None, False, True
    for row in rows:
        event = row[8]
        if isinstance(event, Handshake) and isinstance(event.body, ClientHello):
            early_data = event.body.early_data
            wants_tickets = event.body.psk_key_exchange_modes is not None
        if row[4] == "ServerHello" and isinstance(event, Handshake) and isinstance(event.body, ServerHello):
            hello, cipher = row[0], event.body.cipher_suite
            break
    if hello is None:
        return None
    records: dict[Side, list[Record]] = {Side.CLIENT: [], Side.SERVER: []}
    for frame, _, _, side, name, _, time_ns, size, _, _ in rows:
        if name == "ApplicationData" and frame >= hello:
            records[side].append(Record(size, frame, time_ns))
    lanes = conversation.flow.lanes
    for at, side in enumerate(Side):
        half, lane = conversation.halves[client ^ at], lanes[client ^ at]
        tail = half.tail
        if tail is not None and tail[4] != (lane.last_payload_seq or 0) & 0xFFFFFFFF:
            tail = None  # not the last that it said
        if unread_bytes(conversation, client ^ at, tail=tail is not None):
            records[side].append(Record(UNREAD, max(lane.last_frame or 0 for lane in lanes), conversation.flow.last_ns))
        if tail is not None:
            records[side].append(Record(tail[3], tail[0], tail[1]))
    ends: dict[int, int] = {}
    for end in conversation.ends:
        ends.setdefault(end.direction, end.frame)
    return read(
        records[Side.CLIENT],
        records[Side.SERVER],
        cipher,
        client_end=ends.get(client),
        server_end=ends.get(1 - client),
        early_data=early_data,
        wants_tickets=wants_tickets,
    )


def name_13(rows: list[StepRow], reading: Reading) -> tuple[int, int]:
    """Rename application data that is handshake, tickets or alerts by its size and place. Returns how many records there
    were of the client and of the server."""
    hello = next(row[0] for row in rows if row[4] == "ServerHello")
    seen = {Side.CLIENT: 0, Side.SERVER: 0}
    for index, row in enumerate(rows):
        if row[4] == "ApplicationData" and row[0] >= hello:
            at = seen[row[3]]
            seen[row[3]] += 1
            rows[index] = (*row[:4], _name_of_13(row[3], at, reading), *row[5:])
    return seen[Side.CLIENT], seen[Side.SERVER]


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
