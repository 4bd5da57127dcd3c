#!/usr/bin/env python3
"""Writes a boot archive (src/abi/archive.h): archive.py OUT NAME=PATH..."""

import os
import struct
import sys
from pathlib import Path

MAGIC = 0x3176686372616B01
PAGE = 4096
HEADER = struct.Struct("<QIIQ")
ENTRY = struct.Struct("<48sQQ")
LONGEST_NAME = 47


def padding(size: int) -> bytes:
    """What is missing from `size` bytes to a whole number of pages."""
    return bytes(-size % PAGE)


def encode_name(name: str) -> bytes:
    encoded = os.fsencode(name)
    if not encoded or len(encoded) > LONGEST_NAME or b"\0" in encoded or encoded[:1] == b"/":
        raise ValueError(f"'{name}' cannot name a file of the boot archive: a name has 1 to "
                         f"{LONGEST_NAME} bytes and no leading slash")
    return encoded


def build(files: dict[str, bytes]) -> bytes:
    """The archive of these files; the same bytes for the same files, in whatever order."""
    entries = sorted((encode_name(name), data) for name, data in files.items())
    index_size = HEADER.size + ENTRY.size * len(entries)
    offset = index_size + len(padding(index_size))
    index: list[bytes] = []
    contents: list[bytes] = []
    for name, data in entries:
        index.append(ENTRY.pack(name, offset, len(data)))
        contents += [data, padding(len(data))]
        offset += len(data) + len(padding(len(data)))
    header = HEADER.pack(MAGIC, len(entries), 0, offset)
    return b"".join([header, *index, padding(index_size), *contents])


def read_files(words: list[str]) -> dict[str, bytes]:
    """The files that NAME=PATH words name."""
    files: dict[str, bytes] = {}
    for word in words:
        name, separator, path = word.partition("=")
        if not separator:
            raise ValueError(f"expected NAME=PATH, not '{word}'")
        if name in files:
            raise ValueError(f"two files are named '{name}'")
        files[name] = Path(path).read_bytes()
    return files


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: archive.py OUT NAME=PATH...")
    try:
        Path(sys.argv[1]).write_bytes(build(read_files(sys.argv[2:])))
    except (OSError, ValueError) as problem:
        sys.exit(f"archive.py: {problem}")


if __name__ == "__main__":
    main()
