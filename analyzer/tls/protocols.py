"""What bytes that are no TLS look like, and whether TLS may follow them on the same connection. Names, no parsing.

One row per protocol: its name and a pattern of its first bytes. Rows are tried in order: the narrow before the wide.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from analyzer.dataclass import dataclass

SAMPLE: Final = 64
"""Bytes of a stream's start that a protocol is told from; also the most that an event keeps of them."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A row.

    Attributes:
        name: as findings say it.
        pattern: matches at the first byte, on at most SAMPLE bytes.
        leads: TLS may follow on the same connection; False = the stream is something else for good.
        preamble: name when TLS does follow, if it is another one.
    """

    name: str
    pattern: bytes
    leads: bool = False
    preamble: str = ""


def _row(name: str, pattern: bytes, *, leads: bool = False, preamble: str = "") -> Protocol:
    return Protocol(name, pattern, leads, preamble)


_METHODS = rb"(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|TRACE|PROPFIND|REPORT|RPC_IN_DATA|RPC_OUT_DATA|BITS_POST|PRI) "

PROTOCOLS: tuple[Protocol, ...] = (
    _row("HTTP", rb"CONNECT [^ \r\n]+(?: HTTP/|$)", leads=True, preamble="HTTP CONNECT"),
    _row("HTTP", rb"HTTP/1\.[01] (?:1\d\d|2\d\d|407)", leads=True, preamble="HTTP CONNECT"),
    _row("SIP", rb"SIP/2\.0 |[A-Z]{3,12} (?:sips?|tel):|\r\n\r\n(?:\r\n\r\n)*$"),
    _row("RTSP", rb"RTSP/1\.0 |[A-Z_]{4,13} rtsp[su]?://"),
    _row("HTTP", rb"HTTP/1\.[01] |" + _METHODS),
    _row("SSH", rb"SSH-[12]\."),
    _row("MSRP", rb"MSRP [A-Za-z0-9]"),
    _row("PROXY protocol", rb"PROXY (?:TCP[46]|UNKNOWN)|\r\n\r\n\x00\r\nQUIT\n", leads=True),
    _row("FTP", rb"220[- ][^\r\n]*FTP|(?i:AUTH (?:TLS|SSL)\r|FEAT\r)", leads=True),
    _row("SMTP", rb"(?:220|554|421)[- ]|(?i:EHLO|HELO|LHLO)[ \r]", leads=True),
    _row(
        "IMAP",
        rb"\* (?:OK|PREAUTH|BYE)[ \r]|(?i:[A-Z0-9.]{1,12} (?:CAPABILITY|STARTTLS|NOOP|ID|LOGIN)[ \r])",
        leads=True,
    ),
    _row("POP3", rb"\+OK|-ERR|(?i:CAPA|STLS|AUTH)\r", leads=True),
    _row("NNTP", rb"20[01][- ]|(?i:CAPABILITIES|MODE READER|STARTTLS)\r", leads=True),
    _row("ManageSieve", rb'(?i:"IMPLEMENTATION")', leads=True),
    _row("FTP or POP3", rb"(?i:USER) ", leads=True),
    _row("XMPP", rb"\s*<(?:\?xml|stream:stream|starttls)", leads=True),
    _row("PostgreSQL", rb"\x00\x00\x00\x08\x04\xd2\x16[\x2f\x30]|[SN](?:\x16\x03|$)", leads=True),
    _row("PostgreSQL", rb"\x00\x00[\x00-\x27].\x00\x03\x00\x00[a-z]|[ER]\x00\x00[\x00-\x0f]."),
    _row("MySQL", rb"..[\x00-\x01]\x00\x0a[0-9]{1,2}\.|\x20\x00\x00\x01.[\x08-\xff]", leads=True),
    _row("MySQL", rb"[\x10-\xff][\x00\x01]\x00\x01[\x05\x0d\x85\x8d][\x24\xa0-\xff]"),
    _row("ADB", rb"(?:CNXN|AUTH|STLS)[\x00-\x03]\x00\x00[\x00-\x02]", leads=True),
    _row("TDS", rb"[\x12\x04][\x00\x01]..\x00\x00[\x00\x01]\x00\x00", leads=True),
    _row("RDP", rb"\x03\x00\x00..[\xe0\xd0]\x00\x00", leads=True),
    _row("LDAP", rb"\x30(?:[\x05-\x7f]|\x81.|\x82..|\x84....)\x02[\x01-\x04].{1,4}?[\x60-\x78]", leads=True),
    _row("SMB", rb"\x00[\x00-\x01]..[\xfe\xff]SMB|[\x81-\x83]\x00\x00[\x00-\x44]"),
    _row("STUN or TURN", rb"[\x00\x01][\x01-\x1f]..\x21\x12\xa4\x42"),
    _row("MS-TURN", rb"[\x02\x03]\x00..[\x00\x01][\x01-\x1f]..(?:\x21\x12\xa4\x42|.{20})"),
    _row("DCE/RPC", rb"\x05\x00[\x00-\x13].[\x10\x00]\x00\x00\x00"),
    _row(
        "SOCKS", rb"\x05(?:\x01[\x00\x02]|\x02..|\x03...|[\x00\x02\xff])|\x04[\x01\x02]....|\x00[\x5a-\x5d]", leads=True
    ),
    _row("Kerberos", rb"\x00\x00[\x00-\x7f].[\x6a-\x6e\x7e]"),
    _row("DNS", rb"..(?:..)[\x00-\x07\x80-\x87].\x00\x01\x00[\x00-\x1f]\x00[\x00-\x1f]\x00[\x00-\x1f][\x00-\x3f]"),
    _row(
        "OpenVPN",
        rb"\x00[\x0e-\x60][\x38\x50].{8}\x00\x00\x00\x00\x00(?:$|\x00)|\x00[\x1a-\x60]\x40.{8}\x01\x00\x00\x00\x00",
    ),
    _row("DNP3", rb"\x05\x64[\x05-\xff]"),
    _row("TACACS+", rb"\xc0[\x00\x01\x10\x11\x02\x03][\x01-\x20][\x00\x01\x04\x05]"),
    _row("IEC 104", rb"\x68[\x04-\xfd].\x00.\x00"),
    _row("BGP", rb"\xff{16}"),
    _row("MQTT", rb"\x10.{1,4}?\x00[\x04\x06]MQ(?:TT|Is)"),
    _row("AMQP", rb"AMQP[\x00-\x03]"),
    _row("VNC", rb"RFB 00\d\.00\d"),
    _row("BitTorrent", rb"\x13BitTorrent protocol"),
    _row("Telnet", rb"\xff[\xfb-\xfe]"),
    _row("IRC", rb"(?:NICK|CAP) |:\S+ NOTICE ", leads=True),
)
"""Sources: the RFC of each, [MS-TURN], [MS-TDS], [MS-RDPBCGR], the MySQL and PostgreSQL protocol pages."""

UNKNOWN: Final = Protocol("unknown", b"", leads=True)
"""No row fits: a plain-text start that we do not know may still lead to TLS."""


@cache
def _patterns() -> tuple[tuple[re.Pattern[bytes], Protocol], ...]:
    """Compiled when the first stream does not start as TLS does: it takes 5 ms."""
    return tuple((re.compile(row.pattern, re.DOTALL), row) for row in PROTOCOLS)


def identify(start: bytes) -> Protocol:
    """The row for a stream's first bytes; UNKNOWN if none fits."""
    sample = start[:SAMPLE]
    for pattern, row in _patterns():
        if pattern.match(sample):
            return row
    return UNKNOWN


def preamble_name(text: bytes) -> str:
    """The protocol of the plain text before TLS, all of which is known here: an FTP server says so later than it greets."""
    row = identify(text)
    if row.name in {"SMTP", "FTP or POP3"} and re.search(rb"(?i)AUTH (?:TLS|SSL)|^234[ -]", text, re.MULTILINE):
        return "FTP"
    return row.preamble or ("POP3" if row.name == "FTP or POP3" else row.name)
