"""Completion in the shells themselves, typed into a terminal; and the manual page in the programs that show it."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli import completion, man
from analyzer.cli.commands import commands
from analyzer.cli.main import COMMANDS
from tests.cli.commands import Shell

if sys.platform == "win32":
    pytest.skip("terminals of POSIX", allow_module_level=True)
import pty

WAIT = 60
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "bind 'set bell-style none'; source ./script"),
    "zsh": (["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u -D; source ./script"),
}


class Terminal:
    """An interactive shell in which `mtlscope` only repeats its words."""

    def __init__(self, shell: str, folder: Path) -> None:
        words, prepare = START[shell]
        self._end, inner = pty.openpty()
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "vt100", "LC_ALL": "C"}
        self._process = subprocess.Popen(
            words, stdin=inner, stdout=inner, stderr=inner, cwd=folder, env=environ, start_new_session=True
        )
        os.close(inner)
        self._told = ""
        self.type(f"{prepare}; mtlscope() {{ echo GO''T:$*:; }}; mtlscope ready\n")

    def type(self, text: str) -> str:
        """The words that `mtlscope` got when this was typed."""
        before = len(self._told)
        os.write(self._end, text.encode())
        deadline = time.monotonic() + WAIT
        while select.select([self._end], [], [], max(0, deadline - time.monotonic()))[0]:
            self._told += os.read(self._end, 4096).decode("utf-8", "replace")
            if found := re.search(r"GOT:(.*?):\s", self._told[before:], re.DOTALL):
                return found[1].strip()
        raise TimeoutError(self._told)

    def close(self) -> None:
        """End the shell."""
        self._process.kill()
        self._process.wait()
        os.close(self._end)


@pytest.fixture(scope="module", params=START)
def terminal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """bash, then zsh, with the completion loaded, in a folder with one capture."""
    if shutil.which(request.param) is None:
        pytest.skip(f"no {request.param} here")
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "some-capture.pcap").touch()
    (folder / "script").write_text(getattr(completion, request.param)(commands()))
    found = Terminal(request.param, folder)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        pytest.param("expl\ttls-al\t", "explain tls-alert", id="a command and a rule"),
        pytest.param("--topol\tx", "--topology x", id="an option of the default command"),
        pytest.param("--fail-on wa\tx", "--fail-on warning x", id="the value of an option"),
        pytest.param("analyze -T jsonl --tro\tx", "analyze -T jsonl --troubled x", id="an option further on"),
        pytest.param("plan -T cert\tx", "plan -T certreq x", id="the same option takes other values elsewhere"),
        pytest.param("diff --col\tal\tx", "diff --color always x", id="an option of a command, and its value"),
        pytest.param("completion power\t", "completion powershell", id="a word with fixed values"),
        pytest.param("some-c\t", "some-capture.pcap", id="a file"),
        pytest.param("analyze -r some-c\t", "analyze -r some-capture.pcap", id="a file behind an option"),
        pytest.param("explain --por\tx", "explain --porx", id="an option of another command is none here"),
    ],
)
def test_what_the_tabulator_key_makes_of_it(typed: str, words: str, terminal: Terminal) -> None:
    assert " ".join(terminal.type(f"mtlscope {typed}\n").replace("\t", "").split()) == words


@pytest.mark.parametrize("shell_name", completion.SHELLS)
def test_a_script_knows_every_command_and_option(shell_name: str, shell: Shell) -> None:
    script = shell("completion", shell_name).out
    assert script.isascii()
    for command in commands():
        assert command.name in script
        assert all(name in script for option in command.options for name in option.names)


def test_every_command_can_be_described() -> None:
    assert [command.name for command in commands()] == list(COMMANDS)


def test_powershell_takes_the_script(tmp_path: Path) -> None:
    pwsh = shutil.which("pwsh")
    if pwsh is None:
        pytest.skip("no PowerShell here")
    (tmp_path / "script.ps1").write_text(completion.powershell(commands()))
    ask = ". ./script.ps1; (TabExpansion2 'mtlscope --fail-on wa' 21).CompletionMatches.CompletionText"
    done = subprocess.run([pwsh, "-NoProfile", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["warning"]


def test_powershell_tables_have_no_key_twice() -> None:
    """They ignore case, and a key that is there twice makes the whole script an error."""
    keys: set[str] = set()
    for line in completion.powershell(commands()).splitlines():
        if line.rstrip().endswith("@{"):
            keys = set()
        elif entry := re.match(r"\s+'((?:[^']|'')*)' = ", line):
            assert entry[1].lower() not in keys
            keys.add(entry[1].lower())


def test_an_unknown_shell_is_told(shell: Shell) -> None:
    done = shell("completion", "zhs")
    assert done.code == 2
    assert "did you mean: zsh" in done.err


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8"], id="man"),
        pytest.param(["mandoc", "-Tlint", "-W", "warning"], id="mandoc"),
    ],
)
def test_the_manual_page_is_shown_without_a_warning(words: list[str], tmp_path: Path) -> None:
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} here")
    (tmp_path / "mtlscope.1").write_text(man.page())
    done = subprocess.run([*words, "mtlscope.1"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert words[0] == "man" or not done.stdout


def test_the_manual_page_names_every_option_and_exit_code(shell: Shell) -> None:
    told: Any = shell("man").out.replace("\\-", "-")
    for command in commands():
        for option in command.options:
            assert all(f"\\fB{name}\\fR" in told for name in option.names if command.name == "analyze")
        assert command.name == "analyze" or f'.SS "mtlscope {command.name}"' in told
    for code in (0, 1, 2, 3, 4, 5, 130, 141):
        assert f".B {code}\n" in told
