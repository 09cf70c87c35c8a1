"""Two handshakes side by side: what `mtlscope diff` writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from analyzer.connection import Connection, Side
from analyzer.findings import Difference
from analyzer.report.page import Page
from analyzer.report.times import rfc3339
from analyzer.version import __version__

LETTERS = ("A", "B")


class SideObject(TypedDict):
    """One of the two connections."""

    capture: str
    stream: int
    uid: str
    chosen: Annotated[str, Meta(description="why this connection, in words")]
    ts: str
    client: Annotated[str, Meta(description="address and port")]
    server: Annotated[str, Meta(description="address and port")]
    server_name: Annotated[str | None, Meta(description="SNI as sent")]
    version: Annotated[str | None, Meta(description="negotiated")]
    outcome: str
    diagnosis: Annotated[str | None, Meta(description="the likeliest cause of its trouble")]


class DiffLineObject(TypedDict):
    """One difference."""

    what: Annotated[str, Meta(description="a word that does not change, e.g. client-certificates")]
    meaning: Annotated[str, Meta(description="what that word means")]
    a: Annotated[str, Meta(description="how it was in A, in words")]
    b: Annotated[str, Meta(description="how it was in B, in words")]
    text: Annotated[str, Meta(description="both as a sentence")]


class DiffObject(TypedDict):
    """What `mtlscope diff -T json` writes."""

    schema: Literal["mtlscope/1"]
    type: Literal["diff"]
    tool: str
    a: SideObject
    b: SideObject
    differences: Annotated[list[DiffLineObject], Meta(description="likeliest relevant first")]


Taken = tuple[Connection, str]
"""A connection, and why it was taken."""


def diff_object(a: Taken, b: Taken, found: Sequence[Difference], meanings: dict[str, str]) -> DiffObject:
    """The comparison as plain data."""
    return {
        "schema": "mtlscope/1",
        "type": "diff",
        "tool": f"mtlscope {__version__}",
        "a": _side(*a),
        "b": _side(*b),
        "differences": [
            {
                "what": one.what,
                "meaning": meanings[one.what],
                "a": one.first,
                "b": one.second,
                "text": one.text(*LETTERS),
            }
            for one in found
        ],
    }


def _side(conn: Connection, why: str) -> SideObject:
    return {
        "capture": conn.capture,
        "stream": conn.stream,
        "uid": conn.uid,
        "chosen": why,
        "ts": rfc3339(conn.ts_ns, conn.time_digits),
        "client": conn.address(Side.CLIENT),
        "server": conn.address(Side.SERVER),
        "server_name": conn.server_name,
        "version": conn.version,
        "outcome": conn.outcome.value,
        "diagnosis": conn.diagnosis,
    }


def write_text(a: Taken, b: Taken, found: Sequence[Difference], page: Page) -> None:
    """Both connections, then one difference after the other."""
    for letter, (conn, why) in zip(LETTERS, (a, b), strict=True):
        _head(letter, conn, why, page)
    page.write()
    if not found:
        page.paragraph("nothing that can be seen differs, but addresses, times and what is always new", 0, "ok")
    for one in found:
        page.write((one.what, "strong"))
        page.paragraph(f"{one.subject} {one.first}", 2, "", "A  ")
        page.paragraph(f"{one.subject} {one.second}", 2, "", "B  ")
    page.flush()


def _head(letter: str, conn: Connection, why: str, page: Page) -> None:
    signs = page.symbols
    facts = [page.safe(fact) for fact in (conn.server_name, conn.version, conn.outcome.value) if fact]
    page.write(
        (f"{letter}  ", "strong"),
        (f"{conn.capture} stream {conn.stream}", "strong"),
        (f"  {conn.address(Side.CLIENT)} {signs.arrow} {conn.address(Side.SERVER)}", ""),
        (f"  {f' {signs.dot} '.join(facts)}", ""),
        (f"  ({why})", "dim"),
    )
    if conn.diagnosis:
        page.paragraph(conn.diagnosis, 3)
