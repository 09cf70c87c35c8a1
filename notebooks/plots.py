"""The plots of the notebooks, drawn with plotly from what `analyzer.analyze` returns. Each function returns a figure.

Texts from the wire (names, subjects) are escaped: plotly reads a part of HTML in labels. What is left out because there is
too much of it is said in the title.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import plotly.graph_objects as go
from plotly.io import renderers

if TYPE_CHECKING:
    from pandas import DataFrame, Timestamp

    from analyzer import Connection

if renderers.default == "plotly_mimetype" and "PLOTLY_RENDERER" not in os.environ:
    renderers.default = (
        "plotly_mimetype+notebook"  # a notebook that is saved as a page shows its plots too, with no network
    )

T = TypeVar("T")

MOST_ROWS = 40
LONGEST = 60
"""Rows of a plot and characters of a label: more cannot be read."""
ROW = 26
"""Pixels that one row takes."""
SCHANNEL_2003, SCHANNEL = 12_288, 16_384
"""Where Windows cuts a list of CAs: Server 2003 without hotfix 933430, and all later ones (KB 2801679)."""
EXPIRING_DAYS = 30
BEFORE, AFTER = 5, 20
"""Years that are drawn: a root of thirty years would squeeze the others."""

BLUE, ORANGE, GREEN = "#0072b2", "#e69f00", "#009e73"
RED, PINK, GREY, BLACK = "#d55e00", "#cc79a7", "#888888", "#000000"
"""Okabe and Ito's colours, which colour-blind people can tell apart."""
SIDES = {"client": BLUE, "server": ORANGE}
STATES = {"expired": RED, "not yet valid": PINK, f"ends within {EXPIRING_DAYS} days": ORANGE, "valid": GREEN}

FAINT = {"client": "#b3d4e8", "server": "#f8dfad"}
STEPS = {
    "SYN": "TCP",
    "SYN-ACK": "TCP",
    "ClientHello": "ClientHello",
    "ApplicationData": "data",
    "Alert": "alert",
    "EncryptedAlert": "encrypted alert",
    "RST": "RST",
    "FIN": "FIN",
}
"""What the time-line calls a step; every other one is a message of its side's handshake."""
MARKS = {
    "TCP": (GREY, "circle-open"),
    "ClientHello": (BLUE, "diamond"),
    "server's handshake": (ORANGE, "circle"),
    "client's handshake": (BLUE, "circle"),
    "data": ("#bbbbbb", "circle"),
    "encrypted alert": (PINK, "triangle-up"),
    "alert": (RED, "triangle-up"),
    "FIN": ("#555555", "square-open"),
    "RST": (BLACK, "x"),
}
"""Colour and shape, in the order of the legend; later ones are drawn over earlier ones."""


def text(value: object, longest: int = LONGEST) -> str:
    """A text from the wire as a label."""
    told = str(value)
    return html.escape(told if len(told) <= longest else f"{told[: longest - 1]}…")


def milliseconds(conn: Connection, time_ns: int) -> float:
    """Since the connection's first packet."""
    return (time_ns - conn.ts_ns) / 1e6


def title_of(conn: Connection) -> str:
    """A connection in a few words."""
    where = conn.server_name or f"{conn.server_ip}:{conn.server_port}"
    return text(f"{conn.client_ip} → {where} · stream {conn.stream} · {conn.outcome.value}")


# The handshake time-line.


