"""Syslog with real receivers: what arrives, what is escaped, what happens when the receiver is gone, slow or flooded."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from analyzer.connection import Connection, Outcome
from analyzer.errors import UsageError
from analyzer.findings import Severity
from analyzer.live import outbox as outbox_module
from analyzer.live.outbox import Outbox, Target, network
from analyzer.live.syslog import COUNTS_NS, LOSSES_NS, Syslog, local
from analyzer.live.syslog_messages import LONGEST, SD_ID
from analyzer.live.troubles import OF_A_KIND
from analyzer.rules import ids
from tests.build.connections import connection
from tests.report.records import failed, finding, healthy

DAEMON = 3
PATIENCE = 10
SECOND_NS = 1_000_000_000
RFC5424 = re.compile(
    r"<(?P<level>\d+)>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (?P<host>[!-~]{1,255}) mtlscope (?P<pid>\d+)"
    r" (?P<name>[!-~]{1,32}) \[(?P<id>[!-~]+?)(?P<facts>(?: [!-~]{1,32}=\"(?:[^\"\\\]]|\\[\"\\\]])*\")*)\] (?P<text>.*)",
    re.DOTALL,
)
FACT = re.compile(r" ([!-~]+?)=\"((?:[^\"\\\]]|\\[\"\\\]])*)\"")


def parsed(data: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """The parts of a message as RFC 5424 has it, and its facts with their escapes undone."""
    found = RFC5424.fullmatch(data.decode())
    assert found is not None, data
    assert found["id"] == SD_ID
    facts = {name: re.sub(r"\\(.)", r"\1", value) for name, value in FACT.findall(found["facts"])}
    return found.groupdict(), facts


class Datagrams:
    """A receiver over UDP, or at a socket of this machine."""

    def __init__(self, family: socket.AddressFamily = socket.AF_INET, address: object = ("127.0.0.1", 0)) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(address)  # type: ignore[arg-type]
        self.socket.settimeout(PATIENCE)

    @property
    def target(self) -> Target:
        """Where it is."""
        host, port = self.socket.getsockname()
        return network(host, port, False)

    def one(self) -> bytes:
        """The next message."""
        return self.socket.recv(65_536)

    def rest(self) -> list[bytes]:
        """All that is there now."""
        self.socket.setblocking(False)
        found = []
        with suppress(BlockingIOError):
            while True:
                found.append(self.one())
        self.socket.settimeout(PATIENCE)
        return found


@pytest.fixture
def receiver() -> Iterator[Datagrams]:
    one = Datagrams()
    yield one
    one.socket.close()


def syslog(target: Target, told: list[str] | None = None) -> Syslog:
    return Syslog(target, DAEMON, (told if told is not None else []).append)


def test_a_connection_in_trouble_is_one_message(receiver: Datagrams) -> None:
    told = (
        finding("client-certificate-rejected", summary="the server refuses the client's certificate"),
        finding("tls-alert"),
    )
    tap = syslog(receiver.target)
    tap.see(healthy())
    tap.see(failed(*told))
    tap.close()
    (message,) = receiver.rest()
    head, facts = parsed(message)
    assert (head["level"], head["name"]) == (str(DAEMON * 8 + 3), "client-certificate-rejected")
    assert head["text"] == "192.0.2.10:50000 -> 198.51.100.5:5061: the server refuses the client's certificate"
    assert head["time"].startswith("2026-09-21T")
    assert facts == {
        "rule": "client-certificate-rejected",
        "severity": "error",
        "confidence": "high",
        "outcome": "failed",
        "client": "192.0.2.10",
        "client_port": "50000",
        "server": "198.51.100.5",
        "server_port": "5061",
        "server_name": "sip.example.com",
        "version": "TLSv1.2",
        "uid": "Ctest0000000000000",
        "community_id": "1:test",
    }


@pytest.mark.parametrize(
    ("conn", "level", "name"),
    [
        pytest.param(failed(finding()), 3, "tls-alert", id="an error"),
        pytest.param(failed(finding(severity=Severity.WARNING)), 4, "tls-alert", id="a warning"),
        pytest.param(failed(finding(severity=Severity.NOTE)), 5, "tls-alert", id="it failed, and there is but a note"),
        pytest.param(connection("> SYN", "< RST", outcome=Outcome.FAILED), 3, "connection", id="no rule says why"),
    ],
)
def test_how_bad_it_is(conn: Connection, level: int, name: str, receiver: Datagrams) -> None:
    tap = syslog(receiver.target)
    tap.see(conn)
    tap.close()
    head, _ = parsed(receiver.one())
    assert (head["level"], head["name"]) == (str(DAEMON * 8 + level), name)


def test_every_rule_is_a_name_for_syslog() -> None:
    assert [rule for rule in ids() if not re.fullmatch(r"[!-~]{1,32}", rule)] == []


HOSTILE = 'a"]\\ <13>1 - x\n\r\0\x1b[2J\u202e\u2028ü' + "x" * 5_000


def test_hostile_names_stay_inside_their_quotes(receiver: Datagrams) -> None:
    tap = syslog(receiver.target)
    tap.see(failed(finding(summary=HOSTILE), server_name=HOSTILE, uid=HOSTILE, version=HOSTILE))
    tap.close()
    (message,) = receiver.rest()
    assert len(message) <= LONGEST
    head, facts = parsed(message)
    assert set(facts) - {"community_id", "server_port"} == {
        *(
            "rule",
            "severity",
            "confidence",
            "outcome",
            "client",
            "client_port",
            "server",
            "server_name",
            "version",
            "uid",
        )
    }
    assert facts["server_name"].startswith('a"]\\ <13>1 - x\\x0a\\x0d\\x00\\x1b[2J\\u202e\\u2028ü')
    assert not {"\n", "\r", "\0", "\x1b", "\u202e", "\u2028"} & set(message.decode())
    assert head["text"].startswith("\ufeff"), "what is no ASCII begins as UTF-8 must"
    assert head["text"].endswith("...")


def test_equal_troubles_are_counted_and_the_counts_add_up(receiver: Datagrams) -> None:
    tap = syslog(receiver.target)
    start_ns = tap._now_ns
    for minute in range(3):
        for _ in range(100):
            tap.see(failed(finding()))
        tap.tick(start_ns + (minute + 1) * COUNTS_NS)
    tap.tick(start_ns + 9 * COUNTS_NS)
    tap.close()
    messages = [parsed(data) for data in receiver.rest()]
    counts = [facts for _, facts in messages if "count" in facts]
    assert [(facts["count"], facts["seconds"]) for facts in counts] == [("97", "60"), ("100", "60"), ("100", "60")]
    assert len(messages) == OF_A_KIND + 3
    assert messages[OF_A_KIND][0]["text"].startswith(
        "... and 97 more like it in 60 s: 192.0.2.10 -> 198.51.100.5:5061, "
    )
    assert messages[OF_A_KIND][0]["name"] == "tls-alert"


def test_losses_are_one_message_in_ten_seconds(receiver: Datagrams) -> None:
    tap = syslog(receiver.target)
    start_ns = tap._now_ns
    for number in range(10):
        tap.lost(100)
        tap.tick(start_ns + number * SECOND_NS)
    assert receiver.rest() == []
    tap.tick(start_ns + LOSSES_NS)
    head, facts = parsed(receiver.one())
    assert (head["name"], head["text"]) == ("packets-lost", "the capture lost 1,000 packets in 10 s")
    assert facts == {"packets": "1000", "seconds": "10"}
    tap.lost(1)
    tap.close()
    assert parsed(receiver.one())[1]["packets"] == "1"


def test_a_flood_of_different_troubles_is_bounded_and_counted(receiver: Datagrams) -> None:
    tap = syslog(receiver.target)
    for number in range(5_000):
        tap.see(failed(finding(), client_ip=f"192.0.{number // 250}.{number % 250}", server_ip=f"10.0.0.{number % 99}"))
    tap.tick(tap._now_ns + COUNTS_NS)
    messages = [parsed(data)[1] for data in receiver.rest()]
    tap.close()
    assert len(messages) <= 50
    assert sum(int(facts.get("count", 1)) for facts in messages) == 5_000


# ---- the socket of this machine -----------------------------------------------------------------------------------------

unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX") or sys.platform == "win32", reason="no such sockets here")


@unix
def test_the_local_socket_gets_what_the_c_library_writes(tmp_path: Path) -> None:
    receiver = Datagrams(socket.AF_UNIX, str(tmp_path / "log"))
    tap = syslog(local(str(tmp_path / "log")))
    tap.see(failed(finding(summary="refused\n<0>kernel: no")))
    tap.close()
    message = receiver.one().decode()
    receiver.socket.close()
    assert re.fullmatch(
        r"<27>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d mtlscope\[\d+\]: tls-alert: 192\.0\.2\.10:50000 -> "
        r"198\.51\.100\.5:5061: refused\\x0a<0>kernel: no \[mtlscope@32473 rule=\"tls-alert\" .*\]",
        message,
    )


@unix
@pytest.mark.parametrize("what", ["nothing", "file"])
def test_a_path_without_a_socket_is_said_at_once(what: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"no syslog socket at .*; name a receiver: --syslog HOST:PORT"):
        local(str(tmp_path / what))


@unix
def test_a_receiver_that_reads_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "WAITING", 50)
    monkeypatch.setattr(outbox_module, "LAST_CHANCE", 0.1)
    told = list[str]()
    receiver = Datagrams(socket.AF_UNIX, str(tmp_path / "log"))
    box = Outbox(local(str(tmp_path / "log")), told.append)
    for number in range(5_000):
        box.put(b"%d" % number)
    assert (len(box), box.dropped > 0) == (50, True)
    read, before = receiver.rest(), -1
    while len(read) != before:
        before = len(read)
        box.push()
        read += receiver.rest()
    receiver.socket.close()
    assert len(box) == 0
    assert len(read) + box.dropped == 5_000
    assert read == [b"%d" % number for number in range(len(read))], "in order, none twice"
    assert told == []
    box.dropped = 0
    box.close()


# ---- TCP, and receivers that go away ------------------------------------------------------------------------------------


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def counted(data: bytes) -> list[bytes]:
    """Messages behind their lengths (RFC 6587)."""
    found = []
    while data:
        length, _, data = data.partition(b" ")
        found.append(data[: int(length)])
        data = data[int(length) :]
    return found


def test_over_tcp_each_message_stands_behind_its_length() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()[:2]
        tap = syslog(network(host, port, True))
        peer, _ = server.accept()
        for _ in range(2):
            tap.see(failed(finding(summary="ü is two bytes")))
        tap.close()
        with peer:
            data = b"".join(iter(lambda: peer.recv(65_536), b""))
    messages = counted(data)
    assert len(messages) == 2
    assert all(parsed(one)[0]["text"].endswith("ü is two bytes") for one in messages)


def test_a_receiver_that_goes_away_is_told_once_and_gets_the_rest_when_it_is_back() -> None:
    told, clock = list[str](), Clock()
    server = socket.create_server(("127.0.0.1", 0))
    host, port = server.getsockname()[:2]
    box = Outbox(network(host, port, True), told.append, clock)
    box.push()
    peer, _ = server.accept()
    box.put(b"first")
    peer.settimeout(PATIENCE)
    assert peer.recv(100) == b"5 first"
    peer.close()
    server.close()
    for number in range(20):
        box.put(b"%d" % number)
        clock.now += 1
    assert len(told) == 1
    assert told[0].startswith(f"tcp:127.0.0.1:{port}: hung up; messages wait, 1,000 at most")
    with socket.create_server((host, port)) as again:
        again.settimeout(PATIENCE)
        clock.now += 60
        box.push()
        peer, _ = again.accept()
        with peer:
            clock.now += 1
            box.push()
            peer.settimeout(PATIENCE)
            got = b""
            while len(counted(got)) < 20:
                got += peer.recv(65_536)
            assert counted(got) == [b"%d" % number for number in range(20)]
            clock.now += 10
            box.push()
            assert told[1:] == [f"tcp:127.0.0.1:{port}: is there again"]
            box.close()
    assert len(told) == 2


def test_what_found_no_room_is_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "WAITING", 5)
    monkeypatch.setattr(outbox_module, "FIRST_WAIT", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host, port = taken.getsockname()[:2]
    tap = syslog(network(host, port, True))
    for number in range(9):
        tap.see(failed(finding(), server_ip=f"198.51.100.{number}"))
    with socket.create_server((host, port)) as server:
        server.settimeout(PATIENCE)
        tap._outbox._again_at = 0.0
        tap.tick(tap._now_ns)
        peer, _ = server.accept()
        tap.tick(tap._now_ns)
        tap.tick(tap._now_ns)
        tap.close()
        with peer:
            messages = counted(b"".join(iter(lambda: peer.recv(65_536), b"")))
    assert len(messages) == 6
    head, facts = parsed(messages[-1])
    assert (head["name"], facts) == ("syslog", {"dropped": "4"})
    assert head["text"] == "4 messages were dropped while the receiver did not take them"


def test_a_message_that_was_cut_off_is_sent_again_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The receiver's buffers fill in the middle of a message; then it goes away."""
    clock = Clock()
    server = socket.create_server(("127.0.0.1", 0))
    host, port = server.getsockname()[:2]
    box = Outbox(network(host, port, True), lambda line: None, clock)
    box.push()
    peer, _ = server.accept()
    long = b"x" * 100_000
    while not box._sent:
        box.put(long)
    peer.close()
    clock.now += 1
    box.push()
    clock.now += 60
    box.push()
    again, _ = server.accept()
    again.settimeout(PATIENCE)
    assert again.recv(7) == b"100000 "
    again.close()
    server.close()
    monkeypatch.setattr(outbox_module, "LAST_CHANCE", 0.0)
    box.close()


def test_a_receiver_over_udp_that_is_not_there_is_told_once(receiver: Datagrams) -> None:
    told, clock = list[str](), Clock()
    target = receiver.target
    receiver.socket.close()
    box = Outbox(target, told.append, clock)
    for _ in range(200):
        box.put(b"x")
        box.push()
        clock.now += 1
    assert told == [f"{target.name}: Connection refused; messages wait, 1,000 at most, and it is tried again"]
    receiver.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.socket.bind(target.address)
    for _ in range(80):
        box.push()
        clock.now += 1
    assert told[1:] == [f"{target.name}: is there again"]
    box.close()


def test_what_nobody_took_is_told_at_the_end() -> None:
    told = list[str]()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host, port = taken.getsockname()[:2]
    tap = syslog(network(host, port, True), told)
    tap.see(failed(finding()))
    tap.close()
    assert told[-1] == f"syslog tcp:127.0.0.1:{port}: 1 messages were not taken"


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(UsageError, match=r"udp:no-such-host\.invalid:514: "):
        network("no-such-host.invalid", 514, False)
