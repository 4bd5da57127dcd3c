#!/usr/bin/env python3
"""Fetches sources from elsewhere into build/third_party: third_party.py NAME...

They come out of Debian's source packages, through `apt-get source`, from the archives that this
machine's own apt configuration names. Nothing of the machine's configuration changes: apt works
with a configuration and lists of its own in a temporary directory, and needs no root. Each tarball
has to have the SHA-256 in the table below. A stamp makes the next run a no-op.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Iterator, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DESTINATION = ROOT / "build/third_party"
SOURCES_LIST = Path("/etc/apt/sources.list")
SOURCES_PARTS = Path("/etc/apt/sources.list.d")


class Source(NamedTuple):
    package: str  # Debian's source package
    version: str  # and its version
    suite: str  # the release that has it, looked into first; then the machine's own
    tarball: str
    sha256: str
    folder: str  # what is taken out of the tarball
    licence: str = "NOASSERTION"  # of that folder, as an SPDX expression


# One entry for each name that the command line may give; it is unpacked into a folder so named.
SOURCES = {
    "libfdt": Source(
        package="device-tree-compiler",
        version="1.7.2-2",
        suite="trixie",
        tarball="device-tree-compiler_1.7.2.orig.tar.xz",
        sha256="92d8ca769805ae1f176204230438fe52808f4e1c7944053c9eec0e649b237539",
        folder="libfdt",
        licence="GPL-2.0-or-later OR BSD-2-Clause",
    ),
    "lua": Source(
        package="lua5.4",
        version="5.4.4-3+deb12u1",
        suite="bookworm",
        tarball="lua5.4_5.4.4.orig.tar.gz",
        sha256="164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61",
        folder="src",
        licence="MIT",
    ),
}

Stanza = dict[str, str]


class FetchError(Exception):
    """What went wrong, for a person."""


# ---- The machine's archives -----------------------------------------------------------------------
def read_stanzas(text: str) -> Iterator[Stanza]:
    """Entries of the deb822 form; the lines of a value that goes on keep their indentation."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for block in re.split(r"\n\s*\n", "\n".join(lines)):
        stanza: Stanza = {}
        name = ""
        for line in block.splitlines():
            if line[:1].isspace() and name:
                stanza[name] += "\n" + line
            elif ":" in line:
                key, value = line.split(":", 1)
                name = key.strip().lower()
                stanza[name] = value.strip()
        if stanza.get("enabled", "yes").lower() not in ("no", "false", "0"):
            yield stanza


ONE_LINE = re.compile(r"^deb(?:-src)?\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", re.MULTILINE)


def read_one_line_entries(text: str) -> Iterator[Stanza]:
    """Entries of the form `deb [option=value ...] uri suite component...`."""
    for options, uri, suite, components in ONE_LINE.findall(text):
        stanza = {"uris": uri, "suites": suite, "components": components.split("\n")[0].strip()}
        for option in options.split():
            key, _, value = option.partition("=")
            stanza[key.lower()] = value.replace(",", " ")
        yield stanza


def machine_entries() -> list[Stanza]:
    entries: list[Stanza] = []
    parts = sorted(SOURCES_PARTS.glob("*")) if SOURCES_PARTS.is_dir() else []
    for path in [SOURCES_LIST, *parts]:
        if not path.is_file():
            continue
        if path.suffix == ".list":
            entries += read_one_line_entries(path.read_text(encoding="utf-8"))
        elif path.suffix == ".sources":
            entries += read_stanzas(path.read_text(encoding="utf-8"))
    return entries


def release_suites(entry: Stanza) -> list[str]:
    """An entry's full releases: not updates, not security, no path instead of a suite."""
    return [each for each in entry.get("suites", "").split() if not re.search(r"[-/]", each)]


def source_entries(suite: str | None) -> list[Stanza]:
    """The machine's archives as archives of sources, of `suite` or else of their own suites."""
    result: list[Stanza] = []
    for entry in machine_entries():
        suites = release_suites(entry)
        if not suites or "main" not in entry.get("components", "").split():
            continue
        kept = {key: entry[key] for key in ("uris", "signed-by", "trusted") if key in entry}
        wanted = suite or " ".join(suites)
        stanza = {"types": "deb-src", "suites": wanted, "components": "main", **kept}
        if stanza not in result:
            result.append(stanza)
    return result


