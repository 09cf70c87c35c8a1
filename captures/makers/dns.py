"""Name servers: a small one that answers from a table, and questions as an edge server asks them."""

from __future__ import annotations

import contextlib
import ipaddress
import random
import socket
import struct
import threading
from collections.abc import Mapping

from captures.makers.hosts import Host
from captures.makers.lab import Lab

A, CNAME, AAAA, SRV = 1, 5, 28, 33  # RFC 1035 section 3.2.2, RFC 3596, RFC 2782
KINDS = {"A": A, "CNAME": CNAME, "AAAA": AAAA, "SRV": SRV}
RESOLVER = "192.0.2.53"
Zone = Mapping[tuple[str, str], str]
"""(name, kind) -> address, name, or "priority weight port target"."""

RECURSIVE_ANSWER, NO_SUCH_NAME = 0x8180, 0x8183
TTL = 3600  # seconds


def wire_name(name: str) -> bytes:
    """Labels with their lengths."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def wire_data(kind: int, text: str) -> bytes:
    """The data of a record."""
    if kind == CNAME:
        return wire_name(text)
    if kind == SRV:
        priority, weight, port, target = text.split()
        return struct.pack(">HHH", int(priority), int(weight), int(port)) + wire_name(target)
    return ipaddress.ip_address(text).packed


def answer(question: bytes, zone: Zone) -> bytes:
    """The answer to one question; aliases are followed."""
    name, end = _name_at(question, 12)
    (kind,) = struct.unpack_from(">H", question, end)
    records, wanted = [], name
    known = {entry[0] for entry in zone}
    while alias := zone.get((wanted, "CNAME")):
        records.append(_record(wanted, CNAME, alias))
        wanted = alias
    for (owner, label), text in zone.items():
        if owner == wanted and KINDS[label] == kind:
            records.append(_record(owner, kind, text))
    flags = RECURSIVE_ANSWER if wanted in known else NO_SUCH_NAME
    header = question[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0)
    return header + question[12 : end + 4] + b"".join(records)


def _record(name: str, kind: int, text: str) -> bytes:
    data = wire_data(kind, text)
    return wire_name(name) + struct.pack(">HHIH", kind, 1, TTL, len(data)) + data


def _name_at(message: bytes, at: int) -> tuple[str, int]:
    labels = []
    while size := message[at]:
        labels.append(message[at + 1 : at + 1 + size].decode())
        at += 1 + size
    return ".".join(labels).lower(), at + 1


def name_server(lab: Lab, on: Host, zone: Zone) -> None:
    """Answer on `on` at RESOLVER, and let the programs of the other host ask there."""
    lab.more_addresses(on, RESOLVER)
    other = lab.client if on is lab.server else lab.server
    other.use_resolver(RESOLVER)
    listener = on.udp_socket()
    listener.bind((RESOLVER, 53))

    def loop() -> None:
        with contextlib.suppress(OSError), listener:
            while True:
                question, peer = listener.recvfrom(2000)
                listener.sendto(answer(question, zone), peer)

    threading.Thread(target=loop, daemon=True).start()


def ask(host: Host, name: str, kind: str) -> None:
    """One question over UDP and its answer, which is not looked at."""
    question = struct.pack(">HHHHHH", random.getrandbits(16), 0x0100, 1, 0, 0, 0)
    with host.udp_socket() as connection:
        connection.settimeout(2)
        connection.connect((RESOLVER, 53))
        connection.send(question + wire_name(name) + struct.pack(">HH", KINDS[kind], 1))
        with contextlib.suppress(socket.timeout):
            connection.recv(2000)
