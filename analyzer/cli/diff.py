"""`mtlscope diff A[:STREAM] [B[:STREAM]]`: how two handshakes differ, likeliest relevant first.

Without :STREAM the most troubled connection of A is taken, and the like of it in B: the same client and server, or as near
as there is, one that worked first. Without B both come from A.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer import places
from analyzer.cli.main import Exit, say
from analyzer.cli.parser import Parser, add_color, one_of, place
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.choosing import Choice
    from analyzer.connection import Connection

CONFIGURED = ("ports", "timezone", "color")
"""Settings that count for the commands that look at two captures."""
_STREAM = re.compile(r"(?P<path>.+):(?P<stream>\d{1,9})", re.ASCII | re.DOTALL)


def run(words: list[str]) -> int:
    """Compare and report. Raise UsageError if there is nothing to compare."""
    args = _parser().parse(words)
    from analyzer.cli.progress import Progress
    from analyzer.cli.sink import open_sink
    from analyzer.comparison import WHATS, compare
    from analyzer.report.encode import to_json
    from analyzer.report.page import Page
    from analyzer.report.two import diff_object, write_text

    if args.a.startswith("-") and (not args.b or args.b.startswith("-")):
        raise UsageError("standard input can be read only once; save it to a file")
    captures = Captures(args)
    (path_a, stream_a), (path_b, stream_b) = split(args.a), split(args.b or split(args.a)[0])
    a = captures.take(path_a, stream_a, None)
    b = captures.take(path_b, stream_b, None if stream_b is not None else a.conn)
    if not args.b and b.conn.uid == a.conn.uid:
        raise UsageError("both are the same connection; name another: mtlscope diff A:STREAM A:STREAM")
    found = compare(a.conn, b.conn)
    taken = (a.conn, a.why), (b.conn, b.why)
    with open_sink(args.output, [path_a, path_b], args.color, False, Progress(wanted=False)) as (sink, how):
        if args.T == "json":
            sink.write(to_json(diff_object(*taken, found, dict(WHATS))) + b"\n")
        else:
            write_text(*taken, found, Page(sink, how))
    return captures.exit_code


def _parser() -> Parser:
    parser = Parser(prog="mtlscope diff", description=__doc__, configured=CONFIGURED)
    add = parser.add_argument
    add("a", type=place, metavar="A[:STREAM]", help="a capture, and a connection number as in Wireshark")
    add("b", type=place, metavar="B[:STREAM]", nargs="?", help="the capture to compare with (default: the same)")
    add_common(parser)
    return parser


def add_common(parser: Parser) -> None:
    """Options of the commands that look at two captures."""
    add = parser.add_argument
    add("-T", default="text", type=one_of(("text", "json")), metavar="FORMAT", help="text or json")
    add("-o", dest="output", type=place, metavar="FILE", help="where to write (default: standard output)")
    add("--ports", metavar="LIST", help="where TLS is expected, e.g. 5061,443, or 'any' (TLS is found on every port)")
    add("--timezone", metavar="ZONE", help="zone of captures with local time")
    add_color(add)


def split(word: str) -> tuple[str, int | None]:
    """Path and stream. A file whose name ends in ":7" is meant itself."""
    match = _STREAM.fullmatch(word)
    if match is None or places.is_there(word):
        return word, None
    return match["path"], int(match["stream"])


class Captures:
    """Reads captures, one connection of each kept. `exit_code`: 3 if an input could not be read to its end, 5 after a bug."""

    def __init__(self, args: argparse.Namespace) -> None:
        from analyzer.cli.analyze import ports, zone

        self.exit_code: int = Exit.OK
        self._ports, self._zone = ports(args.ports), zone(args.timezone)

    def take(self, path: str, stream: int | None, like: Connection | None) -> Choice:
        """The connection with this number; the one most like another; or the most troubled one."""
        from analyzer.choosing import Choice, like_of, most_troubled

        if stream is not None:
            found = list(self.read(path, lambda conn: conn.stream == stream))
            if not found:
                raise UsageError(
                    f"{path} has no TLS connection with number {stream}; mtlscope {path} -T csv lists them"
                )
            return Choice(found[0], "as asked")
        if like is None:
            choice = most_troubled(self.read(path))
            if choice is None:
                raise UsageError(f"{path} has no TLS connection")
            return choice
        choice = like_of(like, self.read(path), same_capture=_same(path, like.capture))
        if choice is None:
            raise UsageError(
                f"{path} has no other connection like stream {like.stream} of {like.capture} (same server, name, client or "
                f"port); name one: {path}:STREAM"
            )
        return choice

    def read(self, path: str, keep: Callable[[Connection], bool] | None = None) -> Iterator[Connection]:
        """The connections of one input."""
        from analyzer.connection import Connection
        from analyzer.pipeline import Options, Run

        analysis = Run([path], Options(ports=self._ports, timezone=self._zone, keep=keep))
        for item in analysis:
            if isinstance(item, Connection):
                yield item
        for line in (*analysis.errors, *analysis.crashes):
            say(line)
        code = Exit.BUG if analysis.crashes else Exit.INPUT if analysis.errors else Exit.OK
        self.exit_code = max(self.exit_code, code)


def _same(path: str, other: str) -> bool:
    try:
        return Path(path).samefile(other)
    except OSError:
        return path == other
