"""The menu in Wireshark: its Lua file, as far as tshark can run it, and where it is put."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import analyzer
from analyzer.wireshark import menu
from tests.cli.commands import Shell
from tests.test_captures import CAPTURES

PROJECT = Path(analyzer.__file__).parent.parent
needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
US = [sys.executable, "-m", "analyzer"]
STUB = r"""
gui_enabled = function() return true end
MENU_TOOLS_UNSORTED = MENU_TOOLS_UNSORTED or 0
register_menu = function(name, action) io.write("menu " .. name .. "\n") end
"""
"""What a window has, for tshark."""


def lua(script: Path, capture: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a Lua file in tshark over a capture."""
    arguments = [part for word in words for part in ("-X", f"lua_script1:{word}")]
    return subprocess.run(
        ["tshark", "-q", "-r", str(capture), "-X", f"lua_script:{script}", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=PROJECT,
        timeout=120,
        check=False,
    )


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The Lua file that starts the code under test; its name needs quoting."""
    path = tmp_path / "mtlscope.lua"
    path.write_text(menu.text(US), encoding="utf-8")
    return path


@needs_tshark
def test_the_open_capture_is_analysed_and_the_culprit_is_named(script: Path) -> None:
    done = lua(script, CAPTURES / "ca-list-truncated-16384.pcap", "print")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].endswith("connections reported: 1, in trouble: 1")
    assert "stream 0  192.0.2.10:53120 -> 192.0.2.20:5061  sip.example.com  failed" in lines
    assert "  explained by ca-list-truncated: reset-during-handshake" in lines
    assert "  culprit: frame 37" in lines
    assert lines[-1] == "jump: frame.number == 37, then tcp.stream == 0"


@needs_tshark
@pytest.mark.parametrize(
    ("capture", "said"),
    [
        pytest.param("mtls12-openssl.pcap", "connections reported: 1, in trouble: 0", id="all is well"),
        pytest.param("pool-members-differ.pcap", "across connections", id="a finding across connections"),
        pytest.param("formats/netmon-2.3.cap", "culprit: frame", id="Network Monitor: the packets are copied as pcap"),
        pytest.param("any-device.pcap", "in trouble: 0", id="another link type"),
    ],
)
def test_captures(capture: str, said: str, script: Path) -> None:
    done = lua(script, CAPTURES / capture, "print")
    assert done.returncode == 0
    assert said in done.stdout


@needs_tshark
def test_the_copy_is_removed(tmp_path: Path) -> None:
    script, copy = tmp_path / "mtlscope.lua", tmp_path / "it's a copy.pcap"
    script.write_text(
        f"os.tmpname = function() return {menu.lua_text(str(copy))} end\n{menu.text(US)}", encoding="utf-8"
    )
    assert "in trouble: 0" in lua(script, CAPTURES / "mtls12-openssl.pcap", "print").stdout
    assert not copy.exists()


@needs_tshark
@pytest.mark.skipif(not shutil.which("mergecap"), reason="mergecap is not installed")
def test_a_capture_of_several_link_types_is_refused_with_advice(script: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.pcapng"
    sources = [str(CAPTURES / name) for name in ("any-device.pcap", "mtls12-openssl.pcap")]
    subprocess.run(["mergecap", "-w", str(mixed), *sources], check=True, timeout=60, capture_output=True)
    done = lua(script, mixed, "print")
    assert "cannot be copied" in done.stdout and "use the command line" in done.stdout


@needs_tshark
def test_a_command_line_that_is_gone_is_told(tmp_path: Path) -> None:
    script = tmp_path / "mtlscope.lua"
    script.write_text(menu.text(['/nowhere/it\'s "here"/mtlscope']), encoding="utf-8")
    done = lua(script, CAPTURES / "mtls12-openssl.pcap", "print")
    assert done.stdout.startswith("mtlscope: the command line said: ")
    assert "not found" in done.stdout


@needs_tshark
def test_it_is_silent_in_tshark(script: Path) -> None:
    done = lua(script, CAPTURES / "mtls12-openssl.pcap")
    assert (done.returncode, done.stdout) == (0, "")


@needs_tshark
def test_with_a_window_it_registers_its_menu(tmp_path: Path) -> None:
    script = tmp_path / "stub.lua"
    script.write_text(STUB + menu.text(US), encoding="utf-8")
    done = lua(script, CAPTURES / "mtls12-openssl.pcap")
    assert done.stdout.splitlines() == [
        "menu mtlscope/Analyse this capture",
        "menu mtlscope/Analyse and jump to the first culprit",
    ]


@needs_tshark
def test_every_escape_of_json_is_read(tmp_path: Path) -> None:
    source = menu.text(US).split("-- ---- running")[0]
    script = tmp_path / "json.lua"
    document = r'{"a": [1, -2.5, true, false, null, "x"], "b": {}, "c": [], "d\"\\\/": "\u00fc\ud83d\ude00\n\\u0041"}'
    script.write_text(
        f"{source}\nlocal d = decode([==[{document}]==])\n"
        'io.write(d.a[1], " ", d.a[2], " ", tostring(d.a[3]), " ", tostring(d.a[4]), " ", tostring(d.a[5]), " ", d.a[6])\n'
        'io.write(" ", #d.c, " ", d["d\\"\\\\/"], "\\n")\n'
        'io.write(tostring(select(2, pcall(decode, "[1 2]"))), "\\n")\n',
        encoding="utf-8",
    )
    done = lua(script, CAPTURES / "mtls12-openssl.pcap")
    assert done.stdout == "1 -2.5 true false nil x 0 ü\U0001f600\n\\u0041\nJSON: a comma is missing at byte 5\n"


@needs_tshark
def test_hostile_names_stay_text(tmp_path: Path) -> None:
    source = menu.text(US).split("-- ---- taking")[0]
    script = tmp_path / "report.lua"
    name = menu.lua_text("a\x1b[2J\nb\u202ec\u2066d\x9be\u00fc")
    connection = (
        f'{{ outcome = "failed", findings = {{}}, stream = 0, client_ip = "::1", client_port = 1, server_ip = "::2", '
        f"server_port = 2, server_name = {name} }}"
    )
    script.write_text(
        f"{source}\nio.write((report{{ tool = 'x', connections = {{ {connection} }}, captures = {{}} }}))\n",
        encoding="utf-8",
    )
    done = lua(script, CAPTURES / "mtls12-openssl.pcap")
    assert done.stdout.splitlines()[2] == "stream 0  ::1:1 -> ::2:2  a?[2J?b?c?d?eü  failed"


# ---- mtlscope wireshark ------------------------------------------------------------------------------------------------


def test_install_path_uninstall(shell: Shell, tmp_path: Path) -> None:
    where = tmp_path / "new" / "plugins"
    target = where / "mtlscope.lua"
    assert shell("wireshark", "path", "--folder", str(where)).out == f"{target}\n"
    done = shell("wireshark", "install", "--folder", str(where))
    assert (done.code, done.out) == (0, "")
    assert f"wrote {target}" in done.err
    assert menu.PLAIN not in target.read_text(encoding="utf-8")
    assert shell("wireshark", "install", "--folder", str(where)).code == 0, "ours is written anew"
    assert f"removed {target}" in shell("wireshark", "uninstall", "--folder", str(where)).err
    assert not target.exists()
    assert "there is no" in shell("wireshark", "uninstall", "--folder", str(where)).err


def test_a_file_that_is_not_ours_stays(shell: Shell, tmp_path: Path) -> None:
    target = tmp_path / "mtlscope.lua"
    target.write_text("print('mine')")
    for what in ("install", "uninstall"):
        done = shell("wireshark", what, "--folder", str(tmp_path))
        assert done.code == 2
        assert "is not ours" in done.err
    assert target.read_text() == "print('mine')"


def test_a_folder_that_cannot_be_made(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = shell("wireshark", "install", "--folder", str(tmp_path / "file" / "plugins"))
    assert done.code == 2
    assert "cannot" in done.err


def test_usage(shell: Shell) -> None:
    done = shell("wireshark", "instal")
    assert done.code == 2
    assert "did you mean: install" in done.err


def test_the_folder_is_the_one_that_tshark_names(monkeypatch: pytest.MonkeyPatch) -> None:
    told = b"Temp:\t/tmp\nPersonal Lua Plugins:\t/home/x/lua plugins\n"
    monkeypatch.setattr(menu, "find_tool", lambda: "/bin/tshark")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, told, b""))
    assert menu.folder() == Path("/home/x/lua plugins")


@pytest.mark.parametrize(("system", "end"), [("win32", "Wireshark"), ("linux", "wireshark"), ("darwin", "wireshark")])
def test_without_tshark_the_folder_is_the_usual_one(system: str, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(menu, "find_tool", lambda: None)
    monkeypatch.setattr(sys, "platform", system)
    assert menu.folder().parts[-2:] == (end, "plugins")


@pytest.mark.parametrize(
    ("word", "text"),
    [
        pytest.param("/opt/x y/mtlscope", '"/opt/x y/mtlscope"', id="plain"),
        pytest.param('C:\\a"b', '"C:\\092a\\034b"', id="backslash and quote"),
        pytest.param("/ü\n]]", '"/\\195\\188\\010]]"', id="other letters, and a line end"),
    ],
)
def test_words_as_texts_of_lua(word: str, text: str) -> None:
    assert menu.lua_text(word) == text