# ---- apt ------------------------------------------------------------------------------------------
def apt(work: Path, *arguments: str) -> str:
    """Runs apt-get in `work` with the configuration there; what it says, when it fails."""
    settings = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": work / "sources",
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "APT::Sandbox::User": "root",
    }
    options = [f"-o{key}={value}" for key, value in settings.items()]
    result = subprocess.run(
        ["apt-get", "-q", *options, *arguments],
        cwd=work,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return result.stdout if result.returncode else ""


def download_from(source: Source, entries: list[Stanza], work: Path) -> str:
    """Tries one choice of archives; empty when the tarball is there, else what apt said."""
    for folder in ("sources", "lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    text = "\n\n".join("\n".join(f"{k}: {v}" for k, v in each.items()) for each in entries)
    (work / "sources/third-party.sources").write_text(text + "\n", encoding="utf-8")
    # An archive that is away does not matter if another one has the package.
    complaint = apt(work, "update")
    wanted = f"{source.package}={source.version}"
    complaint += apt(work, "source", "--download-only", "--tar-only", wanted)
    return "" if (work / source.tarball).is_file() else complaint


def download(source: Source, work: Path) -> Path:
    if not machine_entries():
        raise FetchError(f"{SOURCES_LIST} and {SOURCES_PARTS} name no archive of packages.")
    complaints = ""
    for suite in (source.suite, None):
        if not (complaint := download_from(source, source_entries(suite), work)):
            return work / source.tarball
        complaints += complaint
    raise FetchError(f"apt-get said:\n{complaints}")


# ---- Checking and unpacking -----------------------------------------------------------------------
def check_sum(tarball: Path, expected: str) -> None:
    actual = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if actual != expected:
        raise FetchError(f"{tarball.name} has SHA-256\n  {actual}\ninstead of\n  {expected}")


def members(archive: tarfile.TarFile, folder: str) -> Iterator[tarfile.TarInfo]:
    """The plain files of TOP/folder, named from there."""
    for member in archive.getmembers():
        parts = Path(member.name).parts[1:]
        prefix = Path(folder).parts
        rest = parts[len(prefix) :]
        if member.isfile() and parts[: len(prefix)] == prefix and rest and ".." not in rest:
            member.name = str(Path(*rest))
            yield member


def unpack(tarball: Path, folder: str, destination: Path) -> None:
    fresh = destination.with_name(destination.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    with tarfile.open(tarball) as archive:
        archive.extractall(fresh, members(archive, folder))
    if not any(fresh.iterdir()):
        raise FetchError(f"{tarball.name} has no folder {folder}.")
    # Make compares times: what was just unpacked is new, whatever the tarball says.
    for path in fresh.rglob("*"):
        path.touch()
    shutil.rmtree(destination, ignore_errors=True)
    fresh.rename(destination)


def fetch(name: str) -> None:
    source = SOURCES[name]
    destination = DESTINATION / name
    stamp = destination / ".fetched"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == source.sha256:
        return
    with tempfile.TemporaryDirectory(prefix="kairos-sources-") as work:
        tarball = download(source, Path(work))
        check_sum(tarball, source.sha256)
        unpack(tarball, source.folder, destination)
    stamp.write_text(source.sha256, encoding="utf-8")


def explain(name: str, error: FetchError) -> None:
    source = SOURCES[name]
    print(
        f"third_party.py: {name} could not be fetched. {error}\n"
        f"It is the folder {source.folder}/ of {source.tarball},\n"
        f"of Debian's source package {source.package} {source.version} (suite {source.suite}).\n"
        "What to do: see that this machine reaches the Debian archive that its apt configuration\n"
        "names (`apt-get update` works), and run make again. Without an archive: put that folder\n"
        f"at {DESTINATION.relative_to(ROOT) / name}, and make goes on with it.",
        file=sys.stderr,
    )


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SOURCES]
    if unknown or not names:
        print(f"usage: third_party.py {'|'.join(SOURCES)}...", file=sys.stderr)
        return 2
    for name in names:
        try:
            fetch(name)
        except FetchError as error:
            explain(name, error)
            return 1
        except FileNotFoundError as error:
            explain(name, FetchError(f"There is no {error.filename}."))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
