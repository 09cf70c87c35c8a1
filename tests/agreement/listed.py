"""The differences between tshark and us that are Wireshark's, with the reason: `differences.toml`.

A listed one that no longer occurs is an error too: the list stays true.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from analyzer.agreement.facts import NO_STREAM, Difference, Disagreement

LISTED = Path(__file__).with_name("differences.toml")


def listed(group: str) -> dict[Difference, str]:
    """The known differences of "corpus" or "captures", and why they are there."""
    table = tomllib.loads(LISTED.read_text(encoding="utf-8"))
    return {
        Difference(entry["capture"], stream, name): entry["reason"]
        for entry in table.get(group, [])
        for stream in entry.get("streams", [NO_STREAM])
        for name in entry["fields"]
    }


def complaints(capture: str, found: Iterable[Disagreement], known: Mapping[Difference, str]) -> list[str]:
    """One line for each difference that is not listed, and for each listed one of this capture that did not occur."""
    seen, lines = set(), []
    for difference, theirs, ours in found:
        seen.add(difference)
        if difference not in known:
            lines.append(f"{difference}: tshark has {theirs!r}, we have {ours!r}")
    gone = sorted(item for item in known if item.capture == capture and item not in seen)
    return [*lines, *(f"{item}: listed in {LISTED.name}, but both agree" for item in gone)]
