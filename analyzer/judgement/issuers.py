"""Does the server's CA list name an issuer of the client's chain? (RFC 5246 section 7.4.4, RFC 8446 section 4.2.4)"""

from __future__ import annotations

from analyzer.certificates.chain import Chain
from analyzer.certificates.names import Name
from analyzer.connection import CaList, Connection, Side
from analyzer.dataclass import dataclass
from analyzer.judgement.chains import Known, as_meant, issuers_above, missing_link, names_of, root_shown
from analyzer.judgement.memory import per_object
from analyzer.judgement.phrases import dn


@dataclass(frozen=True, slots=True)
class Listing:
    """The answer.

    Attributes:
        listed: None if the capture does not show enough; then `reason` says why.
        issuers: the issuer names that were compared, leaf's first; () if one was found at once.
        certain: False if a CA above the last issuer could still be listed.
    """

    listed: bool | None
    issuers: tuple[Name, ...] = ()
    certain: bool = True
    reason: str = ""


@per_object
def plainly_listed(chain: Chain, ca_list: CaList) -> bool:
    """Is an issuer of this chain on the list, or does the list leave it open? The same for all connections with both."""
    if ca_list.complete and not ca_list.names:
        return True
    return not names_of(ca_list).isdisjoint([certificate.issuer for certificate in as_meant(chain).path])


def listing(conn: Connection, known: Known) -> Listing:
    """Compare every issuer of the client's chain, and those above that others sent, with every listed name.

    An empty list names everybody: any CA may do.
    """
    request, sent = conn.certificate_request, conn.client_chain
    if request is None or sent is None:
        return Listing(None, reason="the CA list or the client's certificate was not seen")
    ca_list, chain = request.ca_list, as_meant(sent.chain)
    if plainly_listed(sent.chain, ca_list):
        return Listing(True)
    issuers = tuple(certificate.issuer for certificate in chain.path)
    if not ca_list.complete:
        return Listing(None, issuers, reason="the CA list cannot be read to its end")
    if not chain.leaf.readable:
        return Listing(None, issuers, reason="the client's certificate cannot be read")
    if chain.ends_in_root:
        return Listing(False, issuers)
    return _above(conn, known, issuers)


def _above(conn: Connection, known: Known, issuers: tuple[Name, ...]) -> Listing:
    """None of `issuers` is listed; what is above them?"""
    assert conn.certificate_request is not None
    above = issuers_above(conn, Side.CLIENT, known)
    if not names_of(conn.certificate_request.ca_list).isdisjoint(above):
        return Listing(True, (*issuers, *above))
    link = missing_link(conn, Side.CLIENT, known)
    if link is not None and link.elsewhere is None:
        reason = f"the client did not send {dn(link.issuer)}, and who issued that one may well be on the list"
        return Listing(None, issuers, reason=reason)
    everyone = (*issuers, *above)
    return Listing(False, everyone, certain=root_shown(conn, everyone[-1], known) is not None)
