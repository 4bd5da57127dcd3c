#!/usr/bin/env python3
"""What VERSION and CHANGES.md say about the version: version.py epoch|notes|check.

epoch   the date of the topmost entry of CHANGES.md, in seconds since 1970, at midnight UTC
notes   that entry
check   whether a release can be made: VERSION names the topmost entry, the entry says what it means
        for existing programs, and the tree has nothing that is not committed
"""

import datetime
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENTRY = re.compile(r"^## (\d+\.\d+\.\d+) \((\d{4})-(\d\d)-(\d\d)\)\n(.*?)(?=^## |\Z)", re.M | re.S)
COMPATIBILITY = ("Source", "Binary", "Breaking")


class VersionError(Exception):
    """What is wrong, for a person."""


def topmost_entry() -> re.Match[str]:
    entry = ENTRY.search((ROOT / "CHANGES.md").read_text(encoding="utf-8"))
    if not entry:
        raise VersionError("CHANGES.md has no entry of the form '## 1.2.3 (2001-02-03)'")
    return entry


def epoch() -> int:
    year, month, day = (int(number) for number in topmost_entry().groups()[1:4])
    return int(datetime.datetime(year, month, day, tzinfo=datetime.timezone.utc).timestamp())


def notes() -> str:
    return topmost_entry().group(0).strip()


def check() -> None:
    entry = topmost_entry()
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    if version != entry.group(1):
        raise VersionError(f"VERSION is {version}, the topmost entry of CHANGES.md {entry.group(1)}")
    for word in COMPATIBILITY:
        if not re.search(rf"^- \*\*{word}\*\*: \S", entry.group(5), re.M):
            raise VersionError(f"the entry of {version} in CHANGES.md has no line '- **{word}**: ...'")
    if (ROOT / ".git").exists():
        changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, check=True, text=True,
                                 stdout=subprocess.PIPE).stdout
        if changed:
            raise VersionError(f"the tree has what is not committed:\n{changed}")


def main(words: list[str]) -> int:
    try:
        if words == ["epoch"]:
            print(epoch())
        elif words == ["notes"]:
            print(notes())
        elif words == ["check"]:
            check()
        else:
            print("usage: version.py epoch|notes|check", file=sys.stderr)
            return 2
    except (OSError, VersionError, ValueError, subprocess.CalledProcessError) as problem:
        print(f"version.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
