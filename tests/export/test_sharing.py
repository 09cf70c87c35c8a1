"""`--share-safe`: the same diagnosis, and nothing that should not be given away."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.export.addresses import Addresses
from analyzer.export.beside import clean_fetching, clean_lookup
from analyzer.export.original import read_blocks
from analyzer.export.plan import Plan
from analyzer.export.streams import EVERYTHING, Lane, blank_records, masked
from analyzer.pipeline import Options, Run
from analyzer.summary import CaptureSummary
from tests.export.test_writer import CAPTURES, rows, written

SUFFIXES = {".pcap", ".pcapng", ".cap", ".gz"}
RING = CAPTURES / "ring"
FILES = [*sorted(path for path in CAPTURES.rglob("*") if path.suffix in SUFFIXES and path.parent != RING), RING]
KINDS = {6, 1, 0x0A0D0D0A}
SAFE = Plan(share_safe=True, ports=Options().ports)


@cache
def shared(path: Path, target: Path) -> tuple[list[Connection], list[Connection]]:
    """The connections before and after."""
    _, before = written([path], target, SAFE)
    run = Run([str(target)], Options())
    after = [item for item in run if isinstance(item, Connection)]
    assert not run.errors
    assert not run.crashes
    return before, after


def story(conn: Connection) -> tuple[object, ...]:
    """What must be the same."""
    rules = [(f.rule, f.severity, f.confidence) for f in conn.findings]
    return (conn.outcome, conn.version, conn.ssl_history, conn.closed.how, conn.closed.by, rules)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_diagnosis_is_the_same(path: Path, tmp_path: Path) -> None:
    before, after = shared(path, tmp_path / "out.pcapng")
    assert [story(conn) for conn in after] == [story(conn) for conn in before]


@pytest.mark.parametrize("path", [path for path in FILES if "federation" in path.name], ids=lambda path: path.name)
def test_findings_across_connections_are_the_same(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    written([path], target, SAFE)
    told = [
        [
            finding.rule
            for item in Run([str(file)], Options())
            if isinstance(item, CaptureSummary)
            for finding in item.findings
        ]
        for file in (path, target)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_address_is_left(path: Path, tmp_path: Path) -> None:
    before, after = shared(path, tmp_path / "out.pcapng")
    old = {ip for conn in before for ip in (conn.client_ip, conn.server_ip)}
    old = {ip for ip in old if ip not in ("127.0.0.1", "::1")}
    assert old.isdisjoint(ip for conn in after for ip in (conn.client_ip, conn.server_ip))
    told = " ".join(text for conn in after for text in (conn.diagnosis or "", *(f.summary for f in conn.findings)))
    assert not [ip for ip in old if re.search(rf"(?<![\w.:]){re.escape(ip)}(?![\w.:])", told)]


def test_the_file_is_made_anew(tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    shared(CAPTURES / "formats" / "pcapng-blocks.pcapng", target)
    assert {block.kind for block in read_blocks(str(target))} == KINDS


def test_application_data_is_gone(tmp_path: Path) -> None:
    target, path = tmp_path / "out.pcapng", CAPTURES / "http-on-tls-port.pcap"
    shared(path, target)
    assert any(b"Host: " in data for data, *_ in rows(path))
    for data, *_ in rows(target):
        words = set(re.findall(rb"[A-Za-z]{4,}", data[66:]))
        assert {word for word in words if set(word) != set(b"x")} <= {b"HTTP"}


def test_encrypted_data_is_zero(tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    _, (conn,) = shared(CAPTURES / "mtls12-openssl.pcap", target)
    frames = [frame for step in conn.steps if step.name == "ApplicationData" for frame in step.frames]
    data = b"".join(rows(target)[frame - 1][0] for frame in frames)
    assert frames
    assert data.count(b"\0" * 16) >= len(frames)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize(
    "name", ["client-untrusted-12.pcap", "offload-on.pcap", "vxlan-tunnel.pcap", "mtls12-ipv6.pcap"]
)
def test_tshark_finds_every_checksum_right(name: str, tmp_path: Path) -> None:
    target = tmp_path / "out.pcapng"
    shared(CAPTURES / name, target)
    checked = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    asked = ["tshark", "-r", str(target), *checked, "-Y", "tcp", "-T", "fields", "-e", "tcp.checksum.status"]
    shown = subprocess.run([*asked, "-e", "ip.checksum.status"], capture_output=True, text=True, check=True)
    assert set(re.findall(r"\d", shown.stdout)) == {"1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("192.168.1.1", "10.0.0.1", id="private"),
        pytest.param("203.0.113.9", "198.18.0.1", id="documentation"),
        pytest.param("8.8.8.8", "192.88.99.1", id="public"),
        pytest.param("169.254.7.7", "169.254.0.1", id="link-local"),
        pytest.param("127.0.0.1", "127.0.0.1", id="loopback stays"),
        pytest.param("224.0.0.1", "224.0.0.1", id="multicast stays"),
        pytest.param("fe80::1234", "fe80::1", id="link-local, IPv6"),
        pytest.param("2a00:1450::5", "3ffe::1", id="public, IPv6"),
        pytest.param("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.2", id="no address: an OID"),
        pytest.param("12:34:56", "12:34:56", id="no address: a time"),
    ],
)
def test_addresses_keep_their_kind(old: str, new: str) -> None:
    addresses = Addresses()
    assert addresses.text(f"at {old}, {old}") == f"at {new}, {new}"


def test_many_addresses_stay_different() -> None:
    addresses = Addresses()
    new = {addresses.ip((0x08000000 + number).to_bytes(4, "big")) for number in range(2_000)}
    new |= {addresses.ip((0xCB007100 + number).to_bytes(4, "big")) for number in range(250)}
    assert len(new) == 2_250


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param(b"220 mail.example.com ESMTP\r\n", b"220 xxxx.xxxxxxx.xxx ESMTP\r\n", id="greeting"),
        pytest.param(b"CONNECT 10.1.2.3:443 HTTP/1.1\r\n", b"CONNECT 00.0.0.0:000 HTTP/0.0\r\n", id="proxy"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n", id="reply"),
    ],
)
def test_words_of_protocols_stay(text: bytes, left: bytes) -> None:
    assert len(masked(text)) == len(text)
    assert re.sub(rb"\d", b"0", masked(text)) == re.sub(rb"\d", b"0", left)


def test_of_lookups_only_those_that_a_finding_mentions_are_given_away(tmp_path: Path) -> None:
    target, path = tmp_path / "out.pcapng", CAPTURES / "server-name-mismatch-dns.pcap"
    shared(path, target)
    old, new = (b"".join(row[0] for row in rows(file) if b"\0\x35" in row[0][34:38]) for file in (path, target))
    (before,) = [item for item in Run([str(path)], Options()) if isinstance(item, Connection)]
    server = ip_address(before.server_ip).packed
    assert server in old
    assert server not in new
    assert b"\7example\3com" in new


def test_of_fetching_only_the_head_is_left() -> None:
    asked = b"GET /crl/issuing.crl HTTP/1.1\r\nHost: pki.example.com\r\nUser-Agent: me\r\nCookie: secret\r\n\r\nbody"
    left = (
        b"GET /crl/issuing.crl HTTP/1.1\r\nHost: pki.example.com\r\n"
        + b"x" * 14
        + b"\r\n"
        + b"x" * 14
        + b"\r\n\r\n\0\0\0\0"
    )
    assert clean_fetching(asked) == left
    assert clean_fetching(b"GET /private HTTP/1.1\r\nHost: example.com\r\n\r\n") == bytes(44)


def test_options_of_a_lookup_are_empty() -> None:
    question = bytes.fromhex(
        "1234 0100 0001 0000 0000 0001 0161 00 0001 0001 00 0029 1000 00000000 000b 0008 0007 0001 1800 c00002"
    )
    assert clean_lookup(question, Addresses()) == question[:-11] + bytes(11)


@pytest.mark.parametrize(
    ("payload", "left"),
    [
        pytest.param(b"\x17\3\3\0\4abcd\x17\3\3\0\4ab", b"\x17\3\3\0\4\0\0\0\0\x17\3\3\0\4\0\0", id="headers stay"),
        pytest.param(b"\x15\3\3\0\2\1\0", b"\x15\3\3\0\2\1\0", id="an alert stays"),
        pytest.param(b"hello, world", bytes(12), id="no record"),
    ],
)
def test_records_that_nobody_followed(payload: bytes, left: bytes) -> None:
    assert blank_records(payload, 0) == left


def test_a_lane_blanks_by_sequence_number_across_the_wrap() -> None:
    lane = Lane(base=0xFFFFFFFE, blanks=[(4, 8)], tail=EVERYTHING)
    assert lane.clean(0xFFFFFFFE, b"abcdefghij") == b"abcd\0\0\0\0ij"
    assert lane.clean(2, b"efghij") == b"\0\0\0\0ij"
    assert lane.clean(0xFFFFFFFD, b"Xab") == b"\0ab"
