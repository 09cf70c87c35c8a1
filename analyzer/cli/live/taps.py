"""Options of `mtlscope live` for what looks on beside the report, and the taps that they ask for."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from analyzer.cli.live import evidence
from analyzer.cli.live.sources import name_of
from analyzer.cli.parser import one_of, place
from analyzer.live.taps import Tap, Taps

DAYS = 30
"""How long a store keeps connections unless told otherwise."""
MOST_DAYS = 36_500

METRICS_HOST = "127.0.0.1"
"""Who does not name a host wants no strangers."""
LOCAL_SYSLOG = "/dev/log"
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp"),
    *("audit", "alert", "clock", *(f"local{number}" for number in range(8))),
)
"""By number, RFC 5424 section 6.2.1."""


def add_taps(parser: argparse.ArgumentParser) -> None:
    """Add an option for each tap."""
    add = parser.add_argument_group("what looks on").add_argument
    add(
        "--metrics",
        type=_metrics,
        metavar="[HOST:]PORT",
        help=f"answer Prometheus there (host {METRICS_HOST} unless named); needs the extra metrics",
    )
    add(
        "--metrics-file",
        type=place,
        metavar="FILE",
        help="write the same numbers to FILE, for node_exporter's textfile collector",
    )
    add(
        "--syslog",
        nargs="?",
        const=LOCAL_SYSLOG,
        type=receiver,
        metavar="WHERE",
        help=f"tell syslog of trouble: {LOCAL_SYSLOG} (unless named), HOST:PORT (UDP) or tcp:HOST:PORT",
    )
    add(
        "--syslog-facility",
        default="daemon",
        type=one_of(FACILITIES),
        metavar="NAME",
        help="daemon (unless named), local0 ... local7, or another",
    )
    add(
        "--db",
        type=place,
        metavar="FILE",
        help="write a SQLite store too, or go on with one; analyzer.open_db(FILE) reads it",
    )
    add(
        "--db-keep",
        type=_days,
        default=DAYS,
        metavar="DAYS",
        help=f"take connections out of it after so many days, or 'all' to keep them (default: {DAYS})",
    )
    evidence.add_options(parser)
    add(
        "--heartbeat",
        type=place,
        metavar="FILE",
        help="touch FILE about once a second while it goes on, for health checks",
    )


FILES, FOLDERS = ("write", "output", "db", "metrics_file", "heartbeat"), ("evidence",)
"""Options that name a file, or a folder, that is written or made anew while the capture goes on."""


def written_below(args: argparse.Namespace) -> list[Path]:
    """The folders in which files are written or made during the run; nowhere else may that be possible."""
    files = (Path(name).resolve().parent for name in _given(args, FILES) if name != "-")
    return list(dict.fromkeys([*files, *(Path(name) for name in _given(args, FOLDERS))]))


def _given(args: argparse.Namespace, options: Iterable[str]) -> list[str]:
    return [str(value) for option in options if (value := getattr(args, option, None)) is not None]


@contextmanager
def open_taps(args: argparse.Namespace, told: Callable[[str], None]) -> Iterator[Taps]:
    """The taps that are wanted, opened before rights are given up. Raise UsageError for one that cannot be opened."""
    taps = Taps(told=told)
    try:
        _open_metrics(taps, args, told)
        _open_syslog(taps, args, told)
        if args.db is not None:
            taps.add(_store(args, taps, told))
        if (recorder := evidence.open_recorder(args, told)) is not None:
            taps.add(recorder)
        _supervised(args, taps)
        yield taps
    finally:
        taps.close()


def _open_metrics(taps: Taps, args: argparse.Namespace, told: Callable[[str], None]) -> None:
    if args.metrics is not None:
        from analyzer.live.metrics import Served

        host, port = args.metrics
        served = Served(host, port, taps.traffic)
        taps.add(served)
        if not args.quiet:
            told(served.name)
    if args.metrics_file is not None:
        from analyzer.live.metrics import Written

        taps.add(Written(args.metrics_file, taps.traffic, told))


def _open_syslog(taps: Taps, args: argparse.Namespace, told: Callable[[str], None]) -> None:
    if args.syslog is None:
        return
    from analyzer.live.outbox import network
    from analyzer.live.syslog import Syslog, local

    kind, where = args.syslog
    target = local(where) if kind == "local" else network(*host_port(where), kind == "tcp")
    taps.add(Syslog(target, FACILITIES.index(args.syslog_facility), told))


def receiver(text: str) -> tuple[str, str]:
    """A type: ("local", path) or ("udp" or "tcp", "HOST:PORT")."""
    if text.startswith("/"):
        return "local", text
    kind, colon, where = text.partition(":")
    if not colon or kind not in ("tcp", "udp"):
        kind, where = "udp", text
    host_port(where)
    return kind, where


def _metrics(text: str) -> tuple[str, int]:
    return host_port(text if ":" in text else f"{METRICS_HOST}:{text}")


def host_port(text: str) -> tuple[str, int]:
    """A type for addresses: "HOST:PORT", with an IPv6 address in brackets."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]]+)):(\d{1,5})", text, re.ASCII)
    if found is None or int(found[3]) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; expected e.g. 192.0.2.1:9464 or [2001:db8::1]:9464")
    return found[1] or found[2], int(found[3])


def _store(args: argparse.Namespace, taps: Taps, told: Callable[[str], None]) -> Tap:
    from analyzer.store.tap import DAY_NS, StoreTap
    from analyzer.store.writer import Writer

    keep_ns = None if args.db_keep is None else int(args.db_keep * DAY_NS)
    writer = Writer(Path(args.db), name_of(args), time.time_ns, args.filter)
    return StoreTap(writer, time.time_ns, keep_ns, lambda: taps.traffic.packets, told)


def _days(text: str) -> float | None:
    """A number of days; None for "all"."""
    if text == "all":
        return None
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days; expected e.g. 30, 0.5 or all")
    return days


def _supervised(args: argparse.Namespace, taps: Taps) -> None:
    """systemd (NOTIFY_SOCKET) and --heartbeat."""
    if sys.platform == "linux" and "NOTIFY_SOCKET" in os.environ:
        from analyzer.live.service import Notify

        taps.add(Notify(os.environ.pop("NOTIFY_SOCKET")))  # the variable is not meant for our children
    if args.heartbeat is not None:
        from analyzer.live.service import Heartbeat

        taps.add(Heartbeat(args.heartbeat))
