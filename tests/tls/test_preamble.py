"""TLS behind plain text, in the middle of a connection, and what is no TLS at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.tls.messages import NotTls, Preamble, Span
from analyzer.tls.preamble import MAX_PREAMBLE
from analyzer.tls.protocols import SAMPLE, identify
from analyzer.tls.stream import State, TlsStream
from tests.build import handshake as hs
from tests.build.records import alert, application_data, change_cipher_spec, encrypted, record
from tests.tls.streams import events_of, words

HELLO = record(hs.client_hello(extensions=[hs.server_name_extension(b"mail.example.com")]), version=0x0301)
ANSWER = record(hs.server_hello() + hs.certificate(b"leaf" * 50) + hs.server_hello_done())

PREAMBLES = [
    pytest.param(b"CONNECT sip.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", HELLO, "HTTP CONNECT", id="proxy, asked"),
    pytest.param(b"HTTP/1.1 200 Connection established\r\n\r\n", ANSWER, "HTTP CONNECT", id="proxy, answered"),
    pytest.param(
        b"HTTP/1.0 407 Auth\r\n\r\nHTTP/1.0 200 OK\r\n\r\n", ANSWER, "HTTP CONNECT", id="proxy wants a password"
    ),
    pytest.param(b"EHLO me\r\nSTARTTLS\r\n", HELLO, "SMTP", id="mail client"),
    pytest.param(b"220 mail ESMTP\r\n250-mail\r\n250 STARTTLS\r\n220 go\r\n", ANSWER, "SMTP", id="mail server"),
    pytest.param(b"AUTH TLS\r\n", HELLO, "FTP", id="file client"),
    pytest.param(b"220 (vsFTPd 3.0.3)\r\n234 Proceed.\r\n", ANSWER, "FTP", id="file server"),
    pytest.param(
        b"220 Welcome\r\n234 AUTH TLS successful\r\n", ANSWER, "FTP", id="file server that greets without a name"
    ),
    pytest.param(b"USER joe\r\nAUTH TLS\r\n", HELLO, "FTP", id="file client that asks late"),
    pytest.param(b"USER joe\r\nSTLS\r\n", HELLO, "POP3", id="mailbox client that asks late"),
    pytest.param(b"a1 CAPABILITY\r\na2 STARTTLS\r\n", HELLO, "IMAP", id="IMAP client"),
    pytest.param(b"* OK ready\r\na2 OK go\r\n", ANSWER, "IMAP", id="IMAP server"),
    pytest.param(b"CAPA\r\nSTLS\r\n", HELLO, "POP3", id="POP3 client"),
    pytest.param(b"AUTH\r\nCAPA\r\nSTLS\r\n", HELLO, "POP3", id="POP3 client that asks for methods first"),
    pytest.param(b"+OK ready\r\n+OK go\r\n", ANSWER, "POP3", id="POP3 server"),
    pytest.param(b"200 news.example\r\n382 go\r\n", ANSWER, "NNTP", id="news server"),
    pytest.param(b'"IMPLEMENTATION" "x"\r\nOK\r\n', ANSWER, "ManageSieve", id="sieve server"),
    pytest.param(bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037", HELLO, "LDAP", id="directory client"),
    pytest.param(bytes.fromhex("300c02010178070a010004000400"), ANSWER, "LDAP", id="directory server"),
    pytest.param(bytes.fromhex("0000000804d2162f"), HELLO, "PostgreSQL", id="PostgreSQL client"),
    pytest.param(b"S", ANSWER, "PostgreSQL", id="PostgreSQL server: one byte"),
    pytest.param(b"\x4a\0\0\0\x0a5.7.44\0" + bytes(64), ANSWER, "MySQL", id="MySQL server"),
    pytest.param(b"\x20\0\0\1\x85\xae\x7f\0" + bytes(28), HELLO, "MySQL", id="MySQL client"),
    pytest.param(bytes.fromhex("030000130ee00000000000010008000b000000"), HELLO, "RDP", id="remote desktop client"),
    pytest.param(bytes.fromhex("030000130ed000001234000209080002000000"), ANSWER, "RDP", id="remote desktop server"),
    pytest.param(b"<?xml version='1.0'?><stream:stream to='x'><starttls/>", HELLO, "XMPP", id="chat client"),
    pytest.param(b"<stream:stream from='x'><proceed/>", ANSWER, "XMPP", id="chat server"),
    pytest.param(b"\5\1\0\5\1\0\1\xc0\0\2\1\1\xbb", HELLO, "SOCKS", id="SOCKS 5 client"),
    pytest.param(b"\5\0\5\0\0\1\xc0\0\2\1\1\xbb", ANSWER, "SOCKS", id="SOCKS 5 proxy"),
    pytest.param(b"\4\1\1\xbb\xc0\0\2\1joe\0", HELLO, "SOCKS", id="SOCKS 4 client"),
    pytest.param(b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n", HELLO, "PROXY protocol", id="a load balancer's line"),
    pytest.param(b"?*+ our own greeting ~~~\r\n", HELLO, "unknown", id="a preamble nobody knows"),
    pytest.param(b"220 mail ESMTP " + b"x" * 60_000 + b"\r\n", ANSWER, "SMTP", id="a very long greeting"),
]


@pytest.mark.parametrize(("text", "tls", "protocol"), PREAMBLES)
def test_tls_is_found_behind_plain_text(text: bytes, tls: bytes, protocol: str) -> None:
    events = events_of(text + tls)
    assert events[0] == Preamble(protocol, Span(0, len(text)))
    assert words(events[1:]) == words(events_of(tls))


@pytest.mark.parametrize(
    ("text", "behind"),
    [
        pytest.param(
            b"\x12\1\0\x2f\0\0\0\0" + bytes(39), b"\x12\1\0\x99\0\0\0\0\x16\3\3", id="TDS headers between records"
        ),
        pytest.param(
            b"AUTH TLS\r\n", change_cipher_spec() + encrypted(22, 40) + b"PASV\r\n", id="FTP leaves TLS again"
        ),
    ],
)
def test_plain_protocols_around_tls_are_no_fault(text: bytes, behind: bytes) -> None:
    stream = TlsStream()
    assert "malformed" not in words(stream.feed(text + HELLO + behind))
    assert stream.state is State.BROKEN


@pytest.mark.parametrize(("text", "tls", "protocol"), PREAMBLES[:-1])
@settings(max_examples=6)
@given(cuts=st.lists(st.integers(0, 400), max_size=8))
def test_slices_do_not_change_what_is_found(text: bytes, tls: bytes, protocol: str, cuts: list[int]) -> None:
    assert events_of(text + tls, cuts) == events_of(text + tls)


def test_a_refusal_right_behind_the_answer_to_starttls_counts() -> None:
    text = b"220 mail.example.com ESMTP\r\n250 STARTTLS\r\n220 go\r\n"
    assert words(events_of(text + alert(40, version=0x0301))) == ["preamble SMTP", "alert 40"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"some text" + alert(40), id="behind no known protocol"),
        pytest.param(b"220 mail ESMTP" + alert(40), id="not behind the end of a line"),
        pytest.param(b"220 mail ESMTP\r\n" + alert(40, level=1), id="a warning"),
        pytest.param(b"220 mail ESMTP\r\n" + alert(250), id="an alert that does not exist"),
    ],
)
def test_other_alerts_behind_text_are_chance(data: bytes) -> None:
    assert words(events_of(data))[0].startswith("not-tls")


OTHERS = [
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP", id="HTTP request"),
    pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP", id="HTTP error"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP", id="HTTP/2"),
    pytest.param(b"REGISTER sip:example.com SIP/2.0\r\n", "SIP", id="SIP request"),
    pytest.param(b"OPTIONS sip:joe@example.com SIP/2.0\r\n", "SIP", id="SIP request that HTTP has too"),
    pytest.param(b"SIP/2.0 400 Bad\r\n", "SIP", id="SIP answer"),
    pytest.param(b"\r\n\r\n", "SIP", id="SIP keep-alive"),
    pytest.param(b"OPTIONS rtsp://x/ RTSP/1.0\r\n", "RTSP", id="RTSP"),
    pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", "SSH", id="SSH"),
    pytest.param(b"MSRP a786hjs2 SEND\r\n", "MSRP", id="MSRP"),
    pytest.param(b"220 mail.example.com ESMTP\r\n", "SMTP", id="SMTP without STARTTLS"),
    pytest.param(b"\0\0\0\x90\xfeSMB@\0", "SMB", id="SMB"),
    pytest.param(b"\0\1\0\x08\x21\x12\xa4\x42" + bytes(20), "STUN or TURN", id="STUN"),
    pytest.param(b"\x02\0\0\x14\0\1\0\0" + bytes(20), "MS-TURN", id="MS-TURN without its hello"),
    pytest.param(b"\0\x1d\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1", "DNS", id="DNS over TCP"),
    pytest.param(b"\5\0\x0b\3\x10\0\0\0" + bytes(30), "DCE/RPC", id="DCE/RPC"),
    pytest.param(b"\0\0\1\x30\x6a\x82\1\x2c", "Kerberos", id="Kerberos"),
    pytest.param(b"\0\0\0\x30\0\3\0\0user\0joe\0\0", "PostgreSQL", id="PostgreSQL without TLS"),
    pytest.param(
        b"\0\x0e\x38" + bytes(range(1, 9)) + bytes(5), "OpenVPN", id="OpenVPN, which has TLS of its own inside"
    ),
    pytest.param(b"\x13\0\0\1\x85\x24\0\0\0joe\0", "MySQL", id="MySQL login without TLS"),
    pytest.param(b"E\0\0\0\x96SFATAL\0", "PostgreSQL", id="PostgreSQL server that refuses"),
    pytest.param(b"CNXN\1\0\0\1\0\0\4\0", "ADB", id="Android debug bridge"),
    pytest.param(b"\5\x64\x12\xc4\3\0\4\0", "DNP3", id="DNP3"),
    pytest.param(b"\xc0\1\1\0\x8f\xfd\x55\xa9", "TACACS+", id="TACACS+"),
    pytest.param(b"\x68\x0e\0\0\0\0\1\1", "IEC 104", id="IEC 104"),
    pytest.param(b"\x82\0\0\0\0\0\0\xb5\xffSMB", "SMB", id="NetBIOS session"),
    pytest.param(b"\xff" * 16 + b"\0\x1d\1\4", "BGP", id="BGP"),
    pytest.param(b"\x10\x0c\0\4MQTT\4\2", "MQTT", id="MQTT"),
    pytest.param(b"RFB 003.008\n", "VNC", id="VNC"),
    pytest.param(b"\xff\xfd\x18\xff\xfd\x20", "Telnet", id="Telnet"),
    pytest.param(b"\x07\x06\x05nothing known", "unknown", id="nothing known"),
    pytest.param(b"x", "unknown", id="a single byte"),
    pytest.param(b"\x80\x2e\x01\x05", "unknown", id="four bytes that might have become SSLv2"),
]


@pytest.mark.parametrize(("data", "name"), OTHERS)
def test_what_is_no_tls_is_named(data: bytes, name: str) -> None:
    assert events_of(data) == [NotTls(name, data[:SAMPLE], Span(0, len(data)))]


@pytest.mark.parametrize(("data", "name"), OTHERS)
def test_clearly_something_else_is_said_after_64_bytes(data: bytes, name: str) -> None:
    stream = TlsStream()
    events = stream.feed(data + bytes(100))
    clear = not identify(data + bytes(100)).leads
    assert (len(events), stream.state is State.NOT_TLS) == (int(clear), clear)


def test_unknown_text_is_given_up_after_64_kib() -> None:
    stream = TlsStream()
    assert stream.feed(b"?" * (MAX_PREAMBLE - 1)) == []
    assert stream.feed(b"??") == [NotTls("unknown", b"?" * SAMPLE, Span(0, MAX_PREAMBLE))]
    assert stream.feed(HELLO) == []


@settings(max_examples=80)
@given(text=st.binary(min_size=1, max_size=200), cuts=st.lists(st.integers(0, 300), max_size=6))
def test_slices_never_change_what_any_text_is(text: bytes, cuts: list[int]) -> None:
    assert events_of(text + HELLO, cuts) == events_of(text + HELLO)
    assert events_of(text, cuts) == events_of(text)


@pytest.mark.parametrize(
    "almost",
    [
        pytest.param(HELLO[:5] + b"\3" + HELLO[6:], id="no hello inside"),
        pytest.param(HELLO[:6] + b"\1" + HELLO[7:], id="a message of 64 KiB and more"),
        pytest.param(HELLO[:8] + b"\1" + HELLO[9:], id="a message shorter than any hello"),
        pytest.param(HELLO[:9] + b"\5" + HELLO[10:], id="a version that does not exist"),
        pytest.param(HELLO[:3] + b"\xff\xff" + HELLO[5:], id="a record longer than any version allows"),
    ],
)
def test_almost_a_hello_is_none(almost: bytes) -> None:
    assert words(events_of(b"220 mail\r\n" + almost)) == ["not-tls SMTP"]


# ---- in the middle of a connection -------------------------------------------------------------------------------------

CIPHERTEXT = bytes(range(40, 120)) * 3


@pytest.mark.parametrize(
    ("data", "expected", "state"),
    [
        pytest.param(
            CIPHERTEXT + application_data(90) + application_data(80),
            ["opaque 23", "opaque 23"],
            State.OPAQUE,
            id="inside a record, then two whole ones",
        ),
        pytest.param(application_data(90), ["opaque 23"], State.OPAQUE, id="one record, exactly"),
        pytest.param(CIPHERTEXT + encrypted(21, 26), ["opaque 21"], State.OPAQUE, id="the last record of the feed"),
        pytest.param(HELLO, ["1"], State.CLEAR, id="a hello after all"),
        pytest.param(ANSWER + ANSWER, ["2", "11", "14"] * 2, State.CLEAR, id="a server's flight"),
        pytest.param(
            CIPHERTEXT + change_cipher_spec() + encrypted(22, 40),
            ["ccs", "opaque 22"],
            State.OPAQUE,
            id="the end of a flight",
        ),
        pytest.param(
            encrypted(22, 300) + application_data(50), ["opaque 22", "opaque 23"], State.OPAQUE, id="part of a message"
        ),
        pytest.param(alert(48), ["alert 48"], State.CLEAR, id="an alert in clear"),
        pytest.param(
            b"\x17\3\3\xff\xff" + application_data(9),
            ["opaque 23"],
            State.OPAQUE,
            id="a header with a length of no record",
        ),
        pytest.param(b"\x17\3\3\x40\0?" * 90, [], State.START, id="dozens of false starts"),
        pytest.param(CIPHERTEXT, [], State.START, id="no boundary yet: never called something else"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n" * 9, [], State.START, id="not even HTTP is: it may be a body"),
        pytest.param(CIPHERTEXT * 400, [], State.BROKEN, id="no boundary in 64 KiB"),
    ],
)
def test_mid_stream(data: bytes, expected: list[str], state: State) -> None:
    stream = TlsStream(mid_stream=True)
    events = stream.feed(data)
    assert (words(events), stream.state) == (expected, state)
    assert stream.finish() == []


def test_mid_stream_places_are_those_of_the_stream() -> None:
    stream = TlsStream(mid_stream=True)
    (opaque,) = stream.feed(CIPHERTEXT) + stream.feed(application_data(90))
    assert getattr(opaque, "span") == Span(240, 335)  # noqa: B009  (Malformed has none)


def test_boundary_is_found_over_feeds() -> None:
    data = CIPHERTEXT + application_data(90) + application_data(80) + application_data(70)
    stream = TlsStream(mid_stream=True)
    events = [event for at in range(0, len(data), 7) for event in stream.feed(data[at : at + 7])]
    assert words(events) == ["opaque 23"] * 3


def test_many_false_boundaries_cost_little() -> None:
    stream = TlsStream(mid_stream=True)
    for _ in range(80):
        stream.feed(b"\x17\x03\x03\x40\x00" * 200)
    assert stream.state is State.BROKEN


def test_a_start_that_was_lost_may_be_anywhere() -> None:
    stream = TlsStream()
    assert words(stream.gap(500)) == ["lost None broken"]
    assert words(stream.feed(CIPHERTEXT + application_data(90))) == ["opaque 23"]
