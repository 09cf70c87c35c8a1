"""How records show themselves in notebooks. The records stand low in the house and what draws them stands high, so the one
that draws is handed down: `analyzer.result` does it, and loads the drawing code when the first record is shown."""

from __future__ import annotations

from collections.abc import Callable

Draw = Callable[[object], str]
_draw: list[Draw] = []


def show_with(draw: Draw) -> None:
    """Let `draw` make the HTML of every record from now on."""
    _draw[:] = [draw]


def html(record: object) -> str | None:
    """The HTML of a record; None as long as nobody draws: the notebook then shows its text."""
    return _draw[0](record) if _draw else None
