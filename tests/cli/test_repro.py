"""`mtlscope --repro DIR`: the report as ever, and a folder with what to try."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Shell

CAPTURES = Path(__file__).parents[2] / "captures"
BROKEN = str(CAPTURES / "client-untrusted-12.pcap")
HEALTHY = str(CAPTURES / "mtls12-openssl.pcap")


def test_the_report_stays_as_it_is_and_the_folder_is_made(tmp_path: Path, shell: Shell) -> None:
    plain, folder = shell("-T", "jsonl", BROKEN), tmp_path / "a" / "b"
    done = shell("-T", "jsonl", "--repro", str(folder), BROKEN)
    assert (done.out, done.code) == (plain.out, plain.code)
    assert "openssl s_client -connect 192.0.2.20:5061 -servername sip.example.com -tls1_2 " in done.err
    assert "repro.txt and the certificates" in done.err
    assert "openssl s_server" in (folder / "repro.txt").read_text(encoding="ascii")
    assert len(list(folder.glob("*.pem"))) == 8


def test_quiet_says_nothing(tmp_path: Path, shell: Shell) -> None:
    assert shell("-q", "--repro", str(tmp_path), BROKEN).err == ""
    assert (tmp_path / "repro.txt").exists()


def test_nothing_in_trouble(tmp_path: Path, shell: Shell) -> None:
    assert "nothing to try again" in shell("--repro", str(tmp_path), HEALTHY).err


@pytest.mark.parametrize("paths", [["no-such.pcap"], []], ids=["nothing to analyse", "no path"])
def test_a_usage_error_makes_no_folder(paths: list[str], tmp_path: Path, shell: Shell) -> None:
    assert shell("--repro", str(tmp_path / "out"), *paths).code == 2
    assert not (tmp_path / "out").exists()


def test_a_file_is_no_folder(tmp_path: Path, shell: Shell) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = shell("--repro", str(tmp_path / "file"), BROKEN)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"mtlscope: --repro {tmp_path / 'file'} is no folder\n"


def test_a_capture_of_that_name_is_not_overwritten(tmp_path: Path, shell: Shell) -> None:
    capture = tmp_path / "repro.txt"
    capture.write_bytes(Path(BROKEN).read_bytes())
    before = capture.read_bytes()
    done = shell("--repro", str(tmp_path), str(capture))
    assert done.code == 2
    assert f"--repro {capture} is an input" in done.err
    assert capture.read_bytes() == before


def test_help_tells_of_it(shell: Shell) -> None:
    assert "--repro DIR" in shell("--help").out
