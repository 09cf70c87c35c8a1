"""SRV records of SIP domains, as the capture shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.dataclass import dataclass
from analyzer.judgement.phrases import brief
from analyzer.knowledge import services
from analyzer.sightings.watch import Sightings

if TYPE_CHECKING:
    from analyzer.sightings.dns import Service

NONE_SEEN = "the capture has no SRV answer of a SIP domain"
MAX_TOLD = 20
"""Records that are judged: a hostile capture could hold thousands."""
PLAIN = re.compile(r"[a-z0-9._-]{1,253}")


@dataclass(frozen=True, slots=True)
class SipRecord:
    """An SRV record of a SIP domain: `federation` or sign-in; `provider`: whose edge the target is, "" if nobody's known."""

    service: Service
    domain: str
    federation: bool
    provider: str

    @property
    def target(self) -> str:
        """Where it points to."""
        return self.service.target

    @property
    def frame(self) -> int:
        """Where it was seen first."""
        return self.service.frame

    @property
    def inside(self) -> bool:
        """The target lies in the SIP domain; a target of "." says that there is no such service (RFC 2782)."""
        return not self.target or self.target == self.domain or self.target.endswith(f".{self.domain}")

    @property
    def said(self) -> str:
        """How a sentence begins."""
        return f"the SRV record {brief(self.service.owner)}"


def sip_records(sightings: Sightings) -> list[SipRecord]:
    """In the order of the capture."""
    found: list[SipRecord] = []
    for service in sightings.services():
        known = services.sip_service(service.owner)
        if known is not None and len(found) < MAX_TOLD:
            use, domain = known
            found.append(SipRecord(service, domain, use == "federation", services.provider(service.target) or ""))
    return found


def asked_for(record: SipRecord) -> str:
    """A display filter for the questions and answers about this record."""
    owner = record.service.owner
    return f'dns.qry.name == "{owner}"' if PLAIN.fullmatch(owner) else f"frame.number == {record.frame}"
