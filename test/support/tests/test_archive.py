"""The boot archive: what is written can be read back as src/abi/archive.h has it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SUPPORT))

import archive  # noqa: E402


def read_back(image: bytes) -> dict[str, bytes]:
    magic, count, reserved, size = archive.HEADER.unpack_from(image)
    assert (magic, reserved, size) == (0x3176686372616B01, 0, len(image))
    files = {}
    for i in range(count):
        name, offset, length = archive.ENTRY.unpack_from(image, 24 + 64 * i)
        assert offset % 4096 == 0 and offset + length <= len(image)
        files[name.rstrip(b"\0").decode()] = image[offset:offset + length]
    return files


class Archives(unittest.TestCase):
    def test_round_trip(self) -> None:
        files = {"etc/b": b"x" * 4096, "a": b"", "c": b"y" * 4097, "a0": b"\x00\xff", "A": b"z"}
        self.assertEqual(read_back(archive.build(files)), files)

    def test_no_files(self) -> None:
        image = archive.build({})
        self.assertEqual((len(image), read_back(image)), (4096, {}))

    def test_more_entries_than_a_page_holds(self) -> None:
        files = {f"file{i}": bytes([i]) * i for i in range(200)}
        self.assertEqual(read_back(archive.build(files)), files)

    def test_sorted_by_bytes_whatever_the_order(self) -> None:
        files = {"b": b"1", "a/b": b"2", "a": b"3", "\u00e9": b"4", "B": b"5"}
        image = archive.build(files)
        self.assertEqual(list(read_back(image)), ["B", "a", "a/b", "b", "\u00e9"])
        self.assertEqual(archive.build(dict(reversed(files.items()))), image)

    def test_whole_pages(self) -> None:
        self.assertEqual(len(archive.build({"a": b"x"})), 2 * 4096)
        self.assertEqual(len(archive.build({"a": b"x" * 4096})), 2 * 4096)
        self.assertEqual(len(archive.build({"a": b"x" * 4097})), 3 * 4096)

    def test_the_longest_name(self) -> None:
        self.assertEqual(read_back(archive.build({"n" * 47: b"x"})), {"n" * 47: b"x"})

    def test_refuses_bad_names(self) -> None:
        for name in ("", "n" * 48, "\u00e9" * 24, "a\0b", "/a"):
            with self.assertRaises(ValueError):
                archive.build({name: b""})


class Command(unittest.TestCase):
    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, str(SUPPORT / "archive.py"), *words],
                              capture_output=True, text=True, check=False)

    def test_writes_what_it_is_told(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder) / "so=urce", Path(folder) / "out"
            source.write_bytes(b"bytes")
            self.assertEqual(self.call(str(out), f"a={source}", f"b/c={source}").returncode, 0)
            self.assertEqual(read_back(out.read_bytes()), {"a": b"bytes", "b/c": b"bytes"})

    def test_says_what_is_wrong(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/out"
            for words, reason in (((), "usage"), ((out, "a"), "NAME=PATH"),
                                  ((out, f"a={folder}/none"), "No such file"),
                                  ((f"{folder}/none/out",), "No such file"),
                                  ((out, f"a={__file__}", f"a={__file__}"), "two files"),
                                  ((out, f"/a={__file__}"), "leading slash")):
                result = self.call(*words)
                self.assertEqual(result.returncode, 1)
                self.assertIn(reason, result.stderr)
                self.assertNotIn("Traceback", result.stderr)


if __name__ == "__main__":
    unittest.main()
