"""Tests of what makes images the same everywhere: pack.py, compare.py, sbom.py, version.py."""

import os
import re
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import compare
import pack
import sbom
import version


class Pack(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def tree(self, name: str, files: list[str], mode: int, time: int) -> Path:
        root = self.folder / name / "tree"
        for file in files:
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"in {file}\n")
            path.chmod(mode)
            os.utime(path, (time, time))
        (root / "link").symlink_to("b")
        return root

    def packed(self, root: Path) -> bytes:
        output = self.folder / "out.tar.gz"
        pack.pack(output, "top", [root], 1000)
        return output.read_bytes()

    def test_order_mode_and_time_do_not_matter(self) -> None:
        first = self.packed(self.tree("first", ["a/x", "b", "c"], 0o644, 1))
        second = self.packed(self.tree("second", ["c", "b", "a/x"], 0o600, 2_000_000_000))
        self.assertEqual(first, second)

    def test_the_right_to_execute_and_links_are_kept(self) -> None:
        self.packed(self.tree("only", ["b"], 0o700, 1))
        with tarfile.open(self.folder / "out.tar.gz") as archive:
            self.assertEqual(archive.getmember("top/tree/b").mode, 0o755)
            self.assertEqual(archive.getmember("top/tree/link").linkname, "b")

    def test_files_with_two_names_are_two_files(self) -> None:
        linked = self.tree("linked", ["a"], 0o644, 1)
        os.link(linked / "a", linked / "b")
        copied = self.tree("copied", ["a"], 0o644, 1)
        (copied / "b").write_text("in a\n")
        self.assertEqual(self.packed(linked), self.packed(copied))

    def test_a_difference_in_an_archive_is_named(self) -> None:
        for side, text in (("first", "one"), ("second", "two")):
            root = self.tree(side, ["b"], 0o644, 1)
            (root / "b").write_text(text)
            (self.folder / f"{side}-images").mkdir()
            pack.pack(self.folder / f"{side}-images/x.tar.gz", "top", [root], 1000)
        lines = compare.compare(self.folder / "first-images", self.folder / "second-images")
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], r"^x\.tar\.gz: top/tree/b: byte 0x0: ")

    def test_a_broken_archive_is_compared_as_a_whole(self) -> None:
        for side, last in (("first", b"1"), ("second", b"2")):
            (self.folder / side).mkdir()
            (self.folder / side / "x").write_bytes(b"\x1f\x8b" + last)
        lines = compare.compare(self.folder / "first", self.folder / "second")
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], "^x: byte 0x2")


class Version(unittest.TestCase):
    def test_the_date_of_the_topmost_entry_counts(self) -> None:
        found = version.ENTRY.search("# Changes\n\n## 2.0.0 (2001-02-03)\nnew\n\n"
                                     "## 1.0.0 (2000-01-01)\nold\n")
        self.assertIsNotNone(found)
        self.assertEqual(found.groups(), ("2.0.0", "2001", "02", "03", "new\n\n"))

    def test_the_tree_has_a_date(self) -> None:
        self.assertEqual(version.epoch() % 86400, 0)
        self.assertTrue(version.notes().startswith("## "))


class BillOfMaterials(unittest.TestCase):
    def test_it_is_whole_and_the_same_twice(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "file").write_text("contents")
            first = sbom.document("1.2.3", Path(folder))
            self.assertEqual(first, sbom.document("1.2.3", Path(folder)))
            Path(folder, "file").write_text("others")
            other = sbom.document("1.2.3", Path(folder))
        self.assertNotEqual(first["documentNamespace"], other["documentNamespace"])
        known = {each["SPDXID"] for each in first["packages"] + first["files"]} | {"SPDXRef-DOCUMENT"}
        for each in first["relationships"]:
            self.assertIn(each["spdxElementId"], known)
            self.assertIn(each["relatedSpdxElement"], known)
        for name in known:
            self.assertTrue(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name), name)


if __name__ == "__main__":
    unittest.main()
