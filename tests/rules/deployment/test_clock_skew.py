"""clock-skew: what hellos and HTTP say of the time, and how much agreement makes a clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

import pytest

from analyzer.connection import Connection
from analyzer.sightings.watch import Sightings
from tests.build import beside
from tests.build.connections import HELLOS, SECOND_NS, START_NS, client_hello, server_hello
from tests.rules.surveys import answer, finding, served, verdict, view

RULE = "clock-skew"
START = START_NS // SECOND_NS
ONE, TWO = "198.51.100.1", "198.51.100.2"
CHANCE = Random(7)


def says(offset: int, at: float) -> bytes:
    """A random that begins with a clock so many seconds ahead."""
    return (START + int(at) + offset).to_bytes(4) + CHANCE.randbytes(28)


def hosts(clocks: Mapping[str, int | None], times: int = 3) -> Iterator[Connection]:
    """Servers whose hellos have these clocks, seen a few times, a minute apart; None sends random bytes."""
    for name, offset in clocks.items():
        for index in range(times):
            at = 60 * index
            random = CHANCE.randbytes(32) if offset is None else says(offset, at)
            yield served(name, *HELLOS, at=at, server_hello=server_hello(random=random))


@pytest.mark.parametrize(
    ("clocks", "expected"),
    [
        pytest.param([0, 0], "silent", id="both are right"),
        pytest.param([0, 299], "silent", id="less than five minutes"),
        pytest.param([4000, 4000, 3900], "note", id="all agree, but not with the capture"),
        pytest.param([0, 301], "note", id="more than five minutes"),
        pytest.param([0, -86_400], "note", id="a day behind"),
        pytest.param([0, 0, 7200], "note", id="one of three"),
        pytest.param([0, 3600, 7200, 10_800], "note", id="no two agree"),
        pytest.param([0], "cannot tell", id="one host alone"),
        pytest.param([], "cannot tell", id="nobody says the time"),
        pytest.param([None, None, None, None], "cannot tell", id="random bytes"),
        pytest.param([0, None], "cannot tell", id="one clock and random bytes"),
        pytest.param([0, 40_000_000], "cannot tell", id="a clock more than a year off is none"),
    ],
)
def test_servers(clocks: list[int | None], expected: str) -> None:
    known = {f"10.0.0.{number}": offset for number, offset in enumerate(clocks)}
    assert answer(RULE, view(*hosts(known))) == expected


def test_one_hello_is_no_clock() -> None:
    assert answer(RULE, view(*hosts({"10.0.0.1": 0, "10.0.0.2": 7200}, 1))) == "cannot tell"


def test_the_same_hello_again_is_no_second_witness() -> None:
    random = says(7200, 0)
    again = [served(ONE, *HELLOS, server_hello=server_hello(random=random), stream=n) for n in range(5)]
    assert answer(RULE, view(*again, *hosts({"10.0.0.2": 0}))) == "cannot tell"


def test_a_fixed_number_is_no_clock() -> None:
    """Time goes on, the number does not."""
    conns = [
        served(ONE, *HELLOS, at=60 * n, server_hello=server_hello(random=says(0, 0)[:4] + CHANCE.randbytes(28)))
        for n in range(5)
    ]
    assert answer(RULE, view(*conns, *hosts({"10.0.0.2": 7200}))) == "cannot tell"


def test_two_that_agree_among_many_make_no_clock() -> None:
    """Random bytes can agree by chance; behind one address there can be many hosts."""
    randoms = [says(7200, 60 * n) if n < 3 else CHANCE.randbytes(32) for n in range(9)]
    conns = [
        served(ONE, *HELLOS, at=60 * n, server_hello=server_hello(random=random)) for n, random in enumerate(randoms)
    ]
    assert answer(RULE, view(*conns, *hosts({"10.0.0.2": 0}))) == "cannot tell"


def test_random_bytes_of_thousands_of_hosts_make_no_clock() -> None:
    conns = [
        served(f"10.1.{n // 250}.{n % 250}", *HELLOS, at=n % 7, server_hello=server_hello(random=CHANCE.randbytes(32)))
        for n in range(2_000)
        for _ in range(3)
    ]
    assert answer(RULE, view(*conns)) == "cannot tell"


def test_clients_have_clocks_too() -> None:
    conns = [
        served(
            TWO,
            *HELLOS,
            at=n,
            client_hello=client_hello(random=says(900, n)),
            server_hello=server_hello(random=says(0, n)),
        )
        for n in range(3)
    ]
    said = finding(RULE, view(*conns))
    assert "192.0.2.10 is 15 minutes ahead of that of 198.51.100.2" in said.summary
    assert said.filter == "ip.src == 192.0.2.10 || ip.src == 198.51.100.2"


def dated(offset: int, times: int = 3, server: str = beside.WEB, frozen: bool = False) -> Sightings:
    """A web server whose Date header is so far ahead."""
    packets = []
    for index in range(times):
        second = (START + offset) % 86_400 + (0 if frozen else 60 * index)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        packets += beside.fetch(
            "http://x.example/",
            at=START_NS + 60 * index * SECOND_NS,
            date=f"Mon, 21 Sep 2026 {clock} GMT",
            server=server,
            sport=45_000 + index,
        )
    return beside.seen(packets)


def test_http_dates_count() -> None:
    said = finding(RULE, view(*hosts({"10.0.0.1": 0}), sightings=dated(1800)))
    assert "that of 203.0.113.80" in said.summary
    assert "30 minutes" in said.summary
    assert "HTTP Date" in said.summary
    assert answer(RULE, view(*hosts({"10.0.0.1": 0}), sightings=dated(0))) == "silent"


def test_an_old_copy_of_a_page_is_no_clock() -> None:
    assert answer(RULE, view(*hosts({"10.0.0.1": 0}), sightings=dated(-7200, frozen=True))) == "cannot tell"


def test_two_copies_of_one_page_are_no_two_witnesses() -> None:
    """Both come within a second out of a cache that does not say so."""
    date = "Mon, 21 Sep 2026 10:00:00 GMT"
    packets = [p for n in range(2) for p in beside.fetch("http://x.example/", at=START_NS, date=date, sport=45_000 + n)]
    assert answer(RULE, view(*hosts({"10.0.0.1": 0}), sightings=beside.seen(packets))) == "cannot tell"


def test_asking_twice_gives_the_same() -> None:
    whole = view(*hosts({"10.0.0.1": 0}), sightings=dated(1800))
    assert verdict(RULE, whole) == verdict(RULE, whole)
