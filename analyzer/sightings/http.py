"""Heads of HTTP requests and answers in clear, as far as revocation and clocks go (RFC 9112 section 2). Never raises."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta

from analyzer.dataclass import dataclass
from analyzer.knowledge import services

MAX_HEAD = 8_192
"""Bytes of a head that are looked at."""
MAX_URL = 300
"""Characters of a URL that are kept: OCSP requests in URLs are long."""
OCSP = b"ocsp-request"
"""In every POST to an OCSP responder."""
OCSP_LEAST = 60
"""Base64 characters of the smallest OCSP request: one certificate by SHA-1 (RFC 6960 section 4.1.1)."""
DER_SEQUENCE = 0x30
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Request:
    """A request for something of revocation: `what` as in facts.Errand, `host` as asked for ("" if unsaid), `url`."""

    what: str
    host: str
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its status, and the server's clock in seconds since 1970 (None if unsaid, or if it may be an old copy)."""

    status: int
    clock_s: int | None


def request(data: bytes) -> Request | None:
    """The request at the beginning of a segment, if it is about revocation. Of most, one look at the first line tells."""
    words = data[:MAX_HEAD].partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(words) < 2 or (words[0] == "POST" and OCSP not in data):
        return None
    path, host = words[1], ""
    scheme, found, rest = path.partition("://")
    if found and scheme.lower() in ("http", "https"):  # to a proxy: RFC 9112 section 3.2.2
        host, slash, path = rest.partition("/")
        path = slash + path
    if words[0] == "GET":
        what = _fetched(path)
    elif words[0] == "POST":
        content = _fields(_lines(data)[1:]).get("content-type", "")
        what = services.revocation_contents().get(content.partition(";")[0].strip().lower(), "")
    else:
        return None
    if not what:
        return None
    host = _host(host or _fields(_lines(data)[1:]).get("host", ""))
    return Request(what, host, f"http://{host}{path}"[:MAX_URL])


def answer(data: bytes) -> Answer | None:
    """The answer at the beginning of a segment."""
    lines = _lines(data)
    words = lines[0].split(" ", 2)
    if not words[0].startswith("HTTP/") or len(words) < 2 or not (words[1].isascii() and words[1].isdigit()):
        return None
    if len(words[1]) != 3:
        return None
    fields = _fields(lines[1:])
    copied = any(name in fields for name in ("age", "x-cache", "via", "warning"))
    return Answer(int(words[1]), None if copied else date(fields.get("date", "")))


def date(text: str) -> int | None:
    """ "Sun, 06 Nov 1994 08:49:37 GMT" in seconds since 1970 (RFC 9110 section 5.6.7); None if it is no such date."""
    words = text.split()
    if len(words) != 6 or words[5] != "GMT" or words[2] not in MONTHS:
        return None
    try:
        hour, minute, second = (int(part) for part in words[4].split(":"))
        moment = datetime(int(words[3]), MONTHS.index(words[2]) + 1, int(words[1]), hour, minute, second, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return (moment - EPOCH) // timedelta(seconds=1)


def _lines(data: bytes) -> list[str]:
    """The lines of the head, as much of it as is there."""
    head = data[:MAX_HEAD].partition(b"\r\n\r\n")[0]
    return head.decode("latin-1").split("\r\n")


def _fields(lines: list[str]) -> dict[str, str]:
    """Name in lower case -> value; the first one counts. The last line may be cut: it is complete enough, or unknown."""
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _host(text: str) -> str:
    """Without port, brackets and the last dot, in lower case."""
    host = text.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def _fetched(path: str) -> str:
    """What a GET of this path is for; "" for what has nothing to do with certificates."""
    plain = path.partition("?")[0].lower()
    for ending, what in services.revocation_endings():
        if plain.endswith(ending):
            return what
    if len(path) < OCSP_LEAST:
        return ""
    base64s = (path.rpartition("/")[2], path[1:].partition("/")[2], path[1:])
    return "OCSP" if any(map(_is_ocsp, base64s)) else ""


def _is_ocsp(text: str) -> bool:
    """An OCSP request in base64 (RFC 6960 appendix A.1): a DER sequence whose length is that of the text."""
    if len(text) < OCSP_LEAST:
        return False
    plain = text.replace("%2B", "+").replace("%2b", "+").replace("%2F", "/").replace("%2f", "/")
    plain = plain.replace("%3D", "=").replace("%3d", "=")
    try:
        der = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(der) < 4 or der[0] != DER_SEQUENCE:
        return False
    if der[1] < 0x80:
        return der[1] + 2 == len(der)
    return der[1] == 0x81 and der[2] + 3 == len(der)
