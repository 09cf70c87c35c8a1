"""Whether this machine lets us make network namespaces, with what is needed inside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def why_not(*tools: str) -> str | None:
    """Why there can be no namespace here with these tools; None if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux"
    missing = [tool for tool in ("ip", *tools) if shutil.which(tool) is None]
    if missing:
        return f"{missing[0]} is not installed"
    name = f"mtlscope-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "network namespaces are not allowed here"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None
