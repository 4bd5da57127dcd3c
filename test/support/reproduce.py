#!/usr/bin/env python3
"""Builds the images twice under different conditions and compares them: reproduce.py [--keep]

The two differ in folder, user (as root), umask, home, time zone, locale, date (faketime), number of
jobs and the order in which folders list their files (disorderfs). What cannot be had on a machine is
left out, and said. The results are in build/reproduce/first and build/reproduce/second; --keep
leaves the trees that they were built in.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import compare

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build/reproduce"
NOT_SOURCE = {".git", "build", "out", "compile_commands.json"}  # on top of the tree
NOT_COPIED = {"__pycache__"}
NOBODY = 65534


class Conditions(NamedTuple):
    name: str
    folder: str  # below a fresh temporary one
    jobs: int
    umask: int
    other_user: bool
    other_date: bool
    disorder: bool
    environment: dict[str, str]


FIRST = Conditions("first", "kairos", 2, 0o022, False, False, False,
                   {"TZ": "UTC", "LANG": "C.UTF-8"})
SECOND = Conditions("second", "a/folder/of-another-length", 5, 0o077, True, True,
                    True, {"TZ": "Asia/Kathmandu", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8",
                           "USER": "somebody", "LOGNAME": "somebody", "COLUMNS": "40"})


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def copy_sources(destination: Path, backwards: bool) -> None:
    """The tree without what is built, and the sources from elsewhere, which are checked already."""
    def copy_folder(source: Path, target: Path, ignored: set[str]) -> None:
        target.mkdir(parents=True)
        for path in sorted(source.iterdir(), reverse=backwards):
            if path.name in ignored | NOT_COPIED:
                continue
            if path.is_dir() and not path.is_symlink():
                copy_folder(path, target / path.name, set())
            else:
                shutil.copy(path, target / path.name, follow_symlinks=False)

    copy_folder(ROOT, destination, NOT_SOURCE)
    third_party = ROOT / "build/third_party"
    if third_party.is_dir():
        copy_folder(third_party, destination / "build/third_party", set())


class Disorder:
    """The tree below `folder` again, with its folders listed in another order."""

    def __init__(self, folder: Path) -> None:
        self.view = folder
        if os.geteuid() != 0 or not shutil.which("disorderfs") or not Path("/dev/fuse").exists():
            say("no disorderfs here: files are only written in another order")
            return
        view = folder.with_name(folder.name + "-view")
        view.mkdir()
        done = subprocess.run(["disorderfs", "-q", "--multi-user=yes", "--reverse-dirents=yes",
                               "--sort-dirents=no", folder, view],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode == 0 and any(view.iterdir()):
            self.view = view
        else:
            say("disorderfs does not work here: files are only written in another order")

    def __enter__(self) -> "Disorder":
        return self

    def __exit__(self, *_: object) -> None:
        if self.view.name.endswith("-view"):
            subprocess.run(["umount", self.view], check=True)


def date_command(conditions: Conditions) -> list[str]:
    if not conditions.other_date:
        return []
    if not shutil.which("faketime"):
        say("no faketime here: both are built today")
        return []
    # Years ahead: a date that got in could not go unseen.
    return ["faketime", "-f", "+2345d"]


def give_away(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def make(tree: Path, home: Path, conditions: Conditions) -> None:
    user = None
    if conditions.other_user and os.geteuid() == 0:
        user = NOBODY
    elif conditions.other_user:
        say("not root: both are built by the same user")
    inherited = {key: os.environ[key] for key in ("PATH",) if key in os.environ}
    environment = inherited | {"HOME": str(home)} | conditions.environment
    command = [*date_command(conditions), "make", f"-j{conditions.jobs}", "images"]
    say(f"{conditions.name}: {' '.join(command)} in {tree}")
    log = RESULTS / f"{conditions.name}.log"
    with log.open("wb") as output:
        done = subprocess.run(command, cwd=tree, env=environment, umask=conditions.umask, user=user,
                              group=user, extra_groups=None if user is None else [], stdout=output,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"{log.read_text(errors='replace')[-4000:]}\nreproduce.py: the {conditions.name} "
                 f"build failed; all it said is in {log}")


def prepare(conditions: Conditions, work: Path) -> None:
    work.chmod(0o755)
    copy_sources(work / conditions.folder, backwards=conditions.disorder)
    (work / "home").mkdir()
    if conditions.other_user and os.geteuid() == 0:
        give_away(work)


def build(conditions: Conditions, work: Path) -> Path:
    tree = work / conditions.folder
    if conditions.disorder:
        with Disorder(tree) as disorder:
            make(disorder.view, work / "home", conditions)
    else:
        make(tree, work / "home", conditions)
    result = RESULTS / conditions.name
    shutil.copytree(tree / "build/images", result)
    return result


def build_all(keep: bool) -> list[Path]:
    """Both trees are copied before anything is built: the sources may change in the meantime."""
    places = [(each, Path(tempfile.mkdtemp(prefix="kairos-reproduce-")))
              for each in (FIRST, SECOND)]
    try:
        for conditions, work in places:
            prepare(conditions, work)
        return [build(conditions, work) for conditions, work in places]
    finally:
        for _, work in places:
            if keep:
                say(f"kept {work}")
            else:
                shutil.rmtree(work, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(usage="reproduce.py [--keep]")
    parser.add_argument("--keep", action="store_true")
    keep = parser.parse_args().keep
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    first, second = build_all(keep)
    if lines := compare.compare(first, second):
        print("\n".join(lines), file=sys.stderr)
        print("reproduce.py: the two builds differ, see above", file=sys.stderr)
        return 1
    print((first / "SHA256SUMS").read_text(), end="")
    say("the two builds are the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
