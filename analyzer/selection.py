"""What to report: the selecting options of the command line as one predicate over connections.

Values of one option are alternatives, different options must all hold: `--host A --host B --troubled` is
"(A or B) and troubled".
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime, timedelta, timezone
from fnmatch import fnmatchcase

from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.errors import UsageError

_SECOND_NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"  # date
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?"  # time of day
    r"\s*(Z|UTC|[+-]\d\d:?\d\d)?",  # zone
    re.IGNORECASE | re.ASCII,
)
_HOST = re.compile(
    r"\[(?P<bracketed>[^\[\]]+)\](?::(?P<port>\d{1,5}))?"
    r"|(?P<plain>[^:\[\]]+)(?::(?P<port_of_plain>\d{1,5}))?"
    r"|(?P<six>[0-9a-f:./]+)",
    re.IGNORECASE | re.ASCII,
)
_SECONDS = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?", re.ASCII)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Host:
    """An address or a network, and a port; `port` None means any."""

    network: Network
    port: int | None = None

    def matches(self, ip: str, port: int) -> bool:
        """Is this one end of a connection?"""
        if self.port is not None and port != self.port:
            return False
        address = ipaddress.ip_address(ip)
        return address.version == self.network.version and address in self.network


@dataclass(frozen=True, slots=True)
class Selection:
    """A predicate over connections; an option that was not given holds for all.

    Attributes:
        hosts: either end is one of these.
        names: globs; the SNI or a name of a certificate of either side matches one, whatever the case.
        streams: numbers of connections.
        since_ns, until_ns: the connection was alive at some time in between; None means no limit.
        troubled: only what failed or has an error or a warning.
    """

    hosts: tuple[Host, ...] = ()
    names: tuple[str, ...] = ()
    streams: frozenset[int] = frozenset()
    since_ns: int | None = None
    until_ns: int | None = None
    troubled: bool = False

    @property
    def narrows(self) -> bool:
        """It asks for certain hosts, names, streams or a time: then what else the capture shows is not wanted."""
        limits = (self.since_ns, self.until_ns)
        return bool(self.hosts or self.names or self.streams) or any(limit is not None for limit in limits)

    def __call__(self, conn: Connection) -> bool:
        """Report this connection?"""
        return (
            (not self.streams or conn.stream in self.streams)
            and (not self.troubled or conn.troubled)
            and (self.since_ns is None or conn.end_ns >= self.since_ns)
            and (self.until_ns is None or conn.ts_ns <= self.until_ns)
            and (not self.hosts or self._host(conn))
            and (not self.names or self._name(conn))
        )

    def _host(self, conn: Connection) -> bool:
        ends = ((conn.client_ip, conn.client_port), (conn.server_ip, conn.server_port))
        return any(host.matches(ip, port) for host in self.hosts for ip, port in ends)

    def _name(self, conn: Connection) -> bool:
        names = {_folded(name) for name in _names(conn)}
        return any(fnmatchcase(name, _folded(glob)) for glob in self.names for name in names)


def _names(conn: Connection) -> list[str]:
    """The SNI, and what the leaves speak for: a common name counts even beside a SAN, people look for it."""
    names = [conn.server_name] if conn.server_name else []
    for sent in conn.chains():
        leaf = sent.chain.leaf
        names += [*leaf.names, *([leaf.subject.common_name] if leaf.subject.common_name else [])]
    return names


def _folded(name: str) -> str:
    return name.lower().rstrip(".")


def parse_host(text: str) -> Host:
    """ "192.0.2.1", "192.0.2.1:5061", "[2001:db8::1]:5061", "10.0.0.0/8". Raise UsageError for anything else."""
    match = _HOST.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        network = ipaddress.ip_network(match["bracketed"] or match["plain"] or match["six"], strict=False)
        number = int(match["port"] or match["port_of_plain"] or -1)
        if number > 65535:
            raise ValueError
    except ValueError:
        expected = "expected e.g. 192.0.2.1, 192.0.2.1:5061, [2001:db8::1]:5061 or 192.0.2.0/24"
        raise UsageError(f"--host {text!r} is no address; {expected}") from None
    return Host(network, None if number < 0 else number)


def parse_time(text: str, option: str = "TIME") -> int:
    """Nanoseconds since 1970 of "2026-11-21", "2026-11-21T09:30:00.5Z", "... +01:00" (UTC if no zone is given), or of
    seconds since 1970. Raise UsageError for anything else."""
    if match := _SECONDS.fullmatch(text.strip()):
        return int(match[1]) * _SECOND_NS + _fraction(match[2])
    match = _TIME.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(group or 0) for group in match.groups()[:6])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_zone(match[8]))
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text!r} is no time; expected e.g. 2026-11-21T09:30:00Z") from None
    return (moment - _EPOCH) // timedelta(seconds=1) * _SECOND_NS + _fraction(match[7])


def _fraction(digits: str | None) -> int:
    return int((digits or "0").ljust(9, "0"))


def _zone(text: str | None) -> timezone:
    if not text or text[0] not in "+-":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
