"""The tables of roles: complete in themselves, and as the pages say that they cite."""

from __future__ import annotations

import pytest

from analyzer.knowledge import deployment, oid
from analyzer.topology.demands import VARIABLE
from analyzer.topology.requests import EKU_OIDS

ROWS = deployment.role_certificates()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_names_only_what_there_is(row: deployment.RoleCertificate) -> None:
    assert set(row.roles) <= set(deployment.roles())
    assert {row.since, row.until, row.judged_since, *(name.since for name in row.names)} <= {*deployment.products(), ""}
    assert {name.when for name in row.names} <= {*deployment.switches(), ""}
    assert row.per in ("pool", "server")
    assert row.issuer in ("internal", "public", "internal or public")
    assert row.decisive in ("san", "cn")
    assert row.side in ("", "internal", "external")
    assert bool(row.side) == any(deployment.roles()[role].sides for role in row.roles)
    assert all(use in EKU_OIDS for use in row.eku)
    assert all(0 < port < 65536 for port in row.shown_on)
    assert all(len(VARIABLE.findall(template)) <= 1 for name in row.names for template in name.any)


def test_of_one_place_and_port_one_certificate_is_shown() -> None:
    for role in deployment.roles():
        for product in deployment.products():
            shown = [(row.side, port) for row in deployment.certificates_of(role, product) for port in row.shown_on]
            assert len(shown) == len(set(shown)), (role, product)


def test_of_one_place_one_certificate_is_shown_as_a_client() -> None:
    for role in deployment.roles():
        clients = [row.side for row in deployment.certificates_of(role, "sfb-2019") if row.as_client]
        assert len(clients) == len(set(clients)), role


def test_uses_have_the_identifiers_of_the_registry() -> None:
    assert {oid(dotted) for dotted in EKU_OIDS.values()} == set(EKU_OIDS)


@pytest.mark.parametrize(
    ("product", "since", "expected"),
    [
        ("lync-2010", "", True),
        ("lync-2010", "lync-2010", True),
        ("sfb-2019", "lync-2010", True),
        ("ocs-2007-r2", "lync-2010", False),
    ],
)
def test_products_have_an_order(product: str, since: str, expected: bool) -> None:
    assert deployment.is_from(product, since) is expected


@pytest.mark.parametrize(
    ("role", "product", "usages"),
    [
        ("front-end", "sfb-2019", ["default", "web-internal", "web-external"]),
        ("edge", "sfb-2015", ["external", "internal"]),
        ("edge", "ocs-2007-r2", ["external", "av-authentication", "internal"]),
        ("exchange-um", "lync-2013", ["um"]),
        ("monitoring", "lync-2010", []),
        ("gateway", "sfb-2019", []),
    ],
)
def test_a_role_needs_these_certificates(role: str, product: str, usages: list[str]) -> None:
    assert [row.usage for row in deployment.certificates_of(role, product)] == usages
