"""federation-srv-cname: the target must not be an alias."""

from __future__ import annotations

import pytest

from analyzer.sightings.watch import Sightings
from tests.build import beside, dns
from tests.rules.surveys import answer, finding, view

RULE = "federation-srv-cname"
FEDERATION, SIGN_IN = "_sipfederationtls._tcp.example.com", "_sip._tls.example.com"
WEB = beside.WEB


def told(owner: str, target: str, *later: dns.Record, more: tuple[dns.Record, ...] = ()) -> Sightings:
    """The SRV answer, and the answer when the target's address is asked for."""
    service = dns.answer(owner, dns.service(owner, target), kind=dns.SRV, more=more)
    packets = [beside.datagram(service, 1_000, back=True)]
    if later:
        packets.append(beside.datagram(dns.answer(target, *later), 2_000, back=True))
    return beside.seen(packets)


ALIAS = dns.alias("sip.example.com", "edge7.hoster.example")
ADDRESS = dns.address("edge7.hoster.example", WEB)


@pytest.mark.parametrize(
    ("sightings", "expected"),
    [
        pytest.param(told(FEDERATION, "sip.example.com"), "silent", id="nobody asked for the target"),
        pytest.param(told(FEDERATION, "sip.example.com", dns.address("sip.example.com", WEB)), "silent", id="a host"),
        pytest.param(
            told(FEDERATION, "sip.example.com", dns.alias("www.example.com", "sip.example.com")),
            "silent",
            id="an alias of the target is fine",
        ),
        pytest.param(
            told(FEDERATION, "sipfed.online.lync.com", dns.alias("sipfed.online.lync.com", "a.example")),
            "silent",
            id="a provider's alias is its own business",
        ),
        pytest.param(
            told("_ldap._tcp.example.com", "sip.example.com", ALIAS), "cannot tell", id="a service that is not SIP"
        ),
        pytest.param(Sightings(), "cannot tell", id="no DNS"),
        pytest.param(told(FEDERATION, "sip.example.com", ALIAS, ADDRESS), "error", id="an alias, asked for later"),
        pytest.param(
            told(FEDERATION, "sip.example.com", more=(ALIAS, ADDRESS)), "error", id="an alias in the same answer"
        ),
        pytest.param(told(SIGN_IN, "sip.example.com", ALIAS), "warning", id="sign-in"),
    ],
)
def test_targets(sightings: Sightings, expected: str) -> None:
    assert answer(RULE, view(sightings=sightings)) == expected


def test_what_is_said() -> None:
    said = finding(RULE, view(sightings=told(FEDERATION, "sip.example.com", ALIAS)))
    assert "sip.example.com, which is only an alias of edge7.hoster.example" in said.summary
    assert said.frames == (1, 2)
