"""The facts: what a host did beside TLS, and what time it said it was. What DNS says of services is in dns.py."""

from __future__ import annotations

from enum import StrEnum

from analyzer.dataclass import dataclass


class Act(StrEnum):
    """What a host did."""

    LOOKUP = "lookup"
    """It asked DNS for a name."""
    FETCH = "fetch"
    """It asked a server for a CRL, an OCSP answer, a CA certificate (AIA) or a root list, over HTTP in clear."""
    ATTEMPT = "attempt"
    """It opened a TCP connection to a port where such things are."""


@dataclass(slots=True)
class Errand:
    """One thing that a host did beside TLS. The answer is filled in when it comes.

    Attributes:
        act: see Act. host: who did it. peer: whom it asked.
        name: the name looked up, or of the HTTP host; "" if none was said.
        what: of a fetch "CRL", "OCSP", "AIA" or "root list"; of an attempt "HTTP" or "LDAP"; "" of a lookup.
        where: of a fetch its URL, of an attempt the port as text, of a lookup "".
        time_ns, frame: of the question. tries: how often it was sent.
        answered_ns: when the answer came; None while there is none.
        answer: "NXDOMAIN", "404", "refused", "accepted" ...; "" while there is none.
        ok: the answer was what the host wanted, as far as it shows; None while there is none.
    """

    act: Act
    host: str
    peer: str
    name: str
    what: str
    where: str
    time_ns: int
    frame: int
    tries: int = 1
    answered_ns: int | None = None
    answer: str = ""
    ok: bool | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A host said that it was `clock_s` (seconds since 1970) when the capture's clock said `time_ns`."""

    host: str
    clock_s: int
    time_ns: int
    frame: int
