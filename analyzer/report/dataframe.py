"""Results as pandas data frames. The only place that imports pandas, and only when a frame is asked for.

The tables and their columns are those of `tables.py`; dtypes are the same with pandas 2.2 and 3: `string`, `category`,
`Int64`, `float64`, `boolean`, `datetime64[ns, UTC]` for packets and `datetime64[us, UTC]` for certificates. What is
missing is `<NA>` or `NaT` and never turns integers into floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.report import tables
from analyzer.report.tables import Kind, Row, Table, TableColumn
from analyzer.summary import CaptureSummary

if TYPE_CHECKING:
    from pandas import DataFrame as DataFrame

_DTYPES = {Kind.TEXT: "string", Kind.INTEGER: "Int64", Kind.REAL: "float64", Kind.FLAG: "boolean", Kind.TEXTS: "object"}
_UNITS = {Kind.TIME: "ns", Kind.DATE: "us"}
_ORDERED = {"severity": ("note", "warning", "error"), "confidence": ("low", "medium", "high")}
"""Categories that have an order: `frame["severity"] >= "warning"`."""
_SEEN = (
    TableColumn("connections", Kind.INTEGER, "connections in which it was sent"),
    TableColumn("clients", Kind.TEXTS, "addresses of clients that sent it"),
    TableColumn("servers", Kind.TEXTS, "addresses of servers that sent it"),
    TableColumn("leaf", Kind.FLAG, "it stood first in a chain"),
)
CERTIFICATES = Table(tables.CERTIFICATES.name, tables.CERTIFICATES.meaning, (*tables.CERTIFICATES.columns, *_SEEN))
"""In a frame a certificate also says who sent it; in a store the table `chains` does."""


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise UsageError("data frames need pandas: python -m pip install pandas") from None
    return pandas


def connections(records: Iterable[Connection]) -> DataFrame:
    """One row a connection; the columns of -T csv, times as aware timestamps. Raise UsageError without pandas."""
    _pandas()
    return frame(tables.CONNECTIONS, [tables.connection_row(conn) for conn in records])


def findings(records: Iterable[Connection], captures: Iterable[CaptureSummary] = ()) -> DataFrame:
    """One row a finding, with the connection that it is about; those across connections have only the capture. Raise
    UsageError without pandas."""
    _pandas()
    rows = [row for conn in records for row in tables.finding_rows(conn.capture, conn.findings, conn)]
    rows += [row for capture in captures for row in tables.finding_rows(capture.capture, capture.findings)]
    return frame(tables.FINDINGS, rows)


def messages(records: Iterable[Connection]) -> DataFrame:
    """One row a message, SYN, FIN or RST, in the order of each connection. Raise UsageError without pandas."""
    _pandas()
    return frame(tables.MESSAGES, [row for conn in records for row in tables.message_rows(conn)])


def certificates(records: Iterable[Connection]) -> DataFrame:
    """One row a certificate, wherever it was sent, with who sent it how often. Raise UsageError without pandas."""
    _pandas()
    known: dict[str, _Seen] = {}
    for conn in records:
        for sent in conn.chains():
            address = conn.client_ip if sent.side.value == "client" else conn.server_ip
            each = sent.chain.certificates
            for certificate in dict.fromkeys(each):
                seen = known.get(certificate.sha256)
                if seen is None:
                    seen = known[certificate.sha256] = _Seen(tables.certificate_row(certificate))
                seen.connections.add((conn.capture, conn.stream))
                seen.addresses[sent.side.value].add(address)
                seen.leaf |= certificate == each[0]
    return frame(CERTIFICATES, [seen.row() for seen in known.values()])


class _Seen:
    """Where a certificate was seen. A connection counts once, even if both sides sent it."""

    __slots__ = ("addresses", "connections", "facts", "leaf")

    def __init__(self, facts: Row) -> None:
        self.facts = facts
        self.connections: set[tuple[str, int]] = set()
        self.addresses: dict[str, set[str]] = {"client": set(), "server": set()}
        self.leaf = False

    def row(self) -> Row:
        """A row of CERTIFICATES."""
        clients, servers = sorted(self.addresses["client"]), sorted(self.addresses["server"])
        return [*self.facts, len(self.connections), clients, servers, self.leaf]


def frame(table: Table, rows: Sequence[Row]) -> DataFrame:
    """Rows of any table, column by column: pandas guesses nothing. Raise UsageError without pandas."""
    pandas = _pandas()
    values: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(table.columns)
    made = {column.name: _series(column, each) for column, each in zip(table.columns, values, strict=True)}
    whole: DataFrame = pandas.DataFrame(made, columns=table.names)
    return whole


def answer(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> DataFrame:
    """What a query of the user's gave: pandas looks what it is. Raise UsageError without pandas."""
    whole: DataFrame = _pandas().DataFrame(rows, columns=list(names))
    return whole


def _series(column: TableColumn, values: Sequence[Any]) -> Any:
    pandas = _pandas()
    if column.kind is Kind.CATEGORY:
        if column.name in _ORDERED:
            return pandas.Series(pandas.Categorical(values, categories=_ORDERED[column.name], ordered=True))
        return pandas.Series(values, dtype="string").astype("category")
    if column.kind in _UNITS:
        import numpy as np

        unit, missing = _UNITS[column.kind], np.iinfo(np.int64).min  # that is NaT
        stamps = np.array([missing if one is None else one for one in values], dtype="int64")
        return pandas.Series(stamps.view(f"datetime64[{unit}]")).dt.tz_localize("UTC")
    return pandas.Series(list(values), dtype=_DTYPES[column.kind])
