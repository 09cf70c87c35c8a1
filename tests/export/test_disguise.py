"""One frame disguised: whatever its bytes are, it never fails, and its checksums stay as right as they were."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.export.addresses import Addresses
from analyzer.export.disguise import Disguise
from analyzer.packets.layers import Packet
from tests.build.frames import checksum, ethernet, icmp, ipv4, tcp
from tests.export.test_writer import CAPTURES, Row, rows

NAMES = (
    "any-device.pcap",
    "mtls12-ipv6.pcap",
    "vxlan-tunnel.pcap",
    "mtu-discovered.pcap",
    "any-device-v1.pcap",
    "qinq-tags.pcap",
)
FRAMES = 12


def blank(packet: Packet, seq: int, payload: bytes) -> bytes:
    """No payload is kept."""
    return bytes(len(payload))


@cache
def frames(name: str) -> list[Row]:
    """The first frames of a capture."""
    return rows(Path(CAPTURES / name))[:FRAMES]


@given(
    name=st.sampled_from(NAMES),
    index=st.integers(0, FRAMES - 1),
    changes=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 200),
)
@settings(max_examples=400, deadline=None)
def test_no_bytes_make_it_fail(name: str, index: int, changes: list[tuple[int, int]], cut: int) -> None:
    data, original, time_ns, link = frames(name)[index % len(frames(name))]
    mutated = bytearray(data)
    for at, value in changes:
        mutated[at % len(mutated)] = value
    kept = bytes(mutated[: len(mutated) - cut % len(mutated)])
    new = Disguise(Addresses(), blank).rewrite(kept, original, link, time_ns)
    assert new is None or len(new[1]) == len(kept)


@pytest.mark.parametrize("name", NAMES)
def test_disguised_twice_is_the_same_again(name: str) -> None:
    for data, original, time_ns, link in frames(name):
        once = Disguise(Addresses(), blank).rewrite(data, original, link, time_ns)
        if once is not None:
            assert Disguise(Addresses(), blank).rewrite(once[1], once[2], once[0], time_ns) == once


def test_a_wrong_checksum_stays_as_wrong_as_it_was() -> None:
    data, original, time_ns, link = frames("mtls12-ipv6.pcap")[0]
    at = 14 + 40 + 16
    wrong = data[:at] + bytes((data[at] ^ 1, data[at + 1])) + data[at + 2 :]
    new, other = (Disguise(Addresses(), blank).rewrite(each, original, link, time_ns) for each in (data, wrong))
    assert new is not None
    assert other is not None
    fields = [int.from_bytes(each[1][at : at + 2], "big") for each in (new, other)]
    before = [int.from_bytes(each[at : at + 2], "big") for each in (data, wrong)]
    assert (fields[1] - fields[0]) % 65_535 == (before[1] - before[0]) % 65_535


def test_every_byte_of_the_payload_is_gone() -> None:
    for data, original, time_ns, link in frames("mtls12-ipv6.pcap"):
        new = Disguise(Addresses(), blank).rewrite(data, original, link, time_ns)
        assert new is not None
        assert not any(new[1][14 + 40 + 60 :])


ROUTE = b"\x07\x07\x04" + bytes((203, 0, 113, 9)) + b"\0"
"""IP option Record Route, with an address in it, and its padding."""
ADD_ADDRESS = b"\x1e\x08\x30\x01" + bytes((203, 0, 113, 9))
"""TCP option of Multipath TCP with an address in it (RFC 8684)."""


@pytest.mark.parametrize(
    ("payload", "quoted"),
    [
        pytest.param(b"", 200, id="a whole segment is quoted"),
        pytest.param(b"secret" * 9, 200, id="a whole segment with a payload"),
        pytest.param(b"", 36, id="eight bytes of TCP: no checksum among them"),
    ],
)
def test_a_quoted_packet_is_disguised_with_its_checksums(payload: bytes, quoted: int) -> None:
    inner = ipv4(tcp(payload=payload, options=ADD_ADDRESS), options=ROUTE)
    frame = ethernet(ipv4(icmp(3, 13, inner[:quoted]), protocol=1))
    new = Disguise(Addresses(), blank).rewrite(frame, len(frame), 1, 0)
    assert new is not None
    assert ROUTE[3:7] not in new[1]
    assert b"secret" not in new[1]
    error = new[1][14 + 20 :]
    quote = error[8:]
    header, segment = quote[:28], quote[28:]
    assert checksum(error) == checksum(header) == 0
    if quoted == 200:
        pseudo = header[12:20] + bytes((0, 6)) + len(segment).to_bytes(2, "big")
        assert checksum(pseudo + segment) == 0
