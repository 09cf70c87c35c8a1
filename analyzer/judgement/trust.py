"""Whether one side trusts what is at the top of the other's chain: the verdict of untrusted-root.

Each side judges with its own store. Where it was given, it is asked; else only a refusal tells, and only where nothing else
is wrong with the chain. A public list proves no distrust.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.certificates.names import Name
from analyzer.certificates.stores.public import PUBLIC_ROOTS
from analyzer.certificates.stores.store import Store
from analyzer.connection import Connection, Seen, Side
from analyzer.dataclass import dataclass
from analyzer.findings import CannotTell, Confidence, Depth, Severity
from analyzer.judgement.chains import (
    MAX_CANDIDATES,
    Here,
    Known,
    as_meant,
    cas_above,
    misplaced_leaf,
    missing_link,
    root_shown,
)
from analyzer.judgement.defects import client_flaws, self_signed_leaf
from analyzer.judgement.expected import covers_one
from analyzer.judgement.issuers import listing
from analyzer.judgement.memory import CAPACITY
from analyzer.judgement.phrases import called, dn, some, where
from analyzer.judgement.reading import broken_in
from analyzer.judgement.refusal import Defect, Judgement, Refusal, Weight, refusal_of, weigh
from analyzer.judgement.stores import NO_TRUST, Trust
from analyzer.judgement.story import weaker
from analyzer.judgement.thresholds import limit_ns
from analyzer.judgement.uses import lacking, missing_usage
from analyzer.judgement.validity import Clock, lapse
from analyzer.judgement.weakness import old_hashes, refused_then, short_keys
from analyzer.tls.names import AlertDescription


@dataclass(frozen=True, slots=True)
class Summit:
    """What the other side would have to trust.

    Attributes:
        name: the highest CA that the capture names.
        certificate: its self-issued certificate: sent, in a given store, or public; None if nobody has it.
        is_root: it is known to be a root; False: a CA above it may be missing.
        link: the certificate that it issued; itself if it was sent.
    """

    name: Name
    certificate: Certificate | None
    is_root: bool
    link: Certificate


LONGEST_KEY_ID = 32
"""Bytes; a key identifier is a hash. A longer one helps nobody."""
OTHER_NAME = (
    " OpenSSL says bad_certificate of a wrong name, GnuTLS of an unknown root: compare the name that the client is told to "
    "expect (it may differ from the SNI) with those of the certificate."
)
OTHER_STORE = "See which store the {judge} really uses and give that one with --trust. If it is this one: "

# ------------------------------------------------------------------------------------------------------------- anchors


@lru_cache(maxsize=CAPACITY)
def anchor(chain: Chain, store: Store) -> Certificate | None:
    """What in the store the sent certificates lead to: a root, or whatever else is in there; None if they do not."""
    each = (*chain.path, *chain.alternatives)
    return next((found for found in (_held(certificate, store) for certificate in each) if found is not None), None)


def _held(certificate: Certificate, store: Store) -> Certificate | None:
    """The certificate itself or the one whose key signed it, if the store has it."""
    same = store.with_sha256(certificate.sha256)
    if same is not None:
        return same
    named = store.find(certificate.issuer)[:MAX_CANDIDATES] if certificate.issuer.readable else ()
    return next((root for root in named if certificate.signed_by(root) is not False), None)


def _found_in(
    conn: Connection, side: Side, stores: tuple[Store, ...], known: Known
) -> tuple[Certificate, Store] | None:
    """An anchor among these stores, and which one has it; CAs that others sent count, since the judge may have them too."""
    sent = conn.chain(side)
    if sent is None:
        return None
    chain = as_meant(sent.chain)
    for store in stores:
        found = anchor(chain, store)
        if found is not None:
            return found, store
    above = cas_above(conn, side, known)
    for store in stores:
        for certificate in above:
            found = _held(certificate, store)
            if found is not None:
                return found, store
    return None


def summit(conn: Connection, side: Side, chain: Chain, trust: Trust, known: Known) -> Summit:
    """The top of this side's chain, as far as the capture and all stores show it."""
    top = (chain.top, *cas_above(conn, side, known))[-1]
    if top.self_issued:
        return Summit(top.subject, top, True, top)
    for store in (*trust.stores, PUBLIC_ROOTS):
        for root in store.find(top.issuer)[:MAX_CANDIDATES]:
            if root.self_issued and top.signed_by(root) is not False:
                return Summit(root.subject, root, True, top)
    return Summit(top.issuer, None, root_shown(conn, top.issuer, known) is not None, top)


