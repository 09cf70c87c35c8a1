"""federation-srv-outside-domain: where DNS sends partners and clients."""

from __future__ import annotations

import pytest

from analyzer.findings import Confidence
from analyzer.sightings.watch import Sightings
from tests.build import beside, dns
from tests.rules.surveys import answer, finding, verdict, view

RULE = "federation-srv-outside-domain"
FEDERATION, SIGN_IN, INSIDE = "_sipfederationtls._tcp.", "_sip._tls.", "_sipinternaltls._tcp."


def told(owner: str, *targets: str) -> Sightings:
    """DNS says that these serve this name."""
    records = [dns.service(owner, target) for target in targets]
    return beside.seen([beside.datagram(dns.answer(owner, *records, kind=dns.SRV), 1_000, back=True)])


@pytest.mark.parametrize(
    ("owner", "target", "expected"),
    [
        pytest.param(FEDERATION + "example.com", "sip.example.com", "silent", id="a name in the domain"),
        pytest.param(FEDERATION + "example.com", "SIP.Example.COM", "silent", id="case does not count"),
        pytest.param(FEDERATION + "example.com", "example.com", "silent", id="the domain itself"),
        pytest.param(FEDERATION + "example.com", "sip.eu.example.com", "silent", id="deeper in the domain"),
        pytest.param(FEDERATION + "example.com", ".", "silent", id="no such service, says the record"),
        pytest.param("_sip._tcp.example.com", "sip.example.net", "cannot tell", id="a service that is not over TLS"),
        pytest.param("_ldap._tcp.example.com", "dc.example.net", "cannot tell", id="another service"),
        pytest.param(FEDERATION + "example.com", "sipfed.online.lync.com", "note", id="a known provider"),
        pytest.param(SIGN_IN + "example.com", "sipdir.online.lync.com", "note", id="a provider for sign-in"),
        pytest.param(FEDERATION + "example.com", "sip.example.net", "error", id="another domain"),
        pytest.param(FEDERATION + "example.com", "sip.notexample.com", "error", id="a domain that only ends alike"),
        pytest.param(FEDERATION + "sub.example.com", "sip.example.com", "error", id="the parent domain"),
        pytest.param(SIGN_IN + "example.com", "sip.example.net", "warning", id="sign-in from outside"),
        pytest.param(INSIDE + "example.com", "pool.corp.local", "warning", id="sign-in from inside"),
    ],
)
def test_targets(owner: str, target: str, expected: str) -> None:
    assert answer(RULE, view(sightings=told(owner, target))) == expected


def test_without_dns_it_cannot_tell() -> None:
    assert answer(RULE, view()) == "cannot tell"
    assert "no SRV answer" in verdict(RULE, view()).reason


def test_what_is_said() -> None:
    said = finding(RULE, view(sightings=told(FEDERATION + "example.com", "sip.example.com", "edge.example.net")))
    assert "_sipfederationtls._tcp.example.com points to edge.example.net" in said.summary
    assert said.frames == (1,)
    assert said.filter == 'dns.qry.name == "_sipfederationtls._tcp.example.com"'
    assert said.confidence is Confidence.MEDIUM


def test_a_name_that_would_break_the_filter_is_found_by_its_frame() -> None:
    assert (
        finding(RULE, view(sightings=told(FEDERATION + 'ex"ample.com', "sip.example.net"))).filter
        == "frame.number == 1"
    )


def test_a_thousand_records_are_a_few_findings() -> None:
    packets = [
        beside.datagram(
            dns.answer(
                f"{FEDERATION}d{n}.example", dns.service(f"{FEDERATION}d{n}.example", "x.example.net"), kind=dns.SRV
            ),
            n,
            back=True,
        )
        for n in range(1_000)
    ]
    assert len(verdict(RULE, view(sightings=beside.seen(packets))).findings) == 20
