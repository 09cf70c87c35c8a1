"""Finding the command, and one line with the right exit code for whatever happens."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli import main
from analyzer.errors import CaptureError, UsageError
from analyzer.version import __version__
from tests.cli.commands import Shell


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param([], "nothing to analyse; try: mtlscope FILE", id="no arguments"),
        pytest.param(["analyze"], "nothing to analyse", id="a command and nothing else"),
        pytest.param(["explian", "tls-alert"], "did you mean: mtlscope explain", id="a misspelt command"),
        pytest.param(["--trobled", "x"], "no option --trobled; did you mean: --troubled", id="a misspelt option"),
        pytest.param(["-T", "jsno", "x"], "did you mean: json", id="a misspelt output"),
        pytest.param(["--fail-on", "erorr", "x"], "did you mean: error", id="a misspelt level"),
        pytest.param(["--color", "yes", "x"], "none of auto, always, never", id="a value that is none"),
        pytest.param(["-j", "0", "x"], "no number of at least 1", id="no workers"),
        pytest.param(["-j", "2", "--verdicts", "x"], "leave out -j", id="verdicts of several processes"),
        pytest.param(["--stream", "-1", "x"], "'-1' is no number of at least 0", id="a negative stream"),
        pytest.param(["--stream", "x1", "x"], "is no number", id="a stream that is no number"),
        pytest.param(["--host", "foo", "x"], "expected e.g. 192.0.2.1", id="a host that is none"),
        pytest.param(["--since", "foo", "x"], "--since 'foo' is no time", id="a time that is none"),
        pytest.param(["--at", "foo", "x"], "--at 'foo' is no time", id="another"),
        pytest.param(["--host", "192.0.2.0/33", "x"], "or 192.0.2.0/24", id="a network that is none"),
        pytest.param(["-o", "a", "-o", "b", "x"], "-o a and -o b: one output at a time", id="two files"),
        pytest.param(["live", "-i", "lo", "-o", "a", "-o", "a"], "one output at a time", id="two of a live run"),
        pytest.param(
            ["--since", "2026-11-21", "--until", "2026-11-20", "x"],
            "--since 2026-11-21 is after --until 2026-11-20",
            id="a time that ends before it begins",
        ),
        pytest.param(["--ports", "99999", "x"], "expected e.g. 5061,443, or any", id="a port that is none"),
        pytest.param(["--timezone", "Europe/Berln", "x"], "did you mean: Europe/Berlin", id="a misspelt zone"),
        pytest.param(["-T"], "expected one argument", id="an option without its value"),
        pytest.param(["explain", "tls-alrt"], "did you mean: tls-alert", id="a misspelt rule"),
        pytest.param(["explain", "zzz"], "`mtlscope rules` lists them", id="a rule like no other"),
        pytest.param(["fields", "clozed"], "did you mean: closed", id="a misspelt key"),
        pytest.param(["live", "eth0"], "mtlscope live -i eth0", id="an interface without its option"),
        pytest.param(["rules", "--nosuch"], "no option --nosuch", id="an option of no command"),
    ],
)
def test_usage_errors_are_one_line_with_the_nearest_right_thing(words: list[str], says: str, shell: Shell) -> None:
    done = shell(*words)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("mtlscope: ")
    assert done.err.count("\n") == 1
    assert says in done.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(UsageError("no"), 2, id="usage"),
        pytest.param(CaptureError("x.pcap: cut"), 3, id="an unreadable capture"),
        pytest.param(KeyboardInterrupt(), 130, id="interrupted"),
        pytest.param(ZeroDivisionError("secret bytes"), 5, id="a bug of ours"),
        pytest.param(SystemExit(0), 0, id="argparse has printed the help"),
    ],
)
def test_whatever_happens_has_its_exit_code(
    error: BaseException, code: int, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(words: list[str]) -> int:
        raise error

    monkeypatch.setattr("analyzer.cli.rules.run", fail)
    done = shell("rules")
    assert done.code == code
    assert done.err.count("\n") <= 1
    assert "secret" not in done.err


def test_a_bug_says_where_but_never_what_was_in_the_capture(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(words: list[str]) -> int:
        raise ValueError("secret bytes")

    monkeypatch.setattr("analyzer.cli.rules.run", fail)
    done = shell("rules", "-v")
    assert done.code == 5
    assert "ValueError in test_main.py" in done.err
    assert "secret" not in done.err


@pytest.mark.parametrize("words", [["--version"], ["analyze", "--version"], ["x.pcap", "--version"]])
def test_version(words: list[str], shell: Shell) -> None:
    assert shell(*words).out == f"mtlscope {__version__}\n"


def test_version_verbose_has_what_a_bug_report_needs(shell: Shell) -> None:
    told = shell("--version", "-v").out
    for name in ("Python 3.", "numpy ", "cryptography ", "scapy ", "tshark ", "dumpcap "):
        assert name in told


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["analyze", "--help"]])
def test_help_has_every_command_and_exit_code(words: list[str], shell: Shell) -> None:
    done = shell(*words)
    assert done.code == 0
    for word in (*main.COMMANDS, "exit codes:", "-T", "--troubled", "130 interrupted"):
        assert word in done.out


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_has_help(command: str, shell: Shell) -> None:
    done = shell(command, "--help")
    assert done.code == 0
    assert "usage: mtlscope" in done.out
    assert done.err == ""


def test_a_file_named_nearly_like_a_command_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rulez").write_bytes(b"PK\3\4 no capture")
    done = shell("rulez")
    assert "did you mean" not in done.err
    assert done.code == 3


def test_every_module_that_is_a_command_is_named() -> None:
    for name in main.COMMANDS:
        assert callable(importlib.import_module(f"analyzer.cli.{name}").run)


def test_a_closed_pipe_is_silent(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(words: list[str]) -> int:
        raise BrokenPipeError

    monkeypatch.setattr("analyzer.cli.rules.run", fail)
    forgotten: list[Any] = []
    monkeypatch.setattr(main, "forget_stdout", lambda: forgotten.append(1))
    done = shell("rules")
    assert (done.code, done.err, forgotten) == (141, "", [1])


TALKING = (
    *(["rules"], ["fields"], ["man"], ["doctor"], ["config"], ["explain", "tls-alert"], ["completion", "bash"]),
    *(["service", "systemd"], ["--version"], ["--version", "-v"], ["--help"], ["rules", "--help"]),
)
"""What commands say about themselves."""


@pytest.fixture
def nobody_reads() -> Iterator[int]:
    """The end of a pipe whose other end is closed."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", TALKING, ids=" ".join)
