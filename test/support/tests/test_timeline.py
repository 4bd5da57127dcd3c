"""Traces become timelines."""

import json
import struct
import sys
import unittest
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import timeline  # noqa: E402

TRACE = """\
kernel: something else
name thread 6 process 5 client/main
name thread 9 process 8 server/main
100 hart 0 thread 6 syscall enter call=channel_call a0=0x1 a1=0x2 a2=0x3
200 hart 0 thread 6 ipc handoff endpoint=13 peer=14 txid=5 bytes=32 handles=0 queued=0 state=open
210 hart 0 thread 6 wake block object=13 sequence=4 deadline=1
250 hart 0 thread 6 sched idle from=6 to=2 state=blocked
300 hart 1 thread 3 sched switch_to from=3 to=9 state=running priority=16
320 hart 1 thread 9 wake wake object=14 reason=data
400 hart 1 thread 9 ipc reply endpoint=14 peer=13 txid=5 bytes=8 handles=0 queued=0 state=open
500 hart 0 thread 2 sched switch_to from=2 to=6 state=running priority=16
510 hart 0 thread 6 wake wake object=13 reason=data
520 hart 0 thread 6 syscall leave call=channel_call result=1
600 hart 1 thread 9 ipc send endpoint=14 peer=13 txid=0 bytes=3 handles=0 queued=1 state=open
700 hart 0 thread 6 ipc receive endpoint=13 peer=14 txid=0 bytes=3 handles=0 queued=0 state=open
"""


def build() -> timeline.Timeline:
    return timeline.build(*timeline.read(TRACE.splitlines()))


class Reading(unittest.TestCase):
    def test_lines_and_names(self) -> None:
        records, names = timeline.read(TRACE.splitlines())
        self.assertEqual(len(records), 12)
        self.assertEqual(names[9], (8, "server/main"))
        self.assertEqual(records[1].number("txid"), 5)
        self.assertEqual(records[0].number("a1"), 2)


class Building(unittest.TestCase):
    def test_calls_and_sleeps_have_their_length(self) -> None:
        built = build()
        call = built.calls[6][0]
        self.assertEqual((call.start, call.end, call.name), (100, 520, "channel_call"))
        sleep = built.sleeps[6][0]
        self.assertEqual((sleep.start, sleep.end), (210, 510))
        self.assertIn("data", sleep.name)

    def test_harts_show_who_runs(self) -> None:
        built = build()
        self.assertEqual([(span.start, span.end, span.name) for span in built.running[0]],
                         [(100, 250, "6"), (250, 500, "2"), (500, 700, "6")])
        self.assertEqual(built.name_of(2), "idle")
        self.assertEqual(built.threads(), [3, 6, 9])

    def test_messages_are_arrows_from_sender_to_receiver(self) -> None:
        arrows = [(each.sender, each.start, each.receiver, each.end) for each in build().arrows]
        self.assertEqual(arrows, [(6, 200, 9, 320), (9, 400, 6, 510), (9, 600, 6, 700)])


class Writing(unittest.TestCase):
    def test_json_is_in_the_trace_event_format(self) -> None:
        written = json.loads(json.dumps(timeline.to_json(build())))
        events = written["traceEvents"]
        phases = {event["ph"] for event in events}
        self.assertEqual(phases, {"M", "X", "s", "f"})
        call = next(event for event in events if event["name"] == "channel_call")
        self.assertEqual((call["ph"], call["pid"], call["tid"]), ("X", 5, 6))
        self.assertAlmostEqual(call["ts"], 0.0)
        self.assertAlmostEqual(call["dur"], 0.42)
        starts = [event["id"] for event in events if event["ph"] == "s"]
        ends = [event["id"] for event in events if event["ph"] == "f"]
        self.assertEqual(starts, ends)

    def test_the_picture_is_a_png(self) -> None:
        data = timeline.Drawing(build(), 600).png()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        self.assertEqual(width, 600)
        at = data.index(b"IDAT")
        size = struct.unpack(">I", data[at - 4:at])[0]
        pixels = zlib.decompress(data[at + 4:at + 4 + size])
        self.assertEqual(len(pixels), height * (1 + 3 * width))
        self.assertGreater(len(set(pixels)), 10)

    def test_every_character_of_the_font_has_seven_rows(self) -> None:
        for character in timeline.FONT:
            self.assertEqual(len(timeline.rows_of(character)), 7, character)


if __name__ == "__main__":
    unittest.main()
