"""What the whole tool says of some packets, and the facts that must be right however the packets came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analyzer.connection import Connection, SentChain
from analyzer.pipeline import Options, Run
from analyzer.report.output import Item
from analyzer.summary import CaptureSummary
from tests.build.pcap import Packet, pcap


@dataclass(frozen=True, slots=True)
class Report:
    """All items of one run over one file, and what the run complained of."""

    items: list[Item]
    errors: list[str]

    @property
    def connections(self) -> list[Connection]:
        return [item for item in self.items if isinstance(item, Connection)]

    @property
    def connection(self) -> Connection:
        """The only one."""
        (one,) = self.connections
        return one

    @property
    def summary(self) -> CaptureSummary:
        (one,) = (item for item in self.items if isinstance(item, CaptureSummary))
        return one


def report(packets: Iterable[Packet] | bytes, *, link_type: int = 1, **options: Any) -> Report:
    """Analyse packets, or the bytes of a file. A bug of ours fails the test here, and so does a packet that got lost."""
    data = packets if isinstance(packets, bytes) else pcap(list(packets), link_type=link_type, nanoseconds=True)
    with TemporaryDirectory() as folder:
        path = Path(folder, "hostile")
        path.write_bytes(data)
        run = Run([str(path)], Options(**options))
        said = Report(list(run), [error.removeprefix(f"{path}: ") for error in run.errors])
    assert not run.crashes
    assert said.summary.packets == said.summary.decoded + sum(said.summary.reasons.values())
    return said


def rules(conn: Connection) -> set[str]:
    """Ids of the rules that found something."""
    return {finding.rule for finding in conn.findings}


def facts(conn: Connection) -> dict[str, Any]:
    """The facts of the handshake and how it ended. No frame numbers and no times."""
    return {
        "client": (conn.client_ip, conn.client_port),
        "outcome": conn.outcome.value,
        "version": conn.version,
        "cipher": conn.cipher,
        "server_name": conn.server_name,
        "history": conn.ssl_history,
        "server_chain": hashes(conn.server_chain),
        "client_chain": hashes(conn.client_chain),
        "ca_list": conn.certificate_request.ca_list.id if conn.certificate_request else None,
        "states": (conn.server_certificate_state, conn.client_certificate_state),
        "alerts": [(alert.side.value, alert.code, alert.encrypted) for alert in conn.alerts],
        "closed": (conn.closed.by, conn.closed.how, conn.closed.stage),
        "endings": [(end.side.value, end.how) for end in conn.endings if end.first_of_side],
        "bytes": (conn.visibility.client_bytes, conn.visibility.server_bytes),
        "gap": conn.visibility.gap_bytes,
    }


def hashes(sent: SentChain | None) -> tuple[str, ...] | None:
    return tuple(one.sha256 for one in sent.chain.certificates) if sent else None
