"""What every output receives (`Item`s and `OutputOptions`) and what it is (`Output`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, BinaryIO

from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.summary import CaptureSummary, LostPackets, Repeated

if TYPE_CHECKING:
    from analyzer.topology.model import Topology

Item = Connection | Repeated | LostPackets | CaptureSummary
"""In this order for each input: its connections as they are decided, then Repeated, then one CaptureSummary. A live run gives
Repeated again and again; each counts from the one before. LostPackets come as the capturing side states them."""


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How to write.

    Attributes:
        color: write ANSI colours (the caller has looked at the terminal, NO_COLOR, FORCE_COLOR and --color).
        width: columns of the terminal; 100 in a pipe.
        unicode: the sink can show more than ASCII.
        each: list every finding instead of grouping equal ones (text only).
        prompt: the items come from a live source: write each at once, for the next one may be hours away.
        on_disk: the captures are files that can be opened later; not what only went by on an interface.
        topology: calls servers by role and name (text only); None if the user gave none.
    """

    color: bool = False
    width: int = 100
    unicode: bool = True
    each: bool = False
    topology: Topology | None = None
    prompt: bool = False
    on_disk: bool = True


@dataclass(frozen=True, slots=True)
class Output:
    """One output. `write` consumes the items as they come (streaming where the format allows) and writes bytes.

    Attributes:
        name: value of -T. help: one line for --help.
        files: names of the files that it writes if -o is a folder; () for an output that is always one file.
        write_files: writes these, in the order of `files`.
        binary: no text: not for a terminal.
        ready: raises UsageError if a library is not there; asked before a file is emptied. None: nothing is needed.
        whole: it keeps what it is given until the end: what is counted is wanted once.
        lines: one JSON object a line: a file of it can be appended to, and after any of them go on in another one.
    """

    name: str
    help: str
    write: Callable[[Iterable[Item], BinaryIO, OutputOptions], None]
    files: tuple[str, ...] = ()
    write_files: Callable[[Iterable[Item], Sequence[BinaryIO], OutputOptions], None] | None = None
    binary: bool = False
    ready: Callable[[], object] | None = None
    whole: bool = False
    lines: bool = False
