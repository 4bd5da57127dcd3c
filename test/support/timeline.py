#!/usr/bin/env python3
"""Turns trace lines into a timeline: trace-event JSON, which Perfetto and chrome://tracing open, and
a picture (PNG).

timeline.py [--json FILE] [--png FILE] [--from NS] [--to NS] [TRACE]

TRACE (or standard input) has the lines that `trace` prints (user/apps/common/trace_text.hpp):

    TIME-NS hart HART thread THREAD KIND EVENT NAME=VALUE ...

and, where threads are to have names, lines `name thread THREAD process PROCESS PROCESS-NAME/NAME`.
Everything else is passed over. What is drawn: which thread each hart runs (from switch_to and
idle), system calls (enter, leave), sleeps (block, wake), and messages as arrows from the sender to
whoever it wakes or who takes it.
"""

import argparse
import json
import re
import struct
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable

LINE = re.compile(r"^(\d+) hart (\d+) thread (\d+) (\w+) (\w+)((?: [\w-]+=\S+)*)\s*$")
NAME = re.compile(r"^name thread (\d+) process (\d+) (.+?)\s*$")
HARTS_PROCESS = 0  # the group of tracks that shows harts; processes have their own ids


@dataclass(frozen=True)
class Record:
    time: int
    hart: int
    thread: int
    kind: str
    event: str
    values: dict[str, str]

    def number(self, name: str) -> int:
        return int(self.values.get(name, "0"), 0)


@dataclass
class Span:
    """Something that lasts."""
    start: int
    end: int
    name: str
    details: dict[str, str] = field(default_factory=dict)


@dataclass
class Arrow:
    """A message on its way: from a thread at a time to a thread at a later one."""
    start: int
    sender: int
    end: int
    receiver: int
    name: str


@dataclass
class Timeline:
    begin: int = 0
    end: int = 0
    names: dict[int, tuple[int, str]] = field(default_factory=dict)   # thread: process, name
    running: dict[int, list[Span]] = field(default_factory=dict)      # by hart; name: the thread
    calls: dict[int, list[Span]] = field(default_factory=dict)        # by thread
    sleeps: dict[int, list[Span]] = field(default_factory=dict)       # by thread
    arrows: list[Arrow] = field(default_factory=list)
    ran_on: dict[int, set[int]] = field(default_factory=dict)         # by thread: harts
    idle_threads: set[int] = field(default_factory=set)

    def name_of(self, thread: int) -> str:
        if thread in self.idle_threads:
            return "idle"
        return self.names.get(thread, (0, f"thread {thread}"))[1]

    def threads(self) -> list[int]:
        seen = set(self.calls) | set(self.sleeps) | set(self.ran_on)
        return sorted(seen - self.idle_threads - {0})


def read(lines: Iterable[str]) -> tuple[list[Record], dict[int, tuple[int, str]]]:
    records: list[Record] = []
    names: dict[int, tuple[int, str]] = {}
    for line in lines:
        if match := LINE.match(line):
            values = dict(word.split("=", 1) for word in match[6].split())
            records.append(Record(int(match[1]), int(match[2]), int(match[3]), match[4], match[5],
                                  values))
        elif match := NAME.match(line):
            names[int(match[1])] = (int(match[2]), match[3])
    records.sort(key=lambda record: record.time)
    return records, names


