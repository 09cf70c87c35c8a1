"""A second opinion on the chains of a troubled connection, one line a side and store, for `-v`."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.faults import Use, brief
from analyzer.certificates.names import Name
from analyzer.certificates.paths import Store
from analyzer.certificates.verdicts import Answer, judge
from analyzer.certificates.verifier import library_opinion
from analyzer.connection import Connection, SentChain, Side
from analyzer.judgement.chains import as_meant, roots_in
from analyzer.judgement.validity import StoresOf

SECOND_NS = 1_000_000_000
MOST_CHARACTERS = 600  # of our verdict in a line
SETTLED = {
    Answer.TRUSTED: True,
    Answer.PARTIAL: True,
    Answer.FAULTY: False,
    Answer.UNTRUSTED: False,
    Answer.OPEN: False,
    Answer.BROKEN: False,
}
"""What we answer as a yes or no, as the library would: it takes a path that ends in any certificate of the store."""


class SentRoots:
    """The roots that a side sent itself, as a store: they show whether all is well below them."""

    def __init__(self, roots: tuple[Certificate, ...]) -> None:
        self.name = "the roots that it sent itself"
        self._roots = roots

    def find(self, subject: Name) -> tuple[Certificate, ...]:
        """Those with this subject."""
        return tuple([root for root in self._roots if root.subject == subject])


def second_opinions(conn: Connection, stores_of: StoresOf, at_ns: int) -> tuple[str, ...]:
    """One line for each chain and each store of the side that judges it; without a store its own roots stand in. () if
    there is nothing to compare. Never raises."""
    return tuple(_lines(conn, stores_of, at_ns))


def _lines(conn: Connection, stores_of: StoresOf, at_ns: int) -> Iterator[str]:
    for sent in conn.chains():
        stores = stores_of(conn, sent.side)
        roots = roots_in(sent.chain)
        if not stores and roots and len(as_meant(sent.chain).path) > 1:
            stores = (SentRoots(roots),)
        for store in stores:
            yield _line(sent, store, at_ns // SECOND_NS)


def _line(sent: SentChain, store: Store, at: int) -> str:
    chain = as_meant(sent.chain)
    use = Use.SERVER if sent.side is Side.SERVER else Use.CLIENT
    ours = judge(chain, store, use, at)
    theirs = library_opinion(chain, store, use, at)
    settled = SETTLED.get(ours.answer)
    if theirs.accepts is None:
        word, answer = "no second opinion", theirs.words
    else:
        agrees = settled is theirs.accepts
        word = (
            "no verdict of ours" if settled is None else "second opinion agrees" if agrees else "second opinion differs"
        )
        answer = "accepted" if theirs.accepts else f'refused, "{theirs.words}"'
    judged = f"the {sent.side}'s chain, judged with {brief(store.name)}"
    return f"{judged}: {brief(str(ours), MOST_CHARACTERS)}; {word}: cryptography: {answer}"
