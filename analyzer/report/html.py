"""-T html: one page that needs nothing but itself. For a mail to the partner, and for people without a terminal.

Whatever the capture says is text: the template escapes every value, the tables' rows are JSON that cannot end its own
element, the script builds nodes and never HTML, and the page's own policy (a Content-Security-Policy with the hashes of
its one script and one style sheet) lets the browser run, fetch and send nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from analyzer.errors import UsageError
from analyzer.report import safe
from analyzer.report.html_book import Book
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.version import __version__

if TYPE_CHECKING:
    from jinja2 import Template

_ASSETS = Path(__file__).parent / "assets"
PIECE = 64 * 1024
"""Bytes of rows handed on at a time."""


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Collect, then write the page: its top tells what is only known at the end. Raise UsageError without jinja2."""
    template = _template()
    book = Book(options)
    try:
        for item in items:
            book.take(item)
    finally:  # interrupted: a page of what was seen until then
        for piece in template.generate(_facts(book)):
            out.write(piece.encode("utf-8"))
        out.flush()


def ready() -> None:
    """Raise UsageError without jinja2."""
    try:
        import jinja2  # noqa: F401
    except ImportError:
        raise UsageError("-T html needs jinja2: python -m pip install jinja2") from None


@cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    ready()
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=_shown, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_asset("report.html"))


def _shown(value: Any) -> Any:
    """Every value on its way into the page: on one line, nothing invisible, nothing that turns the direction."""
    return safe.line(value) if type(value) is str else value


def _facts(book: Book) -> dict[str, Any]:
    from markupsafe import Markup

    script, style = _asset("report.js"), _asset("report.css")
    return {
        "policy": policy(script, style),
        "script": Markup(script),  # noqa: S704  (our own file)
        "style": Markup(style),  # noqa: S704  (our own file)
        "tool": f"mtlscope {__version__}",
        "page": book.front(),
        "blocks": book.blocks(),
        "data": (Markup(piece) for piece in _text(book.data())),  # noqa: S704  (JSON without < > &, see embedded())
        "svg": Markup,  # for the ladders, which escape their texts themselves
    }


def _text(pieces: Iterable[bytes]) -> Iterator[str]:
    """ASCII bytes as text, in larger pieces."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(waiting).decode("ascii")
            waiting, size = [], 0
    yield b"".join(waiting).decode("ascii")


def policy(script: str, style: str) -> str:
    """What the browser may do with the page: run this script, use this style sheet, nothing else (CSP level 3)."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",  # the empty icon: else browsers ask a server for one
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


OUTPUT = Output(
    name="html",
    help="one page for a browser, with ladders, chains and searchable tables",
    write=write,
    ready=ready,
    whole=True,
)
