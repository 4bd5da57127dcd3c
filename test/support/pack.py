#!/usr/bin/env python3
"""Packs files and folders: pack.py OUT.tar.gz TOP PATH...

Each PATH appears by its last name below the folder TOP. The same contents give the same bytes: names
are sorted, owner and times are fixed, of the mode only the right to execute is kept.
"""

import gzip
import os
import stat
import sys
import tarfile
from pathlib import Path
from typing import Iterator


def walk(path: Path, name: str) -> Iterator[tuple[str, Path]]:
    yield name, path
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            yield from walk(child, f"{name}/{child.name}")


def normalise(member: tarfile.TarInfo, time: int) -> tarfile.TarInfo:
    executable = member.isdir() or member.issym() or member.mode & stat.S_IXUSR
    member.mode = 0o755 if executable else 0o644
    member.mtime = time
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def pack(output: Path, top: str, paths: list[Path], time: int) -> None:
    entries = sorted(entry for path in paths for entry in walk(path, f"{top}/{path.name}"))
    with output.open("wb") as raw, \
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=time) as zipped, \
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, path in entries:
            member = normalise(archive.gettarinfo(path, name), time)
            # A file with two names would otherwise be written once, which depends on the machine.
            if member.islnk():
                member.type, member.linkname, member.size = tarfile.REGTYPE, "", path.stat().st_size
            if member.isreg():
                with path.open("rb") as contents:
                    archive.addfile(member, contents)
            else:
                archive.addfile(member)


def main(words: list[str]) -> int:
    if len(words) < 3 or words[0].startswith("-"):
        print("usage: pack.py OUT.tar.gz TOP PATH...", file=sys.stderr)
        return 2
    time = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    try:
        pack(Path(words[0]), words[1], [Path(word) for word in words[2:]], time)
    except (OSError, tarfile.TarError) as problem:
        print(f"pack.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
