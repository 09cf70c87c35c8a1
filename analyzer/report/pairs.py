"""Two captures joined: what `mtlscope correlate` writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from analyzer.between import NOTHING_SEEN, Happened, Joined, Pair, Sight, Statement
from analyzer.correlation import Correlation
from analyzer.report.page import Page, number
from analyzer.report.times import span
from analyzer.version import __version__

SHOWN = 200
"""Pairs shown one by one; `-T json` has all."""
ONLY_SHOWN = 20
ORDINARY = frozenset({Happened.TRANSLATED, Happened.SEGMENT_SIZE})
"""What happens on every path with a router in it: not worth a block of its own."""
_HOW = {
    Joined.RANDOM: "by ClientHello.random",
    Joined.ADDRESSES: "by addresses and ports",
    Joined.NAME_AND_TIME: "by server name and time",
}


class SightObject(TypedDict):
    """One connection as one capture shows it."""

    capture: str
    stream: int
    uid: str
    client: str
    server: str
    server_name: Annotated[str | None, Meta(description="SNI as sent")]
    outcome: str
    diagnosis: Annotated[str | None, Meta(description="the likeliest cause of its trouble")]


class StatementObject(TypedDict):
    """One thing that happened in between."""

    happened: Annotated[str, Meta(description=", ".join(Happened))]
    text: str
    frames_a: list[int]
    frames_b: list[int]


class PairObject(TypedDict):
    """One connection in both captures."""

    joined: Literal["random", "addresses", "name-and-time"]
    verdict: str
    a: SightObject
    b: SightObject
    statements: Annotated[list[StatementObject], Meta(description="the gravest first")]


class CorrelationObject(TypedDict):
    """What `mtlscope correlate -T json` writes."""

    schema: Literal["mtlscope/1"]
    type: Literal["correlation"]
    tool: str
    clock: Annotated[
        float | None, Meta(description="seconds by which B's clock is ahead of A's; null if nothing tells")
    ]
    way: Annotated[float | None, Meta(description="seconds from one place to the other; null if nothing tells")]
    nearer_client: Annotated[Literal["A", "B"] | None, Meta(description="which capture was taken on the client's side")]
    pairs: list[PairObject]
    only_a: list[SightObject]
    only_b: list[SightObject]


def correlation_object(found: Correlation) -> CorrelationObject:
    """Everything as plain data."""
    nearer: Literal["A", "B"] | None = "A" if found.nearer_client == "A" else "B" if found.nearer_client else None
    return {
        "schema": "mtlscope/1",
        "type": "correlation",
        "tool": f"mtlscope {__version__}",
        "clock": None if found.clock_ns is None else found.clock_ns / 1e9,
        "way": None if found.way_ns is None else found.way_ns / 1e9,
        "nearer_client": nearer,
        "pairs": [
            {
                "joined": pair.joined.value,
                "verdict": pair.verdict,
                "a": _sight(pair.a),
                "b": _sight(pair.b),
                "statements": [_statement(one) for one in pair.statements],
            }
            for pair in found.pairs
        ],
        "only_a": [_sight(sight) for sight in found.only_a],
        "only_b": [_sight(sight) for sight in found.only_b],
    }


def _statement(one: Statement) -> StatementObject:
    return {
        "happened": one.happened.value,
        "text": one.text,
        "frames_a": list(one.frames_a),
        "frames_b": list(one.frames_b),
    }


def _sight(sight: Sight) -> SightObject:
    return {
        "capture": sight.capture,
        "stream": sight.stream,
        "uid": sight.sample.uid,
        "client": sight.client_end,
        "server": sight.server_end,
        "server_name": sight.sample.server_name,
        "outcome": sight.outcome,
        "diagnosis": sight.diagnosis,
    }


def write_text(found: Correlation, names: Sequence[str], page: Page) -> None:
    """Where the captures stand, then what happened to whom, then what only one of them has."""
    _places(found, names, page)
    page.write()
    worth = [pair for pair in found.pairs if any(one.happened not in ORDINARY for one in pair.statements)]
    for pair in worth[:SHOWN]:
        _pair(pair, page)
    if len(worth) > SHOWN:
        page.paragraph(f"{len(worth) - SHOWN:,} more pairs with something to tell; -T json has all", 0, "error")
    ordinary = [pair for pair in found.pairs if pair not in worth]
    if ordinary:
        _ordinary(ordinary, page)
    for letter, other, only in (("A", "B", found.only_a), ("B", "A", found.only_b)):
        _only(letter, other, only, page)
    if not found.pairs:
        page.paragraph(
            "no connection is in both: captures of other times or other traffic, or no ClientHello in one of them",
            0,
            "warning",
        )
    if found.left_out:
        page.paragraph(f"{found.left_out:,} connections were left out: too many", 0, "warning")
    page.flush()


def _places(found: Correlation, names: Sequence[str], page: Page) -> None:
    for letter, name in zip("AB", names, strict=True):
        side = "client" if letter == found.nearer_client else "server"
        place = f"  on the {side}'s side" if found.nearer_client else ""
        page.write((f"{letter}  ", "strong"), (name, "strong"), (place, "dim"))
    if found.clock_ns is not None:
        ahead = "ahead of" if found.clock_ns >= 0 else "behind"
        page.paragraph(
            f"B's clock is {span(abs(found.clock_ns))} {ahead} A's; {span(found.way_ns or 0)} from one to the other", 3
        )
    counted = Counter(pair.joined for pair in found.pairs)
    joined = ", ".join(f"{counted[how]:,} {words}" for how, words in _HOW.items() if counted[how])
    page.paragraph(f"{number(len(found.pairs), 'connection')} in both{f': joined {joined}' if joined else ''}", 3)


def _pair(pair: Pair, page: Page) -> None:
    signs = page.symbols
    name = f"  {pair.a.sample.server_name}" if pair.a.sample.server_name else ""
    page.write(
        (f"A stream {pair.a.stream} {signs.dot} B stream {pair.b.stream}", "strong"),
        (f"  {pair.a.client_end} {signs.arrow} {pair.a.server_end}{name}", ""),
        (f"  {pair.a.outcome} in A, {pair.b.outcome} in B", ""),
    )
    for one in pair.statements:
        page.paragraph(f"{one.text}{_frames(one)}", 2, "", f"{signs.dash} ")
    page.write()


def _frames(one: Statement) -> str:
    places = [
        f"{letter} frame{'s' if len(frames) > 1 else ''} {', '.join(map(str, frames))}"
        for letter, frames in (("A", one.frames_a), ("B", one.frames_b))
        if frames
    ]
    return f" ({'; '.join(places)})" if places else ""


def _ordinary(pairs: Sequence[Pair], page: Page) -> None:
    page.write((f"{page.symbols.ok} {number(len(pairs), 'connection')}: {NOTHING_SEEN}", "ok"))
    told = Counter(one.text for pair in pairs for one in pair.statements)
    for text, count in told.most_common(ONLY_SHOWN):
        page.paragraph(f"{text}{f' ({count:,} times)' if count > 1 else ''}", 2, "dim")


def _only(letter: str, other: str, only: Sequence[Sight], page: Page) -> None:
    if not only:
        return
    page.write(
        (f"{page.symbols.warning} {number(len(only), 'connection')} in {letter} alone, while {other} ran", "warning")
    )
    for sight in only[:ONLY_SHOWN]:
        page.write(
            (
                f"  stream {sight.stream}  {sight.client_end} {page.symbols.arrow} {sight.server_end}  {sight.outcome}",
                "",
            )
        )
    if len(only) > ONLY_SHOWN:
        page.write((f"  {page.symbols.ellipsis} and {len(only) - ONLY_SHOWN:,} more", "dim"))
