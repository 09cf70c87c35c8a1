"""What is known of revocation addresses, of SIP names in DNS, and of ports that tell a role."""

from __future__ import annotations

import pytest

from analyzer.knowledge import services


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("_sipfederationtls._tcp.example.com", ("federation", "example.com"), id="federation"),
        pytest.param("_sipinternaltls._tcp.example.com", ("sign-in", "example.com"), id="inside"),
        pytest.param("_sip._tls.example.com", ("sign-in", "example.com"), id="outside"),
        pytest.param("_sip._tcp.example.com", None, id="not over TLS"),
        pytest.param("_sip._tls.", None, id="no domain"),
        pytest.param("sipfed.online.lync.com", None, id="a provider's edge is no service name"),
    ],
)
def test_service_names(name: str, expected: tuple[str, str] | None) -> None:
    assert services.sip_service(name) == expected


def test_providers() -> None:
    assert services.provider("sipfed.online.lync.com") == "Office 365"
    assert services.provider("sip.example.com") is None
    assert services.provider("_sip._tls.") is None


def test_revocation() -> None:
    assert dict(services.revocation_endings())[".crl"] == "CRL"
    assert services.revocation_contents() == {"application/ocsp-request": "OCSP"}
    assert (services.revocation_ports()[80], services.revocation_ports()[389]) == ("HTTP", "LDAP")


def test_ports_that_tell_a_role() -> None:
    placed = services.placed_ports()
    assert placed[5076] == placed[444] == "front end or director"
    assert placed[23456] == "edge"
    assert 5061 not in placed, "everybody listens there"
    assert 443 not in placed
