"""The objects of `report/objects.py` that carry opinions: findings, amendments, comparisons."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

Severities = Literal["error", "warning", "note"]
Number = int | str
"""A frame number; in later files of a ring `FILE#N`."""
Frames = Annotated[list[Number], Meta(description="frame numbers, ascending")]


class FindingObject(TypedDict):
    """One statement of one rule."""

    rule: Annotated[str, Meta(description="see docs/rules.md")]
    severity: Severities
    confidence: Literal["high", "medium", "low"]
    summary: str
    advice: Annotated[str, Meta(description="what to do; empty if nothing needs doing")]
    frames: Frames
    filter: Annotated[str, Meta(description="a Wireshark display filter")]
    references: list[str]
    explained_by: Annotated[
        str | None,
        Meta(
            description="rule of the finding of the same connection of which this one is only a trace; null if of none"
        ),
    ]


class DifferenceObject(TypedDict):
    """One way in which a handshake that failed differs from one that worked."""

    what: Annotated[str, Meta(description="a word that does not change, e.g. client-certificates")]
    worked: Annotated[str, Meta(description="how it was in the one that worked, in words")]
    failed: Annotated[str, Meta(description="how it was in the one that failed, in words")]
    text: Annotated[str, Meta(description="both as a sentence")]


class ComparisonObject(TypedDict):
    """A connection that failed, beside the nearest one that worked."""

    failed_stream: Annotated[int, Meta(description="the connection that failed")]
    failed_uid: str
    stream: Annotated[int, Meta(description="the connection that worked")]
    uid: str
    relation: Annotated[
        Literal["same-client", "same-server", "same-name"],
        Meta(
            description="what they share: client and server; the server; or the server name alone, on another server address"
        ),
    ]
    after: Annotated[
        float,
        Meta(description="seconds from the failure's beginning to that of the one that worked; negative: earlier"),
    ]
    differences: Annotated[
        list[DifferenceObject], Meta(description="likeliest relevant first; empty: nothing that can be seen differs")
    ]


class AmendmentObject(TypedDict):
    """What later traffic changed about an earlier connection."""

    uid: str
    change: Literal["withdrawn", "added", "raised"]
    rule: str
    reason: str
