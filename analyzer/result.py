"""What a script or a notebook holds: `analyze(...)` and its lazy `Result`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import time_ns
from typing import TYPE_CHECKING

from analyzer import knowledge, views
from analyzer.certificates.stores.loading import load_hosts, load_sides
from analyzer.connection import Connection
from analyzer.errors import UsageError
from analyzer.findings import Finding
from analyzer.judgement.stores import NO_TRUST, Trust
from analyzer.pipeline import Options, Run
from analyzer.report.output import Item
from analyzer.selection import Selection, parse_time
from analyzer.summary import CaptureSummary, LostPackets, Repeated

if TYPE_CHECKING:
    from pathlib import Path as File

    from analyzer.report.dataframe import DataFrame
    from analyzer.report.output import Output
    from analyzer.topology.model import Topology

Path = str | os.PathLike[str]


def analyze(
    paths: Path | Sequence[Path],
    *,
    ports: Sequence[int] | None = None,
    any_port: bool = False,
    at: str | None = None,
    timezone: str | None = None,
    topology: Path | Topology | None = None,
    workers: int = 1,
    select: Selection | None = None,
    trust: Path | Sequence[Path] | Mapping[str, Path | Sequence[Path]] | None = None,
    via: str | None = None,
) -> Result:
    """Analyse captures, folders or globs. Nothing is read before the result is asked for something.

    Args:
        paths: one path or several; "-" is standard input.
        ports: where TLS is expected; None means the usual ones (443, 5061 ...). any_port: no port is special.
        at: judge validity at this time ("2026-11-21T09:30:00Z") instead of the capture's.
        timezone: zone of captures that carry local time; None means UTC.
        topology: a topology file (docs/topology.md), or what `read_topology` made of one; None means none.
        workers: processes for several inputs.
        select: which connections to keep; None means all.
        trust: certificate files or folders that both hosts trust, or {"client": ..., "server": ...}: "client" is the store of
            the client's host, which judges the server's certificates; "server" that of the server's host, which judges the
            clients'. Read at once; raises UsageError for one without certificates.
        via: "tshark" lets it read the captures, for formats that only Wireshark knows.
    """
    if via not in (None, "tshark"):
        raise UsageError(f"via={via!r} is not known; tshark is")
    if isinstance(ports, str):
        raise UsageError(f"ports={ports!r} is a text; expected numbers such as [5061, 443]")
    given = _each(paths)
    expected = knowledge.default_tls_ports() if ports is None else frozenset(ports)
    deployment = _topology(topology)
    options = Options(
        ports=None if any_port else expected,
        at_ns=None if at is None else parse_time(at, "at"),
        today_ns=time_ns(),
        timezone=timezone,
        topology=deployment,
        workers=workers,
        keep=select,
        trust=_of_hosts(_trust(trust), deployment),
        across=select is None or not select.narrows,
        via=via,
    )
    return Result(Run([os.fspath(path) for path in given], options))


def _trust(given: Path | Sequence[Path] | Mapping[str, Path | Sequence[Path]] | None) -> Trust:
    if given is None:
        return NO_TRUST
    sides = load_sides(
        [(side, path) for side, paths in given.items() for path in _each(paths)]
        if isinstance(given, Mapping)
        else [(None, path) for path in _each(given)]
    )
    return Trust(sides["client"], sides["server"])


def _of_hosts(trust: Trust, topology: Topology | None) -> Trust:
    """With the stores that the topology names."""
    if topology is None:
        return trust
    return replace(
        trust, topology=topology, of_hosts=load_hosts((host.trust for host in topology.hosts), topology.file)
    )


def _each(paths: Path | Sequence[Path]) -> list[Path]:
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def _topology(given: Path | Topology | None) -> Topology | None:
    if not isinstance(given, str | os.PathLike):
        return given
    from analyzer.topology.reading import read_topology

    return read_topology(os.fspath(given))


class Result:
    """The connections of one analysis, as they are decided; what was read once is kept.

    Iterating gives the connections while the capture is read. Every attribute reads it to its end first.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._items: Iterator[Item] | None = None
        self._connections: list[Connection] = []
        self._captures: list[CaptureSummary] = []
        self._repeated: list[Repeated] = []
        self._losses: list[LostPackets] = []

    def __iter__(self) -> Iterator[Connection]:
        """Connections in order. Raise UsageError if there is nothing to analyse."""
        position = 0
        while position < len(self._connections) or self._read_on():
            yield self._connections[position]
            position += 1

    def _read_on(self) -> bool:
        """Read up to the next connection; False at the end."""
        if self._items is None:
            self._items = iter(self._run)
        for item in self._items:
            if isinstance(item, Connection):
                self._connections.append(item)
                return True
            if isinstance(item, CaptureSummary):
                self._captures.append(item)
            elif isinstance(item, LostPackets):
                self._losses.append(item)
            else:
                self._repeated.append(item)
        return False

    def _read_all(self) -> None:
        while self._read_on():
            pass

    @property
    def connections(self) -> list[Connection]:
        """Every connection."""
        self._read_all()
        return list(self._connections)

    @property
    def findings(self) -> list[Finding]:
        """Every finding: those of the connections in order, then those across connections."""
        self._read_all()
        own = [finding for conn in self._connections for finding in conn.findings]
        return own + [finding for capture in self._captures for finding in capture.findings]

    @property
    def captures(self) -> list[CaptureSummary]:
        """One summary an input."""
        self._read_all()
        return list(self._captures)

    @property
    def capture(self) -> CaptureSummary | None:
        """The summary of the first (often the only) input; None if none could be read."""
        self._read_all()
        return self._captures[0] if self._captures else None

    @property
    def repeated(self) -> list[Repeated]:
        """Floods: connections that were counted instead of listed."""
        self._read_all()
        return list(self._repeated)

    @property
    def losses(self) -> list[LostPackets]:
        """When the captures lost packets, as far as they say it."""
        self._read_all()
        return list(self._losses)

    @property
    def errors(self) -> list[str]:
        """One line for each input that could not be read, or not to its end; and for each contained bug of ours."""
        self._read_all()
        return [*self._run.errors, *self._run.crashes]

    def to_frame(self) -> DataFrame:
        """One row a connection; the columns of all frames are in docs/frames.md. Raise UsageError without pandas."""
        from analyzer.report import dataframe

        return dataframe.connections(self)

    def findings_frame(self) -> DataFrame:
        """One row a finding: those of the connections, then those across connections. Raise UsageError without pandas."""
        from analyzer.report import dataframe

        return dataframe.findings(self, self.captures)

    def certificates_frame(self) -> DataFrame:
        """One row a certificate, with who sent it how often. Raise UsageError without pandas."""
        from analyzer.report import dataframe

        return dataframe.certificates(self)

    def messages_frame(self) -> DataFrame:
        """One row a message of a handshake, SYN, FIN or RST. Raise UsageError without pandas."""
        from analyzer.report import dataframe

        return dataframe.messages(self)

    def to_sqlite(self, path: Path) -> None:
        """Write every table of docs/frames.md into a new SQLite database. Raise UsageError if `path` is
        another kind of file or database."""
        from analyzer.report import sqlite_file

        self._write(sqlite_file.OUTPUT, path, sqlite_file.MAGIC, 0, sqlite_file.tables_in)

    def to_db(self, path: Path) -> None:
        """Add everything as one run to the store at `path` (docs/store.md), which is made if need be; `open_db` reads it. Raise
        UsageError if `path` is another kind of file."""
        from pathlib import Path as File

        from analyzer.store.writer import append

        append(File(path), ", ".join(self._run.paths), self._stream(), time_ns)

    def to_duckdb(self, path: Path) -> None:
        """The same as a DuckDB database (extra `sql`)."""
        from analyzer.report import duckdb_file

        self._write(duckdb_file.OUTPUT, path, duckdb_file.MAGIC, duckdb_file.MAGIC_AT, duckdb_file.tables_in)

    def to_parquet(self, folder: Path) -> None:
        """The same as Parquet files in a folder, one a table (extra `parquet`)."""
        from pathlib import Path as Folder

        from analyzer.report import parquet

        parquet.write_folder(self._stream(), Folder(folder))

    def _write(
        self, output: Output, path: Path, magic: bytes, at: int, tables_in: Callable[[File], set[str] | None]
    ) -> None:
        """Beside `path` first: what was there is only replaced by something whole."""
        from pathlib import Path as File

        from analyzer.report.batches import replaceable
        from analyzer.report.output import OutputOptions

        target = replaceable(File(path), magic, at, tables_in)
        part = target.with_name(target.name + ".part")
        try:
            with part.open("wb") as sink:
                output.write(self._stream(), sink, OutputOptions())
            part.replace(target)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from None
        finally:
            part.unlink(missing_ok=True)

    def _stream(self) -> Iterator[Item]:
        """Everything in order. As long as nothing was asked for, it passes and is not kept: a long capture needs little
        memory, and is read again if something is asked for later (standard input cannot be)."""
        if self._items is None and "-" not in self._run.paths:
            yield from replace(self._run, errors=[], crashes=[])
            return
        self._read_all()
        yield from self._connections
        yield from self._repeated
        yield from self._losses
        yield from self._captures

    def _repr_html_(self) -> str:
        """For notebooks: what was read, what is wrong how often, the connections in trouble. Reads everything."""
        from analyzer.report import notebook

        return notebook.result(self.connections, self.captures, self.errors)

    def __repr__(self) -> str:
        read = f"{len(self._connections)} connections read" if self._items else "nothing read yet"
        return f"<Result of {', '.join(self._run.paths)}: {read}>"


def _draw(record: object) -> str:
    from analyzer.report import notebook  # only notebooks need it

    return notebook.html(record)


views.show_with(_draw)

__all__ = ["Result", "Selection", "analyze"]
