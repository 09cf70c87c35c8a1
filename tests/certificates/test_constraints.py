"""Name constraints: what is read, what each kind of name is compared with. More cases stand in test_verdicts.py."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.certificate import Certificate, load
from analyzer.certificates.constraints import (
    MAX_SUBTREES,
    NameConstraints,
    Subtree,
    name_constraints,
    names_in,
    violations,
)
from tests.build import asn1, pki

ROOT = pki.root("Root")


def constrained(*extensions: bytes) -> Certificate:
    return load(ROOT.issue("Sub", ca=True, extensions=extensions).der)


def raw(value: bytes) -> NameConstraints | None:
    """The extension with these bytes inside."""
    return name_constraints(constrained(pki.extension("2.5.29.30", value)))


def test_every_kind_is_read() -> None:
    read = name_constraints(
        constrained(
            pki.name_constraints(
                permitted=["Corp.Example", "10.0.0.0/8", "dirname:O=Lab"],
                excluded=["email:.b.example", "uri:c.example"],
            )
        )
    )
    assert read is not None
    assert read.whole
    assert list(map(str, read.permitted)) == ["dns corp.example", "ip 10.0.0.0/255.0.0.0", "dir O=Lab"]
    assert list(map(str, read.excluded)) == ["email .b.example", "uri c.example"]


def test_a_ca_without_the_extension_states_none() -> None:
    assert name_constraints(constrained()) is None


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(asn1.null(), id="no sequence"),
        pytest.param(asn1.seq(asn1.explicit(0, asn1.null())), id="a subtree that is none"),
        pytest.param(asn1.seq(asn1.explicit(0, asn1.seq())), id="a subtree without a base"),
        pytest.param(asn1.seq(asn1.explicit(0, asn1.seq(asn1.implicit(7, bytes(5))))), id="an address of 2.5 bytes"),
        pytest.param(asn1.seq(asn1.explicit(0, asn1.seq(asn1.implicit(2, b"\xff")))), id="a host that is no ASCII"),
        pytest.param(asn1.seq(asn1.explicit(0, asn1.seq(asn1.explicit(4, b"xx")))), id="a name that is none"),
        pytest.param(
            asn1.seq(asn1.explicit(0, *[asn1.seq(asn1.implicit(2, b"a"))] * (MAX_SUBTREES + 1))), id="too many of them"
        ),
    ],
)
def test_what_is_not_read_is_said(value: bytes) -> None:
    read = raw(value)
    assert read is not None
    assert not read.whole


@pytest.mark.parametrize(
    ("kind", "base", "name", "fits"),
    [
        pytest.param("dns", "", "a.example", True, id="an empty base holds every host"),
        pytest.param("dns", "example", "a.example.", True, id="a trailing dot does not count"),
        pytest.param("dns", ".a.example", "b.a.example", True, id="a leading dot: a host below"),
        pytest.param("dns", ".a.example", "a.example", False, id="a leading dot: not the domain itself"),
        pytest.param("dns", "a.example", "*.a.example", True, id="a wildcard below"),
        pytest.param("dns", "xn--mnchen-3ya.example", "a.münchen.example", True, id="a name in its own letters"),
        pytest.param("email", "", "a@b.example", True, id="an empty base holds every mailbox"),
        pytest.param("email", "a@b.example", "A@B.example", True, id="one mailbox"),
        pytest.param("email", "a@b.example", "c@b.example", False, id="another mailbox of that host"),
        pytest.param("email", "b.example", "b.example", False, id="a host is no mailbox"),
        pytest.param("uri", "a.example", "https://a.example:8443/x", True, id="host and port"),
        pytest.param("uri", "a.example", "https://192.0.2.1/", False, id="an address is in no subtree"),
        pytest.param("uri", "a.example", "https://[::1/", False, id="a URI that is none"),
        pytest.param("uri", "", "urn:x", True, id="an empty base holds every URI"),
        pytest.param("ip", b"\xc0\0\2\0\xff\xff\xff\0", "192.0.2.9", True, id="an address in the network"),
        pytest.param("ip", b"\xc0\0\2\0\xff\xff\xff\0", "c00002", False, id="an address of odd length"),
    ],
)
def test_what_fits(kind: str, base: str | bytes, name: str, fits: bool) -> None:
    certificate = load(pki.make("CN=box", issuer=ROOT, extensions=[alternative_name(kind, name)]).der)
    found = violations(NameConstraints(permitted=(Subtree(kind, base),)), certificate, is_leaf=True)
    assert (not found) == fits
    found = violations(NameConstraints(excluded=(Subtree(kind, base),)), certificate, is_leaf=True)
    assert bool(found) == fits


def alternative_name(kind: str, name: str) -> bytes:
    number, content = {"email": 1, "dns": 2, "uri": 6, "ip": 7}[kind], name.encode()
    if kind == "ip":
        content = ip_address(name).packed if "." in name else bytes.fromhex(name)
    return pki.extension("2.5.29.17", asn1.seq(asn1.implicit(number, content)))


def test_kinds_that_are_not_compared_are_left_out() -> None:
    read = raw(asn1.seq(asn1.explicit(0, asn1.seq(asn1.explicit(0, asn1.null())), asn1.seq(asn1.implicit(2, b"a")))))
    assert read == NameConstraints(permitted=(Subtree("dns", "a"),))


def test_what_was_not_read_may_have_permitted_it() -> None:
    leaf = load(ROOT.issue("a.example", san=["a.example"]).der)
    assert not violations(NameConstraints(permitted=(Subtree("dns", "b"),), whole=False), leaf, True)
    assert violations(NameConstraints(excluded=(Subtree("dns", "example"),), whole=False), leaf, True)


@pytest.mark.parametrize("kind", ["dns", "email", "uri", "ip", "dir"])
def test_a_base_of_another_type_holds_nothing(kind: str) -> None:
    leaf = load(pki.make("E=a@b.example,CN=box", issuer=ROOT, san=["a.example", "192.0.2.1", "https://a.example"]).der)
    base = Subtree(kind, "a.example" if kind in ("ip", "dir") else b"a.example")
    assert not violations(NameConstraints(excluded=(base,)), leaf, True)


def test_a_flood_of_names_and_bases_is_compared_in_part() -> None:
    leaf = load(ROOT.issue("x", san=[f"{number}.example" for number in range(400)]).der)
    bases = tuple(Subtree("dns", f"{number}.test") for number in range(MAX_SUBTREES))
    assert not violations(NameConstraints(excluded=(*bases, Subtree("dns", "399.example"))), leaf, True)


def test_a_violation_is_a_clause() -> None:
    leaf = load(ROOT.issue("a.example", san=["a.example"]).der)
    (inside,) = violations(NameConstraints(excluded=(Subtree("dns", "example"),)), leaf, True)
    (outside,) = violations(NameConstraints(permitted=(Subtree("dns", "b.example"),)), leaf, True)
    assert str(inside) == "it excludes dns a.example (by dns example)"
    assert str(outside) == "dns a.example is outside of what it permits"


def test_the_names_of_a_certificate() -> None:
    identity = ROOT.issue("E=a@b.example,CN=c.example", san=["d.example", "192.0.2.1", "dirname:O=Lab"])
    certificate = load(identity.der)
    assert [(kind, str(name)) for kind, name in names_in(certificate, True)] == [
        ("dir", certificate.subject.text),
        ("dns", "d.example"),
        ("ip", "192.0.2.1"),
        ("dir", "O=Lab"),
        ("email", "a@b.example"),
    ]
    nameless = load(pki.make("x", issuer=ROOT, subject=asn1.name(), san=["d.example"]).der)
    assert [kind for kind, _ in names_in(nameless, True)] == ["dns"]


@settings(max_examples=80, deadline=None)
@given(value=st.binary(max_size=60), names=st.lists(st.text(max_size=20), max_size=3))
def test_any_bytes_can_be_read_and_compared(value: bytes, names: list[str]) -> None:
    read = raw(value)
    assert read is not None
    san = asn1.seq(*(asn1.implicit(number, name.encode()) for name in names for number in (1, 2, 6, 7)))
    leaf = load(pki.make("x", issuer=ROOT, extensions=[pki.extension("2.5.29.17", san)]).der)
    for constraints in (read, NameConstraints(tuple(Subtree(k, "a") for k in ("dns", "email", "uri", "dir", "ip")))):
        violations(constraints, leaf, True)
