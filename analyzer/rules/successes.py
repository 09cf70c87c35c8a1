"""Connections that worked, to be held beside those that fail: bounded, slim, one for each pair of client and server."""

from __future__ import annotations

from analyzer.comparison import Sample, differences, sample_of
from analyzer.connection import Connection, Outcome, Seen
from analyzer.findings import Comparison, Relation, Severity
from analyzer.rules.bounded import Bounded

MAX_SAMPLES = 2048
"""Pairs of client and server, servers, and server names of which a connection that worked is remembered."""
MAX_FAILURES = 1024
"""Failures that wait for one that works; later ones of the same client and server say nothing new."""
_TROUBLED = int(Seen.TROUBLED_END)

Pair = tuple[str, int, str]
Place = tuple[str, int]


def in_trouble(conn: Connection) -> bool:
    """It failed, or was thrown out right after its handshake: worth a comparison."""
    if conn.outcome is Outcome.FAILED:
        return True
    late = conn.established and conn.seen._value_ & _TROUBLED
    return bool(late and conn.findings and conn.findings[0].severity is Severity.ERROR)


class Successes:
    """What worked so far, and what failed before anything like it worked."""

    def __init__(self) -> None:
        self._pairs: Bounded[Pair, Sample] = Bounded(MAX_SAMPLES)
        self._servers: Bounded[Place, Sample] = Bounded(MAX_SAMPLES)
        self._names: Bounded[Place, Sample] = Bounded(MAX_SAMPLES)
        self._waiting: Bounded[Pair, Sample] = Bounded(MAX_FAILURES)
        self._later: list[Comparison] = []

    def beside(self, conn: Connection) -> Comparison | None:
        """The nearest connection that worked before this one, and how they differ; None if there is none."""
        return self._compared(sample_of(conn))

    def learn(self, conn: Connection) -> None:
        """Remember this connection if it worked; if it failed and nothing like it worked yet, let it wait for one."""
        if conn.established and not conn.seen._value_ & _TROUBLED:
            self._learn_success(conn)
        elif in_trouble(conn) and conn.worked_beside is None:
            pair = (conn.server_ip, conn.server_port, conn.client_ip)
            if pair not in self._waiting and len(self._later) < MAX_FAILURES:
                self._waiting[pair] = sample_of(conn)

    def later(self) -> tuple[Comparison, ...]:
        """Failures after which the like of them worked, in the order in which they failed. Call it at the end."""
        found = [*self._later, *filter(None, map(self._compared, self._waiting.values()))]
        return tuple(sorted(found, key=lambda comparison: comparison.failed_stream))

    def _learn_success(self, conn: Connection) -> None:
        pair = (conn.server_ip, conn.server_port, conn.client_ip)
        known = self._pairs.get(pair)
        if known is not None and known.like(conn) and pair not in self._waiting:
            return
        sample = sample_of(conn)
        if known is None or known.resumed or not sample.resumed:  # a full handshake shows more than a resumed one
            self._pairs[pair] = self._servers[pair[:2]] = sample
            if sample.server_name:
                self._names[sample.server_name.lower(), sample.server_port] = sample
        failed = self._waiting.pop(pair, None)
        if failed is not None:
            self._later.append(_comparison(failed, sample, Relation.SAME_CLIENT))

    def _compared(self, failed: Sample) -> Comparison | None:
        server = (failed.server_ip, failed.server_port)
        near = self._pairs.get((*server, failed.client_ip))
        if near is not None:
            return _comparison(failed, near, Relation.SAME_CLIENT)
        near = self._servers.get(server)
        if near is not None:
            return _comparison(failed, near, Relation.SAME_SERVER)
        near = self._names.get((failed.server_name.lower(), failed.server_port)) if failed.server_name else None
        return _comparison(failed, near, Relation.SAME_NAME) if near is not None else None


def _comparison(failed: Sample, worked: Sample, relation: Relation) -> Comparison:
    return Comparison(
        failed_stream=failed.stream,
        failed_uid=failed.uid,
        stream=worked.stream,
        uid=worked.uid,
        relation=relation,
        after_ns=worked.ts_ns - failed.ts_ns,
        differences=differences(worked, failed),
    )
