"""The tools around the machine: streams, words, archives, results."""

import struct
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import archive  # noqa: E402
import run_tests  # noqa: E402
from machine import Demultiplexer, command_line, encode_word  # noqa: E402


def separate(stream: bytes, piece: int) -> tuple[bytes, bytes]:
    program, log = [], []
    streams = Demultiplexer(program.append, log.append)
    for start in range(0, len(stream), piece):
        streams.feed(stream[start:start + piece])
    return b"".join(program), b"".join(log)


class Streams(unittest.TestCase):
    STREAM = (b"firmware\n\x10Klog 1\n\x10Uprogram \x10\x10 byte\n\x10Klog 2\n\x10U\x10\x10\x10\x10"
              b"KU\x10K\x10Uend")

    def test_separates_in_pieces_of_any_size(self) -> None:
        for piece in range(1, len(self.STREAM) + 1):
            program, log = separate(self.STREAM, piece)
            self.assertEqual(program, b"program \x10 byte\n\x10\x10KUend")
            self.assertEqual(log, b"firmware\nlog 1\nlog 2\n")

    def test_no_frames_is_the_firmware(self) -> None:
        self.assertEqual(separate(b"only the firmware", 3), (b"", b"only the firmware"))


class Words(unittest.TestCase):
    def test_plain_words_stay(self) -> None:
        self.assertEqual(encode_word("a-b=c/d"), "a-b=c/d")

    def test_others_are_encoded(self) -> None:
        self.assertEqual(encode_word("a b%\n\u00e9"), "a%20b%25%0a%c3%a9")

    def test_empty_arguments_are_kept(self) -> None:
        self.assertEqual(command_line("p", ["", "x"]), "init=p console=framed -- % x")


class Archives(unittest.TestCase):
    def test_layout(self) -> None:
        image = archive.build({"b": b"x" * 5000, "a": b""})
        magic, count, _, size = struct.unpack_from("<QIIQ", image)
        self.assertEqual((magic, count, size), (archive.MAGIC, 2, len(image)))
        entries = [struct.unpack_from("<48sQQ", image, 24 + 64 * i) for i in range(2)]
        self.assertEqual([entry[0].rstrip(b"\0") for entry in entries], [b"a", b"b"])
        self.assertTrue(all(entry[1] % 4096 == 0 for entry in entries))
        self.assertEqual(image[entries[1][1]:][:5000], b"x" * 5000)

    def test_refuses_bad_names(self) -> None:
        for name in ("", "n" * 48):
            with self.assertRaises(ValueError):
                archive.build({name: b""})


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