# ------------------------------------------------------------------------------------------------------------- verdict


def distrust(
    conn: Connection, side: Side, trust: Trust, known: Known, clock: Clock, meant: tuple[str, ...] = ()
) -> Judgement | CannotTell | None:
    """The verdict of untrusted-root about one side's chain; None if there is nothing to say.

    `meant`: names that a client which named none can have meant, as far as anybody knows.
    """
    sent, stores = conn.chain(side), trust.judging(conn, side)
    refusal = _plain_refusal(conn, side)
    if sent is None or not (stores or refusal):
        return None
    chain = as_meant(sent.chain)
    if not chain.leaf.readable or not chain.leaf.issuer.readable:
        return CannotTell(f"the {side}'s certificate cannot be read, so its issuer is unknown")
    holder = _found_in(conn, side, stores, known) if stores else None
    if self_signed_leaf(chain) is not None or (holder is not None and refusal is None):
        return None
    link = missing_link(conn, side, known) if holder is None else None
    if link is not None:
        return CannotTell(f"the certificate of {dn(link.issuer)} was not sent, so the root above it is unknown")
    if stores and holder is None:
        return _not_in_store(conn, side, trust, known)
    if refusal is None or _explained(conn, side, refusal, known, clock, stores, meant):
        return None
    if holder is not None:
        return _in_store_and_refused(conn, side, refusal, *holder)
    return _refused(conn, side, refusal, trust, known)


def _plain_refusal(conn: Connection, side: Side) -> Refusal | None:
    """A refusal that can be about trust: unknown_ca, bad_certificate, certificate_unknown, or nothing said at that step."""
    if not conn.seen & Seen.TROUBLED_END:
        return None
    refusal = refusal_of(conn, side)
    if refusal is None or refusal.late:
        return None
    if refusal.code is None and (conn.closed.after_ns or 0) >= limit_ns("at_once_s"):
        return None  # it waited for something else
    return refusal if refusal.code is None or refusal.code in _ABOUT_TRUST else None


_ABOUT_TRUST: dict[int, Confidence] = {
    AlertDescription.unknown_ca: Confidence.HIGH,
    AlertDescription.bad_certificate: Confidence.MEDIUM,
    AlertDescription.certificate_unknown: Confidence.MEDIUM,
}
"""Alert -> how sure it is that an unknown root is meant when nothing else is wrong with the chain."""


def _explained(
    conn: Connection,
    side: Side,
    refusal: Refusal,
    known: Known,
    clock: Clock,
    stores: tuple[Store, ...],
    meant: tuple[str, ...],
) -> bool:
    """Is something else wrong that this refusal can be about? That the CA list lacks the issuer is the same trouble."""
    sent = conn.chain(side)
    if refusal.code != AlertDescription.unknown_ca and sent and any(c.oddities for c in as_meant(sent.chain).path):
        return True  # a stricter reader may mind what is odd about it: a forged root with a curve of its own (CVE-2020-0601)
    if side is Side.CLIENT:
        flaws = client_flaws(conn, known, clock, stores)
        found = {flaw.defect for flaw in flaws if not flaw.slight} - {Defect.NOT_LISTED}
        if refusal.code != AlertDescription.unknown_ca and listing(conn, known).listed:
            return True  # a CA that the server lists is one that it trusts; what else it minds cannot be seen
    else:
        found = set(_server_defects(conn, known, clock, stores, meant))
    return any(map(refusal.may_mean, found))