class Builder:
    """Follows the records in order of time."""

    def __init__(self, records: list[Record], names: dict[int, tuple[int, str]]) -> None:
        self.out = Timeline(names=names)
        self._on_hart: dict[int, tuple[int, int]] = {}         # hart: thread, since
        self._in_call: dict[int, tuple[Record, int]] = {}      # thread: enter
        self._asleep: dict[int, Record] = {}                   # thread: block
        self._in_flight: dict[int, list[Record]] = {}          # endpoint: sends not received
        if records:
            self.out.begin, self.out.end = records[0].time, records[-1].time
        for record in records:
            handler = getattr(self, f"_{record.event}", None)
            if handler is not None:
                handler(record)
        self._finish()

    def _run(self, record: Record, to: int) -> None:
        before = self._on_hart.pop(record.hart, None)
        since = self.out.begin if before is None else before[1]
        self._ran(record.hart, record.number("from"), since, record.time)
        self._on_hart[record.hart] = (to, record.time)

    def _ran(self, hart: int, thread: int, start: int, end: int) -> None:
        self.out.running.setdefault(hart, []).append(Span(start, end, str(thread)))
        self.out.ran_on.setdefault(thread, set()).add(hart)

    def _switch_to(self, record: Record) -> None:
        self._run(record, record.number("to"))

    def _idle(self, record: Record) -> None:
        self.out.idle_threads.add(record.number("to"))
        self._run(record, record.number("to"))

    def _enter(self, record: Record) -> None:
        self._in_call[record.thread] = (record, record.time)

    def _leave(self, record: Record) -> None:
        entered = self._in_call.pop(record.thread, None)
        start = self.out.begin if entered is None else entered[1]
        details = {"result": record.values.get("result", "?")}
        self.out.calls.setdefault(record.thread, []).append(
            Span(start, record.time, record.values.get("call", "?"), details))

    def _block(self, record: Record) -> None:
        self._asleep[record.thread] = record

    def _wake(self, record: Record) -> None:
        slept = self._asleep.pop(record.thread, None)
        start = self.out.begin if slept is None else slept.time
        details = {"object": record.values.get("object", "0"),
                   "reason": record.values.get("reason", "?")}
        self.out.sleeps.setdefault(record.thread, []).append(
            Span(start, record.time, f"sleeps ({details['reason']})", details))
        for sent in self._in_flight.pop(-record.number("object"), []):
            self._arrive(sent, record)

    def _arrive(self, sent: Record, received: Record) -> None:
        name = f"{sent.event} {sent.values.get('bytes', '0')} bytes"
        if sent.number("txid") != 0:
            name += f", txid {sent.values['txid']}"
        self.out.arrows.append(Arrow(sent.time, sent.thread, received.time, received.thread, name))

    # A queued message arrives when it is received; one that is handed over when its receiver wakes.
    def _send(self, record: Record) -> None:
        self._in_flight.setdefault(record.number("peer"), []).append(record)

    def _handoff(self, record: Record) -> None:
        self._in_flight.setdefault(-record.number("peer"), []).append(record)

    _reply = _handoff

    def _receive(self, record: Record) -> None:
        waiting = self._in_flight.get(record.number("endpoint"))
        if waiting:
            self._arrive(waiting.pop(0), record)

    def _finish(self) -> None:
        end = self.out.end
        for hart, (thread, since) in self._on_hart.items():
            self._ran(hart, thread, since, end)
        for thread, (record, start) in self._in_call.items():
            self.out.calls.setdefault(thread, []).append(
                Span(start, end, record.values.get("call", "?"), {"result": "not yet"}))
        for thread, record in self._asleep.items():
            self.out.sleeps.setdefault(thread, []).append(
                Span(record.time, end, "sleeps", {"object": record.values.get("object", "0")}))


def build(records: list[Record], names: dict[int, tuple[int, str]]) -> Timeline:
    return Builder(records, names).out


# ---- Trace-event JSON --------------------------------------------------------------------------
def microseconds(timeline: Timeline, time: int) -> float:
    return (time - timeline.begin) / 1000


def span_event(timeline: Timeline, span: Span, name: str, process: int, thread: int,
               category: str) -> dict[str, object]:
    return {"ph": "X", "name": name, "cat": category, "pid": process, "tid": thread,
            "ts": microseconds(timeline, span.start), "dur": (span.end - span.start) / 1000,
            "args": span.details}


def to_json(timeline: Timeline) -> dict[str, object]:
    events: list[dict[str, object]] = []

    def label(what: str, process: int, thread: int, name: str) -> None:
        events.append({"ph": "M", "name": what, "pid": process, "tid": thread,
                       "args": {"name": name}})

    label("process_name", HARTS_PROCESS, 0, "harts")
    for hart, spans in sorted(timeline.running.items()):
        label("thread_name", HARTS_PROCESS, hart, f"hart {hart}")
        for span in spans:
            name = timeline.name_of(int(span.name))
            if name != "idle":
                events.append(span_event(timeline, span, name, HARTS_PROCESS, hart, "sched"))
    processes = set()
    for thread in timeline.threads():
        process, name = timeline.names.get(thread, (thread, f"thread {thread}"))
        if process not in processes:
            processes.add(process)
            label("process_name", process, 0, name.split("/")[0])
        label("thread_name", process, thread, name)
        for span in timeline.calls.get(thread, []):
            events.append(span_event(timeline, span, span.name, process, thread, "syscall"))
        for span in timeline.sleeps.get(thread, []):
            events.append(span_event(timeline, span, span.name, process, thread, "wake"))
    for number, arrow in enumerate(timeline.arrows, 1):
        for phase, time, thread in (("s", arrow.start, arrow.sender),
                                    ("f", arrow.end, arrow.receiver)):
            process = timeline.names.get(thread, (thread, ""))[0]
            events.append({"ph": phase, "id": number, "name": arrow.name, "cat": "ipc",
                           "pid": process, "tid": thread, "bp": "e",
                           "ts": microseconds(timeline, time)})
    return {"traceEvents": events, "displayTimeUnit": "ns"}