def time_line(connections: Iterable[Connection], labels: Sequence[str] = (), *, log: bool = False) -> go.Figure:
    """One row a connection, one mark a message, against the time since its first packet.

    Args:
        connections: the first MOST_ROWS are drawn.
        labels: what to call them; () means addresses and names.
        log: a logarithmic axis, for handshakes of some milliseconds beside some of seconds.
    """
    shown, more = _first(connections)
    names = _unique([*map(text, labels)] or [title_of(conn) for conn in shown])
    figure = go.Figure()
    for conn, name in zip(shown, names, strict=False):
        ends = [_place(milliseconds(conn, step.time_ns), log) for step in conn.steps] or [_place(0.0, log)]
        figure.add_scatter(x=[min(ends), max(ends)], y=[name, name], mode="lines", **_plain("#dddddd", 3))
    for kind, (colour, symbol) in MARKS.items():
        marks = [
            (
                _place(milliseconds(conn, step.time_ns), log),
                name,
                f"{step.side.value}: {step.name}, {_frames(step.frames)}",
            )
            for conn, name in zip(shown, names, strict=False)
            for step in conn.steps
            if STEPS.get(step.name, f"{step.side.value}'s handshake") == kind
        ]
        if marks:
            x, y, hover = zip(*marks, strict=True)
            figure.add_scatter(
                x=x,
                y=y,
                name=kind,
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 2 if "open" in symbol else 0}},
                hovertext=hover,
                hovertemplate="%{x:.3f} ms · %{hovertext}<extra></extra>",
            )
    scale = {"type": "log"} if log else {}
    figure.update_xaxes(title="milliseconds since the first packet", **scale)
    return _rows(figure, _titled("Handshakes over time", more), len(shown))


def _place(value: float, log: bool) -> float:
    """A logarithmic axis has no zero: a microsecond stands for it."""
    return max(value, 0.001) if log else value


def _plain(colour: str, width: int) -> dict[str, Any]:
    return {"line": {"color": colour, "width": width}, "hoverinfo": "skip", "showlegend": False}


# The round-trip waterfall.


@dataclass(frozen=True, slots=True)
class Flight:
    """What one side sent before the other one spoke; a FIN or RST after a silence is a flight of its own.

    Attributes:
        side: who sent it. awaited: whom everybody waited for before it: who gives up had waited for the other side.
        before, first, last: milliseconds: the end of the flight before, and its own first and last message.
    """

    side: str
    awaited: str
    names: str
    before: float
    first: float
    last: float
    frames: tuple[int, ...]


def flights(conn: Connection) -> list[Flight]:
    """The flights of a connection, in order."""
    found: list[Flight] = []
    for step in conn.steps:
        last = found[-1] if found else None
        ended = last.last if last else 0.0
        now = max(ended, milliseconds(conn, step.time_ns))
        name = step.name if step.count == 1 else f"{step.count} × {step.name}"
        goes_on = last is not None and last.side == step.side.value
        if last and goes_on and (name not in ENDINGS or now - ended < AT_ONCE):
            names, frames = f"{last.names}, {name}", last.frames + step.frames
            found[-1] = replace(last, names=names, last=now, frames=frames)
        else:
            awaited = (step.side.peer if goes_on else step.side).value
            found.append(Flight(step.side.value, awaited, name, ended, now, now, step.frames))
    return found


ENDINGS = ("FIN", "RST")
AT_ONCE = 1.0
"""Milliseconds after its own last message within which a side's FIN or RST still belongs to it: nobody waited."""


def waterfall(conn: Connection) -> go.Figure:
    """One row a flight: how long everybody waited for it (light), and how long it took to come (dark)."""
    shown, more = _first(flights(conn))
    names = [f"{number}  {text(flight.names, 48)}" for number, flight in enumerate(shown, 1)]
    figure = go.Figure()
    for side, colour in SIDES.items():
        waits = [(name, f.before, f.first, f) for name, f in zip(names, shown, strict=True) if f.awaited == side]
        sends = [(name, f.first, f.last, f) for name, f in zip(names, shown, strict=True) if f.side == side]
        for what, fill, rows in (("waiting for", FAINT[side], waits), ("sent by", colour, sends)):
            figure.add_bar(
                name=f"{what} the {side}",
                y=[name for name, *_ in rows],
                base=[begin for _, begin, _, _ in rows],
                x=[end - begin for _, begin, end, _ in rows],
                orientation="h",
                marker={"color": fill, "line": {"width": 2 if fill == colour else 0, "color": colour}},
                hovertext=[_frames(flight.frames) for *_, flight in rows],
                hovertemplate="%{x:.3f} ms · %{hovertext}<extra></extra>",
            )
    figure.update_layout(barmode="overlay", bargap=0.35)
    figure.update_yaxes(categoryorder="array", categoryarray=names)
    figure.update_xaxes(title="milliseconds since the first packet")
    return _rows(figure, _titled(f"Who waited for whom: {title_of(conn)}", more), len(shown))


# CA lists.


