"""The machine: its two streams, the kernel's command line, what the emulator's end means."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from machine import Demultiplexer, Machine, command_line, encode_word, exit_status  # noqa: E402


def separate(stream: bytes, piece: int) -> tuple[bytes, bytes]:
    program: list[bytes] = []
    log: list[bytes] = []
    streams = Demultiplexer(program.append, log.append)
    for start in range(0, len(stream), piece):
        streams.feed(stream[start:start + piece])
    return b"".join(program), b"".join(log)


class Streams(unittest.TestCase):
    def check(self, stream: bytes, program: bytes, log: bytes) -> None:
        for piece in range(1, len(stream) + 1):
            self.assertEqual(separate(stream, piece), (program, log), f"in pieces of {piece}")

    def test_program_and_log(self) -> None:
        self.check(b"firmware\n\x10Klog 1\n\x10Uprogram\n\x10Klog 2\n\x10Uend",
                   b"program\nend", b"firmware\nlog 1\nlog 2\n")

    def test_doubled_escapes_are_data(self) -> None:
        self.check(b"\x10K\x10U\x10\x10 \x10\x10\x10\x10KU\x10\x10U\x10K\x10U\x10\x10K",
                   b"\x10 \x10\x10KU\x10U\x10K", b"")

    def test_every_byte_passes(self) -> None:
        every = bytes(range(256))
        self.check(b"\x10K\x10U" + every.replace(b"\x10", b"\x10\x10"), every, b"")

    def test_log_within_a_line_of_the_program(self) -> None:
        self.check(b"\x10K\x10Uhalf\x10Klog\n\x10U and half\n", b"half and half\n", b"log\n")

    def test_no_frames_is_the_firmware(self) -> None:
        self.check(b"only the firmware", b"", b"only the firmware")

    def test_only_the_kernel_ends_the_firmware(self) -> None:
        self.check(b"a\x10Ub\x10Kc\x10Ud", b"d", b"a\x10Ubc")

    def test_passes_on_at_once(self) -> None:
        program: list[bytes] = []
        streams = Demultiplexer(program.append, lambda _: None)
        streams.feed(b"\x10K\x10Ufirst")
        self.assertEqual(program, [b"first"])
        streams.feed(b"second\x10")
        self.assertEqual(program, [b"first", b"second"])

    def test_knows_whether_the_kernel_spoke(self) -> None:
        streams = Demultiplexer(lambda _: None, lambda _: None)
        streams.feed(b"firmware\x10")
        self.assertFalse(streams.kernel_spoke)
        streams.feed(b"K")
        self.assertTrue(streams.kernel_spoke)


class Words(unittest.TestCase):
    def test_plain_words_stay(self) -> None:
        self.assertEqual(encode_word("a-b=c/d"), "a-b=c/d")

    def test_others_are_encoded(self) -> None:
        self.assertEqual(encode_word("a b%\n\u00e9"), "a%20b%25%0a%c3%a9")

    def test_empty_arguments_are_kept(self) -> None:
        self.assertEqual(command_line("p", ["", "x"]), "init=p console=framed -- % x")


class Statuses(unittest.TestCase):
    def test_the_programs(self) -> None:
        for status in (0, 1, 7, 101, 124, 255):
            self.assertEqual(exit_status(status, kernel_spoke=True), (status, ""))

    def test_a_panic_before_the_first_word(self) -> None:
        self.assertEqual(exit_status(101, kernel_spoke=False), (101, ""))

    def test_no_machine(self) -> None:
        for status, spoke in ((1, False), (0, False), (-9, False), (-9, True)):
            mapped, problem = exit_status(status, spoke)
            self.assertEqual(mapped, 125)
            self.assertIn("qemu-system-riscv64", problem)


class Files(unittest.TestCase):
    def test_two_of_one_name_are_refused(self) -> None:
        here = Path(__file__)
        machine = Machine(kernel=here, files={here.name: here})
        with self.assertRaises(ValueError):
            machine.run(here, [], lambda _: None, lambda _: None)


if __name__ == "__main__":
    unittest.main()
