"""When two certificates speak for the same thing, and where such things were presented."""

from __future__ import annotations

from datetime import datetime

from analyzer.certificates.certificate import Certificate
from analyzer.judgement.capture_view import Presence
from analyzer.judgement.chains import as_meant

DAY = 86_400
NO_CERTIFICATES = "no certificate can be seen in this capture"


def leaf_of(presence: Presence) -> Certificate | None:
    """The certificate presented; None if none was seen, or it cannot be read."""
    if presence.chain is None:
        return None
    leaf = as_meant(presence.chain).leaf
    return leaf if leaf.readable else None


def identity(leaf: Certificate) -> tuple[object, ...] | None:
    """What generations of a certificate have in common: names, uses, kind of key; None if it has no names or no dates."""
    names = frozenset(name.lower() for name in leaf.names)
    if not names or leaf.not_before is None or leaf.not_after is None:
        return None
    return names, frozenset(leaf.eku or ()), leaf.key.algorithm if leaf.key else ""


def date_of(moment: datetime | None) -> str:
    """ "2026-11-21"; "an unreadable date"."""
    return moment.date().isoformat() if moment is not None else "an unreadable date"
