"""Which engine to take: the first that works, dumpcap before the packet socket before scapy."""

from __future__ import annotations

import socket
import sys

from analyzer.capture.live import dumpcap, packet_socket, scapy_socket
from analyzer.capture.live.source import Engine, LiveError, Rung, Settings, Source
from analyzer.dataclass import dataclass

ENGINES = (dumpcap.ENGINE, packet_socket.ENGINE, scapy_socket.ENGINE)
AUTO = "auto"
NAMES = (AUTO, *(engine.name for engine in ENGINES))


@dataclass(frozen=True, slots=True)
class Opened:
    """A running capture. `skipped`: one line for each engine tried before it that did not start."""

    engine: str
    source: Source
    skipped: tuple[str, ...] = ()


def open_source(settings: Settings, engine: str = AUTO) -> Opened:
    """Start capturing. Raise LiveError that says of each engine why not, and what to do."""
    if engine != AUTO:
        chosen = next(known for known in ENGINES if known.name == engine)
        return Opened(engine, chosen.open(settings))
    skipped: list[str] = []
    for known in _on_this_system():
        try:
            return Opened(known.name, known.open(settings), tuple(skipped))
        except LiveError as error:
            skipped.append(f"{known.name}: {error}")
    raise LiveError(f"cannot capture on {settings.interface}. " + ". ".join(skipped))


def _on_this_system() -> list[Engine]:
    unfit = scapy_socket.ENGINE if sys.platform == "linux" else packet_socket.ENGINE
    return [engine for engine in ENGINES if engine is not unfit]


def rungs() -> list[Rung]:
    """What each engine of this system says about itself."""
    return [engine.check() for engine in _on_this_system()]


def interfaces() -> list[str]:
    """Names of the interfaces to capture on."""
    if sys.platform == "win32":
        return _of_dumpcap()
    return [name for _number, name in socket.if_nameindex()]


def _of_dumpcap() -> list[str]:
    """As dumpcap lists them: on Windows the system's names are none that Npcap takes."""
    import shutil
    import subprocess

    path = shutil.which("dumpcap")
    if path is None:
        raise LiveError(f"dumpcap lists the interfaces, and it is not in the PATH; {dumpcap.install()}")
    done = subprocess.run([path, "-D"], capture_output=True, text=True, timeout=dumpcap.WAIT, check=False)
    return done.stdout.splitlines()
