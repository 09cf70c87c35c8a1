"""Files that run it as a service: printed as they are, and understood by those who read them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import analyzer
from analyzer.cli.live.command import _parser as live_parser
from analyzer.cli.service import FILES
from tests.cli.commands import Shell

PROJECT = Path(analyzer.__file__).parent.parent
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@pytest.mark.parametrize("what", FILES)
def test_each_says_first_what_to_do(what: str, shell: Shell) -> None:
    done = shell("service", what)
    assert done.code == 0
    assert done.out.isascii()
    assert f"mtlscope service {what} >" in "".join(done.out.splitlines(True)[:12])


def test_a_misspelt_one(shell: Shell) -> None:
    done = shell("service", "sytemd")
    assert (done.code, "did you mean: systemd" in done.err) == (2, True)


def text(what: str) -> str:
    return (PROJECT / "analyzer" / "service" / FILES[what]).read_text(encoding="ascii")


def live_words(what: str) -> list[str]:
    """What stands behind `live` in it; variables are left out."""
    (line,) = (line for line in text(what).splitlines() if re.search(r"\blive -i ", line) and "--rotate" in line)
    line = re.sub(r"\$LIVE_OPTIONS|%i", "", line).replace('\\"', '"').replace('`"', '"').replace("\\", "/").rstrip('"]')
    return shlex.split(re.sub(r'.*\blive -i (""|"?\$?\w*"?)?', "-i x ", line))


@pytest.mark.parametrize("what", FILES)
def test_each_gives_options_that_there_are(what: str) -> None:
    args = live_parser().parse(live_words(what))
    assert (args.T, args.keep, args.fail_on, len(args.rotate)) == ("jsonl", 30, "never", 2)


# ---- systemd ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """An instance of the unit, with a program that is there."""
    path = tmp_path / "mtlscope@eth0.service"
    path.write_text(text("systemd").replace("/opt/mtlscope/bin/mtlscope", "/bin/true"))
    return path


@needs_systemd
def test_systemd_understands_every_line(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_systemd_finds_it_well_locked(unit: Path) -> None:
    words = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze is too old")
    assert done.returncode == 0, done.stdout[-500:]


@needs_systemd
@pytest.mark.skipif(not shutil.which("strace") or sys.platform != "linux", reason="strace is not installed")
def test_the_system_calls_of_a_capture_are_allowed(tmp_path: Path) -> None:
    """Those that systemd's groups hold against those that are made, up to the end of a capture on the loopback."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    trace = tmp_path / "trace"
    words = ["-i", "lo", "--capture-engine", "af-packet", "-a", "2", "-T", "jsonl", "-o", str(tmp_path / "o.jsonl")]
    words = [sys.executable, "-m", "analyzer", "live", *words, "--rotate", "1d", "--keep", "2"]
    done = subprocess.run(
        ["strace", "-f", "-o", str(trace), *words], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if "ptrace" in done.stderr.lower():
        pytest.skip("nothing can be traced here")
    assert done.returncode == 0, done.stderr
    made = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(errors="replace"), re.MULTILINE))
    allowed = (calls("@system-service") - calls("@privileged") - calls("@resources")) | calls("@default")
    allowed |= set(re.findall(r"^SystemCallFilter=([a-z_ ]+)$", text("systemd"), re.MULTILINE)[-1].split())
    assert "setsockopt" in made
    assert made - allowed == set()
    families = set(re.findall(r"socket\((AF_\w+)", trace.read_text(errors="replace")))
    assert families <= {"AF_PACKET", "AF_UNIX"}


def calls(group: str) -> set[str]:
    """The system calls of a group and of the groups in it."""
    done = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True)
    names = [line.strip() for line in done.stdout.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return {name for name in names if name[0] != "@"}.union(*(calls(name) for name in names if name[0] == "@"))


# ---- Windows and containers ------------------------------------------------------------------------------------------


def task() -> str:
    """The XML in the script."""
    found = re.search(r'@"\n(.*?)\n"@', text("windows"), re.DOTALL)
    assert found
    return found[1]


def test_the_task_is_well_formed_and_has_no_end() -> None:
    # quoted as SecurityElement.Escape does it
    filled = re.sub(r"\$\(.*?\)\)|\$\w+", "x &quot;y&quot;", task())
    root = ElementTree.fromstring(filled)
    assert root.tag == f"{TASK}Task"
    assert root.findtext(f".//{TASK}ExecutionTimeLimit") == "PT0S"
    assert root.findtext(f".//{TASK}Arguments") == 'x "y"'
    assert root.find(f".//{TASK}BootTrigger") is not None


def test_the_script_sets_each_variable_that_its_task_names() -> None:
    script = text("windows")
    for name in set(re.findall(r"\$(\w+)", task())) - {"env"}:
        assert re.search(rf"(\[string\] )?\${name}\b\s*=", script), name
    for pair in ("{}", "()", "[]"):
        assert script.count(pair[0]) == script.count(pair[1])


def steps() -> list[tuple[str, str]]:
    """The instructions of the Containerfile and their words; continued lines are joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text("container"), flags=re.MULTILINE))
    lines = [line.strip().split(None, 1) for line in joined.splitlines() if line.strip()]
    return [(line[0], line[1]) for line in lines]


def test_the_container_is_not_root_and_looks_after_itself() -> None:
    found = steps()
    known = {"FROM", "COPY", "RUN", "USER", "ENV", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "CMD", "WORKDIR"}
    assert {name for name, _ in found} <= known
    assert found[0][0] == "FROM"
    last = dict(found)
    assert last["USER"].isdigit()
    assert int(last["USER"]) > 0
    order = [name for name, _ in found]
    assert order.index("USER") > max(at for at, name in enumerate(order) if name == "RUN")
    assert "alive" in last["HEALTHCHECK"]
    assert "alive" in last["CMD"]


def test_the_container_copies_what_there_is_and_checks_as_a_shell_understands_it() -> None:
    for name, words in steps():
        if name == "COPY" and not words.startswith("--from"):
            assert all((PROJECT / word).exists() for word in words.split()[:-1])
        if name in ("CMD", "HEALTHCHECK"):
            line = json.loads(words[words.index("[") :])
            assert line[:2] == ["sh", "-c"]
            subprocess.run(["sh", "-n", "-c", line[2]], check=True)
        if name == "RUN":
            subprocess.run(["sh", "-n", "-c", words], check=True)
