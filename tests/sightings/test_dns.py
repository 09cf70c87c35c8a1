"""DNS messages: what is read of whole ones, and that broken ones end where they break."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sightings.dns import MAX_RECORDS, Record, Type, parse
from tests.build import dns

QUESTION_NAME = b"\xc0\x0c"
"""A pointer to the name of the question."""


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param((dns.address("a.example", "192.0.2.1"),), [("a.example", Type.A, "192.0.2.1")], id="an address"),
        pytest.param((dns.address("A.Example", "2001:db8::1"),), [("a.example", Type.AAAA, "2001:db8::1")], id="IPv6"),
        pytest.param(
            (dns.address(QUESTION_NAME, "192.0.2.1"),),
            [("a.example", Type.A, "192.0.2.1")],
            id="a pointer to the question",
        ),
        pytest.param(
            (dns.alias("a.example", b"\3www\xc0\x0c"),),
            [("a.example", Type.CNAME, "www.a.example")],
            id="labels, then a pointer",
        ),
        pytest.param(((QUESTION_NAME, 16, b"\3txt"),), [], id="other types are passed over"),
        pytest.param((("a.example", dns.A, b"\1\2\3"),), [], id="an address of three bytes"),
        pytest.param((("a.example", dns.SRV, b"\0\0\0"),), [], id="a service cut short"),
        pytest.param(
            (dns.address("sp ace\\.example", "192.0.2.1"),),
            [("sp\\032ace\\092.example", Type.A, "192.0.2.1")],
            id="bytes that no host name has",
        ),
    ],
)
def test_records(records: tuple[dns.Record, ...], expected: list[tuple[str, int, str]]) -> None:
    message = parse(dns.answer("a.example", *records))
    assert message is not None
    assert [(record.owner, record.type, record.value) for record in message.records] == expected


def test_a_service_has_a_port() -> None:
    message = parse(
        dns.answer("_sip._tls.example.com", dns.service(QUESTION_NAME, "sip.example.com", 443), kind=dns.SRV)
    )
    assert message is not None
    assert message.records == (Record("_sip._tls.example.com", Type.SRV, "sip.example.com", 443),)
    assert (message.name, message.type, message.answer) == ("_sip._tls.example.com", Type.SRV, True)


def test_the_additional_section_counts() -> None:
    message = parse(dns.answer("a.example", more=(dns.address("b.example", "192.0.2.2"),)))
    assert message is not None
    assert [record.owner for record in message.records] == ["b.example"]


def test_a_question_and_a_refusal() -> None:
    asked, refused = parse(dns.question("a.example", number=7)), parse(dns.answer("a.example", rcode=3))
    assert asked is not None
    assert (asked.id, asked.answer, asked.name) == (7, False, "a.example")
    assert refused is not None
    assert (refused.rcode, refused.records) == ("NXDOMAIN", ())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(dns.question("a.example")[:11], id="a header cut short"),
        pytest.param(dns.question("a.example")[:-5], id="a question cut short"),
        pytest.param(dns.question(QUESTION_NAME), id="a name that points to itself"),
        pytest.param(dns.question(b"\xc0\x40"), id="a name that points forward"),
        pytest.param(dns.question(b"\xc0\x12") + b"\1a\0", id="a name that points forward to a name"),
        pytest.param(dns.question(b"\x40a"), id="a label of an unknown kind"),
        pytest.param(
            dns.question(b"\x3f" + b"x" * 63 + b"\x3f" + b"x" * 63 + b"\x3f" + b"x" * 63 + b"\x3f" + b"x" * 63 + b"\0"),
            id="more than 255 bytes",
        ),
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    assert parse(data) is None


def test_what_comes_before_a_break_counts() -> None:
    whole = dns.answer("a.example", dns.address("a.example", "192.0.2.1"), dns.address("a.example", "192.0.2.2"))
    for cut in range(1, 25):
        message = parse(whole[:-cut])
        assert message is not None
        assert [record.value for record in message.records] == ["192.0.2.1"]


def test_pointers_to_pointers_end() -> None:
    """Each points to the one before: no loop, but a long way."""
    start = 12 + 2 + 4
    ladder = b"".join((0xC000 | (12 if i == 0 else start + 2 * (i - 1))).to_bytes(2) for i in range(2_000))
    head = dns.question("")[:4] + b"\0\1\0\1\0\0\0\0"
    message = parse(head + b"\0" + b"\0\1\0\1" + ladder + ladder[-2:] + b"\0\1\0\1\0\0\0\0\0\4" + bytes(4))
    assert message is not None
    assert message.records == ()


def test_records_are_bounded() -> None:
    message = parse(dns.answer("a.example", *[dns.address(QUESTION_NAME, "192.0.2.1")] * 200))
    assert message is not None
    assert len(message.records) == MAX_RECORDS


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(junk: bytes, tail: bytes) -> None:
    parse(junk)
    parse(dns.answer("a.example", (QUESTION_NAME, dns.CNAME, junk)) + tail)
    parse(b"\0\1\x81\x80\0\1\0\7\0\0\0\0" + junk + tail)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True), min_size=1, max_size=6), st.ip_addresses())
def test_what_is_built_is_read(labels: list[str], ip: object) -> None:
    host = ".".join(labels)
    message = parse(dns.answer(host, dns.address(QUESTION_NAME, str(ip))))
    assert message is not None
    assert message.name == host
    assert [record.owner for record in message.records] == [host]
