"""Whole runs over packets: what is seen beside TLS, and what is found across connections."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.findings import Finding, Outcome, Verdict
from analyzer.pipeline import Options, Run
from analyzer.report import csv_table, json_document, jsonl, terminal
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.result import analyze as open_result
from analyzer.selection import Selection, parse_host
from analyzer.sightings.watch import Sightings
from analyzer.summary import CaptureSummary
from tests.build import beside, dns, pki
from tests.build.pcap import START_NS, Packet, pcap
from tests.build.reports import report
from tests.build.tcp import CLIENT, SERVER, Tcp, merged
from tests.cli.commands import Shell
from tests.scenarios.story import Story

SECOND = 1_000_000_000
ROOT = pki.root("CN=Root")
SUB = ROOT.issue("CN=Sub", ca=True)
SIP = SUB.issue("CN=sip.example.com", san=["sip.example.com"], crl=["http://crl.example/sub.crl"])
ONE, TWO = "198.51.100.1", "198.51.100.2"


def to(server: str, chain: Sequence[bytes], name: bytes = b"sip.example.com", sport: int = 50_000) -> Story:
    """A healthy mutual handshake with this server."""
    story = Story(server=server, sport=sport)
    story.open()
    story.hello(name).answer(chain).certificate().finished().talk().close()
    return story


POOL = merged(to(ONE, (SIP.der, SUB.der)), to(TWO, (SIP.der,), sport=50_001))
"""One of two members leaves out the intermediate."""
OUTSIDE = [
    beside.datagram(
        dns.answer(
            "_sipfederationtls._tcp.example.com",
            dns.service("_sipfederationtls._tcp.example.com", "edge.example.net"),
            kind=dns.SRV,
        ),
        START_NS,
        back=True,
    )
]


def rules(findings: Sequence[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


def written(path: Path, output: Output) -> str:
    out = BytesIO()
    output.write(Run([str(path)]), out, OutputOptions())
    return out.getvalue().decode()


@pytest.fixture
def shell(capfd: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capfd)


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    path = tmp_path / "pool.pcap"
    path.write_bytes(pcap(merged(POOL, OUTSIDE)))
    return path


# ---- across connections ----------------------------------------------------------------------------------------------


def test_findings_across_connections_stand_in_the_summary() -> None:
    done = report(merged(POOL, OUTSIDE))
    assert rules(done.summary.findings) == ["federation-srv-outside-domain", "pool-members-differ"]
    assert all("pool-members-differ" not in rules(conn.findings) for conn in done.connections)


def test_a_healthy_pool_is_silent() -> None:
    chain = (SIP.der, SUB.der)
    assert report(merged(to(ONE, chain), to(TWO, chain, sport=50_001))).summary.findings == ()


def test_every_output_but_csv_shows_them(pool: Path) -> None:
    assert "pool-members-differ" in written(pool, terminal.OUTPUT)
    lines = [json.loads(line) for line in written(pool, jsonl.OUTPUT).splitlines()]
    (capture,) = [line for line in lines if line["type"] == "capture"]
    assert [finding["rule"] for finding in capture["findings"]] == [
        "federation-srv-outside-domain",
        "pool-members-differ",
    ]
    (told,) = json.loads(written(pool, json_document.OUTPUT))["captures"]
    assert told["findings"] == capture["findings"]
    assert "pool-members-differ" not in written(pool, csv_table.OUTPUT)


def test_they_count_for_the_exit_code(pool: Path, shell: Shell) -> None:
    assert shell("-T", "csv", str(pool)).code == 1
    assert shell("-T", "csv", "--fail-on", "never", str(pool)).code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["--host", "203.0.113.1"], 0, id="certain hosts: the rest of the capture is not wanted"),
        pytest.param(["--stream", "0"], 0, id="certain streams"),
        pytest.param(["--troubled"], 1, id="all that is troubled"),
    ],
)
def test_a_selection_leaves_them_out(words: list[str], code: int, pool: Path, shell: Shell) -> None:
    assert shell("-T", "csv", *words, str(pool)).code == code
    result = open_result(pool, select=Selection(hosts=(parse_host("203.0.113.1"),)))
    assert result.findings == []
    assert len(open_result(pool).findings) >= 2


def test_verdicts_tell_of_them(pool: Path, shell: Shell) -> None:
    said = shell("--verdicts", "-T", "csv", str(pool)).err
    assert f"{pool}: pool-members-differ: hit" in said
    assert f"{pool}: clock-skew: cannot-tell: fewer than two hosts" in said


def test_in_a_ring_the_filter_tells_where(tmp_path: Path) -> None:
    paths = []
    for number, packets in enumerate((POOL[:10], POOL[10:])):
        path = tmp_path / f"ring_{number + 1:05}_20261121120000.pcap"
        path.write_bytes(pcap(packets))
        paths.append(str(path))
    summaries = [item for item in Run([str(tmp_path)]) if isinstance(item, CaptureSummary)]
    (found,) = [finding for one in summaries for finding in one.findings]
    assert len(summaries) == 1
    assert (found.frames, bool(found.filter)) == ((), True)


def test_a_bug_in_such_a_rule_is_told_and_loses_nothing(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from analyzer import pipeline

    def broken(view: object, context: object, on_crash: object) -> tuple[Finding, ...]:
        assert callable(on_crash)
        on_crash(Verdict("clock-skew", Outcome.CRASHED, reason="ValueError: a bug"))
        return ()

    monkeypatch.setattr(pipeline, "survey", broken)
    run = Run([str(pool)])
    items: list[Item] = list(run)
    assert run.crashes == [f"{pool}: rule clock-skew: ValueError: a bug"]
    assert isinstance(items[-1], CaptureSummary)


# ---- beside TLS ------------------------------------------------------------------------------------------------------


def stalled(*beside_it: Sequence[Packet]) -> Connection:
    """A client that falls silent after the server's certificate, until the server resets."""
    story = Story(client=beside.HOST)
    story.open()
    story.hello().answer((SIP.der, SUB.der))
    story.wait(20).rst(SERVER)
    (conn,) = (c for c in report(merged(story, *beside_it)).connections if c.server_port == 5061)
    return conn