def _server_defects(
    conn: Connection, known: Known, clock: Clock, stores: tuple[Store, ...], meant: tuple[str, ...]
) -> Iterator[Defect]:
    """What is wrong with the server's chain besides its root."""
    sent = conn.server_chain
    if sent is None:
        return
    for defect in (Defect.EXPIRED, Defect.NOT_YET_VALID):
        found = lapse(sent.chain, defect, clock, Here(conn, known), stores)
        if found is not None and not found.bypassed:
            yield defect
    if broken_in(sent.chain):
        yield Defect.UNREADABLE
    if Side.SERVER in lacking(sent.chain):
        yield Defect.USE
    if missing_usage(conn, sent.chain, Side.SERVER) is not None:
        yield Defect.KEY_USAGE
    from analyzer.judgement.ways import wrong_above  # computes signatures

    yield from (defect for defect, _ in wrong_above(sent.chain, Side.SERVER))
    if misplaced_leaf(sent.chain) is not None:
        yield Defect.ORDER
    names = (conn.server_name,) if conn.server_name else meant
    if names and not covers_one(sent.chain, names):
        yield Defect.NAME
    if any(refused_then(conn, certificate) for certificate in (*short_keys(sent.chain), *old_hashes(sent.chain))):
        yield Defect.WEAK


# ----------------------------------------------------------------------------------------------------------- sentences


def _not_in_store(conn: Connection, side: Side, trust: Trust, known: Known) -> Judgement:
    """The other side's store was given, and the chain does not end there."""
    sent = conn.chain(side)
    assert sent is not None
    stores = trust.judging(conn, side)
    top = summit(conn, side, as_meant(sent.chain), trust, known)
    weight = weigh(conn, side, Defect.UNTRUSTED, Severity.WARNING)
    names = some(tuple(store.name for store in stores))
    if top.is_root:
        what = (
            f"the {side}'s chain ends at the root {dn(top.name)}, which is not in the {side.peer}'s trust store {names}"
        )
    else:
        what = (
            f"the {side}'s chain ends below {dn(top.name)}, and neither this CA nor one above it that fits is in the "
            f"{side.peer}'s trust store {names}"
        )
    if any(store.find(top.name) for store in stores):
        what += " (there is one of this name, with another key)"
    works = weight.refusal is None and conn.established
    if works:
        what += f"; it worked here, so the {side.peer} uses another store or does not check"
    advice = (OTHER_STORE.format(judge=side.peer) if works else "") + _advice(conn, side, top)
    return weight.judgement(what, advice, sent.frames, Confidence.HIGH if top.is_root else Confidence.MEDIUM)


