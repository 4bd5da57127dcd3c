#!/usr/bin/env python3
"""Writes a boot archive (src/abi/archive.h): archive.py OUT NAME=PATH..."""

import struct
import sys
from pathlib import Path

MAGIC = 0x3176686372616B01
PAGE = 4096
HEADER = struct.Struct("<QIIQ")
ENTRY = struct.Struct("<48sQQ")
LONGEST_NAME = 47


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % PAGE)


def build(files: dict[str, bytes]) -> bytes:
    """The archive of these files; the same bytes for the same files."""
    names = sorted(files, key=lambda name: name.encode())
    index_size = HEADER.size + ENTRY.size * len(names)
    offset = index_size + -index_size % PAGE
    index, contents = b"", b""
    for name in names:
        encoded = name.encode()
        if not encoded or len(encoded) > LONGEST_NAME or b"\0" in encoded:
            raise ValueError(f"'{name}' is no name for a file of the archive: it takes 1 to "
                             f"{LONGEST_NAME} bytes")
        index += ENTRY.pack(encoded, offset + len(contents), len(files[name]))
        contents += padded(files[name])
    header = HEADER.pack(MAGIC, len(names), 0, offset + len(contents))
    return padded(header + index) + contents


def main() -> None:
    if len(sys.argv) < 2 or any("=" not in word for word in sys.argv[2:]):
        sys.exit("usage: archive.py OUT NAME=PATH...")
    entries = (word.partition("=") for word in sys.argv[2:])
    try:
        image = build({name: Path(path).read_bytes() for name, _, path in entries})
    except (OSError, ValueError) as problem:
        sys.exit(f"archive.py: {problem}")
    Path(sys.argv[1]).write_bytes(image)


if __name__ == "__main__":
    main()
