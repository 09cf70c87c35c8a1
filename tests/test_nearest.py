"""The right word for a misspelt one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.nearest import did_you_mean, meant, nearest


@pytest.mark.parametrize(
    ("word", "choices", "found"),
    [
        ("jsnol", ["json", "jsonl", "text"], ["jsonl", "json"]),
        ("europe/berln", ["Europe/Berlin", "Asia/Tokyo"], ["Europe/Berlin"]),
        ("EXPLAIN", ["explain", "doctor"], ["explain"]),
        ("zzz", ["explain", "doctor"], []),
        ("", ["explain"], []),
        ("explain", [], []),
    ],
)
def test_nearest(word: str, choices: list[str], found: list[str]) -> None:
    assert nearest(word, choices) == found


def test_the_words_at_the_end_of_a_message() -> None:
    assert did_you_mean([]) == ""
    assert did_you_mean(["a"]) == "; did you mean: a"
    assert meant("jsnol", ["json", "jsonl"]) == "; did you mean: jsonl or json"


@given(word=st.text(max_size=8), choices=st.lists(st.text(max_size=8), max_size=5), most=st.integers(1, 3))
def test_whatever_is_asked_for_something_that_exists_is_named(word: str, choices: list[str], most: int) -> None:
    found = nearest(word, choices, most, 0.1)
    assert len(found) <= most
    assert set(found) <= set(choices)