def _refused(conn: Connection, side: Side, refusal: Refusal, trust: Trust, known: Known) -> Judgement | CannotTell:
    """No store was given; the chain is in order and was refused.

    Clients leave without a word for many reasons, scanners at just this step, and a public CA is seldom the reason.
    """
    sent = conn.chain(side)
    assert sent is not None
    top = summit(conn, side, as_meant(sent.chain), trust, known)
    is_public = top.certificate is not None and PUBLIC_ROOTS.program(top.certificate.sha256) is not None
    if refusal.code is None and (side is Side.SERVER or is_public):
        return CannotTell(
            f"the {side.peer} left without a word: only its trust store could tell whether that was the reason"
        )
    sure = _ABOUT_TRUST.get(refusal.code, Confidence.LOW) if refusal.code is not None else Confidence.LOW
    sure = weaker(sure, Confidence.MEDIUM) if is_public else sure
    if side is Side.SERVER and not conn.server_name and refusal.code != AlertDescription.unknown_ca:
        sure = Confidence.LOW  # the name that the client wanted is unknown, and may be what it did not find
    depth = {Confidence.HIGH: Depth.ROOT, Confidence.MEDIUM: Depth.STEP, Confidence.LOW: Depth.SYMPTOM}[sure]
    if refusal.code == AlertDescription.unknown_ca:
        depth = Depth.ROOT
    chance = {Confidence.HIGH: "", Confidence.MEDIUM: "most likely "}
    which = f"{'the root ' if top.is_root else ''}{dn(top.name)}"
    blame = f"{chance.get(sure, 'perhaps ')}the {side.peer} does not trust {which}"
    if not top.is_root:
        blame += ", or, if that is no root, its certificate is missing from the chain"
    blame, advice = blame + _kind_of_root(top), _advice(conn, side, top)
    if side is Side.SERVER and refusal.code == AlertDescription.bad_certificate:
        blame += ", or it looks for a name that is not in the certificate"
        advice += OTHER_NAME
    return Judgement(
        summary=f"{refusal}, and nothing is wrong with the {side}'s chain itself: {blame}",
        advice=advice,
        frames=(*sent.frames, *refusal.frames),
        weight=Weight(Severity.ERROR, sure, depth, refusal),
        confidence=weaker(sure, refusal.confidence),
    )


def _in_store_and_refused(
    conn: Connection, side: Side, refusal: Refusal, root: Certificate, store: Store
) -> Judgement | None:
    """The root is in the store that was given, and the other side says that it does not know it."""
    sent = conn.chain(side)
    if sent is None or refusal.code != AlertDescription.unknown_ca:
        return None
    return Judgement(
        summary=f"{refusal}, although {called(root)}, which issued the {side}'s chain, is in its trust store {store.name}",
        advice=f"The service on {where(conn, side.peer)} judges with another store, or has not read this one since "
        "it was changed: compare its configuration (CA file, key store; on Windows the computer's store, not a user's), and "
        "restart it.",
        frames=(*sent.frames, *refusal.frames),
        weight=Weight(Severity.ERROR, Confidence.MEDIUM, Depth.ROOT, refusal),
        confidence=Confidence.MEDIUM,
    )


def _kind_of_root(top: Summit) -> str:
    """A clause: on whose list the root is; "" if it is not known whether it is a root."""
    program = PUBLIC_ROOTS.program(top.certificate.sha256) if top.certificate is not None else None
    if program is None:
        return " (a private root: neither Microsoft nor Mozilla lists it)" if top.certificate is not None else ""
    keepers = [name for name, listed in (("Microsoft", program.microsoft), ("Mozilla", program.mozilla)) if listed]
    ended = next((f"; Microsoft ended its trust on {date}" for _, date in program.ended), "")
    return f" (a public root, listed by {' and '.join(keepers)}{ended})"


def _advice(conn: Connection, side: Side, top: Summit) -> str:
    judge = where(conn, side.peer)
    thumbprint = ""
    if top.certificate is not None:
        thumbprint = f" (SHA-1 thumbprint {top.certificate.sha1})"
    elif top.link.authority_key_id and len(top.link.authority_key_id) <= LONGEST_KEY_ID:
        thumbprint = f" (key identifier {top.link.authority_key_id.hex()})"
    text = (
        f"On {judge} import the root {dn(top.name)}{thumbprint} into Trusted Root Certification Authorities of the computer "
        "(OpenSSL, nginx: append it to the CA file; Java: to the trust store), and restart the service."
    )
    if not top.is_root:
        text += f" If it is no root, let {where(conn, side)} send it along, and import the root above it."
        if top.link.aia_urls:
            text += f" Its certificate should be at {top.link.aia_urls[0]}."
    if top.certificate is not None and PUBLIC_ROOTS.program(top.certificate.sha256) is not None:
        text += " It is a public root: let that machine update its list of roots (Windows fetches them from Windows Update)."
    return text


__all__ = ["NO_TRUST", "Summit", "Trust", "anchor", "distrust", "summit"]
