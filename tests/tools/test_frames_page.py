"""docs/frames.md and docs/store.md show what their examples print."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.report.tables import TABLES
from analyzer.store import schema
from tools.frames_page import MADE, output, page, store_tables, tables


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_a_page_is_up_to_date(path: Path) -> None:
    pytest.importorskip("pandas")
    assert page(path) == path.read_text(encoding="utf-8"), "run: make docs"


def test_every_table_is_on_the_page() -> None:
    assert tables().count("### ") == len(TABLES)
    assert all(f"| `{table.name}` | {table.meaning} |" in store_tables() for table in schema.TABLES)


def test_examples_share_their_names() -> None:
    names: dict[str, object] = {}
    assert output("x = 1", names) == ""
    assert output("print(x)", names) == "1\n"
