"""Which host names a certificate covers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.certificates.hostnames import coverage, is_address, normal_host


@pytest.mark.parametrize(
    ("host", "dns", "how"),
    [
        pytest.param("sip.lab.example", ("sip.lab.example",), "exact", id="the same name"),
        pytest.param("SIP.Lab.Example.", ("sip.lab.example",), "exact", id="case and a trailing dot do not count"),
        pytest.param("sip.lab.example", ("Sip.Lab.Example.",), "exact", id="nor in the certificate"),
        pytest.param("a.lab.example", ("*.lab.example",), "wildcard", id="a wildcard for one label"),
        pytest.param("a.lab.example", ("*.lab.example", "a.lab.example"), "exact", id="exact beats wildcard"),
        pytest.param("a.lab.example", ("*.lab.example", "b.example"), "wildcard", id="a wildcard before other names"),
        pytest.param("_sip.lab.example", ("*.lab.example",), "wildcard", id="an underscore is a character"),
        pytest.param("lab.example", ("*.lab.example",), None, id="not for the bare domain"),
        pytest.param("a.b.lab.example", ("*.lab.example",), None, id="not across dots"),
        pytest.param("sip1.lab.example", ("sip*.lab.example",), None, id="not for a part of a label"),
        pytest.param("a.b.example", ("a.*.example",), None, id="not in the middle"),
        pytest.param("lab", ("*",), None, id="not alone"),
        pytest.param(".example", ("*.example",), None, id="not for an empty label"),
        pytest.param("*.lab.example", ("a.lab.example",), None, id="a star in the question is no wildcard"),
        pytest.param("münchen.example", ("xn--mnchen-3ya.example",), "exact", id="a U-label is its A-label"),
        pytest.param("xn--mnchen-3ya.example", ("münchen.example",), "exact", id="a U-label in the certificate"),
        pytest.param("good.example", ("good.example\0.evil.example",), None, id="a NUL ends nothing"),
        pytest.param("other.example", ("sip.lab.example",), None, id="another name"),
        pytest.param("", ("",), None, id="no name"),
        pytest.param("a" * 300, ("a" * 300,), None, id="no host name is that long"),
        pytest.param("ü" * 64 + ".example", ("x.example",), None, id="no label is that long"),
        pytest.param("a..ü", ("x.example",), None, id="an empty label has no A-label"),
    ],
)
def test_dns_names(host: str, dns: tuple[str, ...], how: str | None) -> None:
    assert coverage(host, dns, (), None) == how


@pytest.mark.parametrize(
    ("host", "dns", "addresses", "common_name", "how"),
    [
        pytest.param("a.example", (), (), "a.example", "common-name", id="a common name without dNSName: legacy"),
        pytest.param("a.example", (), ("192.0.2.1",), "a.example", "common-name", id="an address is no dNSName"),
        pytest.param("b.example", (), (), "*.example", "common-name", id="a wildcard as common name"),
        pytest.param("a.example", ("b.example",), (), "a.example", None, id="a dNSName makes the common name void"),
        pytest.param("a.example", (), (), None, None, id="no name at all"),
        pytest.param("192.0.2.1", (), ("192.0.2.1",), None, "exact", id="an IPv4 address"),
        pytest.param("[2001:DB8::1]", (), ("2001:db8::1",), None, "exact", id="an IPv6 address in brackets"),
        pytest.param("2001:db8:0::1%eth0", (), ("2001:db8::1",), None, "exact", id="an IPv6 address with a zone"),
        pytest.param("192.0.2.1", (), (), "192.0.2.1", "common-name", id="an address as common name: legacy"),
        pytest.param("192.0.2.1", (), ("192.0.2.9",), "192.0.2.1", None, id="an address in the SAN makes that void"),
        pytest.param("192.0.2.1", ("192.0.2.1",), (), None, None, id="an address is not found among dNSNames"),
        pytest.param("192.0.2.1", ("*.0.2.1",), (), None, None, id="a wildcard covers no address"),
    ],
)
def test_common_names_and_addresses(
    host: str, dns: tuple[str, ...], addresses: tuple[str, ...], common_name: str | None, how: str | None
) -> None:
    assert coverage(host, dns, addresses, common_name) == how


def test_addresses_are_told_from_names() -> None:
    assert [is_address(host) for host in ("192.0.2.1", "::1", "a.example", "a1", "1.2.3")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@given(host=st.text(max_size=300), presented=st.text(max_size=80))
def test_any_text_is_covered_or_not(host: str, presented: str) -> None:
    assert coverage(host, (presented,), (), presented) in ("exact", "wildcard", "common-name", None)
    assert normal_host(normal_host(host)) == normal_host(host) or not normal_host(host).isascii()
