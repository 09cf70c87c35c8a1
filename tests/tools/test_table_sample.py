"""docs/live.md shows the live table as it is."""

from __future__ import annotations

from tools.table_sample import HEIGHT, PAGE, WIDTH, page, sample


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert sample() in text, "run: make docs"
    assert page(text) == text, "run: make docs"


def test_the_sample_is_a_whole_screen() -> None:
    lines = sample().splitlines()
    assert (len(lines), max(map(len, lines)) <= WIDTH) == (HEIGHT, True)
