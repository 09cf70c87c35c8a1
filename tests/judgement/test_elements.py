"""Which certificates of a chain a peer looks at, how a sentence names them, and what its log says."""

from __future__ import annotations

import re

import pytest

from analyzer.certificates.certificate import Certificate
from analyzer.certificates.chain import Chain
from analyzer.connection import Side
from analyzer.findings import Confidence, Severity
from analyzer.judgement.elements import below_root, both_worlds, in_the_log, judgement, needed, these
from analyzer.judgement.refusal import Defect, weigh
from tests.build import pki
from tests.build.connections import CLIENT_FLIGHT, HANDSHAKE, SERVER_FLIGHT, FakeHistory, ca_list, connection
from tests.rules.cast import CLIENT, ROOT, SERVER, SUB, certificate, chain, name

ELDER = pki.root("Elder")
CROSS = ELDER.cross_sign(ROOT)
LONG = chain(SERVER, SUB, CROSS, ELDER)


def certificates(*identities: pki.Identity) -> tuple[Certificate, ...]:
    """As the rules see them."""
    return tuple(map(certificate, identities))


def test_a_root_at_the_end_is_left_out() -> None:
    assert below_root(chain(SERVER, SUB, ROOT)) == certificates(SERVER, SUB)
    assert below_root(chain(SUB, SERVER)) == certificates(SERVER, SUB)
    assert below_root(chain(ROOT)) == ()


@pytest.mark.parametrize(
    ("roots", "with_root", "expected"),
    [
        pytest.param({}, False, (SERVER, SUB, CROSS), id="nothing is known: all but the root that was sent"),
        pytest.param({"CN=Root": "a store"}, False, (SERVER, SUB), id="a known root hides what was cross-signed"),
        pytest.param({"CN=Root": "a store"}, True, (SERVER, SUB, CROSS), id="whose key counts all the same"),
        pytest.param({"CN=Sub": "a store"}, False, (SERVER,), id="a leaf is always looked at"),
        pytest.param({"CN=Elder": "a store"}, True, (SERVER, SUB, CROSS, ELDER), id="the root of the path"),
    ],
)
def test_what_a_peer_looks_at(roots: dict[str, str], with_root: bool, expected: tuple[pki.Identity, ...]) -> None:
    conn = connection(*HANDSHAKE, server_chain=LONG)
    assert conn.server_chain
    found = needed(conn, conn.server_chain, LONG.path, FakeHistory(roots=roots), with_root=with_root)
    assert found == certificates(*expected)


def test_the_servers_own_list_shows_roots() -> None:
    conn = connection(*HANDSHAKE, server_chain=LONG, request=ca_list(name(ROOT)))
    assert conn.server_chain
    assert needed(conn, conn.server_chain, LONG.path, FakeHistory()) == certificates(SERVER, SUB)


@pytest.mark.parametrize(
    ("sent", "named", "expected"),
    [
        pytest.param(chain(SERVER, SUB), (SERVER,), "the server's certificate sip.example.com", id="the leaf"),
        pytest.param(chain(SERVER, SUB), (SUB,), "the CA certificate Sub in the server's chain", id="a CA"),
        pytest.param(
            LONG, (SUB, CROSS), "the CA certificates Sub, Root in the server's chain", id="two CAs, without the leaf"
        ),
        pytest.param(
            chain(SERVER, SUB),
            (SERVER, SUB),
            "the server's certificate sip.example.com and the CA certificate Sub in its chain",
            id="both",
        ),
    ],
)
def test_how_they_are_named(sent: Chain, named: tuple[pki.Identity, ...], expected: str) -> None:
    assert these(Side.SERVER, sent, certificates(*named)) == expected


@pytest.mark.parametrize(
    ("ladder", "side", "defect", "expected"),
    [
        pytest.param(
            (*SERVER_FLIGHT, "> Alert 42"), Side.SERVER, Defect.EXPIRED, "192.0.2.10 runs.* 36881", id="dates"
        ),
        pytest.param(
            (*SERVER_FLIGHT, "> Alert 48"), Side.SERVER, Defect.SELF_SIGNED, "192.0.2.10 runs.* 36882", id="CA"
        ),
        pytest.param((*SERVER_FLIGHT, "> Alert 42"), Side.SERVER, Defect.WEAK, "192.0.2.10 runs.* 36876", id="others"),
        pytest.param(
            (*CLIENT_FLIGHT, "< Alert 42"), Side.CLIENT, Defect.EXPIRED, "198.51.100.5:5061 runs.* 36877", id="clients"
        ),
        pytest.param(HANDSHAKE, Side.CLIENT, Defect.EXPIRED, "^$", id="nobody refused"),
    ],
)
def test_the_log_of_the_machine_that_refused(
    ladder: tuple[str, ...], side: Side, defect: Defect, expected: str
) -> None:
    conn = connection(*ladder, server_chain=chain(SERVER, SUB), client_chain=chain(CLIENT, SUB))
    text = in_the_log(conn, weigh(conn, side, defect, Severity.WARNING), defect)
    assert re.search(expected, text)


def test_a_cause_is_as_sure_as_its_proof() -> None:
    refused = connection(*SERVER_FLIGHT, "> Alert 42", server_chain=chain(SERVER, SUB))
    works = connection(*HANDSHAKE, server_chain=chain(SERVER, SUB))
    for conn, confidence, frames in ((refused, Confidence.LOW, (6, 9)), (works, Confidence.HIGH, (6,))):
        assert conn.server_chain
        weight = weigh(conn, Side.SERVER, Defect.WEAK, Severity.WARNING)
        said = judgement(conn, conn.server_chain, "s", "a", weight, Defect.WEAK, Confidence.LOW)
        assert (said.confidence, said.frames) == (confidence, frames)


def test_both_worlds_are_told() -> None:
    assert both_worlds("clocks") == ("Windows: `w32tm /query /status`. Elsewhere: `chronyc tracking` or `timedatectl`.")
