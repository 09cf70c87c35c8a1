"""`mtlscope diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analyzer.cli.diff import split
from tests.build.pcap import pcap
from tests.build.tcp import Tcp, merged
from tests.cli.commands import Shell
from tests.rules.cast import CLIENT, SUB
from tests.rules.test_successes import story

GOOD = story(50_001, 0, (CLIENT.der, SUB.der), works=True)
BAD = story(50_002, 10, (CLIENT.der,), works=False)
BOTH = merged(GOOD, BAD)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """good.pcap, bad.pcap, both.pcap (stream 0 works, 1 fails), and plain.pcap without TLS."""
    monkeypatch.chdir(tmp_path)
    plain = Tcp(dport=80).open().close()
    for name, packets in (("good", GOOD.packets), ("bad", BAD.packets), ("both", BOTH), ("plain", plain.packets)):
        Path(f"{name}.pcap").write_bytes(pcap(packets))
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["bad.pcap", "good.pcap"], id="two captures"),
        pytest.param(["both.pcap"], id="one capture: the failing one and the like of it"),
        pytest.param(["both.pcap:1", "both.pcap:0"], id="by number"),
        pytest.param(["both.pcap:1", "good.pcap"], id="one by number"),
        pytest.param(["./bad.pcap", "both.pcap:0", "--ports", "any"], id="with options"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_text(shell: Shell, words: list[str]) -> None:
    done = shell("diff", *words)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("A  ") and "failed" in lines[0]
    assert any(line.startswith("B  ") and "established" in line for line in lines)
    at = lines.index("client-certificates")
    assert lines[at + 1 : at + 3] == [
        "  A  the client sent 1 certificate (edge.example)",
        "  B  the client sent 2 certificates (edge.example, Sub)",
    ]


@pytest.mark.usefixtures("folder")
def test_json(shell: Shell) -> None:
    done = shell("diff", "both.pcap", "-T", "json")
    told = json.loads(done.out)
    assert (told["type"], told["a"]["stream"], told["b"]["stream"]) == ("diff", 1, 0)
    assert told["a"]["chosen"] == "the most troubled one"
    assert told["b"]["chosen"] == "the same client and server, and it worked"
    (difference,) = told["differences"]
    assert difference["what"] == "client-certificates"
    assert "in A" in difference["text"] and difference["meaning"]


@pytest.mark.usefixtures("folder")
def test_no_difference_is_said(shell: Shell) -> None:
    assert "nothing that can be seen differs" in shell("diff", "good.pcap", "both.pcap:0").out


@pytest.mark.usefixtures("folder")
def test_output_file(shell: Shell) -> None:
    assert shell("diff", "both.pcap", "-o", "out.txt").out == ""
    assert "client-certificates" in Path("out.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param([], "required", id="nothing named"),
        pytest.param(["nosuch.pcap"], "nosuch.pcap: no such file", id="no such file"),
        pytest.param(["both.pcap:7"], "both.pcap has no TLS connection with number 7", id="no such connection"),
        pytest.param(["bad.pcap"], "has no other connection like stream 0", id="nothing like it"),
        pytest.param(["bad.pcap", "plain.pcap"], "has no other connection like", id="no TLS in B"),
        pytest.param(["plain.pcap"], "plain.pcap has no TLS connection", id="no TLS in A"),
        pytest.param(["-"], "only once", id="standard input twice"),
        pytest.param(["both.pcap", "-T", "csv"], "none of text, json", id="no such format"),
        pytest.param(["both.pcap", "-o", "both.pcap"], "is an input", id="over its input"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_mistakes_get_one_line(shell: Shell, words: list[str], says: str) -> None:
    done = shell("diff", *words)
    assert done.code == 2
    assert says in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_a_capture_that_ends_too_early_is_compared_and_told(shell: Shell, folder: Path) -> None:
    whole = (folder / "good.pcap").read_bytes()
    (folder / "cut.pcap").write_bytes(whole[:-20])
    done = shell("diff", "bad.pcap", "cut.pcap")
    assert done.code == 3
    assert "client-certificates" in done.out
    assert "cut.pcap" in done.err


@pytest.mark.parametrize(
    ("word", "path", "stream"),
    [
        ("a.pcap", "a.pcap", None),
        ("a.pcap:3", "a.pcap", 3),
        ("C:\\a.pcap", "C:\\a.pcap", None),
        ("C:\\a.pcap:12", "C:\\a.pcap", 12),
        ("-:0", "-", 0),
        ("a.pcap:", "a.pcap:", None),
        ("a.pcap:x", "a.pcap:x", None),
    ],
)
def test_words(word: str, path: str, stream: int | None) -> None:
    assert split(word) == (path, stream)


def test_a_file_that_looks_like_a_stream_is_a_file(tmp_path: Path) -> None:
    odd = tmp_path / "a.pcap:3"
    odd.write_bytes(b"")
    assert split(str(odd)) == (str(odd), None)
