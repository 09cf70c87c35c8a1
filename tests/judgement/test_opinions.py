"""Lines of -v: our verdict beside that of the library, one for each side and store."""

from __future__ import annotations

from analyzer.certificates.paths import Store
from analyzer.connection import Connection, Side
from analyzer.judgement.opinions import second_opinions
from analyzer.judgement.validity import no_stores
from tests.build import pki
from tests.build.connections import CLIENT_DONE, SERVER_FLIGHT, START_NS, connection
from tests.build.stores import AStore
from tests.rules.cast import CLIENT, OTHER, ROOT, SERVER, SUB, chain

BOTH = connection(*CLIENT_DONE, "< Alert 48", server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, SUB))
OLD_ROOT = pki.root("Old", version=b"", only_extensions=[])


def stores(_: Connection, side: Side) -> tuple[Store, ...]:
    """The client trusts Root and, with another store, Other; the server trusts Other alone."""
    ours, theirs = AStore("ours.pem", ROOT), AStore("theirs.pem", OTHER)
    return (ours, theirs) if side is Side.SERVER else (theirs,)


def test_each_side_is_judged_with_the_stores_of_the_other() -> None:
    lines = second_opinions(BOTH, stores, START_NS)
    assert len(lines) == 3
    assert lines[0] == (
        "the server's chain, judged with ours.pem: trusted: sip.example.com - Sub - Root, a root in ours.pem; "
        "second opinion agrees: cryptography: accepted"
    )
    assert lines[1].startswith(
        "the server's chain, judged with theirs.pem: open: CN=Root, which issued Sub, was not sent"
    )
    assert "no second opinion: cryptography: the store has no certificate" in lines[1]
    assert lines[2].startswith("the client's chain, judged with theirs.pem: open")


def test_the_library_is_told_to_differ() -> None:
    old = OLD_ROOT.issue("old.example", san=["old.example"])
    conn = connection(*SERVER_FLIGHT, "> RST", server_chain=chain(old, OLD_ROOT))
    (line,) = second_opinions(conn, no_stores, START_NS)
    assert "judged with the roots that it sent itself: trusted" in line
    assert "; second opinion differs: cryptography: refused, " in line


def test_where_we_cannot_tell_it_is_the_only_one() -> None:
    odd = SUB.issue("odd.example", san=["odd.example"], algorithm=b"\x30\x05\x06\x03\x2a\x03\x04")
    conn = connection(*SERVER_FLIGHT, "> RST", server_chain=chain(odd, SUB))
    (line,) = second_opinions(conn, lambda _, __: (AStore("ours.pem", ROOT),), START_NS)
    assert "unknown: the signature on odd.example (1.2.3.4)" in line or "unknown: the signature on odd.example" in line
    assert "; no verdict of ours: cryptography: refused" in line


def test_nothing_to_compare() -> None:
    lone = pki.self_signed("lone.example")
    assert second_opinions(connection(*SERVER_FLIGHT, "> RST"), no_stores, START_NS) == ()
    assert second_opinions(connection(*SERVER_FLIGHT, "> RST", server_chain=chain(lone)), no_stores, START_NS) == ()
    assert second_opinions(BOTH, no_stores, START_NS) == ()
