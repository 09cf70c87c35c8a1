"""ClientHello and ServerHello: every extension, SSLv2 format, drafts, and the memory of shapes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import ParseError
from analyzer.tls import hellos, sslv2
from analyzer.tls.hellos import parse_client_hello, parse_old_retry, parse_server_hello
from analyzer.tls.messages import Certificate, ClientHello, ServerHello
from tests.build import handshake as hs

FULL = [
    (0x1A1A, b""),
    hs.server_name_extension(b"sip.example.com"),
    hs.groups_extension(0x2A2A, 0x11EC, 29, 23),
    hs.point_formats_extension(0, 1),
    hs.signature_schemes_extension(0x0403, 0x0804),
    hs.signature_schemes_extension(0x0905, code=50),
    hs.alpn_extension(b"h2", b"http/1.1"),
    hs.supported_versions_extension(0x3A3A, 0x0304, 0x0303),
    hs.key_share_extension((0x2A2A, b"\0"), (0x11EC, bytes(1216)), (29, bytes(32))),
    (45, b"\1\1"),
    (27, b"\4\0\2\0\1"),
    (35, b"ticket" * 20),
    hs.authorities_extension(b"\x30\0", b"\x30\2ab"),
    (44, hs.vector(2, b"cookie")),
    (42, b""),
    (0xFE0D, b"\0" + bytes(60)),
    hs.pre_shared_key_extension(b"one", b"two"),
]


def client(**fields: object) -> ClientHello:
    return parse_client_hello(hs.client_hello(**fields)[4:], 0x0301)  # type: ignore[arg-type]


def server(**fields: object) -> ServerHello:
    return parse_server_hello(hs.server_hello(**fields)[4:])  # type: ignore[arg-type]


def test_every_field_of_a_client_hello() -> None:
    hello = client(session_id=b"id", suites=(0x1301, 0xC02F), extensions=FULL)
    assert (hello.legacy_version, hello.record_version, hello.random, hello.session_id) == (
        0x0303,
        0x0301,
        hs.RANDOM,
        b"id",
    )
    assert (hello.cipher_suites, hello.compression_methods) == ((0x1301, 0xC02F), (0,))
    assert hello.extensions == tuple(code for code, _ in FULL)
    assert (hello.server_name, hello.alpn) == ("sip.example.com", ("h2", "http/1.1"))
    assert hello.supported_versions == (0x3A3A, 0x0304, 0x0303)
    assert hello.supported_groups == (0x2A2A, 0x11EC, 29, 23)
    assert hello.key_share_groups == (0x2A2A, 0x11EC, 29)
    assert (hello.signature_schemes, hello.signature_schemes_cert) == ((0x0403, 0x0804), (0x0905,))
    assert (hello.ec_point_formats, hello.psk_key_exchange_modes, hello.compress_certificate) == ((0, 1), (1,), (2, 1))
    assert hello.certificate_authorities == (b"\x30\0", b"\x30\2ab")
    assert (hello.session_ticket_bytes, hello.psk_identities, hello.early_data, hello.ech) == (120, 2, True, "outer")
    assert (hello.sslv2, hello.fixed_pattern, hello.oddities) == (False, None, ())


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        pytest.param(None, None, id="the hello ends before the extensions block"),
        pytest.param([], (), id="an empty extensions block"),
        pytest.param([(23, b"")], (23,), id="an extension without a parser"),
        pytest.param([(0xABCD, b"?")], (0xABCD,), id="an unknown extension"),
    ],
)
def test_which_extensions_there_are(extensions: list[hs.Extension] | None, expected: tuple[int, ...] | None) -> None:
    hello = client(extensions=extensions)
    assert (hello.extensions, hello.server_name, hello.alpn, hello.oddities) == (expected, None, None, ())


@pytest.mark.parametrize(
    ("extension", "name", "oddity"),
    [
        pytest.param(hs.server_name_extension(b"a.example"), "a.example", "", id="a name"),
        pytest.param(hs.server_name_extension(), "", "", id="an empty extension"),
        pytest.param((0, b"\0\0"), "", "", id="an empty list"),
        pytest.param(
            hs.server_name_extension(b"a\x00\x1b[0m\xff"), "a\\x00\\x1b[0m\\xff", "", id="a name that plays tricks"
        ),
        pytest.param(
            hs.server_name_extension(b"a.example", b"b.example"), "a.example", "more than one", id="two names"
        ),
        pytest.param((0, hs.vector(2, b"\7" + hs.vector(2, b"x"))), "", "type 7", id="a name of another type"),
        pytest.param(
            (0, b"\0\x20\0\0\5abcde"), "", "server_name_list says 32 bytes, 8 remain", id="a list that is cut"
        ),
        pytest.param((0, hs.vector(2, b"\0" + hs.vector(2, b"x")) + b"?"), "x", "too many", id="bytes behind the list"),
    ],
)
def test_server_name(extension: hs.Extension, name: str, oddity: str) -> None:
    hello = client(extensions=[extension])
    assert hello.server_name == name
    assert oddity in "".join(hello.oddities)
    assert bool(hello.oddities) == bool(oddity)


@pytest.mark.parametrize(
    ("extension", "ech"),
    [
        pytest.param((0xFE0D, b"\0" + bytes(40)), "outer", id="the outer hello"),
        pytest.param((0xFE0D, b"\1"), "inner", id="the inner hello"),
        pytest.param((0xFFCE, bytes(40)), "draft-esni", id="the draft before"),
        pytest.param((0xFE0D, b"\7"), None, id="an unknown form"),
    ],
)
def test_encrypted_client_hello(extension: hs.Extension, ech: str | None) -> None:
    assert client(extensions=[extension]).ech == ech


def test_one_bad_extension_does_not_spoil_the_others() -> None:
    hello = client(extensions=[(10, b"\0\3abc"), hs.server_name_extension(b"a"), (0, b""), hs.alpn_extension(b"h2")])
    assert (hello.supported_groups, hello.server_name, hello.alpn) == (None, "a", ("h2",))
    assert hello.oddities == (
        "extension supported_groups: named_group_list of 3 bytes is no multiple of 2",
        "extension server_name comes twice; the first one counts",
    )


def test_oddities_are_bounded() -> None:
    assert len(client(extensions=[(10, b"?")] * 5000).oddities) == 10


@pytest.mark.parametrize(
    ("raw", "suites", "oddity"),
    [
        pytest.param("0003 c02fc0 0100", (0xC02F,), "no multiple of 2", id="an odd number of bytes"),
        pytest.param(
            "0099 c02fc030", (0xC02F, 0xC030), "cipher_suites says 153 bytes, 4 remain", id="a list that is cut"
        ),
        pytest.param("0002 c02f", (0xC02F,), "needs 1 bytes", id="nothing behind the suites"),
        pytest.param("0002 c02f 0100 0009 0000", (0xC02F,), "extensions says 9 bytes, 2 remain", id="block cut"),
        pytest.param("0002 c02f 0100 0000 ff", (0xC02F,), "followed by 1 bytes", id="bytes behind the block"),
    ],
)
def test_damaged_hellos_are_read_as_far_as_they_go(raw: str, suites: tuple[int, ...], oddity: str) -> None:
    hello = parse_client_hello(b"\3\3" + hs.RANDOM + b"\0" + bytes.fromhex(raw))
    assert hello.cipher_suites == suites
    assert oddity in "".join(hello.oddities)


def test_a_long_session_id_is_odd() -> None:
    assert "33 bytes" in client(session_id=bytes(33)).oddities[0]


@pytest.mark.parametrize("size", [0, 2, 33, 34, 35, 36])
def test_a_hello_that_ends_before_its_suites_is_no_hello(size: int) -> None:
    with pytest.raises(ParseError):
        parse_client_hello((b"\3\3" + hs.RANDOM + b"\2" + bytes(9))[:size])


# ---- ServerHello -----------------------------------------------------------------------------------------------------


def test_every_field_of_a_server_hello() -> None:
    extensions = [(65281, b"\0"), hs.alpn_extension(b"h2")]
    hello = server(session_id=b"id", suite=0xC030, compression=1, extensions=extensions)
    assert (hello.legacy_version, hello.selected_version, hello.random) == (0x0303, 0x0303, hs.RANDOM)
    assert (hello.session_id, hello.cipher_suite, hello.compression_method) == (b"id", 0xC030, 1)
    assert (hello.extensions, hello.alpn, hello.oddities) == ((65281, 16), "h2", ())


def test_tls13_server_hello() -> None:
    extensions = [
        hs.selected_version_extension(0x0304),
        hs.server_key_share_extension(0x11EC, bytes(1120)),
        (41, b"\0\1"),
    ]
    hello = server(suite=0x1302, extensions=extensions)
    assert (hello.selected_version, hello.key_share_group, hello.psk_identity) == (0x0304, 0x11EC, 1)
    assert not hello.hello_retry_request


def test_hello_retry_request() -> None:
    hello = parse_server_hello(hs.hello_retry_request(group=24)[4:])
    assert (hello.hello_retry_request, hello.key_share_group, hello.selected_version) == (True, 24, 0x0304)


@pytest.mark.parametrize(
    ("ending", "downgrade"),
    [(b"DOWNGRD\x01", "TLSv1.2"), (b"DOWNGRD\x00", "TLSv1.1"), (bytes(8), None)],
)
def test_downgrade_sentinel(ending: bytes, downgrade: str | None) -> None:
    assert server(random=bytes(24) + ending).downgrade == downgrade


@pytest.mark.parametrize(
    ("version", "extensions"),
    [
        pytest.param("7f12", [(40, b"\0\x1d\0\x02ab")], id="draft 18"),
        pytest.param("0304", [(40, b"\0\x1d\0\x02ab")], id="draft 14 wrote the final version"),
    ],
)
def test_early_drafts_had_no_session_id(version: str, extensions: list[hs.Extension]) -> None:
    hello = parse_server_hello(bytes.fromhex(version) + hs.RANDOM + b"\x13\1" + hs.extensions_block(extensions))
    assert (hello.selected_version, hello.cipher_suite) == (int(version, 16), 0x1301)
    assert (hello.key_share_group, hello.session_id, hello.random) == (29, b"", hs.RANDOM)


@pytest.mark.parametrize(
    ("raw", "suite"), [("7f12 0006 0028 0002 0017", 0), ("7f13 1302 0006 0028 0002 0017", 0x1302)], ids=["18", "19"]
)
def test_retry_message_of_early_drafts(raw: str, suite: int) -> None:
    hello = parse_old_retry(bytes.fromhex(raw))
    assert (hello.hello_retry_request, hello.cipher_suite, hello.key_share_group) == (True, suite, 23)


def test_a_server_hello_that_is_cut_behind_its_suite_is_odd() -> None:
    hello = parse_server_hello(b"\3\3" + hs.RANDOM + b"\0\xc0\x2f")
    assert (hello.cipher_suite, hello.extensions) == (0xC02F, None)
    assert hello.oddities


# ---- SSLv2 format ----------------------------------------------------------------------------------------------------


def test_sslv2_client_hello() -> None:
    record = hs.sslv2_client_hello(kinds=(0x010080, 0x000004, 0x0000FF), session_id=b"s" * 16)
    assert sslv2.record_size(record[: sslv2.NEED]) == len(record)
    hello = sslv2.parse_client_hello(record[2:])
    assert (hello.legacy_version, hello.cipher_suites) == (0x0301, (0x010080, 0x0004, 0x00FF))
    assert (hello.random, hello.session_id, hello.sslv2) == (bytes(range(16)), b"s" * 16, True)
    assert (hello.extensions, hello.server_name, hello.ja3) == (None, None, "")


def test_sslv2_server_hello_brings_its_certificate() -> None:
    record = hs.sslv2_server_hello(der=b"leaf", kinds=(0x010080, 0x0700C0))
    hello, chain = sslv2.parse_server_hello(record[2:])
    assert (hello.selected_version, hello.cipher_suite, hello.sslv2) == (2, 0x010080, True)
    assert chain == Certificate((b"leaf",))


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"\x16\x03\x01\x00\x2d\x01" + bytes(8), id="a TLS record"),
        pytest.param(b"\x80\x2e\x01\x03\x01\x00\x0a" + bytes(8), id="kinds that are no multiple of three"),
        pytest.param(b"\x80\x99\x01\x03\x01\x00\x09\0\0\0\x10" + bytes(4), id="lengths that do not add up"),
        pytest.param(b"\x80\x22\x01\x09\x01\x00\x09\0\0\0\x10" + bytes(4), id="a version that does not exist"),
        pytest.param(b"\x80\x22\x07\x03\x01\x00\x09\0\0\0\x10" + bytes(4), id="another message"),
        pytest.param(b"\x80", id="one byte"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_no_sslv2_hello(start: bytes) -> None:
    assert sslv2.record_size(start[: sslv2.NEED]) is None


@given(st.binary(max_size=80))
def test_any_sslv2_payload_is_read_or_refused(payload: bytes) -> None:
    for parse in (sslv2.parse_client_hello, sslv2.parse_server_hello, sslv2.parse_error):
        try:
            parse(payload)
        except ParseError as error:
            assert error.reason


# ---- shapes and anything ---------------------------------------------------------------------------------------------

HELLOS = st.builds(
    lambda random, session, name, key, ticket, suites: {
        "random": random,
        "session_id": session,
        "suites": suites,
        "extensions": [
            hs.server_name_extension(name),
            hs.key_share_extension((29, key), (23, key[::-1])),
            (35, ticket),
            hs.pre_shared_key_extension(ticket, key),
        ],
    },
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=32),
    st.binary(min_size=4, max_size=6),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=6, max_size=8),
    st.sampled_from([(0x1301,), (0x1302,), (0x1301, 0x1302)]),
)


@settings(max_examples=60)
@given(st.lists(HELLOS, min_size=2, max_size=6))
def test_a_hello_of_a_known_shape_has_its_own_values(fields: list[dict[str, object]]) -> None:
    for each in fields + fields[::-1]:
        hello = client(**each)
        assert (hello.random, hello.session_id) == (each["random"], each["session_id"])
        assert hello.cipher_suites == each["suites"]
        extensions = each["extensions"]
        assert isinstance(extensions, list)
        assert hello.server_name == client(extensions=[extensions[0]]).server_name
        assert hello.session_ticket_bytes == len(extensions[2][1])
        assert hello.psk_identities == 2


def test_shapes_that_differ_right_behind_a_key_are_two() -> None:
    for groups in ((29, 0x0017), (29, 0x11EC), (29, 0x6399)):
        shares = [(group, bytes(32)) for group in groups]
        assert client(extensions=[hs.key_share_extension(*shares)]).key_share_groups == groups
    for second in (23, 0x1100, 0x5500):
        hello = client(extensions=[(35, bytes(7)), (second, b"")])
        assert hello.extensions == (35, second)
    for version in (0x0304, 0x0303):
        share = hs.server_key_share_extension(29, bytes(32))
        assert server(extensions=[share, hs.selected_version_extension(version)]).selected_version == version


def test_keys_and_names_do_not_make_a_new_shape() -> None:
    def count(fill: bytes) -> int:
        names, keys = hs.server_name_extension(fill * 9), hs.key_share_extension((29, fill * 32))
        tickets = [(35, fill * 40), (44, hs.vector(2, fill * 8)), (0xFE0D, b"\0" + fill * 30)]
        client(random=fill * 32, extensions=[names, keys, *tickets, hs.pre_shared_key_extension(fill * 20)])
        server(random=fill * 32, extensions=[hs.server_key_share_extension(29, fill * 32)])
        return hellos._clients._count + hellos._servers._count

    assert count(b"a") == count(b"b") == count(b"c")


@settings(max_examples=200)
@given(tail=st.binary(max_size=100), version=st.sampled_from([b"\3\3", b"\3\1", b"\x7f\x12", b"\3\4", b"\0\0"]))
def test_any_bytes_are_read_or_refused(tail: bytes, version: bytes) -> None:
    for parse in (parse_client_hello, parse_server_hello, parse_old_retry):
        try:
            parse(version + hs.RANDOM + tail)
        except ParseError as error:
            assert error.reason


@settings(max_examples=60)
@given(place=st.integers(34, 600), value=st.integers(0, 255))
def test_a_damaged_hello_is_not_taken_for_the_sound_one(place: int, value: int) -> None:
    """The memory of shapes must never answer for bytes that differ in more than keys."""
    sound = hs.client_hello(extensions=FULL[:10])[4:]
    parse_client_hello(sound)
    bent = bytearray(sound)
    bent[place % len(sound)] = value
    try:
        hello = parse_client_hello(bytes(bent))
    except ParseError:
        return
    kept, hellos._clients = hellos._clients, type(hellos._clients)()
    try:
        assert parse_client_hello(bytes(bent)) == hello
    finally:
        hellos._clients = kept
