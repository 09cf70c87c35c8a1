"""Topology files: what they say, and how a mistake in one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import UsageError
from analyzer.topology.reading import MAX_FILE, parse_topology, read_topology
from tests.topology.lab import LAB, lab

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("ip", "port", "label"),
    [
        pytest.param("10.0.0.10", 5061, "front end pool.corp.example", id="the pool's own address"),
        pytest.param("10.0.0.11", 5061, "front end fe1.corp.example", id="a member"),
        pytest.param("2001:db8::12", 443, "front end fe2.corp.example", id="an IPv6 address"),
        pytest.param("10.0.1.21", 5061, "edge internal edge1.corp.example", id="an edge's inner side"),
        pytest.param("192.0.2.21", 443, "edge external sip.lab.example", id="an edge's outer side"),
        pytest.param("203.0.113.21", 5061, "edge external sip.lab.example", id="its public address behind NAT"),
        pytest.param("192.0.2.30", 443, "reverse proxy rp.lab.example", id="one port of an address"),
        pytest.param("2001:db8::30", 443, "reverse proxy rp.lab.example", id="one port of an IPv6 address"),
        pytest.param("192.0.2.30", 5061, "", id="another port of it"),
        pytest.param("198.51.100.5", 5061, "partner sip.partner.example", id="a partner"),
        pytest.param("198.51.100.6", 5061, "", id="an address that is not there"),
    ],
)
def test_an_address_stands_for(ip: str, port: int, label: str) -> None:
    assert lab().label(ip, port) == label


def test_what_a_host_trusts_is_there_for_the_trust_stores() -> None:
    assert lab().trust("10.0.0.11", 5061) == (str(Path("stores/fe1.sst")), str(Path("stores/extra")))
    assert lab().trust("10.0.0.10", 5061) == ()
    assert lab().trust("10.9.9.9", 5061) == ()


def test_stores_lie_beside_the_topology_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(LAB, encoding="ascii")
    assert read_topology(str(path)).trust("10.0.0.11", 5061)[0] == str(tmp_path / "stores" / "fe1.sst")


def test_a_position_tells_sides_apart() -> None:
    places = lab().places
    positions = [places[ip, 0].position for ip in ("10.0.0.11", "10.0.0.12", "10.0.1.21", "192.0.2.21")]
    assert positions == ["front end", "front end", "edge internal", "edge external"]


def test_a_pool_knows_its_members() -> None:
    assert lab().pool("pool.corp.example").members == ("fe1.corp.example", "fe2.corp.example")
    assert lab().pool("um.corp.example").members == ("um.corp.example",)
    with pytest.raises(KeyError):
        lab().pool("nobody.example")


def test_names_are_folded() -> None:
    read = parse_topology('sip_domains = ["LAB.Example.", "lab.example", "bücher.example"]')
    assert read.sip_domains == ("lab.example", "xn--bcher-kva.example")


@pytest.mark.parametrize(
    "url", ["https://Meet.Lab.example/", "meet.lab.example", "http://meet.lab.example:443/join?x"], ids=str
)
def test_a_simple_url_stands_for_its_host(url: str) -> None:
    assert parse_topology(f'simple_urls.meet = "{url}"').meet == ("meet.lab.example",)


def test_what_is_missing_has_a_default() -> None:
    empty = parse_topology("")
    assert (empty.product, empty.sip_domains, empty.pools, empty.places) == ("sfb-2019", (), (), {})
    edge = parse_topology('sip_domains=["a.example"]\n[[host]]\nfqdn="e.b.example"\nrole="edge"\nexternal="192.0.2.1"')
    assert edge.label("192.0.2.1", 443) == "edge external sip.a.example"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(
            'role = "front-end"',
            'role = "frontend"',
            'lab.toml, line 10, pool 1, role: found "frontend", expected one of standard-edition, front-end',
            id="a misspelt role",
        ),
        pytest.param(
            'role = "front-end"', 'role = "frontend"', "; did you mean: front-end", id="with the nearest role"
        ),
        pytest.param('role = "front-end"\n', "", "lab.toml, line 8, pool 1, role: expected one of", id="no role"),
        pytest.param(
            'role = "edge"',
            'rolle = "edge"',
            "lab.toml, line 29, pool 2, rolle: no such key; did you mean: role",
            id="a misspelt key that is needed",
        ),
        pytest.param(
            "web_conferencing = ",
            "webconferencing = ",
            "line 31, pool 2, webconferencing: no such key; did you mean: web_conferencing",
            id="a misspelt key",
        ),
        pytest.param("sip_domains", "zzz", "lab.toml, line 2, zzz: no such key; there are", id="a key like no other"),
        pytest.param('"sfb-2015"', '"sfb2015"', 'product: found "sfb2015", expected one of lcs-2005', id="a product"),
        pytest.param(
            "10.0.0.11", "10.0.0.256", 'host 1, addresses: found "10.0.0.256", expected an IP', id="an address"
        ),
        pytest.param("10.0.0.11", "10.0.0.11:70000", 'found "10.0.0.11:70000", expected an IP address', id="a port"),
        pytest.param(
            "10.0.0.11",
            "10.0.0.10",
            "expected an address of its own: line 8, pool 1, addresses has it too",
            id="an address twice",
        ),
        pytest.param("fe1.corp.example", "fe1", 'fqdn: found "fe1", expected a name with a domain', id="a short name"),
        pytest.param("fe1.corp.example", "10.0.0.1", "expected a name with a domain", id="an address for a name"),
        pytest.param("fe1.corp.example", "a b.example", "expected a name with a domain", id="a name with a space"),
        pytest.param("fe1.corp.example", "fe2.corp.example", "a name that no other host has", id="a host twice"),
        pytest.param("edge.corp.example", "pool.corp.example", "a name that no other pool has", id="a pool twice"),
        pytest.param(
            'pool = "pool.corp.example"',
            'pool = "pol.corp.example"',
            "expected the fqdn of a [[pool]]; did you mean: pool.corp.example",
            id="a pool that is not there",
        ),
        pytest.param(
            '"exchange-um"', '"exchange-um"\npool = "pool.corp.example"', "expected no role", id="role and pool"
        ),
        pytest.param('role = "exchange-um"\n', "", "expected a role, or the pool that the host is in", id="neither"),
        pytest.param("um.corp.example", "pool.corp.example", "there is such a pool", id="a host named as a pool"),
        pytest.param(
            "internal = ",
            "addresses = ",
            "expected internal and external instead: the role edge has two sides",
            id="an edge without sides",
        ),
        pytest.param(
            'addresses = ["10.0.0.10"]',
            'internal = ["10.0.0.10"]',
            "expected addresses instead",
            id="sides of a front end",
        ),
        pytest.param(
            'webcon.lab.example"',
            'webcon.lab.example"\nexternal_web = "x.lab.example"',
            "no such key for the role edge: it is for standard-edition and front-end and director",
            id="a key of another role",
        ),
        pytest.param(
            "automatic_sign_in",
            "xmpp",
            "xmpp: found true, expected no such key: it changes no certificate",
            id="a switch",
        ),
        pytest.param("sign_in = true", 'sign_in = "yes"', 'found "yes", expected true or false', id="no boolean"),
        pytest.param(
            '"https://dialin.lab.example"', "3", "simple_urls, dialin: found 3, expected a text", id="a number"
        ),
        pytest.param("https://dialin.lab.example", "https://", 'found "https://", expected a URL', id="no URL"),
        pytest.param("[simple_urls]", "[simple_urls]\njoin = 1", "simple_urls, join: no such key", id="an unknown URL"),
        pytest.param(
            "[[pool]]", "[pool]", "lab.toml: no TOML: Cannot declare ('pool',) twice", id="one bracket, twice"
        ),
        pytest.param("[[host]]", "[[hosts]]", "lab.toml, line 16, hosts: no such key; did you mean: host", id="plural"),
        pytest.param("product = ", "product : ", "lab.toml: no TOML: Expected '='", id="no TOML"),
    ],
)
def test_a_mistake_is_told_in_one_line(old: str, new: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        lab((old, new))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[pool]\nfqdn = 1", "line 1, pool: expected tables with two brackets: [[pool]]"),
        ("simple_urls = 3", "line 1, simple_urls: found 3, expected a table [simple_urls]"),
        ("pool = [1]", "found [1], expected tables with two brackets"),
        ('host = [{ fqdn = "a.example", role = "edg" }]', "line 1, host 1, role: found"),
        ('product = "a\\nb\\u001b"', 'product: found "a\\nb\\u001b", expected one of'),
        ('"a\\nb\\u001b" = 1', "no such key"),
    ],
)
def test_other_shapes(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=r"^topology, ") as caught:
        parse_topology(text)
    assert told in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "cannot read the topology"),
        (b"\xff\xfe", "byte 0 is no UTF-8"),
        (b"#" * (MAX_FILE + 1), "that is no topology"),
    ],
    ids=["no file", "UTF-16", "too long"],
)
def test_a_file_that_is_no_topology(data: bytes | None, told: str, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read_topology(str(path))
    assert told in str(caught.value)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_bytes(b"\xef\xbb\xbf" + LAB.replace("\n", "\r\n").encode())
    assert read_topology(str(path)).product == "sfb-2015"


def test_the_documented_example_is_the_file_and_can_be_read() -> None:
    text = (DOCS / "topology-example.toml").read_text(encoding="utf-8")
    page = (DOCS / "topology.md").read_text(encoding="utf-8")
    assert f"```toml\n{text}```" in page
    read = parse_topology(text)
    assert read.label("203.0.113.21", 5061) == "edge external sip.contoso.example"
    assert len(read.hosts) == 6


def test_the_page_names_every_key_and_every_role() -> None:
    from analyzer.knowledge.deployment import products, roles, switches

    page = (DOCS / "topology.md").read_text(encoding="utf-8")
    for word in (*products(), *roles(), *switches()):
        assert f"`{word}`" in page


values = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["fqdn", "role", "pool", "x"]), inner),
    max_leaves=8,
)


def written(value: Any) -> str:
    """A value as TOML; texts may hold anything."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) < 0xE000) + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return "{" + ", ".join(f"{key} = {written(inner)}" for key, inner in value.items()) + "}"


@settings(max_examples=60, deadline=None)
@given(key=st.sampled_from(["product", "sip_domains", "simple_urls", "pool", "host", "zzz"]), value=values)
def test_any_value_is_taken_or_told(key: str, value: Any) -> None:
    try:
        parse_topology(f"{key} = {written(value)}")
    except UsageError as error:
        assert str(error)
        assert "\n" not in str(error)


@settings(max_examples=60, deadline=None)
@given(start=st.integers(0, len(LAB)), cut=st.integers(0, 40), put=st.text(max_size=8))
def test_a_file_changed_anywhere_is_taken_or_told(start: int, cut: int, put: str) -> None:
    try:
        parse_topology(LAB[:start] + put + LAB[start + cut :])
    except UsageError as error:
        assert str(error)
        assert "\n" not in str(error)
