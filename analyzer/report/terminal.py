"""-T text: for people. Troubled connections as blocks, the likeliest cause first; the others as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from typing import BinaryIO

from analyzer.connection import Connection, Outcome
from analyzer.dataclass import dataclass
from analyzer.report import overview
from analyzer.report.blocks import Group, Groups, block, general
from analyzer.report.output import Item, Output, OutputOptions
from analyzer.report.page import Page, number
from analyzer.summary import INTERRUPTED, CaptureSummary, Repeated

GROUPS = 500
"""Different troubles kept of one input; more are counted. `--each` shows them as they come."""


@dataclass(slots=True)
class _Section:
    """What is collected of one input until its end. `headed`: its name stands above already."""

    capture: str = ""
    headed: bool = False
    groups: Groups = field(default_factory=lambda: Groups(GROUPS))
    rows: Counter[overview.Row] = field(default_factory=Counter)
    more_rows: int = 0
    repeated: list[Repeated] = field(default_factory=list)
    counts: Counter[Outcome] = field(default_factory=Counter)
    troubled: int = 0

    @property
    def empty(self) -> bool:
        return not (self.counts or self.repeated)


def write(items: Iterable[Item], out: BinaryIO, options: OutputOptions) -> None:
    """Write one section an input. `--each` and live runs write blocks as they come; else equal ones are grouped at the end."""
    page, section = Page(out, options), _Section()
    captures, troubled, counts = 0, 0, Counter[Outcome]()
    try:
        for item in items:
            if isinstance(item, Connection):
                _take(item, section, page, options)
            elif isinstance(item, Repeated):
                _take_repeated(item, section, page, options)
            elif isinstance(item, CaptureSummary):  # what was lost in all is in it; a live run tells on standard error
                done, section = section, _Section()
                _finish(done, item, page)
                captures, troubled = captures + 1, troubled + done.troubled
                counts += done.counts
    finally:
        if not section.empty:  # interrupted: tell what was seen until then
            _finish(section, None, page)
    if captures > 1:
        overview.totals(captures, counts, troubled, page)
    page.flush()


def _take(conn: Connection, section: _Section, page: Page, options: OutputOptions) -> None:
    section.capture = section.capture or conn.capture
    section.counts[conn.outcome] += 1
    if not conn.troubled:
        row = overview.row(conn, page.symbols.arrow, options.each)
        if row in section.rows or len(section.rows) < overview.TABLE_ROWS:
            section.rows[row] += 1
        else:
            section.more_rows += 1
        return
    section.troubled += 1
    if options.each or options.prompt:
        _head(section, page)
        single = Group(conn)
        single.add(conn)
        block(single, page)
        page.flush()
        return
    section.groups.add(conn)


def _take_repeated(item: Repeated, section: _Section, page: Page, options: OutputOptions) -> None:
    """At the end, or at once in a live run, which tells counts again and again."""
    if not options.prompt:
        section.repeated.append(item)
        return
    section.capture = section.capture or item.capture
    _head(section, page)
    overview.repeated([item], page)
    page.flush()


def _head(section: _Section, page: Page) -> None:
    if not section.headed:
        overview.heading(section.capture, page)
        section.headed = True


def _finish(section: _Section, capture: CaptureSummary | None, page: Page) -> None:
    if capture is not None:
        section.capture = capture.capture
    _head(section, page)
    for group in section.groups.worst_first():
        block(group, page)
    if section.groups.more:
        text = f"{number(section.groups.more, 'more connection')} in other trouble; --each and -T jsonl show all"
        page.paragraph(text, 0, "error")
        page.write()
    overview.table(section.rows, section.more_rows, page)
    if section.repeated:
        overview.repeated(section.repeated, page)
        page.write()
    if capture is not None:
        general(capture.findings, page)
        overview.summary(capture, section.counts, page)
        page.write()
    else:
        page.paragraph(INTERRUPTED, 0, "error", f"{page.symbols.error} ")
    page.flush()


OUTPUT = Output(name="text", help="for people: what is wrong, why, where to see it, what to do", write=write)
