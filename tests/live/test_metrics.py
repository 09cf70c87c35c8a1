"""Counters as Prometheus reads them: right, named as it wants, of a bounded number, and served without holding up the end."""

from __future__ import annotations

import random
import socket
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analyzer.connection import Connection, Outcome
from analyzer.errors import UsageError
from analyzer.findings import Severity
from analyzer.live.taps import Traffic
from analyzer.rules import ids
from tests.build.connections import HANDSHAKE_13, connection
from tests.report.records import failed, finding, healthy

pytest.importorskip("prometheus_client", reason="the extra metrics is not installed")
from prometheus_client.parser import text_string_to_metric_families

from analyzer.live import metrics as module
from analyzer.live import scraping
from analyzer.live.metrics import Served, Written

UNITS = ("seconds", "bytes", "info", "packets", "fds", "followed")
PATIENCE = 10
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def served() -> Iterator[Served]:
    tap = Served("127.0.0.1", 0, Traffic())
    tap.tick(0)
    yield tap
    tap.close()


def scrape(tap: Served) -> str:
    """The text, over HTTP."""
    with urllib.request.urlopen(tap.url, timeout=PATIENCE) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        return str(answer.read().decode())


def samples(text: str) -> Samples:
    """(name, labels) -> value."""
    families = text_string_to_metric_families(text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(text: str, name: str, **labels: str) -> float:
    """One sample."""
    return samples(text)[name, frozenset(labels.items())]


def test_connections_findings_and_losses_are_counted(served: Served) -> None:
    for conn in (healthy(), healthy(), failed(finding("tls-alert"), finding("ca-list-too-long", Severity.WARNING))):
        served.see(conn)
    served.lost(3)
    served.lost(4)
    text = scrape(served)
    assert value(text, "mtlscope_connections_total", outcome="established", version="TLSv1.2") == 2
    assert value(text, "mtlscope_connections_total", outcome="failed", version="TLSv1.2") == 1
    assert value(text, "mtlscope_findings_total", rule="tls-alert", severity="error") == 1
    assert value(text, "mtlscope_findings_total", rule="ca-list-too-long", severity="warning") == 1
    assert value(text, "mtlscope_packets_dropped_total") == 7


def test_what_the_run_has_read_is_told() -> None:
    traffic = Traffic()
    tap = Served("127.0.0.1", 0, traffic)
    tap.tick(0)
    traffic.packets, traffic.bytes, traffic.followed, traffic.counted = 10, 2_000, 3, 4
    text = scrape(tap)
    tap.close()
    assert value(text, "mtlscope_packets_total") == 10
    assert value(text, "mtlscope_packet_bytes_total") == 2_000
    assert value(text, "mtlscope_connections_followed") == 3
    assert value(text, "mtlscope_unanswered_syns_total") == 4


def test_every_series_of_a_rule_is_there_from_the_beginning(served: Served) -> None:
    found = samples(scrape(served))
    for rule in ids():
        for severity in Severity:
            assert found["mtlscope_findings_total", frozenset({("rule", rule), ("severity", severity.value)})] == 0
    for outcome in Outcome:
        assert found["mtlscope_connections_total", frozenset({("outcome", outcome.value), ("version", "none")})] == 0


@pytest.mark.parametrize(
    ("conn", "buckets", "total"),
    [
        pytest.param(healthy(), {"0.05": 0, "0.1": 0, "0.25": 1, "+Inf": 1}, 0.11, id="TLS 1.2: both Finished"),
        pytest.param(connection(*HANDSHAKE_13), {"0.025": 0, "0.05": 1, "+Inf": 1}, 0.05, id="TLS 1.3, inferred"),
        pytest.param(failed(), {"+Inf": 0}, 0, id="a handshake that failed has no duration"),
        pytest.param(connection("> SYN", "< RST"), {"+Inf": 0}, 0, id="no handshake at all"),
    ],
)
def test_how_long_handshakes_take(conn: Connection, buckets: dict[str, int], total: float, served: Served) -> None:
    served.see(conn)
    text = scrape(served)
    name = "mtlscope_handshake_duration_seconds"
    assert {bound: value(text, f"{name}_bucket", le=bound) for bound in buckets} == buckets
    assert value(text, f"{name}_sum") == pytest.approx(total)
    assert value(text, f"{name}_count") == buckets["+Inf"]


def hostile(number: int) -> Connection:
    """Everything that a peer can choose is new each time."""
    name = f'"}}\n# x{number}\u202e'
    facts: dict[str, Any] = {
        "server_name": name,
        "version": f"0x{number % 65_536:04x}",
        "cipher": name,
        "client_ip": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        "client_port": number % 65_536,
    }
    rule = random.Random(number).choice(ids())
    return replace(failed(finding(rule, summary=name), finding(name)), **facts)


def test_no_peer_can_add_series(served: Served) -> None:
    served.see(hostile(0))
    few = len(samples(scrape(served)))
    for number in range(2_000):
        served.see(hostile(number))
    text = scrape(served)
    bound = len(Outcome) * len(module.VERSIONS) + (len(ids()) + 1) * len(Severity) + len(module.BUCKETS) + 20
    assert few - 2 <= len(samples(text)) <= bound < 2_000
    assert len(text) < 1_000_000
    assert value(text, "mtlscope_connections_total", outcome="failed", version="other") == 2_001
    assert value(text, "mtlscope_findings_total", rule="other", severity="error") == 2_001
    assert "x1" not in text


def test_names_are_as_prometheus_wants_them(served: Served) -> None:
    """What `promtool check metrics` asks for: help, base units, _total for counters and for nothing else."""
    for family in text_string_to_metric_families(scrape(served)):
        assert family.name.startswith("mtlscope_")
        assert family.documentation and family.type != "unknown"
        for one in family.samples:
            assert one.name.endswith("_total") == (family.type == "counter"), one.name
            assert not one.name.endswith("_created")
        if family.type in ("gauge", "histogram"):
            assert family.name.endswith(UNITS), family.name


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_is_taken_is_said_at_once(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen at {host}:{port}: Address already in use"):
            Served(host, port, Traffic())


def test_an_address_of_version_6() -> None:
    try:
        tap = Served("::1", 0, Traffic())
    except UsageError as error:
        pytest.skip(str(error))
    tap.tick(0)
    assert tap.url.startswith("http://[::1]:")
    assert "mtlscope_build_info" in scrape(tap)
    tap.close()


def test_clients_that_say_nothing_hold_up_neither_scrapes_nor_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scraping._Handler, "timeout", 60)
    tap = Served("127.0.0.1", 0, Traffic())
    tap.tick(0)
    where = ("127.0.0.1", tap.port)
    idle = [socket.create_connection(where, PATIENCE) for _ in range(scraping.AT_ONCE - 1)]
    try:
        assert "mtlscope_build_info" in scrape(tap)
        idle += [socket.create_connection(where, PATIENCE) for _ in range(5)]
        assert not idle[-1].recv(1), "too many: hung up on"
        begun = time.monotonic()
        tap.close()
        assert time.monotonic() - begun < PATIENCE
    finally:
        for one in idle:
            one.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(tap.url, timeout=PATIENCE)


def test_the_file_is_whole_readable_by_others_and_renewed(tmp_path: Path) -> None:
    path = tmp_path / "mtlscope.prom"
    tap = Written(str(path), Traffic(), print)
    assert value(path.read_text(), "mtlscope_connections_total", outcome="failed", version="none") == 0
    tap.see(failed())
    tap.tick(1)
    tap.tick(module.WRITE_NS - 1)
    assert "TLSv1.2" not in path.read_text(), "not at every tick"
    tap.tick(module.WRITE_NS + 1)
    assert value(path.read_text(), "mtlscope_connections_total", outcome="failed", version="TLSv1.2") == 1
    tap.see(failed())
    tap.close()
    assert value(path.read_text(), "mtlscope_connections_total", outcome="failed", version="TLSv1.2") == 2
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) & stat.S_IROTH


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """At the beginning it is the user's mistake; later it is told once and tried again."""
    with pytest.raises(UsageError, match=r"cannot write .*: No such file or directory"):
        Written(str(tmp_path / "none" / "x.prom"), Traffic(), print)
    folder, told = tmp_path / "there", list[str]()
    folder.mkdir()
    tap = Written(str(folder / "x.prom"), Traffic(), told.append)
    away = folder.rename(tmp_path / "away")
    for number in range(1, 4):
        tap.tick(number * module.WRITE_NS)
    assert told == [f"{folder}/x.prom: No such file or directory; it is tried again"]
    away.rename(folder)
    tap.see(failed())
    tap.close()
    assert len(told) == 1
    assert "TLSv1.2" in (folder / "x.prom").read_text()
