"""The dumpcap engine with a played dumpcap: a script in the PATH."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from analyzer.capture.live import blocks, dumpcap
from analyzer.capture.live.source import Settings
from analyzer.errors import LiveError, UsageError
from tests.capture.live.sources import HEADER

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the played dumpcap is a shell script")
ONE = blocks.packet(1, b"abcd", 4)
ENDLESS = "trap 'exit 0' TERM; while :; do sleep 0.05; done"


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first in the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def play(folder: Path, script: str, written: bytes = HEADER + ONE) -> None:
    """dumpcap does this from now on; `$OUT` is what it may write."""
    out = folder / "out"
    out.write_bytes(written)
    program = folder / "dumpcap"
    program.write_text(f"#!/bin/sh\nOUT={out}\n{script}\n")
    program.chmod(0o755)


def test_whole_blocks_come_through_and_the_end_after_a_stop(played: Path) -> None:
    play(played, f'cat "$OUT"; {ENDLESS}', HEADER + ONE + ONE[:10])
    source = dumpcap.open_dumpcap(Settings("test0"))
    assert source.read(1) == HEADER + ONE
    assert source.read(0.01) == b"", "a block that is not whole is kept back"
    source.stop()
    until = time.monotonic() + 10
    while source.read(0.2) is not None:
        assert time.monotonic() < until
    source.close()


def test_a_new_section_begins_as_dumpcap_began_however_its_bytes_came(played: Path) -> None:
    begin = blocks.section() + blocks.interface_of("test0", 113, 99, 6)
    play(played, f'head -c 40 "$OUT"; sleep 0.3; tail -c +41 "$OUT"; {ENDLESS}', begin + ONE + ONE)
    source = dumpcap.open_dumpcap(Settings("test0"))
    got, until = b"", time.monotonic() + 10
    while len(got) < len(begin + ONE + ONE):
        got += source.read(0.2) or b""
        assert time.monotonic() < until
    assert source.renew() == (b"", begin)
    source.close()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(
            "dumpcap: There is no device named nope.", "test0: dumpcap: There is no device named nope", id="words"
        ),
        pytest.param(
            "You do not have permission to capture", "permission to capture; ", id="a right is missing: how to get it"
        ),
        pytest.param("", "it ended with code 3", id="nothing said"),
    ],
)
def test_a_dumpcap_that_ends_at_once_is_told_in_its_words(said: str, told: str, played: Path) -> None:
    play(played, f'echo "Capturing on test0" >&2; echo "{said}" >&2; exit 3')
    with pytest.raises(LiveError, match=told):
        dumpcap.open_dumpcap(Settings("test0"))


def test_a_wrong_filter_is_the_users_and_not_the_interfaces(played: Path) -> None:
    said = """Capturing on 'test0'
dumpcap: Invalid capture filter \\"tcp prot 1\\" for interface 'test0'.

That string isn't a valid capture filter (can't parse filter expression: syntax error)."""
    play(played, f'echo "{said}" >&2; exit 1')
    with pytest.raises(UsageError, match="'tcp prot 1' is wrong: can't parse filter expression: syntax error; see"):
        dumpcap.open_dumpcap(Settings("test0", "tcp prot 1"))


def test_a_dumpcap_that_ends_by_itself_is_an_error_after_its_last_packet(played: Path) -> None:
    play(played, 'cat "$OUT"; echo "dumpcap: The network interface went away." >&2; exit 1')
    source = dumpcap.open_dumpcap(Settings("test0"))
    assert source.read(1) == HEADER + ONE
    with pytest.raises(LiveError, match="dumpcap ended: The network interface went away"):
        for _ in range(50):
            source.read(0.2)
    source.close()


def test_closing_ends_a_dumpcap_that_does_not_listen_and_is_not_read(played: Path) -> None:
    play(played, 'trap \'\' TERM; cat "$OUT"; while :; do cat "$OUT"; done', HEADER + ONE * 10_000)
    source = dumpcap.open_dumpcap(Settings("test0"))
    begun = time.monotonic()
    source.close()
    assert time.monotonic() - begun < 10


def test_without_dumpcap_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LiveError, match="not in the PATH; "):
        dumpcap.open_dumpcap(Settings("test0"))
    assert not dumpcap.check().works


def test_the_default_filter_looks_behind_vlan_tags() -> None:
    words = dumpcap.command(Settings("test0"))
    assert "or (vlan and (" in words[words.index("-f") + 1]
    assert "-f" not in dumpcap.command(Settings("test0", filter=""))
    assert dumpcap.command(Settings("test0", filter="udp"))[-4:] == ["-f", "udp", "-w", "-"]


def test_the_check_opens_an_interface(played: Path) -> None:
    play(played, "exit 0")
    assert dumpcap.check().works
    play(played, 'echo "You don\'t have permission to capture on that device" >&2; exit 1')
    rung = dumpcap.check()
    assert (rung.works, "permission" in rung.why, bool(rung.remedy)) == (False, True, True)
