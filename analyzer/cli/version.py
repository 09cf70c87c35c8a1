"""`mtlscope --version -v`: the versions of everything that a bug report needs."""

from __future__ import annotations

from analyzer.cli.doctor import dependencies, platform_line, tools
from analyzer.cli.main import show
from analyzer.version import __version__


def run(words: list[str]) -> int:
    """Print the version; with -v those of Python, the libraries and the tools too."""
    lines = [f"mtlscope {__version__}"]
    if "-v" in words or "--verbose" in words:
        lines.append(platform_line())
        lines += [f"{name} {version or 'not installed'}" for name, version in dependencies().items()]
        lines += [f"{name} {version or 'not found'}" for name, version in tools().items()]
    show("\n".join(lines) + "\n")
    return 0
