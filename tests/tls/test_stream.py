"""One direction from bytes to events: framing, what is clear and what is not, holes, ends, and floods."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.tls.messages import (
    Alert,
    ClientHello,
    Event,
    Handshake,
    Lost,
    Malformed,
    OpaqueRecord,
    Preamble,
    ServerHello,
    Span,
)
from analyzer.tls.stream import State, TlsStream
from tests.build import handshake as hs
from tests.build.records import alert, application_data, change_cipher_spec, encrypted, record, records
from tests.tls.streams import events_of, holed, slices, words

HELLO = hs.client_hello(extensions=[hs.server_name_extension(b"sip.example.com")])
FLIGHT = (
    hs.server_hello()
    + hs.certificate(b"leaf" * 200, b"root" * 150)
    + hs.server_key_exchange_ecdhe()
    + hs.certificate_request(b"CN=one", b"CN=two")
    + hs.server_hello_done()
)
FLIGHT_TYPES = ["2", "11", "12", "13", "14"]
ANSWER = hs.certificate(b"client" * 90) + hs.client_key_exchange() + hs.certificate_verify()
FINISH = change_cipher_spec() + encrypted(22, 40)

STORIES = [
    pytest.param(record(HELLO), ["1"], id="a hello alone"),
    pytest.param(record(FLIGHT), FLIGHT_TYPES, id="a whole flight shares one record"),
    pytest.param(records(FLIGHT, 100), FLIGHT_TYPES, id="messages span records"),
    pytest.param(records(HELLO, 1), ["1"], id="one-byte records"),
    pytest.param(record(HELLO[:20]) + record(b"") + record(HELLO[20:]), ["1"], id="an empty record inside a message"),
    pytest.param(record(HELLO, version=0x03FE), ["1"], id="any record version 0x03xx"),
    pytest.param(
        record(FLIGHT) + FINISH + application_data(20),
        [*FLIGHT_TYPES, "ccs", "opaque 22", "opaque 23"],
        id="TLS 1.2 server",
    ),
    pytest.param(
        record(HELLO) + record(ANSWER) + FINISH + encrypted(21, 26),
        ["1", "11", "16", "15", "ccs", "opaque 22", "opaque 21"],
        id="TLS 1.2 client with a certificate, and an encrypted alert",
    ),
    pytest.param(record(HELLO) + alert(48), ["1", "alert 48"], id="an alert in clear"),
    pytest.param(
        record(HELLO) + record(b"\2", 21) + record(b"\x30", 21), ["1", "alert 48"], id="an alert in two records"
    ),
    pytest.param(
        record(HELLO) + record(b"\1\x70\2\x28", 21), ["1", "alert 112", "alert 40"], id="two alerts in a record"
    ),
    pytest.param(alert(70), ["alert 70"], id="a server that only refuses"),
    pytest.param(
        record(hs.server_hello_13()) + change_cipher_spec() + encrypted(23, 300) + encrypted(23, 53),
        ["2", "ccs", "opaque 23", "opaque 23"],
        id="TLS 1.3 server: encrypted after ServerHello",
    ),
    pytest.param(
        record(hs.server_hello_13(version=0x7F1C)) + encrypted(22, 60), ["2", "opaque 22"], id="TLS 1.3 draft server"
    ),
    pytest.param(
        record(HELLO) + change_cipher_spec() + encrypted(23, 53), ["1", "ccs", "opaque 23"], id="TLS 1.3 client"
    ),
    pytest.param(
        record(HELLO) + change_cipher_spec() + alert(48),
        ["1", "ccs", "alert 48"],
        id="TLS 1.3 client without keys yet: its alert is in clear behind ChangeCipherSpec",
    ),
    pytest.param(
        record(HELLO) + change_cipher_spec() + record(b"\x93\x11", 21),
        ["1", "ccs", "opaque 21"],
        id="two bytes that are no known alert stay opaque",
    ),
    pytest.param(
        record(hs.hello_retry_request()) + change_cipher_spec() + record(hs.server_hello_13()) + encrypted(23, 99),
        ["2", "ccs", "2", "opaque 23"],
        id="server around a HelloRetryRequest",
    ),
    pytest.param(
        record(HELLO) + change_cipher_spec() + record(HELLO) + encrypted(23, 53),
        ["1", "ccs", "1", "opaque 23"],
        id="client around a HelloRetryRequest",
    ),
    pytest.param(
        record(HELLO) + change_cipher_spec() + encrypted(23, 90) + record(HELLO) + encrypted(23, 53),
        ["1", "ccs", "opaque 23", "1", "opaque 23"],
        id="client whose early data was refused by a HelloRetryRequest",
    ),
    pytest.param(
        record(HELLO) + change_cipher_spec() + record(b"\1\0\0\x24" + bytes(36)),
        ["1", "ccs", "opaque 22"],
        id="an encrypted Finished that starts like a hello is none",
    ),
    pytest.param(record(HELLO) + record(b"\1\0\3abc", 24), ["1", "opaque 24"], id="heartbeat in clear"),
    pytest.param(
        hs.sslv2_client_hello() + record(ANSWER) + FINISH,
        ["1", "11", "16", "15", "ccs", "opaque 22"],
        id="a hello in SSLv2 format, then TLS records",
    ),
    pytest.param(
        hs.sslv2_client_hello(version=2) + hs.sslv2_record(b"\2" + bytes(40)), ["1", "opaque 0"], id="an SSLv2 client"
    ),
    pytest.param(
        hs.sslv2_server_hello() + b"\x00\x20\x03" + bytes(32),
        ["2", "11", "opaque 0"],
        id="an SSLv2 server, then padding",
    ),
    pytest.param(hs.sslv2_record(b"\0\0\1"), ["malformed"], id="an SSLv2 server without a common cipher"),
    pytest.param(
        hs.ms_turn_client_hello() + b"\2\0\0\x10" + bytes(16), ["1"], id="MS-TURN client: what follows is hidden"
    ),
    pytest.param(hs.ms_turn_server_hello() + b"\2\0\0\x10" + bytes(16), ["2", "14"], id="MS-TURN server"),
    pytest.param(hs.GOOGLE_CLIENT_HELLO + b"anything", ["1"], id="Google's pseudo-TLS client"),
    pytest.param(hs.GOOGLE_SERVER_HELLO + b"anything", ["2"], id="Google's pseudo-TLS server"),
    pytest.param(record(HELLO) + b"GET / HTTP/1.1\r\n", ["1", "malformed"], id="plain text behind a hello"),
    pytest.param(
        record(HELLO) + b"\x16\x03\x03\xff\xff", ["1", "malformed"], id="a record longer than any version allows"
    ),
    pytest.param(
        record(hs.message(11, b"")[:1] + b"\x20\0\0") + records(bytes(2**21), 2**14) + record(hs.server_hello_done()),
        ["malformed", "14"],
        id="a message over the limit is skipped, and the next one read",
    ),
    pytest.param(
        record(b"\x0b\x20\0\0\x1f\xff\xfd" + b"\0\1\0" * 4)
        + records(bytes(2**21 - 15), 2**14)
        + record(hs.server_hello_done()),
        ["malformed", "11", "14"],
        id="of a chain over the limit the beginning is read",
    ),
    pytest.param(record(FLIGHT[:60]) + FINISH, ["2", "malformed", "ccs", "opaque 22"], id="CCS inside a message"),
    pytest.param(record(HELLO) + record(b"\1\1", 20), ["1", "opaque 20"], id="a ChangeCipherSpec of two bytes is none"),
    pytest.param(record(HELLO) + record(b"", 21) + record(b"", 20) + alert(40), ["1", "alert 40"], id="empty records"),
    pytest.param(record(HELLO[:40]), ["lost 1 broken"], id="ends between the records of a hello"),
    pytest.param(record(HELLO[:2]), ["lost 1 broken"], id="ends inside a message header"),
    pytest.param(
        record(HELLO) + change_cipher_spec() + record(b"\1\0\2\x28", 21), ["1", "ccs", "opaque 21"], id="only two bytes"
    ),
    pytest.param(
        record(HELLO) + change_cipher_spec() + record(HELLO + HELLO), ["1", "ccs", "opaque 22"], id="two hellos: chance"
    ),
    pytest.param(hs.sslv2_server_hello(der=b""), ["2"], id="an SSLv2 server that resumes: no certificate"),
    pytest.param(record(HELLO)[:-9], ["lost 1 broken"], id="ends inside a hello"),
    pytest.param(
        record(FLIGHT)[:-9], [*FLIGHT_TYPES[:3], "lost 13 broken"], id="ends inside a record: whole messages count"
    ),
    pytest.param(record(HELLO) + b"\x16\x03", ["1", "lost None broken"], id="ends inside a record header"),
    pytest.param(record(HELLO) + record(b"\2", 21), ["1", "lost None broken"], id="ends inside an alert"),
    pytest.param(b"\x16\x03\x01", ["lost None broken"], id="ends inside the very first header"),
    pytest.param(record(HELLO) + FINISH + encrypted(23, 90)[:40], ["1", "ccs", "opaque 22"], id="ends inside data"),
    pytest.param(b"", [], id="nothing at all"),
    pytest.param(record(hs.message(99, b"??")) + record(hs.server_hello()), ["99", "2"], id="an unknown message type"),
    pytest.param(record(hs.message(2, b"??")), ["2"], id="an unreadable hello is still a message"),
]


@pytest.mark.parametrize(("data", "expected"), STORIES)
def test_events(data: bytes, expected: list[str]) -> None:
    assert words(events_of(data)) == expected


@pytest.mark.parametrize("data", [pytest.param(story.values[0], id=str(story.id)) for story in STORIES])
@settings(max_examples=12)
@given(cuts=st.lists(st.integers(0, 2500), max_size=12))
def test_slices_never_change_events(data: object, cuts: list[int]) -> None:
    assert isinstance(data, bytes)
    assert events_of(data, cuts) == events_of(data)


@pytest.mark.parametrize("data", [record(HELLO) + record(ANSWER) + FINISH, records(FLIGHT, 300) + FINISH])
def test_byte_by_byte_gives_the_same_events(data: bytes) -> None:
    assert events_of(data, range(len(data))) == events_of(data)


def test_span_is_exactly_the_message_and_records_are_counted() -> None:
    data = record(hs.server_hello() + hs.certificate(b"x" * 300)[:100]) + record(hs.certificate(b"x" * 300)[100:])
    first, second = events_of(data)
    assert isinstance(first, Handshake)
    assert isinstance(second, Handshake)
    assert (first.span, first.size, first.records) == (Span(5, 49), 44, 1)
    assert (second.span, second.size, second.records) == (Span(49, len(data)), 310, 2)


def test_span_of_a_message_that_has_its_record_alone() -> None:
    data = record(hs.server_hello()) + record(hs.server_hello_done())
    assert [e.span for e in events_of(data) if isinstance(e, Handshake)] == [Span(5, 49), Span(54, 58)]


def test_the_parts_around_a_hole_are_one_record() -> None:
    flight = hs.server_hello() + hs.certificate(b"x" * 300) + hs.certificate_status()
    data = records(flight, 400)
    _, events = holed(data, 10, 5)
    assert [e.records for e in events if isinstance(e, Handshake)] == [1, 1]
    _, events = holed(record(flight[:100]) + record(flight[100:]), 20, 5)
    assert [e.records for e in events if isinstance(e, Handshake)] == [2, 1]
    data = record(flight)
    stream = TlsStream()
    parts = stream.feed(data[:20]) + stream.gap(5) + stream.feed(data[25:90]) + stream.feed(data[90:])
    assert [e.records for e in parts if isinstance(e, Handshake)] == [1, 1]


def test_preamble_behind_a_hole_ends_where_tls_begins() -> None:
    text = b"220 mail.example.com ESMTP\r\n220 go\r\n"
    preamble = holed(text + record(FLIGHT), 10, 4)[1][1]
    assert preamble == Preamble("SMTP", Span(0, len(text)))


def test_opaque_record_tells_size_and_place() -> None:
    data = record(HELLO) + FINISH
    opaque = events_of(data)[-1]
    assert opaque == OpaqueRecord(22, 40, Span(len(data) - 45, len(data)))


def test_alert_tells_level_and_place() -> None:
    data = record(HELLO) + alert(48, level=2)
    assert events_of(data)[-1] == Alert(2, 48, Span(len(data) - 2, len(data)))


@pytest.mark.parametrize(
    ("data", "state"),
    [
        pytest.param(b"\x16", State.START, id="not enough to tell"),
        pytest.param(b"220 mail", State.PLAIN, id="plain text may lead to TLS"),
        pytest.param(record(HELLO), State.CLEAR, id="a hello"),
        pytest.param(record(HELLO) + FINISH, State.OPAQUE, id="encrypted"),
        pytest.param(record(hs.server_hello_13()), State.OPAQUE, id="TLS 1.3 server"),
        pytest.param(record(HELLO) + b"what?", State.BROKEN, id="framing lost"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6" + bytes(80), State.NOT_TLS, id="something else"),
    ],
)
def test_state(data: bytes, state: State) -> None:
    stream = TlsStream()
    stream.feed(data)
    assert (stream.state, stream.offset) == (state, len(data))


@pytest.mark.parametrize("pattern", ["ms-turn", "google"])
def test_pseudo_tls_is_named_on_both_sides(pattern: str) -> None:
    pairs = {
        "ms-turn": (hs.ms_turn_client_hello(), hs.ms_turn_server_hello()),
        "google": (hs.GOOGLE_CLIENT_HELLO, hs.GOOGLE_SERVER_HELLO),
    }
    for hello in pairs[pattern]:
        event = events_of(hello)[0]
        assert isinstance(event, Handshake)
        assert isinstance(event.body, ClientHello | ServerHello)
        assert event.body.fixed_pattern == pattern


def test_ordinary_hellos_are_no_pseudo_tls() -> None:
    anonymous = hs.server_hello(version=0x0301, suite=0x0018, session_id=bytes(32), extensions=None)
    for hello in (
        anonymous + hs.message(12, bytes(0x4E - 4))[: 0x4E - len(anonymous)],
        hs.client_hello(version=0x0301, suites=(0x0018, 0x0004), extensions=None),
        hs.server_hello(version=0x0301, suite=0x0004, session_id=bytes(32), extensions=None),
        hs.server_hello(version=0x0301, suite=0x0018, session_id=bytes(32), extensions=None),
    ):
        event = events_of(record(hello, version=0x0301))[0]
        assert isinstance(event, Handshake)
        assert isinstance(event.body, ClientHello | ServerHello)
        assert event.body.fixed_pattern is None


# ---- holes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "start", "size", "expected"),
    [
        pytest.param(
            record(FLIGHT) + FINISH,
            200,
            50,
            ["2", "lost 11", "12", "13", "14", "ccs", "opaque 22"],
            id="inside a message whose length is known: the next ones are read",
        ),
        pytest.param(
            records(FLIGHT, 700) + FINISH,
            200,
            50,
            ["2", "lost 11", "12", "13", "14", "ccs", "opaque 22"],
            id="and also when the message goes on in later records",
        ),
        pytest.param(
            record(FLIGHT) + FINISH,
            45,
            10,
            ["lost 2", "ccs", "opaque 22"],
            id="over a message boundary: no later message can be framed, records can",
        ),
        pytest.param(
            record(HELLO) + record(ANSWER), 5 + len(HELLO) - 10, 30, ["lost 1 broken"], id="over a record header: over"
        ),
        pytest.param(record(HELLO) + FINISH, 5 + len(HELLO), 11, ["1", "lost None broken"], id="at a record boundary"),
        pytest.param(
            record(HELLO) + FINISH + application_data(90) + encrypted(21, 26),
            5 + len(HELLO) + 6 + 45 + 20,
            60,
            ["1", "ccs", "opaque 22", "lost None", "opaque 23", "opaque 21"],
            id="inside encrypted data: its header was there",
        ),
        pytest.param(
            record(HELLO) + change_cipher_spec() + encrypted(22, 40),
            5 + len(HELLO) + 5,
            1,
            ["1", "lost None", "opaque 22"],
            id="ChangeCipherSpec's only byte: its header says enough",
        ),
        pytest.param(
            record(HELLO) + alert(40) + alert(48),
            5 + len(HELLO) + 6,
            1,
            ["1", "lost None", "alert 48"],
            id="half an alert",
        ),
        pytest.param(record(HELLO), 0, 20, ["lost None broken"], id="the very start"),
        pytest.param(record(HELLO), 3, 20, ["lost None broken"], id="inside the first header"),
        pytest.param(record(FLIGHT)[:300], 200, 50, ["2", "lost 11", "lost None broken"], id="and then the end"),
        pytest.param(record(HELLO), 30, len(HELLO) - 25, ["lost 1"], id="to the record's end exactly"),
        pytest.param(
            b"220 mail.example.com ESMTP\r\n", 10, 4, ["lost None broken", "not-tls SMTP"], id="in plain text"
        ),
        pytest.param(
            b"220 mail.example.com ESMTP\r\n220 go\r\n" + record(FLIGHT),
            10,
            4,
            ["lost None broken", "preamble SMTP", *FLIGHT_TYPES],
            id="in plain text, and TLS behind it",
        ),
        pytest.param(b"GET /index.html HTTP/1.1\r\n\r\n", 20, 4, ["lost None broken", "not-tls HTTP"], id="in HTTP"),
        pytest.param(hs.ms_turn_client_hello() + bytes(50), 60, 10, ["1"], id="behind pseudo-TLS nobody cares"),
    ],
)
def test_holes(data: bytes, start: int, size: int, expected: list[str]) -> None:
    assert words(holed(data, start, size)[1]) == expected


def test_two_holes_in_one_message_are_both_its() -> None:
    data, stream = record(FLIGHT), TlsStream()
    events = (
        stream.feed(data[:100]) + stream.gap(10) + stream.feed(data[110:150]) + stream.gap(20) + stream.feed(data[170:])
    )
    assert words(events) == ["2", "lost 11", "lost 11", "12", "13", "14"]


def test_hole_says_where_and_how_much() -> None:
    lost = holed(record(FLIGHT), 200, 50)[1][1]
    assert lost == Lost(11, 22, 50, 200, True)


@settings(max_examples=60)
@given(
    size=st.integers(1, 800),
    cut=st.integers(0, 10_000),
    hole=st.integers(1, 600),
    cuts=st.lists(st.integers(0, 9000), max_size=5),
)
def test_a_hole_never_yields_a_message_that_was_not_whole(size: int, cut: int, hole: int, cuts: list[int]) -> None:
    data = records(FLIGHT, size) + FINISH
    start = cut % len(data)
    end = min(start + hole, len(data))
    stream = TlsStream()
    events: list[Event] = [e for part in slices(data[:start], cuts) for e in stream.feed(part)]
    events += stream.gap(end - start)
    events += [e for part in slices(data[end:], cuts) for e in stream.feed(part)] + stream.finish()
    whole = [e for e in events_of(data) if isinstance(e, Handshake)]
    for event in events:
        if isinstance(event, Handshake):
            assert event in whole
            assert event.span.end <= start or event.span.start >= end


# ---- hostile input ---------------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(
    pieces=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([record(HELLO), record(FLIGHT), FINISH, alert(40), hs.sslv2_client_hello(), b"220 x\r\n"]),
            st.binary(max_size=30).map(record),
            st.integers(1, 50),
        ),
        max_size=8,
    ),
    mid_stream=st.booleans(),
)
def test_any_bytes_and_holes_never_raise(pieces: list[bytes | int], mid_stream: bool) -> None:
    stream = TlsStream(mid_stream=mid_stream)
    total = 0
    for piece in pieces:
        if isinstance(piece, int):
            stream.gap(piece)
            total += piece
        else:
            stream.feed(piece)
            total += len(piece)
    stream.finish()
    assert stream.offset == total
    assert stream.finish() == []


@settings(max_examples=60)
@given(
    flips=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 5000), max_size=6),
)
def test_damaged_flights_do_not_depend_on_slices_either(flips: list[tuple[int, int]], cuts: list[int]) -> None:
    data = bytearray(record(FLIGHT) + FINISH + application_data(30))
    for place, value in flips:
        data[place % len(data)] = value
    assert events_of(bytes(data), cuts) == events_of(bytes(data))


@pytest.mark.parametrize(
    ("flood", "kept"),
    [
        pytest.param(alert(112, level=1), 10, id="warning alerts"),
        pytest.param(record(hs.hello_request()), 10, id="HelloRequests"),
        pytest.param(record(b""), 0, id="empty records"),
        pytest.param(change_cipher_spec(), 10, id="ChangeCipherSpecs"),
        pytest.param(record(b"\1\x70" * 50, 21), 10, id="alerts by the dozen in one record"),
    ],
)
def test_floods_are_counted_not_kept(flood: bytes, kept: int) -> None:
    stream = TlsStream()
    events = stream.feed(record(HELLO) + flood * 10_000)
    each = 50 if len(flood) > 100 else 1
    assert len(events) == 1 + kept
    assert stream.suppressed + stream.empty_records == 10_000 * each - kept


def test_an_announced_length_costs_nothing() -> None:
    stream = TlsStream()
    events = stream.feed(record(b"\x0b\xff\xff\xff" + bytes(100)) + records(bytes(3 * 2**20), 2**14))
    assert events == [Malformed("handshake message certificate announces 16,777,215 bytes", 5)]
