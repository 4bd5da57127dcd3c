"""A debug kernel in which a fault is injected says what is wrong, and its report is whole.

The kernel is that of KAIROS_DEBUG_KERNEL, the programs those of KAIROS_BUILD.
"""

import os
import random
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/support"))

import dump  # noqa: E402
from machine import STATUS_FAULT, Machine  # noqa: E402

KERNEL = ROOT / os.environ.get("KAIROS_DEBUG_KERNEL", "build/debug/kernel/kairos.elf")
PROGRAMS = ROOT / os.environ.get("KAIROS_BUILD", "build/release")
# Long enough for any machine that tests run on; a fault that is not noticed ends there.
SECONDS = 240


def run(program: str, harts: int, *options: str) -> tuple[int, str]:
    """The exit status of the machine, and the kernel's log."""
    log = bytearray()
    machine = Machine(kernel=KERNEL, harts=harts, timeout=SECONDS, options=list(options))
    status = machine.run(PROGRAMS / program, [], out=lambda _: None, log=log.extend)
    return status, log.decode(errors="replace")


class Reports(unittest.TestCase):
    def report(self, program: str, harts: int, *options: str) -> dump.Dump:
        status, log = run(program, harts, *options)
        found = dump.parse(log)
        self.assertIsNotNone(found, log)
        assert found is not None
        self.assertEqual(found.problems(), [], log)
        self.assertEqual(status, STATUS_FAULT, log)
        return found

    def test_a_hart_that_hangs_is_noticed_by_others(self) -> None:
        for harts in (2, 4):
            found = self.report("panic/exchange", harts, "watchdog=1", "inject=hang@20000")
            # It may have held a lock that they need.
            self.assertRegex(found.cause, "a hart does not come back|a lock is not given back")
            self.assertEqual([hart.stopped for hart in found.harts].count(False), 1)

    def test_a_wake_that_is_lost_is_noticed(self) -> None:
        for harts in (1, 2):
            found = self.report("panic/exchange", harts, "watchdog=1", "inject=lost-wake@500")
            self.assertEqual(found.cause, "a thread sleeps although it could go on")
            self.assertIn("a message", [wait.what for wait in found.waits])

    def test_a_thread_that_is_woken_and_forgotten_is_noticed(self) -> None:
        found = self.report("panic/exchange", 2, "watchdog=1", "inject=forgotten-thread@500")
        self.assertEqual(found.cause, "a thread sleeps although it could go on")

    def test_threads_that_wait_for_each_other_are_named_as_a_cycle(self) -> None:
        found = self.report("panic/deadlock", 2, "inject=panic@60000")
        self.assertEqual(found.cause, "injected")
        self.assertEqual(len(found.cycle), 3)
        self.assertEqual(found.cycle[0], found.cycle[-1])

    def test_a_panic_anywhere_leaves_a_report(self) -> None:
        chance = random.Random(20)
        for number in range(12):
            kind = chance.choice(["panic", "fault"])
            self.report("test/stress", (1, 2, 4)[number % 3],
                        f"inject={kind}@{chance.randint(1, 60_000)}")


class Watching(unittest.TestCase):
    def test_options_that_make_no_sense_are_refused(self) -> None:
        for option in ("watchdog=", "watchdog=x", "watchdog=-1", "watchdog=99999999999",
                       "inject=panic", "inject=else@1"):
            status, log = run("panic/exchange", 1, option)
            self.assertEqual(status, STATUS_FAULT, option)
            self.assertIn("command line:", log, option)


if __name__ == "__main__":
    unittest.main()
