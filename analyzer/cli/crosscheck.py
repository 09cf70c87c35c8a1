"""`mtlscope crosscheck PATH...`: compare our fields with those of Wireshark's dissectors, and print every difference.

Every TLS connection is compared field by field: hellos, messages, certificates, CA names, alerts, FINs and RSTs. A
difference is not always a mistake of ours; docs/wireshark.md tells the usual ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from analyzer.cli.main import Exit, say
from analyzer.cli.parser import Parser, add_color, one_of, place
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.agreement.facts import Disagreement
    from analyzer.report.crosscheck import Checked

_EPILOG = """\
exit codes: 0 both agree    1 they differ    2 usage, or there is no tshark    3 a capture could not be read to its end"""


def run(words: list[str]) -> int:
    """Compare and report. Raise UsageError if there is no tshark or nothing to compare."""
    args = _parser().parse_args(words)
    paths = [*args.read, *args.paths]
    if not paths:
        raise UsageError("nothing to compare; try: mtlscope crosscheck FILE.pcapng")
    if "-" in paths:
        raise UsageError("standard input can be read only once, and both need it; save it to a file")
    from analyzer.cli.doctor import tool_version
    from analyzer.cli.progress import Progress
    from analyzer.cli.sink import open_sink
    from analyzer.report.crosscheck import crosscheck_object, write_text
    from analyzer.report.encode import to_json
    from analyzer.report.page import Page
    from analyzer.wireshark.tool import needed_tool

    version = tool_version(needed_tool("mtlscope crosscheck"))
    comparison = Comparison(args.timezone, args.via)
    with open_sink(args.output, paths, args.color, False, Progress(wanted=False)) as (sink, how):
        checked = list(comparison.each(paths))
        if args.T == "json":
            sink.write(to_json(crosscheck_object(checked, version)) + b"\n")
        else:
            write_text(checked, version, Page(sink, how))
    return max(comparison.exit_code, Exit.FINDINGS if any(one.found for one in checked) else Exit.OK)


def _parser() -> Parser:
    parser = Parser(prog="mtlscope crosscheck", description=__doc__, epilog=_EPILOG)
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        type=place,
        metavar="PATH",
        help="captures, folders, globs; the files of a ring each by itself",
    )
    add("-r", dest="read", action="append", default=[], type=place, metavar="PATH", help="the same, as in tshark")
    add("-T", default="text", type=one_of(("text", "json")), metavar="FORMAT", help="text or json")
    add("-o", dest="output", type=place, metavar="FILE", help="where to write (default: standard output)")
    add("--via", type=one_of(("tshark",)), metavar="TOOL", help="tshark: let it read for both, see mtlscope --help")
    add("--timezone", metavar="ZONE", help="zone of captures with local time")
    add_color(add)
    return parser


class Comparison:
    """Reads each capture twice. `exit_code`: 3 if one could not be read to its end by us, 5 after a bug."""

    def __init__(self, timezone: str | None, via: str | None) -> None:
        from analyzer.cli.analyze import zone

        self.exit_code: int = Exit.OK
        self._zone, self._via = zone(timezone), via

    def each(self, paths: Sequence[str]) -> Iterator[Checked]:
        """One result a file. Raise UsageError if there is none at all."""
        from analyzer.capture.inputs import find_inputs

        found = find_inputs(paths)
        self._tell(found.problems, Exit.INPUT)
        for one in found.inputs:
            for path in one.files:
                yield self._one(path)

    def _one(self, path: str) -> Checked:
        from analyzer.agreement.dissection import dissected
        from analyzer.agreement.facts import compared, disagreements
        from analyzer.pipeline import Options, Run
        from analyzer.report.crosscheck import Checked

        theirs = dissected(path)
        analysis = Run([path], Options(ports=None, timezone=self._zone, across=False, via=self._via))
        items = list(analysis)
        found: tuple[Disagreement, ...] = tuple(disagreements(path, theirs.streams, items))
        self._tell([theirs.problem] if theirs.problem else [], Exit.INPUT)
        self._tell(analysis.errors, Exit.INPUT)
        self._tell(analysis.crashes, Exit.BUG)
        return Checked(path, len(theirs.streams), compared(theirs.streams, items), found)

    def _tell(self, lines: Sequence[str], code: Exit) -> None:

        for line in lines:
            say(line)
            self.exit_code = max(self.exit_code, code)
