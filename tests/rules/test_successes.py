"""What worked, held beside what failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analyzer.connection import Connection
from analyzer.findings import Comparison, Confidence, Finding, Relation, Severity
from analyzer.pipeline import Run
from analyzer.rules import successes as module
from analyzer.rules.successes import Successes, in_trouble
from analyzer.summary import CaptureSummary
from tests.build.connections import CLIENT_DONE, DATA, HANDSHAKE, SECOND_NS, START_NS, TCP, connection
from tests.build.pcap import pcap
from tests.build.tcp import SERVER, merged
from tests.rules.cast import CLIENT, SUB, chain
from tests.rules.cast import SERVER as HOST
from tests.scenarios import Story


def worked(stream: int = 1, **facts: Any) -> Connection:
    usual: dict[str, Any] = {"client_chain": chain(CLIENT, SUB), "server_chain": chain(HOST, SUB)}
    return connection(*HANDSHAKE, *DATA, stream=stream, uid=f"C{stream}", ts_ns=at(stream), **(usual | facts))


def failed(stream: int = 2, **facts: Any) -> Connection:
    usual: dict[str, Any] = {"client_chain": chain(CLIENT), "server_chain": chain(HOST, SUB)}
    return connection(*CLIENT_DONE, "< RST", stream=stream, uid=f"C{stream}", ts_ns=at(stream), **(usual | facts))


def at(stream: int) -> int:
    """A second apart."""
    return START_NS + stream * SECOND_NS


def known(*connections: Connection) -> Successes:
    """It has learned these, as the pipeline does it."""
    beside = Successes()
    for conn in connections:
        if in_trouble(conn):
            conn.set_comparison(beside.beside(conn))
        beside.learn(conn)
    return beside


def brief(comparison: Comparison | None) -> tuple[int, str, str] | None:
    """Stream, relation, and the first difference."""
    if comparison is None:
        return None
    first = comparison.differences[0].what if comparison.differences else ""
    return comparison.stream, comparison.relation.value, first


OTHER_CLIENT: dict[str, Any] = {"client_ip": "192.0.2.99"}
OTHER_SERVER: dict[str, Any] = {"server_ip": "198.51.100.6"}


@pytest.mark.parametrize(
    ("before", "told"),
    [
        pytest.param([], None, id="nothing worked"),
        pytest.param([worked()], (1, "same-client", "client-certificates"), id="the same client"),
        pytest.param([worked(**OTHER_CLIENT)], (1, "same-server", "client-certificates"), id="another client"),
        pytest.param(
            [worked(**OTHER_SERVER)], (1, "same-name", "client-certificates"), id="another server of the pool"
        ),
        pytest.param(
            [worked(0), worked(1, **OTHER_CLIENT), worked(2, **OTHER_SERVER)],
            (0, "same-client", "client-certificates"),
            id="the same client is nearer than a younger one",
        ),
        pytest.param([worked(server_port=443)], None, id="another port"),
        pytest.param([worked(**OTHER_SERVER, server_name="x.example")], None, id="another name on another server"),
        pytest.param([failed(1)], None, id="that failed as well"),
        pytest.param([connection(*HANDSHAKE, "< RST")], None, id="that was thrown out after the handshake"),
        pytest.param(
            [worked(0), worked(1, client_chain=chain(CLIENT))], (1, "same-client", ""), id="the latest kind counts"
        ),
        pytest.param(
            [worked(0), worked(1, resumed=True, client_chain=None, server_chain=None)],
            (0, "same-client", "client-certificates"),
            id="a full handshake shows more than a resumed one",
        ),
        pytest.param(
            [worked(0), worked(1, resumed=True, cipher_code=0x009C, client_chain=None, server_chain=None)],
            (0, "same-client", "client-certificates"),
            id="also if it chose another suite",
        ),
        pytest.param(
            [worked(1, resumed=True, server_chain=None)],
            (1, "same-client", "resumed"),
            id="but it is better than none",
        ),
    ],
)
def test_nearest_that_worked(before: list[Connection], told: tuple[int, str, str] | None) -> None:
    assert brief(known(*before).beside(failed(9))) == told


@pytest.mark.parametrize(
    ("course", "told"),
    [
        pytest.param([failed(1), worked(2)], [(2, "same-client", "client-certificates")], id="it works later"),
        pytest.param(
            [failed(1), worked(2, **OTHER_CLIENT)], [(2, "same-server", "client-certificates")], id="for another"
        ),
        pytest.param(
            [failed(1), worked(2, **OTHER_CLIENT), worked(3)],
            [(3, "same-client", "client-certificates")],
            id="nearest at last",
        ),
        pytest.param([failed(1), failed(2), worked(3)], [(3, "same-client", "client-certificates")], id="told once"),
        pytest.param(
            [failed(1), failed(2, **OTHER_CLIENT), worked(3)],
            [(3, "same-client", "client-certificates"), (3, "same-server", "client-certificates")],
            id="once for each client",
        ),
        pytest.param([worked(1), failed(2), worked(3)], [], id="told in the record already"),
        pytest.param([failed(1)], [], id="it never works"),
        pytest.param([failed(1), connection(*TCP, "> FIN")], [], id="a probe is no success"),
    ],
)
def test_what_worked_only_later(course: list[Connection], told: list[tuple[int, str, str]]) -> None:
    assert [brief(comparison) for comparison in known(*course).later()] == told


def test_times_tell_which_came_first() -> None:
    comparison = known(worked(1)).beside(failed(3))
    assert comparison is not None
    assert (comparison.after_ns, comparison.failed_stream, comparison.failed_uid) == (-2 * SECOND_NS, 3, "C3")
    (later,) = known(failed(1), worked(5)).later()
    assert later.after_ns == 4 * SECOND_NS


def test_a_late_rejection_is_trouble_only_if_a_rule_says_so() -> None:
    late = connection(*HANDSHAKE, "< RST")
    assert not in_trouble(late)
    finding = Finding("reset-after-handshake", Severity.ERROR, Confidence.MEDIUM, "late")
    assert in_trouble(replace(late, findings=(finding,)))
    assert not in_trouble(replace(worked(), findings=(finding,)))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SAMPLES", 3)
    monkeypatch.setattr(module, "MAX_FAILURES", 3)
    several = [worked(n, client_ip=f"192.0.2.{n}", server_ip=f"198.51.100.{n}", server_name=None) for n in range(9)]
    beside = known(*several)
    assert beside.beside(failed(9, client_ip="192.0.2.0", server_ip="198.51.100.0", server_name=None)) is None
    assert beside.beside(failed(9, client_ip="192.0.2.8", server_ip="198.51.100.8")) is not None
    waiting = known(*(failed(n, client_ip=f"192.0.2.{n}") for n in range(9)), worked(10, **OTHER_CLIENT))
    assert [comparison.failed_stream for comparison in waiting.later()] == [6, 7, 8]


def story(port: int, start: float, chain_sent: tuple[bytes, ...], works: bool) -> Story:
    told = Story(sport=port, start_ns=START_NS + round(start * SECOND_NS))
    told.open()
    told.hello().answer().certificate(chain_sent)
    if works:
        told.finished().talk().close()
    else:
        told.rst(SERVER)
    return told


@pytest.mark.parametrize(
    "later", [pytest.param(False, id="it worked before"), pytest.param(True, id="it worked later")]
)
def test_from_a_capture(later: bool, tmp_path: Path) -> None:
    good = story(50_001, 30 if later else 0, (CLIENT.der, SUB.der), works=True)
    bad = story(50_002, 10, (CLIENT.der,), works=False)
    path = tmp_path / "both.pcap"
    path.write_bytes(pcap(merged(good, bad)))
    *connections, summary = Run([str(path)])
    assert isinstance(summary, CaptureSummary)
    trouble = next(conn for conn in connections if isinstance(conn, Connection) and conn.failed)
    comparison = summary.comparisons[0] if later else trouble.worked_beside
    assert comparison is not None
    assert comparison.relation is Relation.SAME_CLIENT
    assert [difference.what for difference in comparison.differences] == ["client-certificates"]
    assert bool(summary.comparisons) is later
    assert (trouble.worked_beside is None) is later
