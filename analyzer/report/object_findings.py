"""The objects of `report/objects.py` that carry opinions: findings."""

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
