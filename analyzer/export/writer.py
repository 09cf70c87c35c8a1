"""Writes an annotated capture: a second pass over the inputs of an analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from struct import Struct

from analyzer.capture.inputs import Input
from analyzer.capture.pcapng import PACKET, SECTION
from analyzer.capture.source import NOT_A_PACKET, Frames
from analyzer.dataclass import dataclass
from analyzer.errors import CaptureError, UsageError
from analyzer.export import blocks
from analyzer.export.addresses import Addresses
from analyzer.export.choosing import Chooser, batches, count_frames
from analyzer.export.marks import SIGN, Marks, joined
from analyzer.export.original import NOT_TO_COPY, NUMBERED, SECRETS, is_pcapng, read_blocks
from analyzer.export.plan import Plan, Written
from analyzer.export.sharing import share
from analyzer.packets.links import UNKNOWN_LINK


def write(target: str, inputs: Sequence[Input], marks: dict[str, Marks], plan: Plan) -> Written:
    """Write all inputs into one pcapng file, a section each. Raise UsageError if that cannot be done."""
    written, addresses = Written(), Addresses()
    try:
        with Path(target).open("wb") as sink:
            for one in inputs:
                whole = joined(marks[name] for name in dict.fromkeys((one.name, *one.files)) if name in marks)
                for piece in _input(one, whole, plan, written, addresses):
                    sink.write(piece)
    except CaptureError as error:
        raise UsageError(f"-w {target}: {error}") from None
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None
    return written


def _input(one: Input, marks: Marks, plan: Plan, written: Written, addresses: Addresses) -> Iterator[bytes]:
    """The blocks of one input. Frames of a ring are counted through its files."""
    if plan.share_safe:
        yield from share(one, marks, plan, written, addresses)
        return
    before = 0
    chooser = Chooser(marks, plan.reading, everything=False)
    for path in one.files:
        chosen = None if plan.all_packets else chooser.choose(path, before)
        view = _View(marks, before, chosen)
        if is_pcapng(path):
            yield from _copied(path, view, plan, written)
        else:
            yield from _made(path, view, plan, written)
        if len(one.files) > 1:
            before += count_frames(path, plan.reading)


@dataclass(frozen=True, slots=True)
class _View:
    """The marks of one file. `chosen`: its frames to write; None = all."""

    marks: Marks
    before: int
    chosen: set[int] | None

    def has(self, frame: int) -> bool:
        return self.chosen is None or frame in self.chosen

    def texts(self, frame: int, written: Written) -> list[str]:
        """The comments of a frame that is being written."""
        said = [SIGN + text for text in self.marks.comments.get(frame + self.before, ())]
        written.packets += 1
        written.commented += bool(said)
        return said


def _copied(path: str, view: _View, plan: Plan, written: Written) -> Iterator[bytes]:
    """A pcapng file: its own blocks, without the packets that are not wanted."""
    stamp = (0, 0)
    for block in read_blocks(path):
        if block.kind == SECTION:
            yield blocks.without_length(block.raw, block.order)
        elif block.kind == SECRETS and not plan.keep_secrets:
            written.secrets += 1
        elif block.kind in NUMBERED:
            if block.kind == PACKET:
                interface, *halves = Struct(block.order + "III").unpack_from(block.raw, 8)
                stamp = (halves[0], halves[1]) if not interface else (0, 0)
            if view.has(block.frame) and block.kind != NOT_TO_COPY:
                texts = view.texts(block.frame, written)
                yield blocks.commented(block.raw, block.order, texts, stamp) if texts else block.raw
        else:
            yield block.raw


def _made(path: str, view: _View, plan: Plan, written: Written) -> Iterator[bytes]:
    """Any other format: a section and interfaces of our own, one for each link type."""
    yield blocks.section()
    interfaces = blocks.Interfaces()
    for capture, frames in batches(path, plan.reading):
        digits = capture.facts.time_digits
        for index in _wanted(frames, view.chosen):
            link = int(frames.link_type[index])
            if link in (NOT_A_PACKET, UNKNOWN_LINK):
                continue  # pcapng has no number for it
            start, captured = int(frames.start[index]), int(frames.captured[index])
            data = frames.data[start : start + captured].tobytes()
            texts = view.texts(frames.first_frame + index, written)
            yield from interfaces.packet(
                link, digits, int(frames.time_ns[index]), data, int(frames.original[index]), texts
            )


def _wanted(frames: Frames, chosen: set[int] | None) -> list[int]:
    """Indexes of the frames to write."""
    if chosen is None:
        return list(range(len(frames)))
    first = frames.first_frame
    return [index for index in range(len(frames)) if first + index in chosen]
