"""Lines of keys in a TOML text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.topology.positions import Path, line_of, lines_of

TEXT = '''\
top = 1
many = [
  "key = 2", # ] a comment
  [ "[table]" ],
]
long = """
inner = 3
[inner]
"""

[simple_urls] # comment
"quoted key" = 4
a . b = 5
[[pool]]
fqdn = "x"
[[ pool ]]
fqdn = "y"
[pool.more]
deep = 6
[[pool.list]]
deeper = { a = [
  1 ] }
after = 7
single = \'\'\'
also = 8\'\'\'
last = 9
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param(("top",), 1, id="the first key"),
        pytest.param(("many",), 2, id="an array over lines"),
        pytest.param(("long",), 6, id="a text over lines"),
        pytest.param(("simple_urls",), 11, id="a table"),
        pytest.param(("simple_urls", "quoted key"), 12, id="a quoted key"),
        pytest.param(("simple_urls", "a", "b"), 13, id="a dotted key"),
        pytest.param(("pool", 0, "fqdn"), 15, id="in the first table of an array"),
        pytest.param(("pool", 1, "fqdn"), 17, id="in the second"),
        pytest.param(("pool", 1, "more", "deep"), 19, id="a table in it"),
        pytest.param(("pool", 1, "list", 0, "deeper"), 21, id="an array in it"),
        pytest.param(("pool", 1, "list", 0, "after"), 23, id="behind a value over lines"),
        pytest.param(("pool", 1, "list", 0, "last"), 26, id="behind a text in single quotes"),
        pytest.param(("pool", 1, "list", 0, "missing"), 20, id="a key that is not there: its table"),
        pytest.param(("simple_urls", "a", "b", "c"), 13, id="inside a value"),
        pytest.param(("missing",), None, id="nothing near"),
        pytest.param((), None, id="the whole text"),
    ],
)
def test_the_line_of_a_key(path: Path, line: int | None) -> None:
    assert line_of(path, lines_of(TEXT)) == line


def test_what_only_looks_like_a_key_is_none() -> None:
    found = lines_of(TEXT)
    assert ("inner",) not in found
    assert not any("also" in path for path in found)


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="[]{}\"'=#\n\\ ab.", max_size=120))
def test_any_text_is_taken(text: str) -> None:
    assert all(1 <= line <= text.count("\n") + 1 for line in lines_of(text).values())
