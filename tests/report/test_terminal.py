"""-T text, as people see it. The golden files are the specification: read them."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from io import BytesIO

import pytest

from analyzer.connection import Connection, Outcome, Side
from analyzer.findings import Severity
from analyzer.report import overview, terminal
from analyzer.report.output import Item, OutputOptions
from tests.build.connections import TCP, connection
from tests.report.records import (
    everything,
    failed,
    finding,
    full_summary,
    healthy,
    poisoned_item,
    repeated,
    summary,
    written,
    written_until,
)

Golden = Callable[[str, str], None]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def text(items: Iterable[Item], **options: object) -> str:
    return written(terminal.OUTPUT, items, **options).decode()


def timeout() -> Connection:
    ladder = (*TCP, "> ClientHello", "... 3 s", "> ClientHello", "... 30 s", "> FIN")
    told = finding("handshake-timeout", summary="the server never answers the ClientHello", frames=(4, 5))
    return connection(*ladder, findings=(told,), diagnosis=told.summary)


STORIES: dict[str, list[Item]] = {
    "failed": [failed(), summary(connections=1)],
    "healthy": [healthy(), healthy(stream=1, client_ip="192.0.2.11", version="TLSv1.3"), summary()],
    "grouped": [*(failed(stream=i, client_ip=f"192.0.2.{i % 3}") for i in range(20)), summary(connections=20)],
    "timeout": [timeout(), summary(connections=1)],
    "everything": [everything(), repeated(), full_summary()],
    "no-tls": [
        summary(
            connections=0,
            tls_connections=0,
            cut_packets=3,
            snap_length=68,
            one_sided=2,
            reasons={"quic": 2, "dtls": 1, "gre": 1, "udp": 2},
        )
    ],
    "several": [healthy(), summary(connections=1), failed(), summary(capture="other.pcap", connections=1)],
}


@pytest.mark.parametrize("story", STORIES)
def test_golden(story: str, golden: Golden) -> None:
    golden(f"text-{story}.txt", text(STORIES[story]))


@pytest.mark.parametrize("story", STORIES)
def test_colour_changes_nothing_but_colour(story: str) -> None:
    coloured = text(STORIES[story], color=True)
    assert "\x1b[" in coloured
    assert ANSI.sub("", coloured) == text(STORIES[story])


@pytest.mark.parametrize("story", STORIES)
def test_an_old_console_gets_ascii(story: str) -> None:
    assert text(STORIES[story], unicode=False).isascii()


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("width", [80, 100, 160])
def test_lines_stay_within_the_width(story: str, width: int) -> None:
    """Except where people copy from: addresses and commands are never cut."""
    shown = text(STORIES[story], width=width).splitlines()
    too_long = [line for line in shown if len(line) > width and "wireshark -r" not in line and " → " not in line]
    assert not too_long


def test_the_table_gives_way_to_a_narrow_terminal() -> None:
    conn = healthy(
        server_name="a-very-long-name." * 5 + "example", findings=(finding("session-resumed", Severity.NOTE),)
    )
    shown = text([conn, summary()], width=100).splitlines()
    assert max(map(len, shown)) <= 100
    assert any("192.0.2.10 → 198.51.100.5:5061" in line for line in shown)


@pytest.mark.parametrize(
    "hostile", ["\x1b]52;c;x\x07", "\x9b31m", "a\r\nb", "\u202egpj", "\u200b\u2066", "\udcff"], ids=ascii
)
@pytest.mark.parametrize(
    "item", [everything(), full_summary(), repeated(), healthy()], ids=lambda item: type(item).__name__
)
@pytest.mark.parametrize("each", [True, False])
def test_hostile_texts_in_every_field_do_nothing_to_the_terminal(hostile: str, item: Item, each: bool) -> None:
    shown = text([poisoned_item(item, hostile), *([] if item == full_summary() else [summary()])], each=each)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert hostile not in shown


def test_equal_troubles_are_one_block_with_a_count() -> None:
    shown = text(STORIES["grouped"])
    assert shown.count("✖ ERROR") == 1
    assert "19 more connections" in shown
    assert "192.0.2.0 (7)" in shown


def test_each_shows_every_trouble_by_itself() -> None:
    assert text(STORIES["grouped"], each=True).count("✖ ERROR") == 20


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(failed(server_port=443), id="another server port"),
        pytest.param(failed(client_chain=None), id="another client certificate"),
        pytest.param(failed(finding("self-signed")), id="another rule"),
        pytest.param(failed(server_name="b.example"), id="another name asked for"),
        pytest.param(failed(outcome=Outcome.UNKNOWN), id="another outcome"),
    ],
)
def test_different_troubles_stay_apart(other: Connection) -> None:
    assert text([failed(), other, summary()]).count("✖ ERROR") == 2


def test_the_worst_trouble_comes_first() -> None:
    warned = healthy(findings=(finding("self-signed", Severity.WARNING),))
    shown = text([warned, failed(), summary()])
    assert shown.index("✖ ERROR") < shown.index("▲ WARNING")


def test_a_connection_that_worked_has_no_ladder() -> None:
    assert "ClientHello" not in text([healthy(findings=(finding("self-signed", Severity.WARNING),)), summary()])


def test_a_note_does_not_make_trouble() -> None:
    shown = text([healthy(findings=(finding("session-resumed", Severity.NOTE),)), summary()])
    assert "session-resumed" in shown
    assert "✔ 1 connection without trouble" in shown


def test_the_diagnosis_stands_before_the_ladder_and_the_advice_behind_it() -> None:
    shown = text(STORIES["failed"])
    assert (
        shown.index("the summary of client-certificate-rejected")
        < shown.index("ClientHello")
        < shown.index("the advice")
    )


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "TABLE_ROWS", 5)
    shown = text([*(healthy(client_ip=f"192.0.2.{i}") for i in range(9)), summary()])
    assert "✔ 9 connections" in shown
    assert "and 4 more" in shown


def test_kept_troubles_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "GROUPS", 2)
    shown = text([*(failed(server_port=i) for i in range(5)), summary()])
    assert shown.count("✖ ERROR") == 2
    assert "3 more connections in other trouble" in shown


def test_a_long_ladder_is_folded() -> None:
    talk = ["> ClientHello", "< ServerHello"] * 40
    shown = text([connection(*talk, findings=(finding(),), diagnosis="x"), summary()])
    assert "more)" in shown
    assert shown.count("ClientHello") < 20


def test_runs_of_records_are_one_text() -> None:
    conn = connection(*TCP, "> ClientHello", *(["< ApplicationData"] * 9), findings=(finding(),))
    assert "ApplicationData ×9 (900 bytes)" in text([conn, summary()])


def test_what_was_seen_before_an_interruption_is_told() -> None:
    shown = written_until(terminal.OUTPUT, failed()).decode()
    assert "client-certificate-rejected" in shown
    assert "interrupted: the capture was not read to its end" in shown


@pytest.mark.parametrize(
    ("how", "remark"),
    [
        pytest.param("timeout", "nobody says anything more", id="silence"),
        pytest.param("open", "the capture ends here", id="the capture ends"),
    ],
)
def test_the_ladder_says_how_it_ended_when_nobody_closed(how: str, remark: str) -> None:
    conn = connection(*TCP, "> ClientHello", findings=(finding(),), diagnosis="x")
    conn = replace(conn, closed=replace(conn.closed, how=how), end_ns=conn.end_ns + 30 * 10**9)
    assert f"({remark} after 30.0 s without a message)" in text([conn, summary()])


def test_standard_input_has_no_command_to_open_it() -> None:
    assert "wireshark" not in text([failed(capture="-"), summary(capture="-")])


def test_ipv6_addresses_have_brackets() -> None:
    conn = failed(client_ip="2001:db8::1", server_ip="2001:db8::2")
    assert f"[2001:db8::1]:50000 → {conn.address(Side.SERVER)}" in text([conn, summary()])


def test_a_connection_over_two_files_of_a_ring() -> None:
    ring = ((1, "ring_1.pcap"), (11, "ring_2.pcap"))
    shown = text([failed(finding("tls-alert", frames=(9, 11, 12, 14)), capture="ring_1.pcap", files=ring), summary()])
    assert "frames 9, ring_2.pcap#1–2, #4" in shown
    assert "(from here in ring_2.pcap)" in shown
    assert "-r ring_1.pcap -Y 'ip.addr == 192.0.2.10 && tcp.port == 50000 &&" in shown


@pytest.mark.parametrize("prompt", [True, False])
def test_a_live_run_shows_counts_at_once_and_keeps_none(prompt: bool) -> None:
    seen: list[bool] = []
    out = BytesIO()

    def items() -> Iterable[Item]:
        for _ in range(2):
            yield repeated()
            seen.append(b" more" in out.getvalue())
        yield summary()

    terminal.OUTPUT.write(items(), out, OutputOptions(prompt=prompt))
    assert seen == [prompt, prompt]
    assert out.getvalue().count(b" more") == 2


def test_a_live_run_shows_troubles_at_once_and_counts_what_goes_well() -> None:
    said = text([failed(), failed(stream=1), *(healthy(client_port=n) for n in range(9)), summary()], prompt=True)
    assert said.count("ERROR") == 2
    assert "9 connections without trouble" in said
    assert len([line for line in said.splitlines() if "mutual" in line]) == 1, "one row"
