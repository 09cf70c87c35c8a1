"""`mtlscope man`: the manual page, made from the parsers. To read it: mtlscope man | man -l -"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.cli.main import Exit, show
from analyzer.cli.parser import Parser
from analyzer.version import __version__

if TYPE_CHECKING:
    from analyzer.cli.commands import Command, Option

DATE = "2026-11-21"
"""Of the version, as readers of manual pages expect one; not of the run: the page is the same at every run."""
EXITS = {
    Exit.OK: "nothing at or above --fail-on",
    Exit.FINDINGS: "findings at or above it",
    Exit.USAGE: "usage, configuration, or nothing to analyse",
    Exit.INPUT: "an input is missing, unreadable or cut short; the rest was reported",
    Exit.CAPTURE: "capture not possible",
    Exit.BUG: "a bug of ours",
    Exit.INTERRUPTED: "interrupted",
    Exit.CLOSED_PIPE: "closed pipe",
}
FILES = {
    "mtlscope.toml": "settings of a project: the nearest one, in the current folder or above it",
    "~/.config/mtlscope/config.toml": "settings of the user",
}


def run(words: list[str]) -> int:
    """Print the page in roff."""
    Parser(prog="mtlscope man", description=__doc__).parse_args(words)
    show(page())
    return 0


def page() -> str:
    """The page, mtlscope.1."""
    from analyzer.cli.commands import commands
    from analyzer.cli.settings import SETTINGS, variable

    analyze = commands()[0]
    lines = [
        r".\" Made by `make docs` from the parsers. Do not edit.",
        f'.TH MTLSCOPE 1 {DATE} "mtlscope {__version__}" "User Commands"',
        *(".SH NAME", r"mtlscope \- tell why a mutual\-TLS link does not come up", ".SH SYNOPSIS"),
        *(r".B mtlscope", r"[\fBanalyze\fR] [\fB\-r\fR] \fIPATH\fR... [\fIoptions\fR]", ".br"),
        *(".B mtlscope", r"\fICOMMAND\fR ...", ".SH DESCRIPTION", _text(analyze.description), ".SH OPTIONS"),
    ]
    group = ""
    for option in analyze.options:
        if option.group != group:
            group = option.group
            lines.append(f'.SS "{group.capitalize()}"')
        lines += _option(option)
    lines.append(".SH COMMANDS")
    for command in commands()[1:]:
        lines += _command(command)
    lines.append(".SH EXIT STATUS")
    for code, text in EXITS.items():
        lines += [".TP", f".B {int(code)}", _text(text)]
    lines += [".SH ENVIRONMENT", "Each is what an option is when the command line does not give it."]
    for name, setting in SETTINGS.items():
        lines += [".TP", f".B {variable(name)}", _text(f"{setting.option}: {setting.help}")]
    lines.append(".SH FILES")
    for name, text in FILES.items():
        lines += [".TP", f".I {_text(name)}", _text(text)]
    lines += [".SH SEE ALSO", r".BR tshark (1),", r".BR dumpcap (1),", r".BR openssl (1)"]
    return "\n".join(lines) + "\n"


def _command(command: Command) -> list[str]:
    words = " ".join(f"\\fI{_text(word.value)}\\fR{'...' if word.repeated else ''}" for word in command.words)
    lines = [f'.SS "mtlscope {command.name}"', f"\\fBmtlscope {command.name}\\fR {words}".rstrip(), ".br"]
    lines.append(_text(_sentence(command.help)))
    for option in (*command.words, *command.options):
        if option.names != ("-h", "--help") and option.help:
            lines += _option(option)
    return lines


def _option(option: Option) -> list[str]:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
    value = f"\\fI{_text(option.value)}\\fR" if option.value else ""
    return [".TP", " ".join(filter(None, (names, value))), _text(_sentence(option.help))]


def _sentence(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return f"{text[:1].upper()}{text[1:]}."


def _text(text: str) -> str:
    """As roff: backslashes and hyphens escaped; a line that starts with a dot or a quote would be a command."""
    plain = re.sub(r"\s+", " ", text).strip().replace("\\", r"\e").replace("-", r"\-")
    return f"\\&{plain}" if plain[:1] in (".", "'") else plain