def test_a_stall_is_explained_by_what_the_host_did_meanwhile() -> None:
    lookup = beside.lookup("crl.example", dns.address("crl.example", beside.WEB), at=START_NS + SECOND)
    attempt = beside.attempt(at=START_NS + 2 * SECOND, again=(1, 2, 4, 8))
    conn = stalled(lookup, attempt)
    assert conn.findings[0].rule == "revocation-stall"
    assert "tried to connect to 203.0.113.80 port 80 5 times (no answer)" in conn.findings[0].summary
    assert conn.diagnosis is not None
    assert "crl.example" in conn.diagnosis


def test_without_that_the_silence_stays_unexplained() -> None:
    assert "revocation-stall" not in rules(stalled().findings)


def test_a_name_from_dns_is_expected() -> None:
    lookup = beside.lookup("other.example", dns.address("other.example", "198.51.100.5"), at=START_NS - SECOND)
    story = Story(client=beside.HOST)
    story.open()
    story.send(CLIENT, hello_without_name())
    story.answer((SIP.der, SUB.der)).alert(CLIENT, 42).close()
    conn = report(merged(lookup, story)).connection
    assert conn.findings[0].rule == "server-name-mismatch"
    assert "other.example" in conn.findings[0].summary


def hello_without_name() -> bytes:
    from tests.build import handshake, records

    return records.record(handshake.client_hello(version=0x0303, extensions=[]), version=0x0301)


def test_packets_beside_tls_are_counted_as_before() -> None:
    talk = Tcp(beside.HOST, 40_001, beside.RESOLVER, 53).open().send(CLIENT, b"\0\5whole")
    done = report(merged(OUTSIDE, talk))
    assert done.summary.reasons == {"dns": 1}
    assert done.connections == []


def test_a_bug_there_is_told_and_loses_no_connection(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(watch: Sightings, decoded: object) -> None:
        raise ValueError("a bug of ours")

    monkeypatch.setattr(Sightings, "feed", broken)
    run = Run([str(pool)])
    assert len([item for item in run if isinstance(item, Connection)]) == 2
    assert run.crashes == [f"{pool}: beside TLS: ValueError: a bug of ours"]


def test_dns_frames_of_a_ring_are_counted_through(tmp_path: Path) -> None:
    later = [replace(packet, time_ns=packet.time_ns + 100 * SECOND) for packet in OUTSIDE]
    for number, packets in enumerate((POOL[:5], later)):
        (tmp_path / f"ring_{number + 1:05}_20261121120000.pcap").write_bytes(pcap(packets))
    said: list[Finding] = []
    options = Options(capture_verdicts=lambda name, verdicts: said.extend(f for v in verdicts for f in v.findings))
    list(Run([str(tmp_path)], options))
    assert [finding.frames for finding in said] == [(6,)]
