"""`mtlscope crosscheck`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from analyzer.agreement.facts import FIELDS, Difference
from analyzer.connection import Connection
from analyzer.pipeline import Options, Run
from analyzer.report.crosscheck import SHOWN, shortened
from analyzer.wireshark import tool
from tests.cli.commands import Shell
from tests.test_captures import CAPTURES

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
AGREES, DIFFERS = str(CAPTURES / "mtls12-openssl.pcap"), str(CAPTURES / "gap-server-flight.pcap")


@needs_tshark
def test_agreement_is_one_line_a_capture_and_exit_code_0(shell: Shell) -> None:
    done = shell("crosscheck", AGREES)
    assert (done.code, done.err) == (0, "")
    first, last = done.out.splitlines()
    assert first.startswith(f"{AGREES}  1 TLS connection, ") and first.endswith(" fields compared, 0 differences")
    assert last.startswith("compared with tshark ")


@needs_tshark
def test_every_difference_is_told_with_both_values_and_a_filter(shell: Shell) -> None:
    done = shell("crosscheck", AGREES, "-r", DIFFERS)
    assert (done.code, done.err) == (1, "")
    assert f"{DIFFERS}, stream 0  messages\n" in done.out
    assert "  Wireshark  ((1, 11, 16, 15), ())\n  mtlscope   ((1, 11, 16, 15), (12, 13, 14, 4))\n" in done.out
    assert "  filter     tcp.stream == 0\n" in done.out
    assert "2 captures, 3 differences\n" in done.out


@needs_tshark
def test_json(shell: Shell) -> None:
    done = shell("crosscheck", DIFFERS, "-T", "json")
    document = json.loads(done.out)
    assert (done.code, document["type"]) == (1, "crosscheck")
    (capture,) = document["captures"]
    assert {item["field"] for item in capture["differences"]} == {"alerts", "ca_names", "messages"}
    assert all(item["wireshark_field"] and item["meaning"] for item in capture["differences"])


@needs_tshark
def test_a_capture_that_is_cut_short_is_compared_up_to_there_and_is_exit_code_3(shell: Shell, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(Path(AGREES).read_bytes()[:-10])
    done = shell("crosscheck", str(cut))
    assert done.code == 3
    assert "1 TLS connection" in done.out
    assert len(done.err.splitlines()) == 2, "both readers say it"


@needs_tshark
def test_what_is_no_capture_is_exit_code_3(shell: Shell, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no packets here\n" * 10)
    done = shell("crosscheck", str(text))
    assert done.code == 3
    assert "0 TLS connections" in done.out


def test_without_tshark_it_says_how_to_get_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "find_tool", lambda name: None)
    done = shell("crosscheck", AGREES)
    assert (done.code, done.out) == (2, "")
    assert "mtlscope crosscheck needs tshark, which was not found: " in done.err and "install" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "nothing to compare", id="no path"),
        pytest.param(["-"], "standard input can be read only once", id="standard input"),
        pytest.param(["x.pcap", "-T", "csv"], "none of text, json", id="no such output"),
    ],
)
def test_usage(shell: Shell, words: list[str], said: str) -> None:
    done = shell("crosscheck", *words)
    assert done.code == 2
    assert said in done.err


def test_every_field_of_a_connection_has_a_meaning() -> None:
    from analyzer.agreement.facts import of_connection

    conn = next(item for item in Run([AGREES], Options(ports=None)) if isinstance(item, Connection))
    assert of_connection(conn).keys() - FIELDS.keys() == set()
    assert str(Difference("a.pcap", 3, "cipher")) == "a.pcap, stream 3, cipher"


def test_long_values_say_how_much_is_left_out() -> None:
    assert shortened("x" * SHOWN) == "x" * SHOWN
    assert shortened("x" * (SHOWN + 5)).endswith("x... (5 characters more in -T json)")