# ---- The picture -------------------------------------------------------------------------------
Color = tuple[int, int, int]

# Five columns and seven rows for each character; a row is a letter of "0123...v" (base 32), its
# highest bit the leftmost column.
FONT = {
    "A": "ehhvhhh", "B": "uhhuhhu", "C": "ehgggHe", "D": "uhhhhhu", "E": "vgguggv",
    "F": "vggvggg", "G": "ehgnhhf", "H": "hhhvhhh", "I": "e44444e", "J": "72222ic",
    "K": "hikoKih", "L": "ggggggv", "M": "hrllhhh", "N": "hhpljhh", "O": "ehhhhhe",
    "P": "uhhuggg", "Q": "ehhhlid", "R": "uhhukih", "S": "fgge11u", "T": "v444444",
    "U": "hhhhhhe", "V": "hhhhha4", "W": "hhhllla", "X": "hha4ahh", "Y": "hha4444",
    "Z": "v1248gv", "0": "ehjlphe", "1": "4c4444e", "2": "eh1248v", "3": "v2421he",
    "4": "26aiv22", "5": "vgu11he", "6": "68guhhe", "7": "v124888", "8": "ehhehhe",
    "9": "ehhf12c", ".": "00000cc", ",": "0000448", ":": "0cc0cc0", "-": "000v000",
    "_": "000000v", "/": "01248g0", "(": "2488842", ")": "8422248", "=": "00v0v00",
    "+": "044v440", "%": "op248jj", "#": "aavavaa", "<": "248g842", ">": "842g248",
    "*": "04lel40", "'": "4480000", "?": "eh12404", "!": "4444404", " ": "0000000",
}


def rows_of(character: str) -> list[int]:
    return [int(row.lower(), 32) for row in FONT.get(character.upper(), FONT["?"])]


class Picture:
    """An image in memory, one row of RGB bytes after the other."""

    def __init__(self, width: int, height: int, color: Color = (255, 255, 255)) -> None:
        self.width, self.height = width, height
        self._rows = [bytearray(bytes(color) * width) for _ in range(height)]

    def point(self, x: int, y: int, color: Color) -> None:
        if 0 <= x < self.width and 0 <= y < self.height:
            self._rows[y][3 * x:3 * x + 3] = bytes(color)

    def box(self, x: int, y: int, width: int, height: int, color: Color) -> None:
        left, right = max(0, x), min(self.width, x + width)
        for row in range(max(0, y), min(self.height, y + height)):
            self._rows[row][3 * left:3 * right] = bytes(color) * max(0, right - left)

    def line(self, x0: int, y0: int, x1: int, y1: int, color: Color) -> None:
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            self.point(x0 + (x1 - x0) * step // steps, y0 + (y1 - y0) * step // steps, color)

    def arrow(self, x0: int, y0: int, x1: int, y1: int, color: Color) -> None:
        self.line(x0, y0, x1, y1, color)
        away = -1 if y1 > y0 else 1
        for width in range(4):
            self.line(x1 - width, y1 + away * 2 * width, x1 + width, y1 + away * 2 * width, color)

    def text(self, x: int, y: int, words: str, color: Color, room: int | None = None) -> None:
        fits = len(words) if room is None else max(0, room // 6)
        for index, character in enumerate(words[:fits]):
            for down, row in enumerate(rows_of(character)):
                for across in range(5):
                    if row >> (4 - across) & 1:
                        self.point(x + 6 * index + across, y + down, color)

    def png(self) -> bytes:
        def chunk(kind: bytes, data: bytes) -> bytes:
            body = kind + data
            return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        pixels = zlib.compress(b"".join(b"\0" + row for row in self._rows), 9)
        return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) +
                chunk(b"IEND", b""))


BLACK: Color = (30, 30, 30)
GREY: Color = (150, 150, 150)
PALE: Color = (236, 236, 236)
SLEEP: Color = (215, 222, 235)
ARROW: Color = (190, 30, 60)
THREAD_COLORS: list[Color] = [(116, 173, 209), (253, 174, 97), (166, 217, 106), (194, 165, 207),
                              (244, 165, 130), (128, 205, 193), (223, 194, 125), (186, 186, 186)]

LEFT, RIGHT, TOP = 210, 20, 40
LANE, BAR = 40, 16


