"""The parts of a connection's object that differ from one connection to the next, as structs: made and encoded in half the
time of a dict. The fields are the keys of schema `mtlscope/1`, in its order; `report/objects.py` says what they mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

if TYPE_CHECKING:
    from analyzer.report.object_findings import ComparisonObject
    from analyzer.report.objects import CodeObject

Label = int | str
"""A frame as `frames.label` writes it."""


class ConnectionHead(Struct, gc=False):
    """Which connection it is."""

    schema: str
    type: str
    capture: str
    stream: int
    uid: str
    community_id: str
    ts: str
    duration: float
    client_ip: str
    client_port: int
    server_ip: str
    server_port: int


class ClientHelloHead(Struct, gc=False):
    """Where the hello is, and its random parts."""

    frame: Label | None
    first_frame: Label | None
    random: str
    session_id: str
    server_name: str | None


class HelloRetry(Struct, gc=False):
    """The server's wish for another hello."""

    frame: Label | None
    cipher_suite: CodeObject
    key_share_group: CodeObject | None


class ServerHelloHead(Struct, gc=False):
    """Where the hello is, and its random parts."""

    frame: Label | None
    random: str
    session_id: str
    hello_retry: HelloRetry | None


class RequestHead(Struct, gc=False):
    """Where the request is."""

    frame: Label
    frames: list[Label]
    records: int


class VisibilityHead(Struct, gc=False):
    """What the capture shows of this one."""

    client_bytes: int
    server_bytes: int
    round_trip: float | None
    conflict_frames: list[Label]


class FindingHead(Struct, gc=False):
    """Where to see it."""

    frames: list[Label]
    filter: str


class AlertHead(Struct, gc=False, rename={"sender": "from"}):
    """An alert."""

    sender: str
    level: str | None
    code: int | None
    description: str | None
    frame: Label
    encrypted: bool
    inferred: bool


class Closed(Struct, gc=False):
    """How it ended."""

    by: str | None
    how: str
    stage: str | None
    frame: Label | None
    after: float | None


class ConnectionEnd(Struct, gc=False):
    """How it ended, and what is to be said first."""

    alerts: list[AlertHead]
    closed: Closed
    diagnosis: str | None
    diagnosis_confidence: str | None
    worked_beside: ComparisonObject | None


def as_dict(head: Struct) -> dict[str, Any]:
    """The same as plain data."""
    made: dict[str, Any] = to_builtins(head)
    return made
