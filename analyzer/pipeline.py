"""The only file that knows all stages: paths in, judged connections out.

files -> frames -> segments -> conversations -> records -> findings
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from analyzer import knowledge
from analyzer.capture.inputs import STANDARD_INPUT, Input, find_inputs
from analyzer.capture.source import Capture, Loss, ReadOptions, open_capture
from analyzer.certificates.stores.public import PUBLIC_ROOTS
from analyzer.connection import Connection
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError
from analyzer.findings import Finding, Severity, Verdict
from analyzer.folding.case import Setting
from analyzer.judgement.capture_view import CaptureView
from analyzer.judgement.stores import NO_TRUST, Trust
from analyzer.losses import LossLog, note_losses
from analyzer.packets.columns import Decoded
from analyzer.packets.decode import Decoder
from analyzer.repeats import Repeats
from analyzer.report.output import Item
from analyzer.rules import diagnosis, judge, survey, survey_verdicts, verdicts
from analyzer.rules.history import History
from analyzer.rules.rule import Context
from analyzer.rules.successes import in_trouble
from analyzer.sightings.watch import Sightings
from analyzer.summary import INTERRUPTED, CaptureSummary, LostPackets, Repeated
from analyzer.tally import Tally
from analyzer.tracker import Tracker

if TYPE_CHECKING:
    from analyzer.topology.model import Topology

Progress = Callable[[str, int, int | None], None]
Unjudged = Connection | Repeated | LostPackets
"""What reading gives: connections have no verdict yet."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to analyse.

    Attributes:
        ports: where TLS is expected; None = any ("not-tls" is switched off then).
        at_ns: judge validity at this time instead of the capture's.
        today_ns: the time of the run, for "expired today as well"; None = say nothing about today.
        timezone: zone of local time stamps; None = UTC.
        topology: what the user says about the deployment; None = nothing.
        workers: processes for several inputs.
        keep: which connections to report; None = all. Called with the judged record.
        verdicts: called with each connection and all its rules' verdicts (--verdicts); None = not wanted. Not with
            several workers.
        trust: the trust stores of both sides; the public roots are known without.
        opinions: called with each troubled connection and what the library's verifier says about its chains (-v); None =
            not wanted. Not with several workers.
        capture_verdicts: the same of each input and the rules about whole captures.
        across: look for findings across connections; not worth it where only some are wanted.
        via: "tshark": let it read the captures; None: read them ourselves.
    """

    ports: frozenset[int] | None = frozenset((443, 5061))
    at_ns: int | None = None
    today_ns: int | None = None
    timezone: str | None = None
    topology: Topology | None = None
    workers: int = 1
    keep: Callable[[Connection], bool] | None = None
    verdicts: Callable[[Connection, Sequence[Verdict]], None] | None = None
    trust: Trust = NO_TRUST
    opinions: Callable[[Connection, Sequence[str]], None] | None = None
    capture_verdicts: Callable[[str, Sequence[Verdict]], None] | None = None
    across: bool = True
    via: str | None = None


@dataclass(slots=True)
class Run:
    """One analysis of some inputs; iterate it once.

    Attributes:
        errors: one line for each input that could not be read, or not to its end (exit 3).
        crashes: one line for each contained bug of ours (exit 5).
        worst: rank of the worst severity found (0 error, 1 warning, 2 note); None if nothing was found.
        progress: called with (name of the input, bytes read so far, size or None).
        kept, passed_over: connections that were reported, and TCP connections that were not.
        left: the inputs that are not read to their end yet, the first one begun; reading: what reads it.
    """

    paths: Sequence[str]
    options: Options = field(default_factory=Options)
    progress: Progress | None = None
    errors: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    worst: int | None = None
    kept: int = 0
    passed_over: int = 0
    left: list[Input] = field(default_factory=list)
    reading: Analysis | None = None

    def __iter__(self) -> Iterator[Item]:
        """Raise UsageError before the first item if there is nothing to analyse."""
        found = find_inputs(self.paths)
        self.errors += found.problems
        self.left = list(found.inputs)
        if self.options.workers > 1 and len(found.inputs) > 1:
            yield from self._in_parallel(found.inputs)
            return
        for one in found.inputs:
            analysis = self.reading = Analysis(one, self.options, self.progress)
            yield from self._noting(analysis)
            self._take(analysis.errors, analysis.crashes)

    def _in_parallel(self, inputs: Sequence[Input]) -> Iterator[Item]:
        """Each input in a process of its own; the order of the results is that of the inputs."""
        from concurrent.futures import ProcessPoolExecutor  # here: they load a lot, and most runs need one process
        from multiprocessing import get_context

        options = replace(self.options, verdicts=None, capture_verdicts=None, opinions=None, workers=1)
        with ProcessPoolExecutor(self.options.workers, get_context("spawn")) as pool:
            for items, errors, crashes in pool.map(_analyse_one, inputs, [options] * len(inputs)):
                yield from self._noting(items)
                self._take(errors, crashes)

    def _noting(self, items: Iterator[Item] | list[Item] | Analysis) -> Iterator[Item]:
        for item in items:
            if isinstance(item, Connection | CaptureSummary):
                for finding in item.findings:
                    rank = finding.severity.rank
                    if self.worst is None or rank < self.worst:
                        self.worst = rank
                if isinstance(item, CaptureSummary):
                    self.kept += item.connections
                    self.passed_over += item.tcp_streams - item.connections
                if isinstance(item, CaptureSummary) and self.left:
                    del self.left[0]  # it is the last item of its input
                    self.reading = None
            yield item

    def unfinished(self) -> Iterator[Item]:
        """For whoever has stopped iterating: what was counted, and a summary that says so. Nothing if all was read."""
        if not self.left:
            return
        one, more = self.left[0], len(self.left) - 1
        error = f"{INTERRUPTED}; {more} more not read" if more else INTERRUPTED
        if self.reading is not None:
            yield from self.reading.unfinished(error)
        else:  # not begun, or another process reads it
            yield CaptureSummary(capture=one.name, files=tuple(one.files), error=error)

    def _take(self, errors: list[str], crashes: list[str]) -> None:
        self.errors += errors
        self.crashes += crashes


def _analyse_one(one: Input, options: Options) -> tuple[list[Item], list[str], list[str]]:
    analysis = Analysis(one, options, None)
    return list(analysis), analysis.errors, analysis.crashes


class Analysis:
    """One input, file or ring, from its bytes to its last finding. Iterate it once; see Run for the attributes."""

    def __init__(self, one: Input, options: Options, progress: Progress | None) -> None:
        self.input, self.options, self.progress = one, options, progress
        self.errors: list[str] = []
        self.crashes: list[str] = []
        self._history = History((*options.trust.stores, PUBLIC_ROOTS))
        self._sightings, self._watching = Sightings(), True
        self._view = CaptureView(self._sightings)
        self._context = Context(
            history=self._history,
            now_ns=options.at_ns,
            today_ns=options.today_ns,
            mtls_ports=knowledge.mtls_ports(),
            sip_ports=knowledge.sip_ports(),
            trust=options.trust,
            topology=options.topology,
            sightings=self._sightings,
        )
        self._repeats = Repeats(knowledge.limit("repeat_after"))
        self._tally = Tally(one)
        self._losses = LossLog()
        self._following: Tracker | None = None

    def __iter__(self) -> Iterator[Item]:
        """Connections as they are decided, then what was counted instead of listed, then the summary."""
        tracker: Tracker | None = None
        decoder = Decoder()
        for path in self.input.files:
            try:
                with self._open(path) as capture:
                    capture.facts.losses = self._losses
                    self._tally.begin(path, capture.facts)
                    for item in self._read(capture, decoder, tracker := tracker or self._tracker()):
                        if isinstance(item, Connection):
                            yield from self._judged(item)
                        else:
                            yield item
            except CaptureError as error:
                self._tally.error = str(error)
                self.errors.append(str(error))
            self._tally.end()
        if tracker is not None:
            for conn in tracker.finish():
                yield from self._judged(conn)
            self.crashes += [f"{crash.where}: {type(crash.error).__name__}: {crash.error}" for crash in tracker.crashes]
            yield from self._counted(tracker)
        yield from self._lost(self._losses.rest())
        yield self._tally.summary(tracker, self._history.amendments(), self._across(), self._history.beside.later())

    def unfinished(self, error: str) -> Iterator[Item]:
        """What was counted until now, and the summary. Connections that go on are not decided, nothing is said across them."""
        self._tally.error = error
        if self._following is not None:
            yield from self._counted(self._following)
        yield from self._lost(self._losses.rest())
        yield self._tally.summary(self._following, self._history.amendments())

    def _counted(self, tracker: Tracker) -> Iterator[Repeated]:
        """What was counted instead of listed since the last call."""
        yield from self._repeats.counted()
        if self.options.keep is None:
            yield from self._flooded(tracker)

    def _lost(self, losses: list[Loss]) -> Iterator[LostPackets]:
        for loss in losses:
            span = loss.begin_ns or None, loss.end_ns or None  # 0: not said
            yield LostPackets(self.input.name, *span, loss.packets, self._tally.time_digits)

    def _flooded(self, tracker: Tracker) -> Iterator[Repeated]:
        """The part of it that never became a record."""
        for repeated in self._repeats.floods(self.input.name, tracker.floods):
            self._tally.report_counted(repeated.count)
            yield repeated

    def _across(self) -> tuple[Finding, ...]:
        """Findings across connections. In a ring frames are counted in each file: there only the filters tell where."""
        if not self.options.across:
            return ()
        tell, name = self.options.capture_verdicts, self.input.name
        findings = survey(
            self._view, self._context, lambda said: self.crashes.append(f"{name}: rule {said.rule}: {said.reason}")
        )
        if tell is not None:
            tell(name, survey_verdicts(self._view, self._context))
        if len(self._tally.files) > 1:
            return tuple(replace(finding, frames=()) for finding in findings)
        return findings

    def _tracker(self) -> Tracker:
        self._following = Tracker(
            Setting(capture=self.input.name, ports=self.options.ports, known_ports=knowledge.default_tls_ports())
        )
        return self._following

    def _read(self, capture: Capture, decoder: Decoder, tracker: Tracker) -> Iterator[Unjudged]:
        facts = capture.facts
        for frames in capture:
            yield from self._lost(self._losses.take())
            if len(frames) == 0:
                yield from self._while_idle(tracker)
                continue
            self._tally.number(frames)
            decoded = decoder.feed(frames)
            self._tally.count(frames, decoded)
            self._watch(decoded)
            tracker.setting = replace(
                tracker.setting,
                time_digits=facts.time_digits,
                local_time_doubt=facts.local_time and self.options.timezone is None,
                files=self._tally.files,
            )
            yield from tracker.feed(decoded, int(frames.time_ns.max()), int(frames.time_ns[-1]))
            if self.progress is not None:
                self.progress(capture.name, frames.position, capture.size)

    def _open(self, path: str) -> Capture:
        prompt = path == STANDARD_INPUT  # a slow pipe: what is decided must not wait for more
        return open_capture(path, ReadOptions(timezone=self.options.timezone, prompt=prompt, via=self.options.via))

    def _while_idle(self, tracker: Tracker) -> Iterator[Unjudged]:
        """An empty batch: only a live source gives one."""
        return iter(())

    def _watch(self, decoded: Decoded) -> None:
        """Look at what is beside TLS. A bug of ours there ends that, and nothing else."""
        if not self._watching:
            return
        try:
            self._sightings.feed(decoded)
        except Exception as error:
            self._watching = False
            self.crashes.append(f"{self.input.name}: beside TLS: {type(error).__name__}: {error}")

    def _judged(self, conn: Connection) -> Iterator[Item]:
        """The record with its findings, unless it is not wanted or only counted."""
        tell, said = self.options.verdicts, None
        if self._losses:
            note_losses(conn, self._losses)
        try:
            findings = judge(conn, self._context, self._on_crash(conn))
            if findings or conn.failed:
                conn.set_findings(findings, diagnosis(conn, findings))
                if in_trouble(conn):
                    conn.set_comparison(self._history.beside.beside(conn))
            if tell is not None:
                said = verdicts(conn, self._context)
            self._history.learn(conn)
            self._view.learn(conn)
        except Exception as error:  # a bug of ours: this connection is shown with what there is, the others go on
            self.crashes.append(f"{conn.capture}, connection {conn.stream}: judging: {type(error).__name__}: {error}")
        if tell is not None and said is not None:
            tell(conn, said)
        self._tally.see(conn)
        if self.options.keep is not None and not self.options.keep(conn):
            return
        self._tell_opinions(conn)
        self._tally.report(conn)
        if self._repeats.is_listed(conn):
            yield conn

    def _tell_opinions(self, conn: Connection) -> None:
        """A second opinion on the chains of a troubled connection, if it is wanted."""
        if self.options.opinions is None or not conn.troubled:
            return
        from analyzer.judgement.opinions import second_opinions  # only -v needs it, and the library behind it

        self.options.opinions(conn, second_opinions(conn, self.options.trust.judging, self._context.judged_at(conn)))

    def _on_crash(self, conn: Connection) -> Callable[[Verdict], None]:
        def note(verdict: Verdict) -> None:
            self.crashes.append(f"{conn.capture}, connection {conn.stream}: rule {verdict.rule}: {verdict.reason}")

        return note


__all__ = ["Analysis", "Finding", "Options", "Run", "Severity"]