class Drawing:
    """The timeline as lanes: harts above, threads below; a thread's lane has its calls, and under
    them its sleeps."""

    def __init__(self, timeline: Timeline, width: int = 1400) -> None:
        self._timeline = timeline
        self._threads = timeline.threads()
        self._harts = sorted(timeline.running)
        lanes = len(self._harts) + len(self._threads)
        self._picture = Picture(width, TOP + LANE * lanes + 30)
        self._colors = {thread: THREAD_COLORS[index % len(THREAD_COLORS)]
                        for index, thread in enumerate(self._threads)}
        self._axis()
        for lane, hart in enumerate(self._harts):
            self._hart(lane, hart)
        for lane, thread in enumerate(self._threads, len(self._harts)):
            self._thread(lane, thread)
        for arrow in timeline.arrows:
            self._message(arrow)

    def png(self) -> bytes:
        return self._picture.png()

    def _x(self, time: int) -> int:
        length = max(1, self._timeline.end - self._timeline.begin)
        room = self._picture.width - LEFT - RIGHT
        return LEFT + room * (time - self._timeline.begin) // length

    def _y(self, lane: int) -> int:
        return TOP + LANE * lane

    def _axis(self) -> None:
        length = max(1, self._timeline.end - self._timeline.begin)
        step = 1
        while length / step > 12:
            step = step * 2 if str(step)[0] == "1" else step * 5 // 2 if str(step)[0] == "2" \
                else step * 2
        for at in range(0, length + 1, step):
            x = self._x(self._timeline.begin + at)
            self._picture.line(x, TOP - 8, x, self._picture.height - 20, PALE)
            self._picture.text(x + 2, TOP - 20, f"{at / 1000:g} us", GREY)

    def _bar(self, span: Span, y: int, color: Color, words: str) -> None:
        x = self._x(span.start)
        width = max(1, self._x(span.end) - x)
        self._picture.box(x, y, width, BAR, color)
        self._picture.line(x, y, x, y + BAR - 1, GREY)
        self._picture.text(x + 3, y + 5, words, BLACK, width - 4)

    def _label(self, lane: int, words: str) -> None:
        self._picture.text(8, self._y(lane) + 5, words, BLACK, LEFT - 12)
        self._picture.line(0, self._y(lane) - 4, self._picture.width, self._y(lane) - 4, PALE)

    def _hart(self, lane: int, hart: int) -> None:
        self._label(lane, f"hart {hart}")
        for span in self._timeline.running[hart]:
            thread = int(span.name)
            if thread in self._timeline.idle_threads:
                continue
            self._bar(span, self._y(lane), self._colors.get(thread, GREY),
                      self._timeline.name_of(thread))

    def _thread(self, lane: int, thread: int) -> None:
        self._label(lane, self._timeline.name_of(thread))
        for span in self._timeline.calls.get(thread, []):
            self._bar(span, self._y(lane), self._colors[thread], span.name)
        for span in self._timeline.sleeps.get(thread, []):
            self._bar(span, self._y(lane) + BAR + 1, SLEEP, span.name)

    def _message(self, arrow: Arrow) -> None:
        if arrow.sender not in self._colors or arrow.receiver not in self._colors:
            return
        lanes = {thread: len(self._harts) + index for index, thread in enumerate(self._threads)}
        start, end = self._y(lanes[arrow.sender]), self._y(lanes[arrow.receiver])
        down = end > start
        self._picture.arrow(self._x(arrow.start), start + (BAR if down else 0),
                            self._x(arrow.end), end + (0 if down else 2 * BAR), ARROW)


# ---- The command -------------------------------------------------------------------------------
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path, nargs="?", help="the lines (standard input)")
    parser.add_argument("--json", type=Path, help="where the trace-event JSON goes")
    parser.add_argument("--png", type=Path, help="where the picture goes")
    parser.add_argument("--from", type=int, dest="start", default=0, help="first nanosecond")
    parser.add_argument("--to", type=int, dest="stop", default=2**64, help="last nanosecond")
    options = parser.parse_args()
    text = options.trace.read_text() if options.trace else sys.stdin.read()
    records, names = read(text.splitlines())
    records = [each for each in records if options.start <= each.time <= options.stop]
    if not records:
        print("timeline.py: no trace records in this", file=sys.stderr)
        return 1
    timeline = build(records, names)
    if options.json:
        options.json.write_text(json.dumps(to_json(timeline), indent=1))
    if options.png:
        options.png.write_bytes(Drawing(timeline).png())
    print(f"{len(records)} records, {len(timeline.running)} harts, {len(timeline.threads())} "
          f"threads, {len(timeline.arrows)} messages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
