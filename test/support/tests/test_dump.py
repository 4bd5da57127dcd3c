"""Panic reports are understood, whole or not."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import dump  # noqa: E402

REPORT = """\
[    0.100000] Kairos: 2 harts, 128 MiB
--- kernel panic
cause: a lock is held
at: src/ipc/send.cpp:12 in enqueue
hart 0: thread 6 'main' of process 5 'a program'
    ffffffff80201000 Endpoint::enqueue+24
    ffffffff80201100 Endpoint::operator<< <>::send+8
    ffffffff80201200
    holds a lock of rank 20
    holds a lock of rank 40
hart 1: idle
    did not stop
hart 2: booting
last trace records:
           100 ns hart 0 thread 6: send #endpoint=d #peer=e txid=0 @message=20
          1200 ns hart 1 thread 3: idle #from=6 #to=3 ?state=3
sleeping threads:
    thread 6 'main' of process 5 'it's' waits for a reply of object 13, peer 14, from process 8 or 9
    thread 7 '' of process 5 'it's' waits for a wake
cycle: thread 6 'main' of process 5 -> thread 10 'x' of process 8 -> thread 6 'main' of process 5
--- end of report
"""


class Reading(unittest.TestCase):
    def setUp(self) -> None:
        found = dump.parse(REPORT)
        assert found is not None
        self.dump = found

    def test_what_and_where(self) -> None:
        self.assertEqual(self.dump.cause, "a lock is held")
        self.assertEqual(self.dump.where, "src/ipc/send.cpp:12 in enqueue")
        self.assertEqual(self.dump.problems(), [])

    def test_harts_with_frames_and_locks(self) -> None:
        first, second, third = self.dump.harts
        self.assertEqual((first.thread, first.process, first.locks), (6, 5, [20, 40]))
        self.assertEqual([frame.symbol for frame in first.frames],
                         ["Endpoint::enqueue", "Endpoint::operator<< <>::send", None])
        self.assertEqual((second.doing, second.stopped), ("idle", False))
        self.assertEqual(third.doing, "booting")

    def test_records(self) -> None:
        self.assertEqual([record.event for record in self.dump.records], ["send", "idle"])
        self.assertEqual(self.dump.records[0].values["#peer"], "e")

    def test_waits_and_the_cycle(self) -> None:
        first, second = self.dump.waits
        self.assertEqual((first.what, first.object, first.peer, first.holders),
                         ("a reply", 13, 14, [8, 9]))
        self.assertEqual((second.what, second.object, second.holders), ("a wake", 0, []))
        self.assertEqual(self.dump.cycle, [6, 10, 6])
        self.assertIn("thread 6 -> thread 10 -> thread 6", dump.summary(self.dump))


class Trouble(unittest.TestCase):
    def test_no_report(self) -> None:
        self.assertIsNone(dump.parse("all is well\n"))

    def test_a_report_without_an_end(self) -> None:
        cut = dump.parse(REPORT[:REPORT.index("sleeping")])
        assert cut is not None
        self.assertEqual(cut.problems(), ["it has no end"])

    def test_parts_that_could_not_be_had(self) -> None:
        lost = dump.parse(REPORT.replace("sleeping threads:", dump.LOST_PART))
        assert lost is not None
        self.assertEqual(lost.lost_parts, 1)
        self.assertIn("1 parts could not be had", lost.problems())

    def test_serial_line_ends(self) -> None:
        found = dump.parse(REPORT.replace("\n", "\r\n"))
        assert found is not None
        self.assertEqual(found.problems(), [])


if __name__ == "__main__":
    unittest.main()
