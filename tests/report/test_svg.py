"""The ladder as SVG: well-formed, inert, bounded, and the same story as the text ladder."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace

import pytest

from analyzer.connection import Connection
from analyzer.report.svg import LETTERS, ladder_svg
from tests.build.connections import connection
from tests.report.records import everything, failed, healthy, poisoned

SPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "</text></svg><script>alert(1)</script>",
    '" onload="alert(1)',
    "<!--",
    "]]>&amp;&#0;",
    "\x00\x1b[2J\ufffe\ud800\u202e",
    "x" * 5000,
]


def drawn(conn: Connection) -> ET.Element:
    return ET.fromstring(ladder_svg(conn))


def said(conn: Connection) -> list[str]:
    return [element.text or "" for element in drawn(conn).iter(f"{SPACE}text")]


@pytest.mark.parametrize(
    ("conn", "words"),
    [
        pytest.param(failed(), ["ClientHello", "RST", "CertificateRequest (2 CA names"], id="a reset"),
        pytest.param(connection("> SYN", "< SYN-ACK", "... 3 s", "> ClientHello"), ["(… 3.0 s later)"], id="a pause"),
        pytest.param(
            connection("> SYN", "< SYN-ACK", "> ACK", *["> Alert 48", "< Alert 40"] * 40), ["more)"], id="long"
        ),
        pytest.param(connection(), ["client 192.0.2.10"], id="nothing but the ends"),
    ],
)
def test_it_says(conn: Connection, words: Sequence[str]) -> None:
    text = "\n".join(said(conn))
    assert all(word in text for word in words)


def test_what_ended_the_handshake_is_marked_in_words_and_weight() -> None:
    marked = [element for element in drawn(failed()).iter(f"{SPACE}text") if element.get("class") == "fatal"]
    assert [element.text for element in marked] == ["RST"]
    assert marked[0].get("font-weight") == "bold"
    assert "server (ends the handshake): RST" in (drawn(failed()).get("aria-label") or "")


def test_a_healthy_one_has_nothing_fatal() -> None:
    assert "fatal" not in ladder_svg(healthy())


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_stay_texts(text: str) -> None:
    tree = drawn(poisoned(everything(), text))
    assert {element.tag.removeprefix(SPACE) for element in tree.iter()} <= {"svg", "text", "line", "polygon"}
    names = {name for element in tree.iter() for name in element.attrib}
    assert not {name for name in names if name.startswith("on") or name in ("id", "href", "style")}
    assert all(len(line) <= LETTERS for line in said(poisoned(everything(), text)))


def test_it_stays_small() -> None:
    steps = connection(*["> Alert 48", "< Alert 40"] * 500).steps
    assert len(ladder_svg(replace(failed(), steps=steps))) < 30_000
