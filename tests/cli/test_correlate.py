"""`mtlscope correlate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analyzer.between import NOTHING_SEEN
from tests.build.pcap import pcap
from tests.build.travel import travel
from tests.cli.commands import Shell
from tests.test_correlation import NAT, SECOND, later, reset_of_the_server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """client.pcap and server.pcap: a firewall in between translates addresses and resets the first of two connections."""
    monkeypatch.chdir(tmp_path)
    story, at = reset_of_the_server()
    packets = later(story.packets)
    Path("client.pcap").write_bytes(pcap(packets))
    Path("server.pcap").write_bytes(pcap(travel(packets, lose={at}, nat=NAT, clock_ns=2 * SECOND)))
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_text(shell: Shell) -> None:
    done = shell("correlate", "client.pcap", "server.pcap")
    assert (done.code, done.err) == (0, "")
    text = " ".join(done.out.split())
    assert "A client.pcap on the client's side B server.pcap on the server's side" in text
    assert "B's clock is 2.0 s ahead of A's; 200 us from one to the other" in text
    assert "2 connections in both: joined 2 by ClientHello.random" in text
    assert "A stream 0 · B stream 0 192.0.2.10:50000 → 198.51.100.5:5061 sip.example.com failed in A" in text
    assert "the reset in the server's name was made between A and B" in text
    assert "the client 192.0.2.10:50000 in A is 203.0.113.7:61000 in B" in text
    assert f"1 connection: {NOTHING_SEEN}" in text


@pytest.mark.usefixtures("folder")
def test_json(shell: Shell) -> None:
    told = json.loads(shell("correlate", "server.pcap", "client.pcap", "-T", "json").out)
    assert (told["type"], told["nearer_client"], round(told["clock"], 3)) == ("correlation", "B", -2.0)
    assert [pair["joined"] for pair in told["pairs"]] == ["random", "random"]
    first = told["pairs"][0]["statements"][0]
    assert (first["happened"], first["frames_a"]) == ("injected", [])
    assert len(first["frames_b"]) == 1
    assert told["pairs"][1]["verdict"] == NOTHING_SEEN


@pytest.mark.usefixtures("folder")
def test_nothing_in_common_is_said(shell: Shell) -> None:
    Path("other.pcap").write_bytes(pcap([]))
    assert "no connection is in both" in shell("correlate", "client.pcap", "other.pcap").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param([], "required", id="nothing named"),
        pytest.param(["client.pcap"], "required", id="one capture"),
        pytest.param(["client.pcap", "client.pcap"], "two captures", id="the same twice"),
        pytest.param(["client.pcap", "nosuch.pcap"], "nosuch.pcap: no such file", id="no such file"),
        pytest.param(["client.pcap", "server.pcap", "-o", "server.pcap"], "is an input", id="over an input"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_mistakes_get_one_line(shell: Shell, words: list[str], says: str) -> None:
    done = shell("correlate", *words)
    assert done.code == 2
    assert says in done.err
    assert done.err.count("\n") == 1
