"""The live table in a real terminal: how it looks, and that the terminal is whole again however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo terminals are POSIX's", allow_module_level=True)
pytest.importorskip("pyte", reason="pyte, which reads a terminal, is not installed")

from analyzer.capture.source import open_capture
from tests.screen.boards import ascending
from tests.screen.played import LOST
from tests.screen.terminal import PATIENCE, PROJECT, Terminal

CAPTURES = [
    str(PROJECT / "captures" / name)
    for name in ("auth12-openssl.pcap", "client-expired-openssl.pcap", "ca-list-150-names.pcap")
]
WITHOUT_TEXTUAL = {"MTLSCOPE_TEST": "without-textual"}


def have_textual() -> bool:
    """Is it installed?"""
    try:
        import textual  # noqa: F401
    except ImportError:
        return False
    return True


each_view = pytest.mark.parametrize(
    "env",
    [
        pytest.param({}, id="textual", marks=pytest.mark.skipif(not have_textual(), reason="textual is not installed")),
        pytest.param(WITHOUT_TEXTUAL, id="rich"),
    ],
)


class Opened:
    """Terminals that are closed after the test."""

    def __init__(self) -> None:
        self.all: list[Terminal] = []

    def __call__(self, *words: str, **how: Any) -> Terminal:
        terminal = Terminal("tests.screen.played", *CAPTURES, "--", "live", "-i", "test0", *words, **how)
        self.all.append(terminal)
        return terminal


@pytest.fixture
def live() -> Iterator[Opened]:
    opened = Opened()
    yield opened
    for terminal in opened.all:
        terminal.close()


@each_view
@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=str)
def test_the_table_tells_what_goes_on(env: dict[str, str], size: tuple[int, int], live: Opened) -> None:
    terminal = live(env=env, width=size[0], height=size[1])
    wanted = ["mtlscope test0 · played", f"{LOST} lost", "1 failed", "192.0.2.10 → ", "latest connections"]
    cause = "certificate-expired  the client's certificate edge.example.net expired"
    told = terminal.wait_for("3 decided", *wanted, cause, "q Quit" if not env else "Ctrl-C ends it")
    assert ascending(wanted, told)


@pytest.mark.skipif(not have_textual(), reason="textual is not installed")
def test_the_block_of_a_row_has_all_80_columns_and_space_shows_more(live: Opened) -> None:
    terminal = live()
    terminal.wait_for("3 decided", "certificate-expired")
    terminal.press("jj\r")
    told = terminal.wait_for("expired on 2025-01-01 00:00:00 UTC,\n  689 days", "c Copy the filter")
    assert "Renew the certificate" not in told
    terminal.press(" ")
    told = terminal.wait_for("Renew the certificate", "tcp.stream == 1")
    colours = {char.bg for line in terminal.screen.buffer.values() for char in line.values()}
    assert colours == {"default"}, "the terminal's own background, light or dark"


@each_view
@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "Ctrl-C", "q"])
def test_the_report_stands_in_the_scrollback_however_it_ends(env: dict[str, str], how: str, live: Opened) -> None:
    if how == "q" and env:
        pytest.skip("rich alone has no keys")
    terminal = live(env=env)
    terminal.wait_for("3 decided")
    if how.startswith("SIG"):
        terminal.process.send_signal(getattr(signal, how))
    else:
        terminal.press({"Ctrl-C": "\x03"}.get(how, how))
    code, seconds = terminal.finish()
    assert (code, terminal.restored()) == (1, True)
    assert seconds < 3
    told = terminal.after_the_table()
    assert ascending(["certificate-expired", "3 TCP connections, 3 reported"], told)
    assert f"the capture lost {LOST} packets" in told


@each_view
def test_limits_end_it_too(env: dict[str, str], live: Opened) -> None:
    terminal = live("-c", "20", "--quiet", env=env)
    assert terminal.finish()[0] == 0
    assert terminal.restored()
    assert "1 TCP connection, 1 reported" in terminal.after_the_table()


@each_view
def test_a_bug_of_the_view_ends_the_table_and_not_the_capture(env: dict[str, str], live: Opened) -> None:
    terminal = live(env={"MTLSCOPE_TEST": f"broken {env.get('MTLSCOPE_TEST', '')}"})
    terminal.wait_for("a bug of ours: the table has failed (ZeroDivisionError in ")
    assert terminal.process.poll() is None, "it goes on"
    assert terminal.restored()
    assert "Traceback" not in terminal.raw.decode()
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.finish()[0] == 1
    assert "3 TCP connections, 3 reported" in terminal.after_the_table()


@each_view
def test_a_second_ctrl_c_does_not_wait(env: dict[str, str], live: Opened) -> None:
    terminal = live(env=env)
    terminal.wait_for("3 decided")
    terminal.press("\x03")
    terminal.press("\x03")
    assert terminal.finish()[0] in (1, 130), "it may have ended between the two"
    assert terminal.restored()


@each_view
def test_a_terminal_that_is_gone_ends_the_run_with_a_whole_copy(
    env: dict[str, str], live: Opened, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.pcapng"
    terminal = live("-w", str(copy), env={"MTLSCOPE_TEST": f"deaf {env.get('MTLSCOPE_TEST', '')}"})
    terminal.wait_for("3 decided")
    terminal.hang_up()
    terminal.process.wait(PATIENCE)
    with open_capture(str(copy)) as capture:
        assert sum(len(batch) for batch in capture) == 86


@each_view
@pytest.mark.parametrize("words", [("--color", "never"), ()], ids=["--color never", "NO_COLOR"])
def test_without_colours_there_are_none(env: dict[str, str], words: tuple[str, ...], live: Opened) -> None:
    terminal = live(*words, env={**env, **({} if words else {"NO_COLOR": "1"})})
    terminal.wait_for("3 decided", "certificate-expired", "q Quit" if not env else "Ctrl-C ends it")
    found = {(char.fg, char.bg) for line in terminal.screen.buffer.values() for char in line.values()}
    assert found == {("default", "default")}


@each_view
def test_the_window_may_change_its_size(env: dict[str, str], live: Opened) -> None:
    terminal = live(env=env)
    terminal.wait_for("certificate-expired")
    terminal.resize(140, 40)
    told = terminal.wait_for("2025-01-01 00:00:00 UTC")
    assert len(told.splitlines()[0]) == 140


@pytest.mark.parametrize(
    ("words", "env"),
    [
        pytest.param(("--no-table",), {}, id="--no-table"),
        pytest.param(("-o", "-"), {}, id="-o"),
        pytest.param(("-T", "jsonl"), {}, id="another output"),
        pytest.param(("--each",), {}, id="--each"),
        pytest.param(("-v",), {}, id="-v says much on standard error"),
        pytest.param((), {"TERM": "dumb"}, id="a dumb terminal"),
    ],
)
def test_where_there_is_no_table(words: tuple[str, ...], env: dict[str, str], live: Opened) -> None:
    terminal = live(*words, env=env, width=200)
    terminal.wait_for("certificate-expired")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.finish()[0] == 1
    assert b"\x1b[?1049h" not in terminal.raw


def test_a_pipe_gets_text_as_ever(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.screen.played", *CAPTURES, "--", "live", "-i", "test0", "-c", "40"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b"\x1b" not in done.stdout
    assert b"certificate-expired" in done.stdout
    assert b"capturing on test0" in done.stderr
