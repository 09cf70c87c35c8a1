"""What `mtlscope crosscheck` writes: every field about which Wireshark and we disagree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta

from analyzer.agreement.facts import FIELDS, Disagreement
from analyzer.dataclass import dataclass
from analyzer.report.page import Page, number
from analyzer.version import __version__

SHOWN = 400
"""Characters of a value that are shown in text; JSON has all of them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One capture, read by both. `connections`: those in which Wireshark finds TLS; `fields`: how many were compared."""

    capture: str
    connections: int
    fields: int
    found: tuple[Disagreement, ...]


class DisagreementObject(TypedDict):
    """One field about which both disagree."""

    stream: int
    field: str
    meaning: str
    wireshark_field: str
    wireshark: Annotated[Any, Meta(description="its value: a text, a number, a list of them; null for none")]
    mtlscope: Annotated[Any, Meta(description="ours")]
    filter: Annotated[str, Meta(description="a Wireshark display filter")]


class CheckedObject(TypedDict):
    """One capture."""

    capture: str
    connections: Annotated[int, Meta(description="TCP connections in which Wireshark finds TLS")]
    fields: Annotated[int, Meta(description="fields that were compared")]
    differences: list[DisagreementObject]


class CrosscheckObject(TypedDict):
    """What `mtlscope crosscheck -T json` writes."""

    schema: Literal["mtlscope/1"]
    type: Literal["crosscheck"]
    tool: str
    tshark: Annotated[str | None, Meta(description="its version")]
    captures: list[CheckedObject]


def crosscheck_object(checked: Sequence[Checked], tshark: str | None) -> CrosscheckObject:
    """The JSON document."""
    return {
        "schema": "mtlscope/1",
        "type": "crosscheck",
        "tool": f"mtlscope {__version__}",
        "tshark": tshark,
        "captures": [_checked_object(one) for one in checked],
    }


def _checked_object(one: Checked) -> CheckedObject:
    return {
        "capture": one.capture,
        "connections": one.connections,
        "fields": one.fields,
        "differences": [_disagreement_object(item) for item in one.found],
    }


def _disagreement_object(item: Disagreement) -> DisagreementObject:
    difference, theirs, ours = item
    meaning, field = FIELDS.get(difference.field, ("", ""))
    return {
        "stream": difference.stream,
        "field": difference.field,
        "meaning": meaning,
        "wireshark_field": field,
        "wireshark": theirs,
        "mtlscope": ours,
        "filter": f"tcp.stream == {difference.stream}",
    }


def write_text(checked: Sequence[Checked], tshark: str | None, page: Page) -> None:
    """A block for each difference, a line for each capture, and the sum."""
    for one in checked:
        for item in one.found:
            _write_difference(item, page)
        differences = number(len(one.found), "difference")
        style = "warning" if one.found else "ok"
        page.write((f"{one.capture}  ", "strong"), (f"{_counts(one)}, ", ""), (differences, style))
    if len(checked) > 1:
        total = sum(len(one.found) for one in checked)
        page.write((f"{number(len(checked), 'capture')}, {number(total, 'difference')}", "strong"))
    page.write((f"compared with tshark {tshark or 'of an unknown version'}", "dim"))


def _counts(one: Checked) -> str:
    return f"{number(one.connections, 'TLS connection')}, {number(one.fields, 'field')} compared"


def _write_difference(item: Disagreement, page: Page) -> None:
    difference, theirs, ours = item
    meaning, field = FIELDS.get(difference.field, ("", ""))
    page.write((f"{difference.capture}, stream {difference.stream}  ", ""), (difference.field, "strong"))
    page.write((f"  {meaning} ({field})", "dim"))
    for who, value in (("Wireshark", _other(theirs, ours)), ("mtlscope", _other(ours, theirs))):
        page.write((f"  {who:<10} ", ""), (shortened(value), ""))
    page.write((f"  filter     tcp.stream == {difference.stream}", "dim"))
    page.write()


def _other(value: object, than: object) -> str:
    """The value; of two long lists only from where they part."""
    if not isinstance(value, tuple) or not isinstance(than, tuple) or len(str(value)) <= SHOWN:
        return str(value) if value not in (None, ()) else "none"
    same = next((at for at, (a, b) in enumerate(zip(value, than, strict=False)) if a != b), min(len(value), len(than)))
    return f"{len(value)} items, from number {same + 1} on: {', '.join(map(str, value[same:])) or 'nothing'}"


def shortened(text: str) -> str:
    """At most SHOWN characters, and how many are left out."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text) - SHOWN:,} characters more in -T json)"
