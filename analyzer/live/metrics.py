"""Counters of a live run in the format of Prometheus: served over HTTP, or written to a file for node_exporter.

Labels come from closed sets alone (outcomes, TLS versions, rules, severities), so that no peer can add to the series.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING

from analyzer.connection import Connection, Outcome
from analyzer.errors import UsageError
from analyzer.findings import Severity
from analyzer.live.scraping import Server
from analyzer.live.taps import Traffic
from analyzer.rules import ids
from analyzer.version import __version__

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

NONE, OTHER = "none", "other"
VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3", NONE, OTHER)
"""TLS versions that are a label; NONE: nothing was negotiated; OTHER: a draft, or a number that nobody knows."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds: from two machines side by side to a revocation check that runs into its timeout."""
WRITE_NS = 15_000_000_000
"""How often the file is written: node_exporter is usually asked as often."""


class Metrics:
    """What is counted, and how it is shown to prometheus_client, which calls `collect` from threads of its own."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic, self._lock = traffic, Lock()
        self._connections = Counter[tuple[str, str]]({(outcome.value, NONE): 0 for outcome in Outcome})
        self._findings = Counter[tuple[str, str]]()
        self._durations, self._seconds = [0] * (len(BUCKETS) + 1), 0.0
        self._dropped = 0
        self._rules = frozenset(ids())

    def see(self, conn: Connection) -> None:
        """Count a connection, its findings, and how long its handshake took."""
        version = NONE if conn.version is None else conn.version if conn.version in VERSIONS else OTHER
        seconds = handshake_seconds(conn)
        with self._lock:
            self._connections[conn.outcome.value, version] += 1
            for finding in conn.findings:
                rule = finding.rule if finding.rule in self._rules else OTHER
                self._findings[rule, finding.severity.value] += 1
            if seconds is not None:
                self._durations[bisect_left(BUCKETS, seconds)] += 1
                self._seconds += seconds

    def lost(self, packets: int) -> None:
        """Count lost packets."""
        with self._lock:
            self._dropped += packets

    def collect(self) -> Iterator[Metric]:
        """Every family, as of now."""
        with self._lock:
            connections, findings = dict(self._connections), dict(self._findings)
            durations, seconds, dropped = list(self._durations), self._seconds, self._dropped
        yield from _families(connections, findings)
        yield _histogram(durations, seconds)
        yield from _traffic(self._traffic, dropped)


def handshake_seconds(conn: Connection) -> float | None:
    """From the ClientHello to the last Finished, or the record that is taken for it; None if both were not seen."""
    if not conn.established or conn.client_hello is None:
        return None
    begun = conn.step("ClientHello")
    done = max((step.time_ns for step in conn.steps if step.name == "Finished"), default=None)
    return None if begun is None or done is None else max(0, done - begun.time_ns) / 1e9


def _families(connections: dict[tuple[str, str], int], findings: dict[tuple[str, str], int]) -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily, InfoMetricFamily

    family = CounterMetricFamily(
        "mtlscope_connections", "Connections decided, by outcome and TLS version.", labels=("outcome", "version")
    )
    for labels, count in connections.items():
        family.add_metric(labels, count)
    yield family
    family = CounterMetricFamily("mtlscope_findings", "Findings about connections.", labels=("rule", "severity"))
    for rule in ids():  # all of them from the beginning: an increase from nothing is seen by no alert
        for severity in Severity:
            family.add_metric((rule, severity.value), findings.pop((rule, severity.value), 0))
    for labels, count in findings.items():
        family.add_metric(labels, count)
    yield family
    yield InfoMetricFamily("mtlscope_build", "The program.", {"version": __version__})


def _histogram(durations: list[int], seconds: float) -> Metric:
    from prometheus_client.metrics_core import HistogramMetricFamily

    bounds = [*map(str, BUCKETS), "+Inf"]
    return HistogramMetricFamily(
        "mtlscope_handshake_duration_seconds",
        "Time from the ClientHello to the last Finished, as captured.",
        buckets=list(zip(bounds, accumulate(durations), strict=True)),
        sum_value=seconds,
    )


def _traffic(traffic: Traffic, dropped: int) -> Iterator[Metric]:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

    yield CounterMetricFamily("mtlscope_packets", "Packets read.", traffic.packets)
    yield CounterMetricFamily("mtlscope_packet_bytes", "Bytes of the packets read.", traffic.bytes)
    yield CounterMetricFamily("mtlscope_packets_dropped", "Packets that the capture lost.", dropped)
    yield CounterMetricFamily(
        "mtlscope_unanswered_syns", "SYNs of a flood that became no connection, only a number.", traffic.counted
    )
    yield GaugeMetricFamily("mtlscope_connections_followed", "Connections followed now.", traffic.followed)


def _registry(metrics: Metrics) -> CollectorRegistry:
    """Ours alone. Raise UsageError without prometheus_client."""
    try:
        from prometheus_client import CollectorRegistry, ProcessCollector
    except ImportError:
        raise UsageError("--metrics needs prometheus_client: python -m pip install prometheus_client") from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    ProcessCollector(namespace="mtlscope", registry=registry)
    return registry


class Served:
    """A tap that answers scrapes at `url`. It listens at once; its thread begins with the first tick, when rights are given
    up: a thread keeps those that it was born with."""

    def __init__(self, host: str, port: int, traffic: Traffic) -> None:
        """Raise UsageError if it cannot listen there."""
        self._metrics = Metrics(traffic)
        registry = _registry(self._metrics)
        from prometheus_client import make_wsgi_app

        self._server = Server(host, port, make_wsgi_app(registry))
        self.url, self.port = self._server.url, self._server.port
        self.name = f"metrics at {self.url}"

    def see(self, conn: Connection) -> None:
        """See Tap."""
        self._metrics.see(conn)

    def tick(self, now_ns: int) -> None:
        """See Tap."""
        self._server.begin()

    def lost(self, packets: int) -> None:
        """See Tap."""
        self._metrics.lost(packets)

    def close(self) -> None:
        """See Tap."""
        self._server.close()


class Written:
    """A tap that writes the file again and again, whole each time. One that cannot be written now is tried again later."""

    def __init__(self, path: str, traffic: Traffic, told: Callable[[str], None]) -> None:
        """Raise UsageError if it cannot be written."""
        self.name, self._told = path, told
        self._metrics = Metrics(traffic)
        self._registry = _registry(self._metrics)
        self._written_ns, self._problem = 0, ""
        self._write()
        if self._problem:
            raise UsageError(f"cannot write {path}: {self._problem}")

    def see(self, conn: Connection) -> None:
        """See Tap."""
        self._metrics.see(conn)

    def tick(self, now_ns: int) -> None:
        """See Tap."""
        if abs(now_ns - self._written_ns) < WRITE_NS:  # the clock may have been set back
            return
        self._written_ns = now_ns
        before = self._problem
        self._write()
        if self._problem and not before:
            self._told(f"{self.name}: {self._problem}; it is tried again")

    def lost(self, packets: int) -> None:
        """See Tap."""
        self._metrics.lost(packets)

    def close(self) -> None:
        """See Tap."""
        self._write()
        if self._problem:
            self._told(f"{self.name}: {self._problem}; its numbers are old")

    def _write(self) -> None:
        from prometheus_client import write_to_textfile

        try:
            write_to_textfile(self.name, self._registry)
            self._problem = ""
        except OSError as error:
            self._problem = error.strerror or str(error)
