"""Quick questions about a chain that nearly every one answers with yes; where one does not, ways.py looks closer.

A signature costs a tenth of a millisecond, so those of a healthy connection are believed where the key identifiers agree:
a key identifier is made from the key.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Side
from analyzer.judgement.chains import as_meant
from analyzer.judgement.memory import CAPACITY
from analyzer.knowledge import oid

USES = {Side.SERVER: "serverAuth", Side.CLIENT: "clientAuth"}
ORDINARY = frozenset({"basicConstraints", "keyUsage", "subjectAltName", "extKeyUsage"})
"""Extensions that everybody knows, so that they may be critical."""


@lru_cache(maxsize=CAPACITY)
def plainly_linked(chain: Chain) -> bool:
    """Do names and key identifiers agree on all of the path? No signature is computed."""
    return all(
        child.authority_key_id is not None and child.authority_key_id == parent.subject_key_id
        for child, parent in pairwise(as_meant(chain).path)
    )


@lru_cache(maxsize=CAPACITY)
def plainly_related(chain: Chain) -> bool:
    """Is every certificate on the one path that names alone show, each once? No signature is computed."""
    meant = as_meant(chain)
    return not (meant.unlinked or meant.alternatives or chain.duplicates)


@lru_cache(maxsize=CAPACITY)
def plainly_allowed(chain: Chain, side: Side) -> bool:
    """Do the CAs on the path that names alone show allow what is below them, at the first look?"""
    path = as_meant(chain).path
    cas = enumerate(path[1:])
    return all(map(_ordinary, path)) and all(_may_issue(ca, below, USES[side]) for below, ca in cas)


def _ordinary(certificate: Certificate) -> bool:
    return all(not critical or oid(dotted) in ORDINARY for dotted, critical in certificate.extensions)


def _may_issue(ca: Certificate, below: int, use: str) -> bool:
    """`below`: the CAs between this one and the leaf."""
    if ca.is_ca is not True or (ca.path_length is not None and ca.path_length < below):
        return False
    if ca.eku_names is not None and use not in ca.eku_names:
        return False
    constrained = any(oid(dotted) == "nameConstraints" for dotted, _ in ca.extensions)
    return not constrained and (ca.key_usage is None or "keyCertSign" in ca.key_usage)