def ca_lists(connections: Iterable[Connection], labels: Sequence[str] = ()) -> go.Figure:
    """The bytes of each server's list of CAs, against the sizes at which Windows cuts it. The longest are drawn."""
    seen: dict[str, tuple[int, int]] = {}
    for position, conn in enumerate(connections):
        if conn.certificate_request is not None:
            names = conn.certificate_request.ca_list
            label = labels[position] if labels else f"{conn.server_name or conn.server_ip} · {names.id[:8]}"
            seen[text(label)] = (names.size, len(names.names))
    longest = sorted(seen.items(), key=lambda item: -item[1][0])
    shown, more = _first(longest)
    sizes = [size for _, (size, _) in shown]
    figure = go.Figure()
    for told, colour, low, high in (
        ("below all limits", GREEN, 0, SCHANNEL_2003),
        ("at the limit of Server 2003", ORANGE, SCHANNEL_2003, SCHANNEL),
        ("at the limit of Windows, or beyond", RED, SCHANNEL, 2**16),
    ):
        rows = [(label, size, count) for label, (size, count) in shown if low <= _with_room(size) < high]
        if rows:
            y, x, _ = zip(*rows, strict=True)
            figure.add_bar(
                name=told,
                y=y,
                x=x,
                orientation="h",
                marker_color=colour,
                text=[f"{size:,} bytes, {count:,} name{'' if count == 1 else 's'}" for _, size, count in rows],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{text}<extra></extra>",
            )
    for limit, told, side in ((SCHANNEL_2003, "Server 2003", "right"), (SCHANNEL, "Windows", "left")):
        figure.add_vline(x=limit, line={"dash": "dash", "color": "#555555", "width": 1})
        figure.add_annotation(
            text=f"{told}: {limit:,}", x=limit, xanchor=side, y=1, yref="paper", yanchor="bottom", showarrow=False
        )
    figure.update_yaxes(categoryorder="array", categoryarray=[label for label, _ in shown])
    figure.update_xaxes(title="bytes of certificate_authorities", range=[0, 1.3 * max([SCHANNEL, *sizes])])
    return _rows(figure, _titled("Lists of CAs and where Windows cuts them", more), len(shown))


BAND = 320
"""A list that ends this close below a limit was most likely cut there: one name more had no room."""


def _with_room(size: int) -> int:
    """A size that counts a list just below a limit as one that has reached it."""
    return next((limit for limit in (SCHANNEL_2003, SCHANNEL) if limit - BAND <= size < limit), size)


# Failures.


def failures(frame: DataFrame, peer: str = "server_name") -> go.Figure:
    """How many connections failed, by peer (a column of `Result.to_frame()`) and cause (the rule named first)."""
    failed = frame[(frame["outcome"] != "established") & frame["diagnosis"].notna() & frame["findings"].notna()]
    cause = failed["findings"].str.split().str[0]
    who = failed[peer].astype(object).fillna("(not told)").map(text)
    counts = cause.groupby([cause.rename("cause"), who.rename("peer")]).size().unstack(fill_value=0)
    order = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    counts, more = counts.loc[order[:MOST_ROWS]], max(0, len(order) - MOST_ROWS)
    columns = counts.sum().sort_values(ascending=False, kind="stable").index[:MOST_ROWS]
    counts = counts[columns]
    figure = go.Figure(
        go.Heatmap(
            z=counts.to_numpy(),
            x=list(counts.columns),
            y=list(counts.index),
            text=counts.map(lambda count: str(count) if count else "").to_numpy(),
            texttemplate="%{text}",
            colorscale=[[0, "#f7f7f7"], [0.001, "#fde0c5"], [1, RED]],
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate="%{y}<br>%{x}<br>%{z} failed<extra></extra>",
        )
    )
    figure.update_xaxes(side="top", type="category", tickangle=-25 if len(columns) > 3 else 0, showgrid=False)
    figure.update_yaxes(type="category", showgrid=False)
    figure = _rows(figure, _titled("Failed connections by peer and cause", more), len(counts))
    return figure.update_layout(margin={"t": 120, "b": 20}, height=figure.layout.height)


# Certificates.


