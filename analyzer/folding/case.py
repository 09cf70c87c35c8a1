"""`Case`: one conversation with what has been worked out so far. The rooms beside it each add a part of the record."""

from __future__ import annotations

from typing import TypeVar

from analyzer.connection import Closed, Outcome, Side, Visibility
from analyzer.dataclass import dataclass
from analyzer.folding.conversation import Conversation
from analyzer.folding.half import Half
from analyzer.folding.identity import Endpoints
from analyzer.folding.timeline import Direction, Timeline
from analyzer.tls import messages as wire
from analyzer.tls.names import HandshakeType

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Setting:
    """What all connections of an input share.

    Attributes:
        capture: name of the input. time_digits: see capture.source.Facts. local_time_doubt: see Connection.
        ports: where TLS is expected; None = any.
        files: (number of the first frame, name) of each file of the input begun so far.
        known_ports: ports that speak TLS by the catalogue, to tell the server when nothing else does.
    """

    capture: str
    time_digits: int = 6
    local_time_doubt: bool = False
    ports: frozenset[int] | None = None
    known_ports: frozenset[int] = frozenset()
    files: tuple[tuple[int, str], ...] = ()

    def files_from(self, frame: int) -> tuple[tuple[int, str], ...]:
        """Of a ring: the file of this frame and those after it; () for a single file."""
        if len(self.files) < 2:
            return ()
        home = max(at for at, (first, _) in enumerate(self.files) if first <= frame)
        return self.files[home:]

    def expects(self, ports: tuple[int, int]) -> bool:
        """TLS is expected between these ports."""
        return self.ports is None or ports[0] in self.ports or ports[1] in self.ports


@dataclass(slots=True)
class Case:
    """A conversation, read.

    Attributes:
        client: the client's direction (0 or 1). ends: addresses and ports of both directions.
        timeline: what happened, in order. established, closed, view, outcome: see Connection.
    """

    conversation: Conversation
    setting: Setting
    client: int
    ends: Endpoints
    timeline: Timeline
    established: bool
    closed: Closed
    view: Visibility
    outcome: Outcome

    def direction(self, side: Side) -> Direction:
        """What one side's events add up to."""
        return self.timeline.client if side is Side.CLIENT else self.timeline.server

    def half(self, side: Side) -> Half:
        """One side of the conversation."""
        return self.conversation.halves[self.client if side is Side.CLIENT else 1 - self.client]


def body_of(message: wire.Handshake | None, kind: type[_T]) -> _T | None:
    """The message's body if it is of this kind; None if not, or if there is no message."""
    return message.body if message is not None and isinstance(message.body, kind) else None


def body(direction: Direction, code: int, kind: type[_T]) -> _T | None:
    """The body of a direction's message of this type."""
    return body_of(direction.messages.get(code), kind)


def client_hello(direction: Direction) -> wire.ClientHello | None:
    """The client's hello; the second one of a hello retry."""
    return body(direction, HandshakeType.client_hello, wire.ClientHello)


def server_hello(direction: Direction) -> wire.ServerHello | None:
    """The server's choice; None for a HelloRetryRequest."""
    choice = body(direction, HandshakeType.server_hello, wire.ServerHello)
    return None if choice is None or choice.hello_retry_request else choice
