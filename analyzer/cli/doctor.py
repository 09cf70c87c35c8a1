"""`mtlscope doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from importlib import metadata

from analyzer.cli.main import show
from analyzer.cli.parser import Parser
from analyzer.version import __version__
from analyzer.wireshark.tool import find_tool

NEEDED = ("cryptography", "msgspec", "numpy", "rich")
OPTIONAL = {
    "duckdb": "DuckDB databases (`-T duckdb`)",
    "jinja2": "the HTML report (`-T html`)",
    "pandas": "data frames (`result.to_frame()`)",
    "prometheus-client": "metrics (`mtlscope live --metrics`)",
    "pyarrow": "Parquet files, and DuckDB (`-T parquet`)",
    "pyshark": "packets of a connection in notebooks (`connection.to_pyshark()`)",
    "scapy": "live capture where neither dumpcap nor a packet socket works",
    "textual": "keys and details in the live table",
}
TOOLS = {
    "tshark": "comparing with Wireshark (mtlscope crosscheck), reading its formats (--via tshark), packets in notebooks",
    "dumpcap": "capturing: the surest way, see docs/capturing.md",
    "tcpdump": "capturing on a server without Wireshark",
    "wireshark": "opening a capture at the frame that a finding names",
}
WAIT = 10
"""Seconds for a tool to say its version."""


def run(words: list[str]) -> int:
    """Print one line a thing: ok, or what is missing, what it is for, and how to get it. 2 if a needed one is missing."""
    Parser(prog="mtlscope doctor", description=__doc__).parse_args(words)
    lines, missing = [f"ok       mtlscope {__version__}", f"ok       {platform_line()}"], False
    for name, version in dependencies().items():
        if version:
            lines.append(f"ok       {name} {version}")
        elif name in NEEDED:
            lines.append(f"MISSING  {name}: nothing works without it; python -m pip install {name}")
            missing = True
        else:
            lines.append(f"without  {name}: needed for {OPTIONAL[name]}; python -m pip install {name}")
    for name, version in tools().items():
        lines.append(
            f"ok       {name} {version}" if version else f"without  {name}: useful for {TOOLS[name]}; {_get()}"
        )
    lines += live()
    show("\n".join(lines) + "\n")
    return 2 if missing else 0


def live() -> list[str]:
    """Which engine captures from an interface here, and why the others do not."""
    from analyzer.capture.live.ladder import rungs

    found = rungs()
    first = next((rung for rung in found if rung.works), None)
    lines = [
        f"ok       live capture with {rung.engine}: {rung.why}{'; taken first' if rung is first else ''}"
        if rung.works
        else f"without  live capture with {rung.engine}: {rung.why}{'; ' if rung.remedy else ''}{rung.remedy}"
        for rung in found
    ]
    if first is None:
        lines.append("without  live capture: one of these engines is enough; see docs/live.md")
    return [*lines, confinement()]


def confinement() -> str:
    """Whether live capture with af-packet can be kept from writing elsewhere."""
    from analyzer.capture.live.landlock import abi

    version = abi()
    if version:
        return f"ok       Landlock (ABI {version}): live capture with af-packet writes nowhere but where it was told to"
    return "without  Landlock (Linux 5.13, lsm=landlock): live capture with af-packet gives up its rights all the same"


def platform_line() -> str:
    """ "Python 3.11.7 on Linux 6.1 (x86_64)"."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.release()} ({platform.machine()})"


def dependencies() -> dict[str, str | None]:
    """Name -> installed version; None if it is not there."""
    return {name: _installed(name) for name in sorted((*NEEDED, *OPTIONAL))}


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def tools() -> dict[str, str | None]:
    """Name -> version of each external tool; None if it is not in the PATH."""
    return {name: _tool(name) for name in TOOLS}


def _tool(name: str) -> str | None:
    path = find_tool(name)
    if path is None:
        return None
    if name == "wireshark":
        return path  # starting it would open a window's worth of libraries
    return tool_version(path)


def tool_version(path: str) -> str:
    """What a tool says of its version, or where it is."""
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=WAIT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return f"at {path}, which does not answer"
    number = re.search(r"\d+\.\d+[\w.]*", told.stdout + told.stderr)
    return number[0] if number else f"at {path}"


def _get() -> str:
    """How this system installs Wireshark's tools."""
    if sys.platform == "win32":
        return "install Wireshark from wireshark.org (with Npcap) and add its folder to PATH"
    if sys.platform == "darwin":
        return "brew install wireshark"
    return "install it with your package manager, e.g. apt install wireshark tshark tcpdump"
