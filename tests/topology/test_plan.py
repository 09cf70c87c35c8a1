"""Plans: which certificates a topology needs, and the request files for them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from analyzer.errors import UsageError
from analyzer.topology.plan import Plan, PlannedCertificate, plan
from analyzer.topology.reading import parse_topology
from analyzer.topology.requests import EKU_OIDS, REQUEST_FORMATS
from tests.topology.lab import lab


def made(*changes: tuple[str, str]) -> Plan:
    return plan(lab(*changes))


def certificate(planned: Plan, role: str, usage: str, server: str = "") -> PlannedCertificate:
    """The only one of this role and usage (for this server)."""
    found = [
        one
        for one in planned.certificates
        if (one.role, one.usage) == (role, usage) and (not server or server in one.servers)
    ]
    (only,) = found
    return only


@pytest.mark.parametrize(
    ("role", "usage", "server", "names"),
    [
        pytest.param(
            "front end",
            "default",
            "fe1.corp.example",
            "pool.corp.example fe1.corp.example sip.lab.example sip.two.example",
            id="a front end: its pool, itself, every SIP domain",
        ),
        pytest.param(
            "front end",
            "web services internal",
            "fe2.corp.example",
            "pool.corp.example fe2.corp.example webint.corp.example meet.lab.example meet.two.example dialin.lab.example "
            "lyncdiscoverinternal.lab.example lyncdiscoverinternal.two.example",
            id="its web services inside",
        ),
        pytest.param(
            "front end",
            "web services external",
            "fe2.corp.example",
            "pool.corp.example webext.lab.example meet.lab.example meet.two.example dialin.lab.example "
            "lyncdiscover.lab.example lyncdiscover.two.example",
            id="its web services outside",
        ),
        pytest.param(
            "edge",
            "external side",
            "",
            "sip.lab.example webcon.lab.example sip.two.example",
            id="an edge outside: no A/V name, no SIP domain twice",
        ),
        pytest.param("edge", "internal side", "", "edge.corp.example", id="an edge inside: one name and no other"),
        pytest.param("Exchange unified messaging", "unified messaging", "", "um.corp.example", id="unified messaging"),
        pytest.param(
            "reverse proxy",
            "published web services",
            "",
            "webext.lab.example meet.lab.example meet.two.example dialin.lab.example "
            "lyncdiscover.lab.example lyncdiscover.two.example",
            id="a reverse proxy publishes the web services of all pools",
        ),
    ],
)
def test_the_names_of_a_certificate(role: str, usage: str, server: str, names: str) -> None:
    one = certificate(made(), role, usage, server)
    assert one.names == tuple(names.split())
    assert one.common_name == one.names[0]


@pytest.mark.parametrize(
    ("change", "role", "usage", "there", "gone"),
    [
        pytest.param(
            ("sign_in = true", "sign_in = false"),
            "front end",
            "default",
            "",
            "sip.lab.example",
            id="no automatic sign-in",
        ),
        pytest.param(
            ("sign_in = true", "sign_in = true\nmobility = false"),
            "front end",
            "web services external",
            "webext.lab.example",
            "lyncdiscover.lab.example",
            id="no mobility",
        ),
        pytest.param(
            ("sign_in = true", "sign_in = true\nphones = true"),
            "front end",
            "web services internal",
            "ucupdates-r2.corp.example",
            "",
            id="phones",
        ),
        pytest.param(
            ("sign_in = true", "sign_in = true\nwildcards = true"),
            "front end",
            "web services external",
            "*.lab.example",
            "meet.lab.example",
            id="wildcards",
        ),
        pytest.param(
            ('av = "av.lab.example"', "xmpp = true"), "edge", "external side", "*.two.example", "", id="XMPP partners"
        ),
        pytest.param(
            ('"sfb-2015"', '"ocs-2007-r2"'),
            "front end",
            "web services internal",
            "",
            "meet.lab.example",
            id="an old product",
        ),
        pytest.param(
            ('"sfb-2015"', '"ocs-2007"'), "edge", "A/V authentication", "av.lab.example", "", id="an older edge"
        ),
    ],
)
def test_what_changes_the_names(change: tuple[str, str], role: str, usage: str, there: str, gone: str) -> None:
    one = next(one for one in made(change).certificates if (one.role, one.usage) == (role, usage))
    assert not there or there in one.names
    assert not gone or gone not in one.names


@pytest.mark.parametrize("one_certificate", ["true", "false"])
def test_names_are_in_the_order_that_phones_need_and_none_is_there_twice(one_certificate: str) -> None:
    switches = f"sign_in = true\nwildcards = true\nphones = true\none_certificate = {one_certificate}"
    planned = made(("sign_in = true", switches), ('av = "av', 'xmpp = true\nav = "av'))
    for one in planned.certificates:
        wild = [name.startswith("*.") for name in one.names]
        assert wild == sorted(wild), one.names
        assert len(set(one.names)) == len(one.names)
        assert not one.common_name.startswith("*")


def test_one_certificate_for_all() -> None:
    shared = made(("sign_in = true", "sign_in = true\nshared_certificate = true"))
    one = certificate(shared, "front end", "default")
    assert one.servers == ("fe1.corp.example", "fe2.corp.example")
    assert {"fe1.corp.example", "fe2.corp.example"} <= set(one.names)
    assert one.exportable
    whole = made(("sign_in = true", "sign_in = true\none_certificate = true"))
    front_ends = [one for one in whole.certificates if one.role == "front end"]
    assert [one.usage for one in front_ends] == ["default + web services internal + web services external"] * 2
    assert {"webint.corp.example", "webext.lab.example", "fe1.corp.example"} <= set(front_ends[0].names)
    assert not front_ends[0].exportable


def test_a_load_balancer_may_need_the_names_too() -> None:
    balanced = made(("sign_in = true", "sign_in = true\nhardware_load_balancer = true"))
    web = certificate(balanced, "front end", "web services external", "fe1.corp.example")
    assert "if the load balancer ends TLS itself" in web.note
    assert "load balancer" not in certificate(balanced, "front end", "default", "fe1.corp.example").note


def test_the_edge_is_a_client_of_partners_too() -> None:
    outside = certificate(made(), "edge", "external side")
    assert outside.eku == ("serverAuth", "clientAuth")
    assert outside.issuer == "public"
    assert "Public CAs stop issuing clientAuth" in outside.note
    assert certificate(made(), "edge", "internal side").eku == ("serverAuth",)


@pytest.mark.parametrize(
    ("host", "remark"),
    [
        ('fqdn = "gw.corp.example"\nrole = "gateway"', "gateway gw.corp.example: no table says which names"),
        (
            'fqdn = "e.corp.example"\nrole = "edge"',
            "edge e.corp.example: no name is known for its certificate (external",
        ),
        ('fqdn = "p.partner.example"\nrole = "partner"', ""),
        ('fqdn = "m.corp.example"\nrole = "monitoring"', ""),
    ],
    ids=["no table", "no names", "not ours", "needs none"],
)
def test_what_cannot_be_planned_is_said(host: str, remark: str) -> None:
    told = plan(parse_topology(f"[[host]]\n{host}")).remarks
    assert [line[: len(remark)] for line in told] == ([remark] if remark else [])


def test_a_pool_without_servers_is_planned_as_far_as_it_goes() -> None:
    planned = plan(parse_topology('[[pool]]\nfqdn = "p.corp.example"\nrole = "mediation"'))
    assert planned.certificates[0].names == ("p.corp.example",)
    assert planned.certificates[0].servers == ("p.corp.example",)
    assert "no [[host]] is in this pool" in planned.remarks[0]


def test_a_common_name_that_no_certificate_can_have() -> None:
    long = "a" * 60 + ".corp.example"
    with pytest.raises(UsageError, match="73 characters; a common name has at most 64"):
        made(("um.corp.example", long))


# ------------------------------------------------------------------------------------------------------ request files


def test_files_have_different_names_that_every_system_takes() -> None:
    for kind in REQUEST_FORMATS.values():
        names = [file.name for file in kind.files(made())]
        assert len(set(names)) == len(names) == len(made().certificates)
        assert all(re.fullmatch(r"[\w.-]+", name) for name in names)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("number", range(len(made().certificates)))
def test_openssl_makes_a_request_with_the_planned_names(number: int, tmp_path: Path) -> None:
    planned = made(('av = "av', 'xmpp = true\nav = "av'))
    one, file = planned.certificates[number], REQUEST_FORMATS["openssl"].files(planned)[number]
    (tmp_path / file.name).write_text(file.text, encoding="ascii")
    command = next(line[2:] for line in file.text.splitlines() if line.startswith("# openssl req "))
    done = subprocess.run(
        command.replace("rsa:2048", "rsa:1024").split(), cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    request = x509.load_pem_x509_csr(next(tmp_path.glob("*.csr")).read_bytes())
    (common_name,) = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert common_name.value == one.common_name
    san = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert tuple(san.get_values_for_type(x509.DNSName)) == one.names
    eku = request.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    assert isinstance(eku, x509.ExtendedKeyUsage)
    assert [use.dotted_string for use in eku] == [EKU_OIDS[use] for use in one.eku]


def test_certreq_gets_the_planned_names() -> None:
    planned = made()
    for one, file in zip(planned.certificates, REQUEST_FORMATS["certreq"].files(planned), strict=True):
        said = "".join(re.findall(r'_continue_ = "(.*)"', file.text))
        assert said == "&".join(f"dns={name}" for name in one.names)
        assert f'Subject = "CN={one.common_name}"' in file.text
        assert re.findall(r"OID = ([\d.]+)", file.text) == [EKU_OIDS[use] for use in one.eku]
        assert f"Exportable = {'TRUE' if one.exportable else 'FALSE'}" in file.text
