"""The clocks of two hosts differ by more than five minutes.

## What it does
Works out how far each host's clock is from the capture's: from the first four bytes of its hellos' randoms, where they are a
time (Windows before 10 and many older stacks; most others send random bytes there), and from the Date of HTTP answers in clear.
A host counts if several statements agree. Speaks when two such hosts differ by more than five minutes, or when all of them
agree with each other and not with the clock of the machine that captured.

## Why it matters
A certificate is expired, or not valid yet, by the clock of the one who looks at it. Kerberos fails beyond five minutes as well.
And if the capture's clock is wrong, what this report says about validity is judged at the wrong time.

## What to do
Compare the clocks (`w32tm /query /status`, `w32tm /stripchart /computer:HOST`, `chronyc tracking`) and let all hosts follow the
same source. If it is the capture's clock, judge again with `--at`.

## When it cannot tell
No two hosts say what time it is: current stacks do not, and HTTP was not captured.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.findings import CannotTell, Confidence, Depth, Finding, Severity
from analyzer.judgement.capture_view import CaptureView
from analyzer.judgement.clocks import HostClock
from analyzer.judgement.phrases import amount
from analyzer.knowledge import limit
from analyzer.rules.rule import Context, Rule

RULE = Rule(
    id="clock-skew",
    title="the clocks of two hosts differ by more than five minutes",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    depth=Depth.STEP,
    citations=("RFC 5246 section 7.4.1.2", "RFC 9110 section 6.6.1", "RFC 4120 section 8.2"),
    whole=True,
)
MOST_NAMED = 8
"""Hosts named one by one."""


def check(view: CaptureView, context: Context) -> Iterator[Finding | CannotTell]:
    """See the page above."""
    clocks = view.clocks.with_dates(view.sightings.clocks())
    if len(clocks) < 2:
        yield CannotTell("fewer than two hosts say what time it is")
        return
    limit_s = limit("clock_skew_s")
    usual = sorted(clock.offset_s for clock in clocks.values())[(len(clocks) - 1) // 2]
    agreeing = {ip: clock for ip, clock in clocks.items() if abs(clock.offset_s - usual) <= limit_s}
    off = {ip: clock for ip, clock in clocks.items() if ip not in agreeing}
    if len(agreeing) == 1 and len(clocks) == 2:
        yield _two(clocks)
        return
    if len(agreeing) * 2 <= len(clocks):
        yield _no_two_agree(clocks)
        return
    for ip, clock in sorted(off.items(), key=lambda one: -abs(one[1].offset_s - usual))[:MOST_NAMED]:
        yield RULE.across(
            f"the clock of {ip} is {_apart(clock.offset_s - usual)} the clocks of {len(agreeing)} other hosts "
            f"({_sources(clock)})",
            advice=f"Set the clock of {ip}: it judges the validity of certificates by it.",
            frames=clock.frames,
            filter=_filter(ip),
        )
    if not off and abs(usual) > limit_s:
        yield _capture_is_off(agreeing, usual)


def _two(clocks: dict[str, HostClock]) -> Finding:
    (one, first), (other, second) = clocks.items()
    return RULE.across(
        f"the clock of {one} is {_apart(first.offset_s - second.offset_s)} that of {other} "
        f"({_sources(first, second)}){_agreeing(clocks)}",
        advice="Compare both with a third one, and let both follow the same source.",
        frames=(*first.frames[:2], *second.frames[:2]),
        filter=_filter(one, other),
    )


def _no_two_agree(clocks: dict[str, HostClock]) -> Finding:
    ordered = sorted(clocks.items(), key=lambda one: one[1].offset_s)
    (behind, slow), (ahead, fast) = ordered[0], ordered[-1]
    return RULE.across(
        f"the clocks of {len(clocks)} hosts differ, most of all {ahead}, which is "
        f"{_apart(fast.offset_s - slow.offset_s)} {behind}",
        advice="Let all of them follow the same source.",
        frames=(*slow.frames[:2], *fast.frames[:2]),
        filter=_filter(behind, ahead),
    )


def _capture_is_off(clocks: dict[str, HostClock], offset_s: int) -> Finding:
    named = ", ".join(list(clocks)[:MOST_NAMED])
    behind = "behind" if offset_s > 0 else "ahead of"
    return RULE.across(
        f"the clock of the machine that captured is {amount(abs(offset_s))} {behind} those of {len(clocks)} hosts ({named}), "
        "which agree with each other",
        advice="Validity was judged by the capture's clock: judge again with --at and the right time, or with --timezone if the "
        "difference is a zone's.",
        frames=tuple(frame for clock in list(clocks.values())[:4] for frame in clock.frames[:1]),
        filter=_filter(*list(clocks)[:MOST_NAMED]),
        confidence=Confidence.LOW if len(clocks) == 2 else None,
    )


def _apart(seconds: int) -> str:
    return f"{amount(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'}"


def _agreeing(clocks: dict[str, HostClock]) -> str:
    """Which of two hosts has the capture's time, as a clause; "" if neither, or both nearly."""
    right = [ip for ip, clock in clocks.items() if abs(clock.offset_s) <= limit("at_once_s")]
    return f"; the capture's clock agrees with {right[0]}" if len(right) == 1 else ""


def _sources(*clocks: HostClock) -> str:
    words = dict.fromkeys("hellos" if source == "hello" else source for clock in clocks for source in clock.sources)
    return f"told from {'its' if len(clocks) == 1 else 'their'} {' and '.join(words)}"


def _filter(*hosts: str) -> str:
    return " || ".join(f"{'ipv6' if ':' in ip else 'ip'}.src == {ip}" for ip in hosts)
