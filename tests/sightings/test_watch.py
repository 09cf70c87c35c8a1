"""What is remembered of packets beside TLS, and that all memory is bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.packets.columns import Decoded, IcmpError
from analyzer.packets.headers import empty
from analyzer.sightings import watch as module
from analyzer.sightings.dns import Service
from analyzer.sightings.facts import Act, Errand
from analyzer.sightings.watch import Sightings
from tests.build import beside, dns
from tests.build.beside import HOST, SECOND, WEB, seen
from tests.build.pcap import Packet
from tests.build.tcp import CLIENT, SERVER, Tcp

START = 1_790_000_000 * SECOND
FOREVER = 2 * START


def errands(watch: Sightings, host: str = HOST) -> list[Errand]:
    return list(watch.errands(host, 0, FOREVER))


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        pytest.param(
            beside.lookup("crl.example", dns.address("crl.example", WEB), at=START),
            (Act.LOOKUP, "crl.example", "", "NOERROR", True),
            id="a name that exists",
        ),
        pytest.param(
            beside.lookup("crl.example", at=START, rcode=3),
            (Act.LOOKUP, "crl.example", "", "NXDOMAIN", False),
            id="a name that does not",
        ),
        pytest.param(
            beside.lookup("crl.example", at=START),
            (Act.LOOKUP, "crl.example", "", "no such record", False),
            id="no address",
        ),
        pytest.param(
            beside.lookup("crl.example", at=START, kind=dns.AAAA),
            (Act.LOOKUP, "crl.example", "", "no such record", None),
            id="no IPv6 address is no failure",
        ),
        pytest.param(
            beside.lookup("crl.example", at=START, answered=False),
            (Act.LOOKUP, "crl.example", "", "", None),
            id="no answer",
        ),
        pytest.param(
            beside.attempt(at=START, port=389, refused=True), (Act.ATTEMPT, "", "LDAP", "refused", False), id="refused"
        ),
        pytest.param(
            beside.attempt(at=START, again=(1, 2)), (Act.ATTEMPT, "", "HTTP", "", None), id="nobody answers the SYN"
        ),
    ],
)
def test_one_errand(packets: list[Packet], expected: tuple[object, ...]) -> None:
    (errand,) = errands(seen(packets))
    assert (errand.act, errand.name, errand.what, errand.answer, errand.ok) == expected
    assert (errand.time_ns, errand.frame) == (START, 1)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (304, True), (404, False), (503, False)])
def test_a_fetch_is_an_attempt_and_a_question(status: int, ok: bool) -> None:
    attempt, fetch = errands(seen(beside.fetch("http://crl.example/a.crl", at=START, status=status, wait=3)))
    assert (attempt.act, attempt.answer) == (Act.ATTEMPT, "accepted")
    assert (fetch.act, fetch.name, fetch.what, fetch.where) == (
        Act.FETCH,
        "crl.example",
        "CRL",
        "http://crl.example/a.crl",
    )
    assert (fetch.answer, fetch.ok) == (str(status), ok)
    assert fetch.answered_ns is not None
    assert fetch.answered_ns - fetch.time_ns > 3 * SECOND


def test_a_question_sent_again_is_one_errand() -> None:
    packets = beside.lookup("crl.example", at=START, answered=False)
    packets += beside.lookup("crl.example", dns.address("crl.example", WEB), at=START + SECOND)
    (errand,) = errands(seen(packets))
    assert (errand.tries, errand.answer) == (2, "NOERROR")
    (syn,) = errands(seen(beside.attempt(at=START, again=(1, 2))))
    assert syn.tries == 3


def test_questions_and_answers_may_come_in_different_batches() -> None:
    one, other = beside.lookup("crl.example", dns.address("crl.example", WEB), at=START)
    (errand,) = errands(seen([one], [other]))
    assert errand.ok
    whole = beside.fetch("http://crl.example/a.crl", at=START)
    assert [e.ok for e in errands(seen(whole[:4], whole[4:]))] == [True, True]


def test_dns_over_tcp() -> None:
    def framed(message: bytes) -> bytes:
        return len(message).to_bytes(2) + message

    talk = Tcp(HOST, 40_000, beside.RESOLVER, 53, start_ns=START).open()
    talk.send(CLIENT, framed(dns.question("a.example")), cut=(2, 9))
    talk.send(SERVER, framed(dns.answer("a.example", dns.address("a.example", WEB))), cut=(1,))
    watch = seen(talk.packets)
    assert watch.names_for(HOST, WEB, FOREVER) == ("a.example",)
    assert [errand.answer for errand in errands(watch)] == ["NOERROR"]


def test_the_name_asked_for_counts_not_its_alias() -> None:
    answer = (dns.alias("pool.example", "node.cdn.example"), dns.address("node.cdn.example", WEB))
    watch = seen(beside.lookup("pool.example", *answer, at=START))
    assert watch.names_for(HOST, WEB, FOREVER) == ("pool.example",)
    assert watch.names_for("192.0.2.99", WEB, FOREVER) == (), "nobody told that host"
    assert watch.means("192.0.2.99", WEB) == {"pool.example"}
    assert watch.names_for(HOST, WEB, START) == (), "the answer came later"
    alias = watch.alias("pool.example")
    assert alias is not None
    assert alias.target == "node.cdn.example"


def test_services_and_the_addresses_of_their_targets() -> None:
    reply = dns.answer(
        "_sip._tls.example.com",
        dns.service("_sip._tls.example.com", "sip.example.com", 443),
        kind=dns.SRV,
        more=(dns.address("sip.example.com", WEB),),
    )
    watch = seen([beside.datagram(reply, START, back=True)])
    assert list(watch.services()) == [Service("_sip._tls.example.com", "sip.example.com", 443, 1)]
    assert watch.names_for(HOST, WEB, FOREVER) == ("sip.example.com",)


def test_dates_are_kept_a_few_of_each_host() -> None:
    date = "Mon, 21 Sep 2026 14:13:20 GMT"
    packets = [
        packet
        for index in range(12)
        for packet in beside.fetch("http://x.example/", at=START + index * SECOND, date=date, sport=45_000 + index)
    ]
    watch = seen(packets)
    stated = list(watch.clocks())
    assert len(stated) == module.MAX_CLOCKS_OF_HOST
    assert {(one.host, one.clock_s) for one in stated} == {(WEB, 1_790_000_000)}


def test_an_icmp_error_answers_an_attempt() -> None:
    watch = seen(beside.attempt(at=START))
    error = IcmpError(9, START + 5, "192.0.2.1", True, 3, 1, None, (HOST, 46_000, WEB, 80), 1_000)
    watch.feed(Decoded(empty(np.zeros(64, np.uint8)), icmp=[error]))
    (errand,) = errands(watch)
    assert (errand.answer, errand.ok) == ("unreachable", False)


def test_a_question_from_port_53_is_no_answer() -> None:
    watch = seen([beside.datagram(dns.question("a.example"), START, back=True)])
    assert errands(watch, beside.RESOLVER) == []


def test_other_traffic_leaves_no_trace() -> None:
    talk = (
        Tcp(start_ns=START).open().send(CLIENT, b"GET me a coffee, please").send(SERVER, b"POSTponed, said the barista")
    )
    assert errands(seen(talk.packets, beside.attempt(at=START, port=25))) == []


def test_what_one_host_does_is_bounded_and_forgetting_is_told() -> None:
    packets = [
        packet
        for index in range(module.MAX_PER_HOST + 10)
        for packet in beside.lookup(f"n{index}.example", at=START + index * SECOND, answered=False, number=index)
    ]
    watch = seen(packets)
    assert len(errands(watch)) == module.MAX_PER_HOST
    assert watch.remembers(HOST, START + 10 * SECOND)
    assert not watch.remembers(HOST, START + 9 * SECOND)
    assert not watch.remembers("192.0.2.99", START), "nothing is known of that host"


def test_all_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_ERRANDS", "MAX_WAITING", "MAX_TOLD"):
        monkeypatch.setattr(module, name, 20)
    packets: list[Packet] = []
    for index in range(100):
        at, host = START + index * SECOND, f"10.0.0.{index}"
        packets += beside.lookup(
            f"n{index}.example", dns.address(f"n{index}.example", f"10.1.0.{index}"), at=at, host=host
        )
        packets += beside.lookup(f"m{index}.example", at=at, host=host, number=2, answered=False)
        packets += beside.attempt(at=at, host=host)
    watch = seen(packets)
    assert watch._count == sum(map(len, watch._errands.values())) <= 20
    assert max(len(watch._asked), len(watch._trying), len(watch._names)) <= 20
    assert errands(watch, "10.0.0.99")


STARTS = [b"", b"GET /", b"POST /a HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", b"\0\x20\0\1\x81\x80\0\1\0\1\0\0\0\0"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([53, 80, 389, 5061, 8080]), st.booleans(), st.sampled_from(STARTS), st.binary(max_size=60)
        ),
        max_size=8,
    )
)
def test_any_packets_are_taken(parts: list[tuple[int, bool, bytes, bytes]]) -> None:
    packets: list[Packet] = []
    for number, (port, over_udp, start, junk) in enumerate(parts):
        if over_udp:
            packets.append(beside.datagram((start + junk)[2:], START + number, back=bool(number % 2)))
        else:
            talk = Tcp(HOST, 40_000 + number, WEB, port, start_ns=START + number * SECOND).open()
            packets += talk.send(CLIENT, start + junk).send(SERVER, start + junk).rst(SERVER).packets
    watch = seen(packets)
    for errand in errands(watch):
        watch.means(errand.host, errand.peer)
