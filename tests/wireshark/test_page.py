"""The samples of docs/wireshark.md are what the code writes (`pytest --update-golden` writes them anew)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.wireshark import menu
from tests.test_captures import CAPTURES

ROOT = CAPTURES.parent
PAGE = ROOT / "docs" / "wireshark.md"
SAMPLE = re.compile(r"(<!-- sample: (\w+) (\S+) -->\n```\n).*?(```\n)", re.DOTALL)
VERSION = re.compile(r"(compared with tshark|^mtlscope) [\d.]+", re.MULTILINE)
US = [sys.executable, "-m", "analyzer"]


def written(kind: str, capture: str, script: Path) -> str:
    """What one sample shows."""
    window = ["tshark", "-q", "-r", capture, "-X", f"lua_script:{script}", "-X", "lua_script1:print"]
    words = window if kind == "window" else [*US, kind, capture]
    done = subprocess.run(words, capture_output=True, cwd=ROOT, timeout=120, check=False)
    return done.stdout.decode()


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_samples(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    script = tmp_path / "mtlscope.lua"
    script.write_text(menu.text(US), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    fresh = SAMPLE.sub(lambda match: f"{match[1]}{written(match[2], match[3], script)}{match[4]}", page)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(fresh, encoding="utf-8", newline="")
        page = fresh
    assert len(SAMPLE.findall(page)) == 2
    assert VERSION.sub(r"\1", page) == VERSION.sub(r"\1", fresh)
