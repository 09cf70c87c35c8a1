"""docs/watching.md shows messages and metrics as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analyzer.connection import Connection
from analyzer.live.syslog_messages import ERROR, Sender, of_connection, of_loss, of_repeated
from analyzer.live.taps import Traffic
from analyzer.pipeline import Run
from analyzer.summary import Repeated

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "watching.md").read_text(encoding="utf-8")
CAPTURE = ROOT / "captures" / "ca-list-truncated-16384.pcap"
SECOND_NS = 1_000_000_000


def samples() -> list[str]:
    """What is sent of one capture, of 1,204 more connections like it, and of a loss."""
    (conn,) = (item for item in Run([str(CAPTURE)]) if isinstance(item, Connection))
    sender, one, later_ns = Sender(3, "edge01", "mtlscope", 1234), of_connection(conn), conn.ts_ns + 60 * SECOND_NS
    last_ns = conn.ts_ns + 55 * SECOND_NS
    more = Repeated("eth0", one.name, conn.client_ip, conn.server_ip, conn.server_port, 1204, conn.ts_ns, last_ns)
    return [
        sender.rfc5424(one).decode(),
        sender.local(one, "Nov 21 09:30:00").decode(),
        sender.rfc5424(of_repeated(more, ERROR, later_ns, 60)).decode(),
        sender.rfc5424(of_loss(310, later_ns, 10)).decode(),
    ]


def test_the_messages_are_as_they_are_sent() -> None:
    shown = re.findall(r"```syslog\n(.*?)\n```", PAGE, re.DOTALL)
    assert [" ".join(block.split()) for block in shown] == samples()


def test_every_metric_is_on_the_page() -> None:
    pytest.importorskip("prometheus_client", reason="the extra metrics is not installed")
    from analyzer.live.metrics import Metrics

    families = {family.name + "_total" * (family.type == "counter"): family for family in Metrics(Traffic()).collect()}
    rows = [re.findall(r"`(.*?)`", line) for line in PAGE.splitlines() if line.startswith("| `mtlscope_")]
    named = {name for row in rows for name in row if name.startswith("mtlscope_")} - {"mtlscope_process_..."}
    assert named == {name + "_info" * (family.type == "info") for name, family in families.items()}