def test_a_full_standard_output_is_told_in_one_line(
    words: list[str], shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        done = shell(*words)
    told = f"mtlscope: cannot write to standard output: {os.strerror(errno.ENOSPC)}\n"
    assert (done.code, done.err) == (2, told)


@pytest.mark.parametrize("words", TALKING, ids=" ".join)
def test_a_closed_standard_output_is_told_in_one_line(
    words: list[str], shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    done = shell(*words)
    assert (done.code, done.err) == (2, "mtlscope: standard output is closed\n")


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize("words", TALKING, ids=" ".join)
def test_a_pipe_that_nobody_reads_is_silent(
    words: list[str], nobody_reads: int, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with os.fdopen(nobody_reads, "w", closefd=False) as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        done = shell(*words)
    assert (done.code, done.err) == (141, "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["\x1b]0;x.pcap"], "\\x1b]0;x.pcap: no such file", id="an escape in a file name"),
        pytest.param(["one\ntwo"], "one\\x0atwo: no such file", id="a line break in a file name"),
        pytest.param(["-\u202eflac", "x"], "-\\u202eflac", id="bidi in an option"),
        pytest.param(["\x1b*"], "\\x1b*: no file matches", id="a glob"),
        pytest.param(["--topology", "\x1b", "x"], "cannot read the topology \\x1b", id="a topology"),
        pytest.param(["größe.pcap"], "größe.pcap: no such file", id="what can be read stays"),
    ],
)
def test_a_message_stays_on_its_line_and_moves_no_cursor(words: list[str], told: str, shell: Shell) -> None:
    done = shell(*words)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert told in done.err
    assert done.err[:-1].isprintable()


def test_a_closed_standard_input_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    done = shell("-r", "-")
    assert (done.code, done.out, done.err) == (2, "", "mtlscope: standard input is closed\n")
