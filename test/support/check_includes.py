#!/usr/bin/env python3
"""Holds the sources to the rules of the house: who may include whom, no cycles, no conditional
compilation in the kernel, no file too long, nothing left half done."""

import re
import sys
from pathlib import Path

# Lowest first; a folder of src/ may include itself and what stands before it. Folders on one line
# do not include each other, but for what EXTRA allows.
LAYERS = [["abi"], ["base"], ["sync"], ["mm", "trace"], ["wait"], ["object"], ["memory"],
          ["sched"], ["ipc"], ["device"], ["process"], ["fd"], ["syscall"], ["."]]
# What others may include besides the kernel's layers.
OUTSIDE = {
    "src": {"arch", "platform"},
    "arch": {"abi", "base", "sync", "arch", "."},
    "platform": {"abi", "base", "sync", "arch", "platform", "."},
}
LONGEST_FILE = 700
HALF_DONE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SUFFIXES = {".h", ".hpp", ".c", ".cpp", ".S"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
CONDITION = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b", re.MULTILINE)

RANK = {folder: rank for rank, folders in enumerate(LAYERS) for folder in folders}


def sources(*roots: str) -> list[Path]:
    return sorted(path for root in roots for path in Path(root).rglob("*")
                  if path.suffix in SUFFIXES and path.is_file())


def layer_of(path: Path) -> str:
    """The folder of src/ that a file is in; '.' for those directly in it."""
    inside = path.relative_to("src")
    return inside.parts[0] if len(inside.parts) > 1 else "."


def resolve(includer: Path, name: str) -> Path | None:
    """The file that an include with quotes means, if it is one of ours."""
    for root in (includer.parent, Path("src"), Path("arch/riscv/include"),
                 Path("platform/virt/include"), Path("arch/riscv"), Path("platform/virt")):
        if (root / name).is_file():
            return root / name
    return None


def may_include(includer: Path, included: Path) -> bool:
    home, target = includer.parts[0], included.parts[0]
    if home == "src":
        if target != "src":
            return target in OUTSIDE["src"] and "include" in included.parts
        rank, other = RANK[layer_of(includer)], RANK[layer_of(included)]
        return other < rank or layer_of(includer) == layer_of(included)
    if target == home:
        return True
    if target == "src":
        return layer_of(included) in OUTSIDE[home]
    return target in OUTSIDE[home] and "include" in included.parts


def check_layers(files: dict[Path, list[Path]]) -> list[str]:
    return [f"{includer} includes {included}: a lower layer may not know a higher one (see "
            "docs/architecture.md)"
            for includer, all_included in files.items() for included in all_included
            if not may_include(includer, included)]


def check_cycles(files: dict[Path, list[Path]]) -> list[str]:
    problems, finished = [], set()

    def visit(path: Path, trail: list[Path]) -> None:
        if path in trail:
            ring = trail[trail.index(path):] + [path]
            problems.append("a cycle of includes: " + " → ".join(map(str, ring)))
            return
        if path in finished:
            return
        for included in files.get(path, []):
            visit(included, trail + [path])
        finished.add(path)

    for path in files:
        visit(path, [])
    return problems


def check_text(path: Path) -> list[str]:
    text = path.read_text()
    problems = []
    if text.count("\n") > LONGEST_FILE:
        problems.append(f"{path} has more than {LONGEST_FILE} lines; is it one idea?")
    if path.parts[0] == "src" and path.suffix == ".cpp" and CONDITION.search(text):
        problems.append(f"{path} compiles conditionally; choose by folder or `if constexpr`")
    for match in HALF_DONE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        problems.append(f"{path}:{line}: {match[0]}: finish it, or leave it out")
    return problems


def check_user(path: Path) -> list[str]:
    return [f"{path} includes \"{name}\": programs know the kernel by <kairos/...> only"
            for name in INCLUDE.findall(path.read_text())
            if name.split("/")[0] in RANK and not (path.parent / name).is_file()]


def main() -> int:
    kernel = sources("src", "arch", "platform")
    includes = {path: [found for name in INCLUDE.findall(path.read_text())
                       if (found := resolve(path, name)) is not None] for path in kernel}
    problems = check_layers(includes) + check_cycles(includes)
    for path in sources("src", "arch", "platform", "user", "test"):
        problems += check_text(path)
    for path in sources("user"):
        problems += check_user(path)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
