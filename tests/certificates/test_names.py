"""Distinguished names: what they say, and when two are the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.certificates.names import Name, escape, parse_name
from tests.build import asn1

CN, O, C, DC = "2.5.4.3", "2.5.4.10", "2.5.4.6", "0.9.2342.19200300.100.1.25"  # noqa: E741
PRIVATE = "1.3.6.1.4.1.99999.1"
LAB = asn1.attribute(O, asn1.utf8("Lab"))


def common_name(value: bytes) -> bytes:
    return asn1.name([asn1.attribute(CN, value)])


@pytest.mark.parametrize(
    ("der", "text"),
    [
        pytest.param(asn1.name(), "", id="the empty name"),
        pytest.param(
            asn1.name([LAB], [asn1.attribute(CN, asn1.utf8("a"))]), "CN=a,O=Lab", id="most specific comes first"
        ),
        pytest.param(
            asn1.name([LAB, asn1.attribute(CN, asn1.utf8("a"))]), "O=Lab+CN=a", id="one RDN with two attributes"
        ),
        pytest.param(
            asn1.name([asn1.attribute(DC, asn1.ia5("org"))], [asn1.attribute(DC, asn1.ia5("lab"))]),
            "DC=lab,DC=org",
            id="domain components",
        ),
        pytest.param(common_name(asn1.teletex("Müller")), "CN=Müller", id="a TeletexString is read as Latin-1"),
        pytest.param(common_name(asn1.bmp("Żółć")), "CN=Żółć", id="a BMPString"),
        pytest.param(common_name(asn1.universal("日本")), "CN=日本", id="a UniversalString"),
        pytest.param(common_name(asn1.utf8("Lab, Inc.")), r"CN=Lab\, Inc.", id="a comma is escaped"),
        pytest.param(common_name(asn1.utf8('a"b+c;d<e>f\\g')), r"CN=a\"b\+c\;d\<e\>f\\g", id="all special characters"),
        pytest.param(common_name(asn1.utf8(" #a ")), r"CN=\ #a\ ", id="spaces at both ends"),
        pytest.param(common_name(asn1.utf8("#a")), r"CN=\#a", id="a leading number sign"),
        pytest.param(common_name(asn1.utf8(" ")), r"CN=\ ", id="one space alone"),
        pytest.param(common_name(asn1.utf8("a\0\x1bb")), r"CN=a\00\1Bb", id="controls become hex pairs"),
        pytest.param(common_name(asn1.utf8("a\u202eb")), r"CN=a\E2\80\AEb", id="a bidi mark becomes its UTF-8 octets"),
        pytest.param(common_name(asn1.tlv(0x0C, b"a\xffb")), r"CN=a\FFb", id="an octet that is no UTF-8"),
        pytest.param(common_name(asn1.tlv(0x1E, b"abc")), "CN=abc", id="a BMPString of three bytes"),
        pytest.param(
            asn1.name([asn1.attribute(PRIVATE, asn1.utf8("x"))]), f"{PRIVATE}=#0c0178", id="an unknown type is hex"
        ),
        pytest.param(common_name(asn1.integer(5)), "CN=#020105", id="a value that is no string is hex"),
        pytest.param(common_name(asn1.utf8("")), "CN=", id="an empty value"),
        pytest.param(
            asn1.name([asn1.attribute("1.2.840.113549.1.9.1", asn1.ia5("a@b.example"))]),
            "emailAddress=a@b.example",
            id="an email address",
        ),
    ],
)
def test_a_name_is_printed_as_rfc_4514_says(der: bytes, text: str) -> None:
    name = parse_name(der)
    assert (name.text, name.readable, name.der) == (text, True, der)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        pytest.param(common_name(asn1.utf8("a")), common_name(asn1.utf8("a")), True, id="the same bytes"),
        pytest.param(
            common_name(asn1.utf8("Root")), common_name(asn1.printable("root")), True, id="string type and case"
        ),
        pytest.param(common_name(asn1.utf8(" my  root")), common_name(asn1.utf8("My Root ")), True, id="white space"),
        pytest.param(common_name(asn1.utf8("STRASSE")), common_name(asn1.bmp("straße")), True, id="full case folding"),
        pytest.param(common_name(asn1.utf8("ａ")), common_name(asn1.utf8("a")), True, id="compatibility forms"),
        pytest.param(
            asn1.name([LAB, asn1.attribute(CN, asn1.utf8("a"))]),
            asn1.name([asn1.attribute(CN, asn1.utf8("a")), LAB]),
            True,
            id="an RDN is a set",
        ),
        pytest.param(
            asn1.name([LAB], [asn1.attribute(CN, asn1.utf8("a"))]),
            asn1.name([asn1.attribute(CN, asn1.utf8("a"))], [LAB]),
            False,
            id="a name is a sequence",
        ),
        pytest.param(
            asn1.name([LAB], [asn1.attribute(CN, asn1.utf8("a"))]),
            asn1.name([LAB, asn1.attribute(CN, asn1.utf8("a"))]),
            False,
            id="one RDN of two is not two RDNs",
        ),
        pytest.param(
            common_name(asn1.utf8("a")), asn1.name([asn1.attribute(O, asn1.utf8("a"))]), False, id="another type"
        ),
        pytest.param(common_name(asn1.utf8("ab")), common_name(asn1.utf8("a b")), False, id="a space inside"),
        pytest.param(common_name(asn1.utf8("é")), common_name(asn1.utf8("e")), False, id="an accent"),
        pytest.param(b"junk", b"junk", True, id="unreadable, the same bytes"),
        pytest.param(b"junk", b"junl", False, id="unreadable, other bytes"),
        pytest.param(b"junk", asn1.name(), False, id="unreadable is not empty"),
    ],
)
def test_names_are_compared_as_rfc_5280_says(left: bytes, right: bytes, equal: bool) -> None:
    one, other = parse_name(left), parse_name(right)
    assert (one == other) is equal
    assert not equal or hash(one) == hash(other)


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30", id="half a header"),
        pytest.param(b"\x30\x05\x31\x00", id="a length past the end"),
        pytest.param(asn1.set_of(), id="no SEQUENCE"),
        pytest.param(asn1.seq(asn1.seq()), id="an RDN that is no SET"),
        pytest.param(asn1.seq(asn1.set_of()), id="an empty RDN"),
        pytest.param(asn1.seq(asn1.set_of(asn1.seq(asn1.utf8("a"), asn1.utf8("b")))), id="a type that is no OID"),
        pytest.param(asn1.seq(asn1.set_of(asn1.seq(asn1.oid(CN)))), id="no value"),
    ],
)
def test_what_cannot_be_read_says_so_and_keeps_its_bytes(der: bytes) -> None:
    name = parse_name(der)
    assert (name.readable, name.text, name.attributes) == (False, f"(unreadable name: {der.hex()})", ())
    assert name.oddities


@pytest.mark.parametrize(
    ("value", "oddity"),
    [
        pytest.param(asn1.printable("Lab 1"), (), id="an ordinary PrintableString"),
        pytest.param(asn1.utf8("*.lab.example"), (), id="a star in a UTF8String"),
        pytest.param(asn1.printable("*.lab.example"), ("bad PrintableString",), id="a star in a PrintableString"),
        pytest.param(asn1.tlv(0x16, b"\xe4"), ("bad IA5String",), id="an umlaut in an IA5String"),
        pytest.param(asn1.tlv(0x0C, b"\xff"), ("bad UTF8String",), id="a UTF8String that is none"),
        pytest.param(asn1.tlv(0x1E, b"\xd8\x00"), ("bad BMPString",), id="half a surrogate pair"),
        pytest.param(asn1.tlv(0x1C, b"\0"), ("bad UniversalString",), id="a UniversalString of one byte"),
        pytest.param(asn1.tlv(0x12, b"x"), ("bad NumericString",), id="a letter in a NumericString"),
        pytest.param(asn1.boolean(True), ("name with a value of tag 0x01, no string",), id="a BOOLEAN"),
    ],
)
def test_odd_strings_are_read_and_named(value: bytes, oddity: tuple[str, ...]) -> None:
    name = parse_name(common_name(value))
    assert (name.oddities, name.readable) == (oddity, True)
    name.text.encode()
    (name.common_name or "").encode()  # nothing that no output can encode


@pytest.mark.parametrize(
    ("pair", "oddity"),
    [
        pytest.param(
            asn1.seq(asn1.oid(CN), asn1.utf8("a"), asn1.null()),
            "bytes behind the value of an attribute",
            id="a third part",
        ),
        pytest.param(
            asn1.seq(asn1.tlv(6, b"\x55\x04\x80\x03"), asn1.utf8("a")),
            "an attribute type that is no proper OID (2.5.4.3)",
            id="a padded OID",
        ),
    ],
)
def test_odd_attributes_are_read_and_named(pair: bytes, oddity: str) -> None:
    name = parse_name(asn1.name([pair]))
    assert (name.text, name.oddities) == ("CN=a", (oddity,))


def test_bytes_behind_a_name_are_noted() -> None:
    name = parse_name(common_name(asn1.utf8("a")) + b"x")
    assert (name.text, name.oddities) == ("CN=a", ("bytes behind the end of the name",))


def test_the_common_name_is_the_most_specific_one() -> None:
    two = asn1.name([asn1.attribute(CN, asn1.utf8("upper"))], [LAB], [asn1.attribute(CN, asn1.utf8("lower"))])
    assert parse_name(two).common_name == "lower"
    assert parse_name(asn1.name([LAB])).common_name is None
    assert str(parse_name(asn1.name([LAB]))) == "O=Lab"


def test_equal_bytes_give_the_same_object() -> None:
    assert parse_name(common_name(asn1.utf8("a"))) is parse_name(common_name(asn1.utf8("a")))


def test_a_name_equals_no_other_thing_and_one_without_a_folded_form_only_its_bytes() -> None:
    bare = Name(asn1.name([LAB]), "O=Lab")
    assert parse_name(asn1.name()) != ""
    assert bare == parse_name(asn1.name([LAB]))
    assert bare != parse_name(asn1.name([asn1.attribute(O, asn1.utf8("LAB"))]))
    assert len({bare, Name(asn1.name([LAB]), "O=Lab")}) == 1


def test_a_name_of_65_000_bytes_is_read_whole() -> None:
    many = asn1.name(*([asn1.attribute(O, asn1.utf8(f"unit {number}"))] for number in range(4000)))
    assert len(parse_name(many).attributes) == 4000
    assert len(parse_name(common_name(asn1.utf8("x" * 65_000))).text) == 65_003


def unescape(text: str) -> str:
    """RFC 4514 section 3, backwards."""
    out, at = bytearray(), 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
        elif text[at + 1] in '\\"+,;<># ':
            out += text[at + 1].encode()
            at += 2
        else:
            out.append(int(text[at + 1 : at + 3], 16))
            at += 3
    return out.decode()


@given(value=st.text())
def test_escaping_can_be_undone_and_leaves_nothing_unprintable(value: str) -> None:
    value = value.encode("utf-8", "ignore").decode()
    escaped = escape(value)
    assert unescape(escaped) == value
    assert escaped.isprintable()
    assert not escaped.startswith((" ", "#"))


@given(
    rdns=st.lists(st.lists(st.tuples(st.sampled_from([CN, O, PRIVATE]), st.text(max_size=8)), min_size=1, max_size=3))
)
def test_what_was_built_is_read_back(rdns: list[list[tuple[str, str]]]) -> None:
    clean = [[(kind, value.encode("utf-8", "ignore").decode()) for kind, value in rdn] for rdn in rdns]
    name = parse_name(asn1.name(*([asn1.attribute(kind, asn1.utf8(value)) for kind, value in rdn] for rdn in clean)))
    keywords = {CN: "CN", O: "O"}
    assert name.attributes == tuple((keywords.get(kind, kind), value) for rdn in clean for kind, value in rdn)


@settings(max_examples=200)
@given(der=st.binary(max_size=60))
def test_any_bytes_are_a_name_or_an_unreadable_one(der: bytes) -> None:
    for candidate in (der, asn1.seq(der), asn1.seq(asn1.set_of(der)), asn1.name([asn1.tlv(0x30, asn1.oid(CN) + der)])):
        name = parse_name(candidate)
        name.text.encode()
        assert name == parse_name(candidate)
        hash(name)
