"""The dumpcap engine: Wireshark's own capturer as a child, pcapng over a pipe. All privilege stays in the child."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from typing import BinaryIO, cast

from analyzer.capture.live.backlog import Backlog
from analyzer.capture.live.blocks import describing, whole
from analyzer.capture.live.filters import wrong
from analyzer.capture.live.source import DEFAULT_FILTER, Engine, LiveError, Rung, Settings, Source

WRONG_FILTER = "Invalid capture filter"
"""What it says of one."""
FILTER_WITH_VLAN = f"({DEFAULT_FILTER}) or (vlan and ({DEFAULT_FILTER}))"
"""`vlan` moves the offsets of everything behind it, so it stands last."""
START = 10.0
"""Seconds for dumpcap to begin."""
WAIT = 10
PIPE_BYTES = 1024 * 1024
F_SETPIPE_SZ = 1031
MAX_SAID = 20


class Dumpcap:
    """A running dumpcap as a Source; see there for the methods. A thread reads the pipe: Windows cannot wait for one."""

    def __init__(self, settings: Settings, path: str) -> None:
        self.notes: list[str] = []
        self._settings = settings
        self._rest = b""
        self._head = b""
        self._describing = True
        self._said: list[str] = []
        self._stopping = self._over = False
        self._child = subprocess.Popen(
            command(settings, path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=sys.platform != "win32",  # Ctrl-C is ours; we end the child
        )
        pipe = self._child.stdout
        assert pipe is not None
        _widen(pipe.fileno())
        self._backlog = Backlog(cast(BinaryIO, pipe))
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        pipe = self._child.stderr
        assert pipe is not None
        try:
            for line in pipe:
                text = line.decode(errors="replace").strip()
                if text and len(self._said) < MAX_SAID:
                    self._said.append(text)
        except (OSError, ValueError):
            return

    def started(self) -> None:
        """Wait for its first blocks. Raise LiveError with dumpcap's words if it ends instead; UsageError if the filter is why."""
        piece = self._backlog.take(START)
        if piece == b"":
            self.close()
            raise LiveError(f"dumpcap does not begin within {START:.0f} seconds")
        if piece is None:
            self._listening.join(1)
            self.close()
            if any(WRONG_FILTER in line for line in self._said):
                raise wrong(self._settings.filter, _why(self._said))
            raise LiveError(f"{self._settings.interface}: dumpcap: {self._complaint()}")
        self._rest = piece

    def _complaint(self) -> str:
        """The line that says what is wrong; it comes after "Capturing on ..."."""
        return complaint(self._said) or f"it ended with code {self._child.poll()}"

    def read(self, timeout: float) -> bytes | None:
        """See Source."""
        size = whole(self._rest)
        if not size and not self._over:
            self._take(timeout)
            size = whole(self._rest)
        if not size:
            if not self._over:
                return b""
            self._ended()
            return None
        data, self._rest = self._rest[:size], self._rest[size:]
        if self._describing:
            count = describing(data)
            self._head += data[:count]
            self._describing = count == len(data)
        return data

    def renew(self) -> tuple[bytes, bytes]:
        """See Source. dumpcap counts once, at its end, what was dropped in all."""
        return b"", self._head

    def _take(self, timeout: float) -> None:
        """What is there, after waiting for it."""
        piece = self._backlog.take(timeout)
        if piece is None:
            self._over = True
        else:
            self._rest += piece

    def _ended(self) -> None:
        """Raise LiveError if nobody asked it to end."""
        if not self._stopping:
            self._listening.join(1)
            raise LiveError(f"{self._settings.interface}: dumpcap ended: {self._complaint()}")

    def stop(self) -> None:
        """Ask it to end; it writes what it has, and how many packets were dropped."""
        self._stopping = True
        self._child.terminate()

    def close(self) -> None:
        """See Source."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(1)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._backlog.close()
        self._listening.join(1)
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()


def _widen(handle: int) -> None:
    """A pipe of 1 MiB where the system has such (Linux)."""
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(handle, F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            return


def command(settings: Settings, path: str = "dumpcap") -> list[str]:
    """The words to start it with."""
    expression = FILTER_WITH_VLAN if settings.filter == DEFAULT_FILTER else settings.filter
    words = [
        path,
        "-q",
        "-n",
        "-i",
        settings.interface,
        "-s",
        str(settings.snap_length),
        "-B",
        str(settings.buffer_mib),
    ]
    return [*words, *(["-f", expression] if expression else []), "-w", "-"]


def open_dumpcap(settings: Settings) -> Source:
    """Start it. Raise LiveError, which says what to do, or UsageError for a wrong filter."""
    path = shutil.which("dumpcap")
    if path is None:
        raise LiveError(f"dumpcap is not in the PATH; {install()}")
    try:
        source = Dumpcap(settings, path)
    except OSError as error:
        raise LiveError(f"{path} cannot be run: {error.strerror}; {grant()}") from None
    source.started()
    return source


def check() -> Rung:
    """Whether dumpcap is there and may open its first interface (listing them needs no right)."""
    path = shutil.which("dumpcap")
    if path is None:
        return Rung("dumpcap", False, "not in the PATH", install())
    try:
        done = subprocess.run([path, "-L", "-i", "1"], capture_output=True, text=True, timeout=WAIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Rung("dumpcap", False, f"{path} cannot be run: {error}", grant())
    if done.returncode:
        return Rung(
            "dumpcap",
            False,
            (complaint(done.stderr.splitlines()) or "it opens no interface").partition("; ")[0],
            grant(),
        )
    return Rung("dumpcap", True, f"{path} opens an interface")


def _why(said: list[str]) -> str:
    """libpcap's words, which dumpcap gives in brackets; else its own."""
    found = re.search(r"capture filter \((.+)\)", " ".join(said))
    return found[1] if found else complaint(said)


def complaint(said: list[str]) -> str:
    """What is wrong, of all that it said, and what to do where a right is missing; "" if nothing is."""
    lines = [line.removeprefix("dumpcap: ").rstrip(".") for line in said]
    lines = [
        line for line in lines if line and not line.startswith(("Capturing on", "File:", "Packets ", "cap_set_proc"))
    ]
    if not lines:
        return ""
    return f"{lines[0]}; {grant()}" if any("permi" in line.lower() for line in said) else lines[0]


def install() -> str:
    """How this system gets it."""
    if sys.platform == "win32":
        return "install Wireshark from wireshark.org (with Npcap) and add its folder to PATH"
    if sys.platform == "darwin":
        return "brew install wireshark"
    return "install it: apt install wireshark-common (Debian), dnf install wireshark-cli (Fedora)"


def grant() -> str:
    """How this system lets a user run it."""
    if sys.platform == "win32":
        return "install Npcap without its option for administrators only, or run as administrator"
    if sys.platform == "darwin":
        return "install ChmodBPF, which comes with Wireshark, or run with sudo"
    return "dpkg-reconfigure wireshark-common, then add the user to the group wireshark; or run as root"


ENGINE = Engine("dumpcap", check, open_dumpcap)
