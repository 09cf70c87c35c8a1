"""Equal troubles of a live run: a few are shown, all are counted, and nobody who sends packets makes it a flood."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.certificates.chain import Chain, assess
from analyzer.connection import Connection
from analyzer.folding.floods import Flood
from analyzer.live import troubles as module
from analyzer.live.troubles import AT_ONCE, FORGOTTEN, LINES, OF_A_KIND, OF_A_SERVER, Troubles
from analyzer.summary import Repeated
from tests.build.pki import root
from tests.report.records import SERVER, SUB, failed, finding, healthy

CHAIN, OTHER_CHAIN = assess((SERVER.der, SUB.der)), assess((root("Other").der,))


def one(
    rule: str = "tls-alert", client: int = 1, server: int = 1, chain: Chain = CHAIN, name: str = "", ts_ns: int = 0
) -> Connection:
    return failed(
        finding(rule),
        client_ip=f"192.0.2.{client}",
        server_ip=f"198.51.100.{server}",
        server_chain=chain,
        server_name=name,
        ts_ns=ts_ns,
    )


def shown(troubles: Troubles, conns: Sequence[Connection]) -> int:
    return sum(troubles.is_listed(conn) for conn in conns)


@pytest.mark.parametrize(
    ("conns", "listed"),
    [
        pytest.param([one()] * 100, OF_A_KIND, id="all are equal"),
        pytest.param(
            [one(name=f"{n}.example") for n in range(100)], OF_A_KIND, id="the name that is asked for makes no kind"
        ),
        pytest.param([one(), one("ca-list-too-long")] * 50, 2 * OF_A_KIND, id="two findings"),
        pytest.param([one(), one(chain=OTHER_CHAIN)] * 50, 2 * OF_A_KIND, id="the certificate was changed"),
        pytest.param([one(client=n) for n in range(100)], OF_A_SERVER, id="the same of every client of a server"),
        pytest.param([one(server=n) for n in range(100)], AT_ONCE, id="the same of a client at every server"),
        pytest.param([healthy()] * 100, 100, id="without trouble: a row of the table"),
        pytest.param([failed(findings=())] * 100, OF_A_KIND, id="failed, and no rule says why"),
    ],
)
def test_how_many_are_shown(conns: list[Connection], listed: int) -> None:
    troubles = Troubles()
    assert shown(troubles, conns) == listed
    assert sum(item.count for item in troubles.counted()) == len(conns) - listed


def test_what_is_told_of_those_that_are_counted() -> None:
    troubles = Troubles()
    shown(troubles, [one(client=n, ts_ns=t) for t in range(10) for n in (1, 2)])
    assert list(troubles.counted()) == [
        Repeated("test.pcap", "tls-alert", f"192.0.2.{n}", "198.51.100.1", 5061, 7, 3, 9) for n in (1, 2)
    ]
    assert list(troubles.counted()) == [], "each counts from the one before"


def test_changing_certificates_make_no_more_lines() -> None:
    troubles = Troubles()
    shown(troubles, [one(chain=chain) for chain in (CHAIN, OTHER_CHAIN) * 10])
    assert [item.count for item in troubles.counted()] == [20 - 2 * OF_A_KIND]


def test_the_largest_counts_are_told_and_the_others_are_one() -> None:
    troubles = Troubles()
    shown(troubles, [one(client=n) for n in range(1, 101) for _ in range(n)])
    told = list(troubles.counted())
    assert len(told) == LINES
    assert [item.count for item in told[:-1]] == list(range(100, 100 - LINES + 1, -1))
    rest = told[-1]
    assert (rest.rule, rest.client_ip, rest.server_ip) == ("tls-alert", "(others)", "198.51.100.1")
    assert sum(item.count for item in told) == 5_050 - OF_A_SERVER


def test_floods_of_many_servers_are_few_lines_too() -> None:
    floods = [Flood(f"198.51.100.{n}", 443, count=n, seen=n) for n in range(1, 101)]
    told = list(Troubles().floods("test", floods))
    assert (len(told), sum(item.count for item in told)) == (LINES, 5_050)
    assert (told[-1].rule, told[-1].server_ip, told[-1].server_port) == ("connection-timeout", "(others)", 443)


@pytest.mark.parametrize(
    ("quiet", "again"),
    [
        pytest.param(FORGOTTEN - 1, 0, id="quiet for less than an hour"),
        pytest.param(FORGOTTEN + 1, OF_A_KIND, id="quiet for longer: shown again"),
    ],
)
def test_who_was_quiet_for_long_is_shown_again(quiet: int, again: int) -> None:
    troubles = Troubles()
    shown(troubles, [one()] * 10)
    for _ in range(quiet):
        list(troubles.counted())
    assert shown(troubles, [one()] * 10) == again


def test_what_goes_on_for_days_is_never_shown_again() -> None:
    troubles = Troubles()
    shown(troubles, [one()] * 10)
    for _ in range(FORGOTTEN * 3):
        list(troubles.counted())
        assert not troubles.is_listed(one())


def test_memory_is_bounded_whatever_is_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KINDS", 8)
    troubles = Troubles()
    conns = [one(client=n, server=n) for n in range(200)]
    listed = shown(troubles, conns)
    assert len(troubles._known) <= 9
    assert len(troubles._servers) <= 9
    assert len(troubles._counts) <= 9
    assert listed + sum(item.count for item in troubles.counted()) == 200


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 40), st.integers(1, 3), st.booleans()), max_size=150)
)
def test_all_are_shown_or_counted(told: list[tuple[str, int, int, bool]]) -> None:
    troubles, total = Troubles(), 0
    for rule, client, server, tell in told:
        total += troubles.is_listed(one(rule, client, server))
        if tell:
            total += sum(item.count for item in troubles.counted())
    assert total + sum(item.count for item in troubles.counted()) == len(told)