def validity(certificates: DataFrame, at: Timestamp) -> go.Figure:
    """When each certificate (rows of `Result.certificates_frame()`) is valid; those in trouble, and those that end first, on top.

    Args:
        certificates: those without readable dates are left out.
        at: the time to judge them at, with a zone; the dotted line.
    """
    import pandas as pd

    dated = certificates.dropna(subset=["not_before", "not_after"]).sort_values("not_after", kind="stable")
    dated = dated.assign(
        state=[_state(begin, end, at) for begin, end in zip(dated.not_before, dated.not_after, strict=True)]
    )
    dated = dated.sort_values("state", key=lambda states: states.map(list(STATES).index), kind="stable")
    shown, more = dated.head(MOST_ROWS), max(0, len(dated) - MOST_ROWS)
    shown = shown.assign(name=[_short(row) for row in shown.to_dict("records")])
    low, high = at - pd.Timedelta(days=365 * BEFORE), at + pd.Timedelta(days=365 * AFTER)
    figure = go.Figure()
    for told, colour in STATES.items():
        rows = shown[shown["state"] == told]
        if rows.empty:
            continue
        begin = [min(max(moment, low), high) for moment in rows["not_before"]]
        end = [min(max(moment, low), high) for moment in rows["not_after"]]
        figure.add_bar(
            name=told,
            y=list(rows["name"]),
            base=[moment.isoformat() for moment in begin],
            x=[(until - since).total_seconds() * 1000 for since, until in zip(begin, end, strict=True)],
            orientation="h",
            marker_color=colour,
            hovertext=[_certificate(row) for row in rows.to_dict("records")],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=list(shown["name"]))
    figure.update_xaxes(type="date")
    figure.add_vline(x=at.isoformat(), line={"dash": "dot", "color": BLACK, "width": 1.5})
    figure.update_layout(barmode="overlay", bargap=0.3)
    figure = _rows(figure, _titled(f"Validity of certificates, seen from {at:%Y-%m-%d}", more), len(shown))
    return figure.update_layout(margin_b=70, height=figure.layout.height - 30)


def common_name(subject: str) -> str:
    """The CN of a subject as in RFC 4514; all of it if it has none."""
    return next((part[3:] for part in subject.split(",") if part.startswith("CN=")), subject) or "(no name)"


def _short(row: dict[Any, Any]) -> str:
    return f"{text(common_name(row['subject']), 40)} · {row['sha256'][:8]}"


def _state(begin: Timestamp, end: Timestamp, at: Timestamp) -> str:
    expired, early, soon, valid = STATES
    if end < at:
        return expired
    if begin > at:
        return early
    return soon if (end - at).days < EXPIRING_DAYS else valid


def _certificate(row: dict[Any, Any]) -> str:
    lines = (
        row["subject"],
        f"by {row['issuer']}",
        f"{row['not_before']:%Y-%m-%d} to {row['not_after']:%Y-%m-%d}",
        f"{row['key']} {row['key_bits']}, sha256 {row['sha256'][:16]}…",
    )
    return "<br>".join(text(line, 100) for line in lines)


# What all of them share.


def _first(items: Iterable[T]) -> tuple[list[T], int]:
    """As many as can be drawn, and how many more there are."""
    every = list(items)
    return every[:MOST_ROWS], max(0, len(every) - MOST_ROWS)


def _titled(title: str, more: int) -> str:
    return f"{title} ({more:,} more are not drawn)" if more else title


def _unique(names: Iterable[str]) -> list[str]:
    """A number behind names that come again: equal names would share a row."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _frames(frames: Sequence[int]) -> str:
    return f"frame {frames[0]}" if len(frames) == 1 else f"frames {min(frames)}–{max(frames)}"


def _rows(figure: go.Figure, title: str, count: int) -> go.Figure:
    """A figure as high as its rows need, the first row on top."""
    figure.update_yaxes(autorange="reversed", automargin=True, title=None)
    return figure.update_layout(
        template="plotly_white",
        title={"text": title, "x": 0.01, "xref": "container", "font": {"size": 16}},
        height=170 + ROW * max(count, 3),
        margin={"l": 10, "r": 20, "t": 70, "b": 100},
        legend={"orientation": "h", "font": {"size": 11}, "y": 0, "yref": "container", "yanchor": "bottom"},
    )
