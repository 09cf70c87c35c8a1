"""The text report's lines about a connection that worked, beside one that failed."""

from __future__ import annotations

from analyzer.findings import Comparison, Relation
from analyzer.report.page import Page, number
from analyzer.report.times import span

SHOWN = 3
"""Differences shown; the first is the likeliest to matter. `mtlscope diff` shows all."""
_RELATIONS = {
    Relation.SAME_CLIENT: "of the same client and server",
    Relation.SAME_SERVER: "of another client to the same server",
    Relation.SAME_NAME: "to another server of the same name",
}


def title(comparison: Comparison) -> str:
    """ "connection 4 of the same client and server worked 1.2 s earlier"."""
    when = "earlier" if comparison.after_ns < 0 else "later"
    return f"connection {comparison.stream} {_RELATIONS[comparison.relation]} worked {span(abs(comparison.after_ns))} {when}"


def paragraph(comparison: Comparison, page: Page, indent: int) -> None:
    """The connection that worked, and what was different there."""
    found = comparison.differences
    if not found:
        page.paragraph(
            f"{title(comparison)}; nothing that can be seen was different before the end",
            indent,
            "ok",
            f"{page.symbols.ok} ",
        )
        return
    page.paragraph(f"{title(comparison)}:", indent, "ok", f"{page.symbols.ok} ")
    for difference in found[:SHOWN]:
        page.paragraph(difference.text(), indent + 2, "", f"{page.symbols.dash} ")
    if len(found) > SHOWN:
        page.paragraph(
            f"and {number(len(found) - SHOWN, 'more difference')}: mtlscope diff shows all", indent + 2, "dim"
        )


def later(comparison: Comparison) -> str:
    """One line for the summary of an input."""
    found = comparison.differences
    names = f"connection {comparison.stream}", f"connection {comparison.failed_stream}"
    first = (
        f"first difference: {found[0].text(*names)}"
        if found
        else "nothing that can be seen was different before the end"
    )
    return f"connection {comparison.failed_stream} failed; {title(comparison)}; {first}"
