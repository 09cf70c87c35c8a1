"""Results as pandas data frames. The only place that imports pandas, and only when a frame is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.report.certificates import certificate_object
from analyzer.report.flat import COLUMNS, row
from analyzer.report.mapping import finding_object
from analyzer.summary import CaptureSummary

if TYPE_CHECKING:
    from pandas import DataFrame as DataFrame

_TIMES = ("ts", "server_not_before", "server_not_after", "client_not_before", "client_not_after")


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise UsageError("data frames need pandas: python -m pip install pandas") from None
    return pandas


def connections(records: Iterable[Connection]) -> DataFrame:
    """One row a connection; the columns of -T csv, times as aware timestamps. Raise UsageError without pandas."""
    pandas = _pandas()
    frame: DataFrame = pandas.DataFrame([row(conn) for conn in records], columns=[c.name for c in COLUMNS])
    return _with_times(frame, _TIMES)


def findings(records: Iterable[Connection], captures: Iterable[CaptureSummary] = ()) -> DataFrame:
    """One row a finding, with the connection that it is about; those across connections have only the capture. Raise
    UsageError without pandas."""
    pandas = _pandas()
    rows = [
        {**_about(conn), "rank": rank, **finding_object(finding, conn)}
        for conn in records
        for rank, finding in enumerate(conn.findings)
    ]
    rows += [
        {"capture": capture.capture, "rank": rank, **finding_object(finding)}
        for capture in captures
        for rank, finding in enumerate(capture.findings)
    ]
    frame: DataFrame = pandas.DataFrame(rows, columns=_FINDING_COLUMNS)
    return frame.astype(dict.fromkeys(_NUMBERS, "Int64"))


_ABOUT = ("capture", "stream", "uid", "client_ip", "client_port", "server_ip", "server_port", "server_name")
_NUMBERS = ("stream", "client_port", "server_port")
"""Of a finding across connections they are missing, and that must not make them floats."""
_FINDING = ("rule", "severity", "confidence", "summary", "advice", "frames", "filter", "references", "explained_by")
_FINDING_COLUMNS = [*_ABOUT, "rank", *_FINDING]


def _about(conn: Connection) -> dict[str, Any]:
    return {name: getattr(conn, name) for name in _ABOUT}


def certificates(records: Iterable[Connection]) -> DataFrame:
    """One row a certificate, wherever it was sent, with who sent it how often. Raise UsageError without pandas."""
    pandas = _pandas()
    known: dict[str, dict[str, Any]] = {}
    for conn in records:
        for sent in conn.chains():
            for position, certificate in enumerate(sent.chain.certificates):
                if certificate.sha256 not in known:
                    known[certificate.sha256] = _certificate(certificate_object(certificate))
                line = known[certificate.sha256]
                line["connections"] += 1
                line[f"{sent.side.value}s"] |= {conn.client_ip if sent.side.value == "client" else conn.server_ip}
                line["leaf"] |= position == 0
    for line in known.values():
        line["clients"], line["servers"] = sorted(line["clients"]), sorted(line["servers"])
    frame: DataFrame = pandas.DataFrame(list(known.values()), columns=None if known else ["sha256"])
    return _with_times(frame, ("not_before", "not_after"))


def _certificate(known: Any) -> dict[str, Any]:
    line = {key: value for key, value in known.items() if key not in ("schema", "type")}
    line["names"] = (known["san"] or {}).get("dns", [])
    line["key"] = known["key"]["algorithm"] if known["key"] else None
    line["key_bits"] = known["key"]["bits"] if known["key"] else None
    return line | {"connections": 0, "clients": set(), "servers": set(), "leaf": False}


def _with_times(frame: DataFrame, names: Iterable[str]) -> DataFrame:
    """Texts of times as timestamps; what pandas cannot hold (the year 9999 is within) becomes NaT."""
    pandas = _pandas()
    for name in names:
        if name in frame:
            frame[name] = pandas.to_datetime(frame[name], utc=True, errors="coerce", format="ISO8601")
    return frame
