#!/usr/bin/env python3
"""Fetches sources that others wrote, as Debian source packages, into build/third_party.

    third_party.py NAME

The archive that serves them is the one this machine installs its packages from: the deb-src
entries are derived from its own apt configuration, in a temporary folder, so nothing on the machine
changes. What arrives is checked against the sums below.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

DESTINATION = Path("build/third_party")


@dataclass(frozen=True)
class Source:
    package: str      # the Debian source package
    tarball: str      # its upstream part
    sha256: str
    files: str        # what to unpack: a pattern for paths inside, without the first folder


# libfdt is maintained with the device-tree compiler; Trusted Firmware carries it unchanged, and its
# source package is small.
SOURCES = {
    "libfdt": Source(
        "arm-trusted-firmware", "arm-trusted-firmware_2.8.0+dfsg.orig.tar.xz",
        "a4ecc35e0b893fe8682c075fc1bdb858de87e4cb18fbed9a1597e2c9f6d320de",
        r"(include/)?lib/libfdt/[a-z_]+\.[ch]"),
}


def deb822_source_entries(text: str) -> str:
    return re.sub(r"(?m)^Types:.*$", "Types: deb-src", text)


def one_line_source_entries(text: str) -> str:
    return re.sub(r"(?m)^deb\s", "deb-src ", text)


def write_apt_configuration(folder: Path) -> Path:
    """An apt configuration of its own, with deb-src entries for what this machine installs from."""
    for name in ("lists/partial", "cache/archives/partial", "parts"):
        (folder / name).mkdir(parents=True)
    etc = Path("/etc/apt")
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        convert = one_line_source_entries if file.suffix == ".list" else deb822_source_entries
        (folder / "parts" / file.name).write_text(convert(file.read_text()))
    configuration = folder / "apt.conf"
    configuration.write_text(
        'Dir::Etc::sourcelist "/dev/null";\n'
        f'Dir::Etc::sourceparts "{folder}/parts";\n'
        f'Dir::State::lists "{folder}/lists";\n'
        f'Dir::Cache "{folder}/cache";\n'
        'APT::Sandbox::User "root";\n')
    return configuration


def run_apt(configuration: Path, folder: Path, *command: str) -> None:
    result = subprocess.run(["apt-get", "-q", *command], cwd=folder, text=True,
                            env={**os.environ, "APT_CONFIG": str(configuration)},
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode != 0:
        sys.exit(f"{result.stdout}\napt-get {' '.join(command)} failed; is the package archive "
                 "reachable? Try again, or `apt-get update` first.")


def fetch(source: Source, folder: Path) -> Path:
    configuration = write_apt_configuration(folder)
    run_apt(configuration, folder, "update")
    run_apt(configuration, folder, "source", "--download-only", source.package)
    tarball = folder / source.tarball
    if not tarball.is_file():
        sys.exit(f"{source.package} has no {source.tarball} here; the archive has another version. "
                 f"Look at it, and change the table in {__file__}.")
    digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if digest != source.sha256:
        sys.exit(f"{source.tarball} is not what was expected:\n  expected {source.sha256}\n"
                 f"  got      {digest}\nIt is not used.")
    return tarball


def unpack(source: Source, tarball: Path, destination: Path) -> None:
    pattern = re.compile(source.files)
    with tarfile.open(tarball) as archive:
        for member in archive:
            inside = member.name.partition("/")[2]
            if member.isfile() and pattern.fullmatch(inside):
                data = archive.extractfile(member)
                assert data is not None
                (destination / Path(inside).name).write_bytes(data.read())


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in SOURCES:
        sys.exit(f"usage: third_party.py {'|'.join(SOURCES)}")
    name = sys.argv[1]
    destination = DESTINATION / name
    if destination.exists():
        return
    DESTINATION.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        tarball = fetch(SOURCES[name], Path(temporary))
        # In place all at once, so that a build that was interrupted begins again.
        partial = DESTINATION / f"{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        unpack(SOURCES[name], tarball, partial)
        partial.rename(destination)


if __name__ == "__main__":
    main()
