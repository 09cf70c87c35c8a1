"""Tables with sentences in them, which pandas would cut or press to the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class Table:
    """Jupyter shows it as `html`."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def table(frame: DataFrame) -> Table:
    """A frame whose texts are shown whole, on the left, in as many lines as they need. Texts are escaped."""
    import pandas as pd

    with pd.option_context("display.max_colwidth", None):
        told = frame.rename_axis(index=None).to_html(escape=True, na_rep="", classes="mtlscope", border=0)
    style = "<style>.mtlscope th, .mtlscope td {text-align: left !important; vertical-align: top; white-space: normal}</style>"
    return Table(style + told)
