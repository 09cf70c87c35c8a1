"""`mtlscope -T html -o FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.build.frames import ethernet, ipv4, tcp
from tests.build.pcap import Packet, pcap
from tests.cli.commands import Shell


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """One SYN that nobody answers, in a file whose name HTML would misread."""
    path = tmp_path / "day & night.pcap"
    path.write_bytes(pcap([Packet(ethernet(ipv4(tcp(sport=40000, dport=5061, seq=1))))]))
    return path


def test_it_writes_a_page(shell: Shell, capture: Path, tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="-T html needs jinja2")
    target = tmp_path / "report.html"
    done = shell("-T", "html", "-o", str(target), "--fail-on", "never", str(capture))
    assert (done.code, done.out) == (0, "")
    page = target.read_text(encoding="utf-8")
    assert page.lstrip().startswith("<!doctype html>")
    assert "day &amp; night.pcap" in page


def test_without_jinja2_the_report_of_yesterday_stays(
    shell: Shell, capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    target = tmp_path / "report.html"
    target.write_text("yesterday")
    done = shell("-T", "html", "-o", str(target), str(capture))
    assert done.code == 2
    assert "python -m pip install jinja2" in done.err
    assert target.read_text() == "yesterday"
