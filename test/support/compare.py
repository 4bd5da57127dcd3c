#!/usr/bin/env python3
"""Compares two folders of images and says where they differ: compare.py FIRST SECOND

A difference is named down to the file inside an archive and the section of an ELF file, with its
first byte. Exit status 1 if there is one.
"""

import io
import struct
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Iterator

import archive

READELF = "riscv64-linux-gnu-readelf"
NO_SPACE_IN_FILE = "NOBITS"


def first_difference(first: bytes, second: bytes) -> str:
    for offset, (one, other) in enumerate(zip(first, second)):
        if one != other:
            return f"byte {offset:#x}: {first[offset:offset + 16]!r} and {second[offset:offset + 16]!r}"
    return f"sizes {len(first)} and {len(second)}"


def elf_sections(data: bytes) -> dict[str, bytes]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        text = subprocess.run([READELF, "-SW", file.name], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
    sections: dict[str, bytes] = {}
    for line in text.splitlines():
        number, bracket, rest = line.strip().partition("]")
        fields = rest.split()
        if not number.startswith("[") or not bracket or len(fields) < 6 or fields[0] == "NULL":
            continue
        name, kind, _, offset, size = fields[:5]
        if kind != NO_SPACE_IN_FILE and number != "[Nr":
            start = int(offset, 16)
            sections[name] = data[start:start + int(size, 16)]
    return sections


def tar_members(data: bytes) -> dict[str, bytes]:
    """Each member's contents, and what else the archive says of it under a name of its own."""
    members: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        members["(order)"] = "\n".join(opened.getnames()).encode()
        for member in opened:
            about = (member.mode, member.uid, member.gid, member.mtime, member.type, member.linkname)
            members[f"{member.name} (header)"] = repr(about).encode()
            contents = opened.extractfile(member) if member.isfile() else None
            members[member.name] = contents.read() if contents else b""
    return members


def boot_archive_members(data: bytes) -> dict[str, bytes]:
    _, count, _, _ = archive.HEADER.unpack_from(data)
    members: dict[str, bytes] = {}
    for index in range(count):
        name, offset, size = archive.ENTRY.unpack_from(
            data, archive.HEADER.size + index * archive.ENTRY.size)
        members[name.rstrip(b"\0").decode(errors="replace")] = data[offset:offset + size]
    return members


def ar_members(data: bytes) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    position = 8
    while position + 60 <= len(data):
        header = data[position:position + 60]
        size = int(header[48:58])
        name = f"{header[:16].decode(errors='replace').strip()} at {position:#x}"
        members[f"{name} (header)"] = header
        members[name] = data[position + 60:position + 60 + size]
        position += 60 + size + size % 2
    return members


def parts_of(data: bytes) -> dict[str, bytes]:
    """What a file is made of, if it is of a kind that is known here."""
    if data.startswith(b"\x7fELF"):
        return elf_sections(data)
    if data.startswith(b"\x1f\x8b"):
        return tar_members(data)
    if data.startswith(b"!<arch>\n"):
        return ar_members(data)
    if data.startswith(struct.pack("<Q", archive.MAGIC)):
        return boot_archive_members(data)
    return {}


def parts_or_none(data: bytes) -> dict[str, bytes]:
    """As parts_of; a file that is cut off or broken is compared as a whole."""
    try:
        return parts_of(data)
    except (EOFError, OSError, ValueError, struct.error, tarfile.TarError,
            subprocess.CalledProcessError):
        return {}


def differences(name: str, first: bytes, second: bytes) -> Iterator[str]:
    if first == second:
        return
    one, other = parts_or_none(first), parts_or_none(second)
    found = list(differences_of_parts(name, one, other))
    yield from found
    if not found:
        yield f"{name}: {first_difference(first, second)}"


def differences_of_parts(name: str, one: dict[str, bytes], other: dict[str, bytes]) -> Iterator[str]:
    for part in sorted(one.keys() ^ other.keys()):
        yield f"{name}: {part} is only in the {'first' if part in one else 'second'}"
    for part in sorted(one.keys() & other.keys()):
        yield from differences(f"{name}: {part}", one[part], other[part])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def compare(first: Path, second: Path) -> list[str]:
    return [line.removeprefix(".: ")
            for line in differences_of_parts(".", contents(first), contents(second))]


def main(words: list[str]) -> int:
    if len(words) != 2:
        print("usage: compare.py FIRST SECOND", file=sys.stderr)
        return 2
    lines = compare(Path(words[0]), Path(words[1]))
    print("\n".join(lines) or "the same", file=sys.stderr if lines else sys.stdout)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
