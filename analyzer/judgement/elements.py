"""Which certificates of a chain a peer looks at, how a sentence names them, and a finding about several at once.

A peer verifies the signature and the revocation of every certificate below a root that it trusts. The root itself it
trusts by its key, so its own signature and its CRL do not count (RFC 5280 section 6.1).
"""

from __future__ import annotations

from functools import lru_cache

from analyzer import knowledge
from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Connection, SentChain, Side
from analyzer.findings import Confidence
from analyzer.judgement.chains import Known, as_meant, root_shown
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import called, some, where
from analyzer.judgement.refusal import Defect, Judgement, Weight


@lru_cache(maxsize=CAPACITY)
def below_root(chain: Chain) -> tuple[Certificate, ...]:
    """The path from the leaf upwards, without a root at its end."""
    return tuple(certificate for certificate in as_meant(chain).path if not certificate.self_issued)


def needed(
    conn: Connection, sent: SentChain, suspects: tuple[Certificate, ...], known: Known, *, with_root: bool = False
) -> tuple[Certificate, ...]:
    """Those of the suspects that a peer has to look at: below the first name that is known to be a root's.

    A cross-certificate bears the name of a root: a peer that trusts this root needs neither it nor what is above it.
    `with_root`: the certificate with that name, whose key is the root's, counts too.
    """
    path = as_meant(sent.chain).path
    if not suspects or suspects == path[:1]:
        return suspects
    end = 1
    while end < len(path) and not path[end].self_issued and root_shown(conn, path[end].subject, known) is None:
        end += 1
    looked_at = path[: end + 1] if with_root else path[:end]
    return tuple(certificate for certificate in suspects if certificate in looked_at)


@lru_cache(maxsize=CAPACITY)
def these(side: Side, chain: Chain, certificates: tuple[Certificate, ...]) -> str:
    """ "the server's certificate sip.example and the CA certificate Sub in its chain"."""
    leaf = as_meant(chain).leaf
    above = tuple(certificate for certificate in certificates if certificate is not leaf)
    names = some(tuple(map(called, above)))
    authorities = f"the CA certificate{'s' if len(above) > 1 else ''} {names}"
    if len(above) == len(certificates):
        return f"{authorities} in the {side}'s chain"
    own = f"the {side}'s certificate {called(leaf)}"
    return f"{own} and {authorities} in its chain" if above else own


def have(certificates: tuple[Certificate, ...]) -> str:
    """ "has" or "have"."""
    return "has" if len(certificates) == 1 else "have"


def were(certificates: tuple[Certificate, ...]) -> str:
    """ "was" or "were"."""
    return "was" if len(certificates) == 1 else "were"


@lru_cache(maxsize=CAPACITY)
def has_extension(certificate: Certificate, name: str) -> bool:
    """Is an extension of this name there, readable or not?"""
    return any(knowledge.oid(dotted) == name for dotted, _ in certificate.extensions)


@lru_cache(maxsize=CAPACITY)
def both_worlds(name: str) -> str:
    """How to do it on Windows and elsewhere: knowledge/remedies.toml."""
    remedy = knowledge.remedy(name)
    return f"Windows: {remedy.windows}. Elsewhere: {remedy.others}."


EVENTS = {
    Defect.EXPIRED: "server certificate: dates",
    Defect.NOT_YET_VALID: "server certificate: dates",
    Defect.SELF_SIGNED: "server certificate: trust",
}
"""Where Windows has an event of its own for a defect of a server's certificate: names of knowledge/schannel_events.toml."""


def in_the_log(conn: Connection, weight: Weight, defect: Defect | None) -> str:
    """Which event tells more, on the machine that refused; "" if nobody did."""
    if weight.refusal is None or defect is None:
        return ""
    judge = weight.refusal.by
    name = "client certificate" if judge is Side.SERVER else EVENTS.get(defect, "server certificate")
    event = knowledge.schannel_event(name)
    return f" If {where(conn, judge)} runs Windows, its System log has Schannel event {event}."


def judgement(
    conn: Connection,
    sent: SentChain,
    summary: str,
    advice: str,
    weight: Weight,
    defect: Defect | None = None,
    proof: Confidence = Confidence.HIGH,
) -> Judgement:
    """The parts of a finding about this chain; `proof` is how sure its defect alone makes one of its cause."""
    if weight.refusal is None:
        return Judgement(summary, advice, sent.frames, weight, weight.confidence)
    return weight.judgement(summary, advice + in_the_log(conn, weight, defect), sent.frames, proof)
