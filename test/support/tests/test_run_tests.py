"""The test runner: what a test program's output and status come to."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import run_tests  # noqa: E402


class Results(unittest.TestCase):
    def test_counts_cases(self) -> None:
        self.assertEqual(run_tests.read_cases("ok a\nok b\ndone 2 cases\n", 0), (2, []))

    def test_an_early_end_is_a_failure(self) -> None:
        self.assertEqual(run_tests.read_cases("ok a\n", 101), (1, ["ended early, with status 101"]))

    def test_a_wrong_count_is_a_failure(self) -> None:
        passed, failures = run_tests.read_cases("ok a\ndone 2 cases\n", 0)
        self.assertEqual((passed, len(failures)), (1, 1))

    def test_failures_are_named(self) -> None:
        self.assertEqual(run_tests.read_cases("FAIL b: no\ndone 1 cases\n", 1), (0, ["b: no"]))


if __name__ == "__main__":
    unittest.main()
