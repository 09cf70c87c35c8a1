"""Pages show what the commands in them print."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.console_pages import PAGES, console, page

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_up_to_date(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if "$ tshark" in text and not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    assert "<!-- console -->" in text
    assert page(text) == text, "run: make docs"


def test_what_a_command_prints_stands_behind_it(tmp_path: Path) -> None:
    assert (
        console("$ echo one; echo two >&2\nold\n$ true\nolder\n", tmp_path)
        == "$ echo one; echo two >&2\none\ntwo\n$ true\n"
    )


def test_the_folder_has_another_name_in_a_page(tmp_path: Path) -> None:
    assert console("$ pwd\n", tmp_path) == "$ pwd\n/srv/case-7\n"
