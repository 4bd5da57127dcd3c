#!/usr/bin/env python3
"""Reads the report that a panic leaves on the console (src/process/panic.cpp).

dump.py [LOG]   prints what the report says, shortly; exit status 1 if there is no whole report
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

BEGIN = "--- kernel panic"
END = "--- end of report"
LOST_PART = "(this part of the report cannot be had)"

FRAME = re.compile(r"^    ([0-9a-f]{16})(?: (.+)\+(\d+))?$")
HART = re.compile(r"^hart (\d+): (?:(booting|idle)|thread (\d+) '(.*)' of process (\d+) '(.*)')$")
LOCK = re.compile(r"^    holds a lock of rank (\d+)$")
RECORD = re.compile(r"^ +(\d+) ns hart (\d+) thread (\d+): (\w+)((?: \S+=\S+)*)$")
WAIT = re.compile(r"^    thread (\d+) '(.*?)' of process (\d+) '(.*?)' waits for (.*?)"
                  r"(?: of object (\d+))?(?:, peer (\d+))?((?:, from process| or) \d+.*)?$")
CYCLE = re.compile(r"thread (\d+) '.*?' of process (\d+)")


@dataclass
class Frame:
    pc: int
    symbol: str | None
    offset: int


@dataclass
class Hart:
    number: int
    doing: str                      # "idle", "booting" or "thread"
    thread: int = 0
    process: int = 0
    stopped: bool = True
    frames: list[Frame] = field(default_factory=list)
    locks: list[int] = field(default_factory=list)


@dataclass
class Record:
    time: int
    hart: int
    thread: int
    event: str
    values: dict[str, str]


@dataclass
class Wait:
    thread: int
    process: int
    what: str
    object: int
    peer: int
    holders: list[int]


@dataclass
class Dump:
    cause: str = ""
    where: str = ""
    harts: list[Hart] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    cycle: list[int] = field(default_factory=list)  # threads; the first is the last again
    lost_parts: int = 0
    complete: bool = False

    def problems(self) -> list[str]:
        """Why this is not a report that one can work with; empty if it is."""
        found = []
        if not self.complete:
            found.append("it has no end")
        if not self.cause:
            found.append("it has no cause")
        if not self.harts:
            found.append("it has no hart")
        elif not any(frame.symbol for frame in self.harts[0].frames):
            found.append("the hart that panicked has no frame with a name")
        if self.lost_parts:
            found.append(f"{self.lost_parts} parts could not be had")
        return found


class Parser:
    def __init__(self) -> None:
        self.dump = Dump()
        self._hart: Hart | None = None

    def feed(self, line: str) -> None:
        if match := HART.match(line):
            self._hart = Hart(int(match[1]), match[2] or "thread", int(match[3] or 0),
                              int(match[5] or 0))
            self.dump.harts.append(self._hart)
        elif line.startswith("cause: "):
            self.dump.cause = line.removeprefix("cause: ")
        elif line.startswith("at: "):
            self.dump.where = line.removeprefix("at: ")
        elif line.startswith("cycle:"):
            self.dump.cycle = [int(thread) for thread, _ in CYCLE.findall(line)]
        elif line == LOST_PART:
            self.dump.lost_parts += 1
        elif line == END:
            self.dump.complete = True
        elif match := RECORD.match(line):
            values = dict(word.split("=", 1) for word in match[5].split())
            self.dump.records.append(Record(int(match[1]), int(match[2]), int(match[3]), match[4],
                                            values))
        elif match := WAIT.match(line):
            self.dump.waits.append(Wait(int(match[1]), int(match[3]), match[5], int(match[6] or 0),
                                        int(match[7] or 0),
                                        [int(each) for each in re.findall(r"\d+", match[8] or "")]))
        elif self._hart is not None:
            self._of_hart(line, self._hart)

    @staticmethod
    def _of_hart(line: str, hart: Hart) -> None:
        if match := FRAME.match(line):
            hart.frames.append(Frame(int(match[1], 16), match[2], int(match[3] or 0)))
        elif match := LOCK.match(line):
            hart.locks.append(int(match[1]))
        elif line == "    did not stop":
            hart.stopped = False


def parse(text: str) -> Dump | None:
    """The first report in a console's output; None if there is none."""
    lines = text.replace("\r", "").splitlines()
    if BEGIN not in lines:
        return None
    parser = Parser()
    for line in lines[lines.index(BEGIN) + 1:]:
        parser.feed(line)
        if parser.dump.complete:
            break
    return parser.dump


def summary(dump: Dump) -> str:
    lines = [f"cause: {dump.cause}", f"where: {dump.where or '?'}"]
    for hart in dump.harts:
        doing = f"thread {hart.thread} of process {hart.process}" if hart.thread else hart.doing
        path = " < ".join(frame.symbol or hex(frame.pc) for frame in hart.frames[:5])
        locks = f", holds ranks {hart.locks}" if hart.locks else ""
        lines.append(f"hart {hart.number}: {doing}{locks}: {path or 'did not stop'}")
    lines.append(f"{len(dump.records)} trace records, {len(dump.waits)} sleeping threads")
    if dump.cycle:
        lines.append("cycle: " + " -> ".join(f"thread {thread}" for thread in dump.cycle))
    return "\n".join(lines)


def main() -> int:
    text = Path(sys.argv[1]).read_text(errors="replace") if len(sys.argv) > 1 else sys.stdin.read()
    dump = parse(text)
    if dump is None:
        print("there is no panic in this")
        return 1
    print(summary(dump))
    for problem in dump.problems():
        print(f"problem: {problem}")
    return 1 if dump.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
