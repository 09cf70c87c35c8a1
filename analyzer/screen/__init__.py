"""The live table on a terminal: `draw` makes its lines for every view; `app` (textual) and `simple` (rich) show them."""
