"""docs/frames.md shows what its examples print."""

from __future__ import annotations

import pytest

from analyzer.report.tables import TABLES
from tools.frames_page import PAGE, output, page, tables


def test_the_page_is_up_to_date() -> None:
    pytest.importorskip("pandas")
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run: make docs"


def test_every_table_is_on_the_page() -> None:
    assert tables().count("### ") == len(TABLES)


def test_examples_share_their_names() -> None:
    names: dict[str, object] = {}
    assert output("x = 1", names) == ""
    assert output("print(x)", names) == "1\n"
