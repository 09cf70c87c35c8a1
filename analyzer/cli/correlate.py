"""`mtlscope correlate A B`: one connection captured at two places, e.g. on both sides of a firewall.

Joins the connections of both captures by ClientHello.random, also across address translation, aligns the clocks, and says
what was lost, changed, injected or swallowed in between, and where TLS ends and begins anew (inspection).
"""

from __future__ import annotations

from analyzer.cli.diff import CONFIGURED, Captures, add_common
from analyzer.cli.parser import Parser, place
from analyzer.errors import UsageError


def run(words: list[str]) -> int:
    """Join and report. Raise UsageError if there is nothing to join."""
    parser = Parser(prog="mtlscope correlate", description=__doc__, configured=CONFIGURED)
    parser.add_argument("a", type=place, metavar="A", help="a capture")
    parser.add_argument("b", type=place, metavar="B", help="a capture of the same time, taken at another place")
    add_common(parser)
    args = parser.parse(words)
    if args.a == args.b:
        raise UsageError(f"{args.a} twice: two captures of the same connections are needed")
    from analyzer.cli.progress import Progress
    from analyzer.cli.sink import open_sink
    from analyzer.correlation import correlate
    from analyzer.report.encode import to_json
    from analyzer.report.page import Page
    from analyzer.report.pairs import correlation_object, write_text

    captures = Captures(args)
    found = correlate(captures.read(args.a), captures.read(args.b))
    with open_sink(args.output, [args.a, args.b], args.color, False, Progress(wanted=False)) as (sink, how):
        if args.T == "json":
            sink.write(to_json(correlation_object(found)) + b"\n")
        else:
            write_text(found, (args.a, args.b), Page(sink, how))
    return captures.exit_code
