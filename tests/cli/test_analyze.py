"""`mtlscope analyze`: what reaches the pipeline, where the report goes, what the exit code is."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer import knowledge
from analyzer.cli import progress, sink
from analyzer.errors import UsageError
from analyzer.findings import Outcome, Verdict
from analyzer.pipeline import Run
from analyzer.report.output import Item
from analyzer.selection import Selection, parse_host
from tests.build import pki, store_files
from tests.cli.commands import Shell
from tests.report.records import failed, healthy, summary

PCAP = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
"""A capture without a packet."""


class FakeRun(Run):
    """Stands for the pipeline: yields made-up items and keeps what it was given."""

    made: list[FakeRun]
    items: list[Item]
    outcome: dict[str, Any]

    def __iter__(self) -> Iterator[Item]:
        FakeRun.made.append(self)
        if "usage" in FakeRun.outcome:
            raise UsageError("nothing to analyse")
        if self.options.verdicts:
            self.options.verdicts(failed(), [Verdict("self-signed", Outcome.CANNOT_TELL, reason="no certificate")])
        if self.options.opinions:
            self.options.opinions(failed(), ["the server's chain: \u202etrusted"])
        if self.progress:
            self.progress("test.pcap", 10, 20)
        yield from FakeRun.items
        self.worst = FakeRun.outcome.get("worst")
        self.errors += FakeRun.outcome.get("errors", [])
        self.crashes += FakeRun.outcome.get("crashes", [])


@pytest.fixture(autouse=True)
def pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeRun.made, FakeRun.items, FakeRun.outcome = [], [failed(), summary()], {}
    monkeypatch.setattr("analyzer.pipeline.Run", FakeRun)


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """Two stores, and a file that is none."""
    (tmp_path / "a.pem").write_bytes(store_files.pem(pki.root("A").der))
    (tmp_path / "b.sst").write_bytes(store_files.sst(pki.root("B").der, end=False))
    (tmp_path / "key.pem").write_text(pki.root("A").key_pem)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "client", "server"),
    [
        pytest.param([], [], [], id="none is given"),
        pytest.param(["a.pem"], ["a.pem"], ["a.pem"], id="for both"),
        pytest.param(["client=a.pem"], ["a.pem"], [], id="for the client's host"),
        pytest.param(["server=a.pem"], [], ["a.pem"], id="for the server's host"),
        pytest.param(["a.pem", "client=b.sst"], ["a.pem", "b.sst"], ["a.pem"], id="one for both and one more"),
        pytest.param(["client=a.pem", "a.pem"], ["a.pem"], ["a.pem"], id="the same again counts once"),
        pytest.param(["./client=x"], ["./client=x"], ["./client=x"], id="a file whose name begins like a side"),
    ],
)
def test_trust_stores_reach_the_pipeline(
    words: list[str], client: list[str], server: list[str], roots: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(roots)
    (roots / "client=x").write_bytes(pki.root("A").der)
    assert shell("x.pcap", "-q", *(part for word in words for part in ("--trust", word))).code == 0
    trust = FakeRun.made[0].options.trust
    assert ([store.name for store in trust.client], [store.name for store in trust.server]) == (client, server)


def test_a_damaged_trust_store_is_told_and_used(roots: Path, shell: Shell) -> None:
    done = shell("x.pcap", "--trust", str(roots / "b.sst"))
    assert done.code == 0
    assert "the store has no end: the file is cut short; certificates read: 1" in done.err
    assert shell("x.pcap", "-q", "--trust", str(roots / "b.sst")).err == ""
    assert "certificates read" not in shell("x.pcap", "--trust", str(roots / "a.pem")).err
    assert "a.pem: certificates read: 1" in shell("x.pcap", "-v", "--trust", str(roots / "a.pem")).err


@pytest.mark.parametrize(
    ("word", "told"),
    [
        pytest.param("client=nowhere.pem", "nowhere.pem: no such file or folder", id="a missing file"),
        pytest.param("key.pem", "no certificate in it, but a private key; expected certificates", id="a key"),
        pytest.param("server=", "a trust store without a path", id="no path"),
    ],
)
def test_a_wrong_trust_store_is_a_usage_error(
    word: str, told: str, roots: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(roots)
    done = shell("x.pcap", "--trust", word)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.splitlines()) == 1
    assert not FakeRun.made


@pytest.mark.parametrize(
    ("outcome", "fail_on", "code"),
    [
        pytest.param({}, "note", 0, id="nothing found"),
        pytest.param({"worst": 0}, "error", 1, id="an error"),
        pytest.param({"worst": 1}, "error", 0, id="a warning, and errors count"),
        pytest.param({"worst": 1}, "warning", 1, id="a warning, and warnings count"),
        pytest.param({"worst": 2}, "warning", 0, id="a note, and warnings count"),
        pytest.param({"worst": 2}, "note", 1, id="a note, and notes count"),
        pytest.param({"worst": 0}, "never", 0, id="an error, and nothing counts"),
        pytest.param({"errors": ["a.pcap: cut"]}, "error", 3, id="an input was cut short"),
        pytest.param({"errors": ["a.pcap: cut"], "worst": 0}, "error", 3, id="cut short, and an error: 3 wins"),
        pytest.param({"crashes": ["rule x"], "errors": ["cut"], "worst": 0}, "error", 5, id="a bug wins over all"),
        pytest.param({"usage": True}, "error", 2, id="nothing to analyse"),
    ],
)
def test_exit_codes(outcome: dict[str, Any], fail_on: str, code: int, shell: Shell) -> None:
    FakeRun.outcome = outcome
    done = shell("--fail-on", fail_on, "x.pcap")
    assert done.code == code
    for line in (*outcome.get("errors", []), *outcome.get("crashes", [])):
        assert f"mtlscope: {line}\n" in done.err


def test_options_reach_the_pipeline(shell: Shell) -> None:
    words = "-r a.pcap b.pcap --ports 443,5061 --at 2026-01-01 --timezone +02:00 -j 3"
    hosts = "--host 192.0.2.1 --name *.x"
    shell(*words.split(), *hosts.split(), "--stream", "7", "--since", "1", "--until", "2", "--troubled")
    run = FakeRun.made[0]
    assert run.paths == ["a.pcap", "b.pcap"]
    assert run.options.ports == frozenset({443, 5061})
    assert run.options.at_ns == 1_767_225_600 * 10**9
    assert (run.options.timezone, run.options.workers) == ("+02:00", 3)
    assert run.options.keep == Selection((parse_host("192.0.2.1"),), ("*.x",), frozenset({7}), 10**9, 2 * 10**9, True)
    assert run.options.today_ns is not None


@pytest.mark.parametrize(
    ("words", "ports"),
    [([], knowledge.default_tls_ports()), (["--ports", "any"], None), (["--ports", " 1, 2"], frozenset({1, 2}))],
)
def test_ports(words: list[str], ports: frozenset[int] | None, shell: Shell) -> None:
    shell(*words, "x.pcap")
    assert FakeRun.made[0].options.ports == ports


def test_nothing_selected_is_no_predicate(shell: Shell) -> None:
    shell("x.pcap")
    assert FakeRun.made[0].options.keep is None


@pytest.mark.parametrize("words", [["x.pcap"], ["analyze", "x.pcap"], ["-r", "x.pcap"], ["analyze", "-r", "x.pcap"]])
def test_the_command_may_be_left_out(words: list[str], shell: Shell) -> None:
    assert "client-certificate-rejected" in shell(*words).out
    assert FakeRun.made[0].paths == ["x.pcap"]


def test_standard_output_has_only_the_report(shell: Shell) -> None:
    done = shell("-T", "jsonl", "--verdicts", "-v", "x.pcap")
    assert [json.loads(line)["type"] for line in done.out.splitlines()][-1] == "capture"
    assert "self-signed: cannot-tell: no certificate" in done.err


def test_verdicts_of_a_capture_with_an_odd_name_are_safe_for_a_terminal(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = failed(capture="\x1b[2J\u202e.pcap")
    monkeypatch.setattr("tests.cli.test_analyze.failed", lambda: odd)
    told = shell("--verdicts", "x.pcap").err
    assert "\\x1b[2J\\u202e.pcap stream 0: self-signed: cannot-tell: no certificate\n" in told


def test_verbose_has_a_second_opinion_on_standard_error(shell: Shell) -> None:
    assert "stream 0: the server's chain: \\u202etrusted" in shell("-v", "x.pcap").err
    assert "the server's chain: " not in shell("x.pcap").err
    assert "the server's chain: " not in shell("-v", "-j", "2", "x.pcap").err


def test_a_file_gets_the_report(tmp_path: Path, shell: Shell) -> None:
    target = tmp_path / "report.txt"
    assert shell("-o", str(target), "x.pcap").out == ""
    assert "client-certificate-rejected" in target.read_text(encoding="utf-8")


def test_a_file_is_not_touched_by_a_usage_error(tmp_path: Path, shell: Shell) -> None:
    target = tmp_path / "report.txt"
    target.write_text("the report of yesterday", encoding="utf-8")
    FakeRun.outcome = {"usage": True}
    assert shell("-o", str(target), "x.pcap").code == 2
    assert target.read_text(encoding="utf-8") == "the report of yesterday"


@pytest.mark.parametrize(
    ("given", "target"),
    [
        pytest.param("a.pcap", "a.pcap", id="the input itself"),
        pytest.param("./sub/../a.pcap", "a.pcap", id="by another way"),
        pytest.param(".", "a.pcap", id="in a folder that is an input"),
        pytest.param("*.pcap", "a.pcap", id="reached by a glob"),
        pytest.param(".", "b.gz", id="compressed"),
    ],
)
def test_no_capture_is_ever_overwritten(
    given: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path("a.pcap").write_bytes(PCAP)
    Path("b.gz").write_bytes(b"\x1f\x8b\x08")
    before = Path(target).read_bytes()
    done = shell("-o", target, given)
    assert done.code == 2
    assert f"-o {target} is an input" in done.err
    assert Path(target).read_bytes() == before


def test_an_old_report_beside_the_captures_may_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("report.txt").write_text("old", encoding="utf-8")
    assert shell("-o", "report.txt", ".").code == 0
    assert "client-certificate-rejected" in Path("report.txt").read_text(encoding="utf-8")


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path, shell: Shell) -> None:
    done = shell("-o", str(tmp_path / "no" / "report.txt"), "x.pcap")
    assert done.code == 2
    assert "cannot write" in done.err


@pytest.mark.parametrize(
    ("words", "environment", "terminal", "coloured"),
    [
        pytest.param([], {}, False, False, id="a pipe is plain"),
        pytest.param([], {}, True, True, id="a terminal is coloured"),
        pytest.param([], {"TERM": "dumb"}, True, False, id="a dumb one is not"),
        pytest.param([], {"NO_COLOR": "1"}, True, False, id="NO_COLOR"),
        pytest.param([], {"NO_COLOR": ""}, True, True, id="an empty NO_COLOR says nothing"),
        pytest.param([], {"FORCE_COLOR": "1"}, False, True, id="FORCE_COLOR"),
        pytest.param(["--color", "always"], {"NO_COLOR": "1"}, False, True, id="asked for"),
        pytest.param(["--color", "never"], {"FORCE_COLOR": "1"}, True, False, id="asked for none"),
    ],
)
def test_colour(
    words: list[str],
    environment: dict[str, str],
    terminal: bool,
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    wanted = words[-1] if words else "auto"
    assert sink._wants_color(wanted, terminal) is coloured


class Terminal(io.StringIO):
    """A terminal that remembers what was written."""

    def isatty(self) -> bool:
        return True


def test_progress_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not progress.Progress(wanted=True).on
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert progress.Progress(wanted=True).on
    assert not progress.Progress(wanted=False).on


def test_progress_is_removed_before_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "EVERY", 0)
    shown = progress.Progress(wanted=True)
    shown.update("a\x1b[2J.pcap", 50, 100)
    shown.update("-", 50_000_000, None)
    assert " 50 %" in terminal.getvalue()
    assert "50 MB" in terminal.getvalue()
    assert "\x1b[2J" not in terminal.getvalue()
    out = io.BytesIO()
    sink._binary(out, "x", shown).write(b"report")
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert out.getvalue() == b"report"


def test_healthy_needs_no_exit_code(shell: Shell) -> None:
    FakeRun.items = [healthy(), summary()]
    assert shell("x.pcap").code == 0
