#!/usr/bin/env python3
"""Checks what a compiler does not: who includes whom, and the size and finish of files.

- The kernel's folders form layers: a file includes its own folder and lower ones (BELOW).
- Nothing reaches into arch/ or platform/ but through their include folders.
- Programs see the kernel through <kairos/abi/...> only.
- No file includes itself by a detour.
- No conditional compilation in the kernel's .cpp files; no file longer than MAX_LINES; no word
  that marks unfinished work.

Prints one line per violation, `file:line: what`, and exits 1 if there is any. An optional argument
is the tree to check, instead of the one this file is in.
"""

import re
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

TREES = ("src", "arch", "platform", "user", "test")
MAX_LINES = 700
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")

# The layers from bottom to top. `arch` and `platform` stand for their interfaces in the picture:
# arch/riscv/include/arch and platform/virt/include/platform. Folders of one row do not see each
# other.
LAYERS: list[tuple[str, ...]] = [
    ("abi",),
    ("base",),
    ("sync",),
    ("arch",),
    ("platform",),
    ("trace",),
    ("mm",),
    ("wait",),
    ("object",),
    ("memory",),
    ("sched",),
    ("ipc",),
    ("device",),
    ("fd",),
    ("process",),
    ("syscall",),
    ("top",),
]

# What a folder may include besides what lies below it: (who, whom, why).
EXCEPTIONS: list[tuple[str, str, str]] = [
    ("sync", "arch", "a spin lock masks interrupts and asks which hart it is on"),
]

LIBFDT_USER = "platform"  # only the platform reads the device tree
LIBFDT_HEADERS = {"fdt.h", "libfdt.h", "libfdt_env.h"}
USER_TREES = ("user/", "test/integration/", "test/bench/")
HOST_TREES = ("test/host/", "test/nocompile/", "test/fuzz/")
KERNEL_TREES = ("src/", "arch/", "platform/")

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else)\b")
CODE = {".h", ".hpp", ".c", ".cpp", ".S", ".inc"}
TEXT = CODE | {".py", ".sh", ".ld", ".md", ".mk", ""}


class Include(NamedTuple):
    line: int
    quoted: bool
    name: str


class File(NamedTuple):
    path: str  # from the root, with slashes
    lines: list[str]

    def includes(self) -> Iterator[Include]:
        for number, line in enumerate(self.lines, 1):
            if match := INCLUDE.match(line):
                yield Include(number, match.group(1) == '"', match.group(2))


class Violation(NamedTuple):
    path: str
    line: int
    text: str


def below_table() -> dict[str, set[str]]:
    table: dict[str, set[str]] = {}
    lower: set[str] = set()
    for row in LAYERS:
        for folder in row:
            table[folder] = {folder} | lower
        lower |= set(row)
    for who, whom, _ in EXCEPTIONS:
        table[who].add(whom)
    return table


BELOW = below_table()


def layer_of(path: str) -> str | None:
    """The layer of a kernel file; None for everything else."""
    parts = path.split("/")
    if parts[0] in ("arch", "platform"):
        return parts[0]
    if parts[0] != "src":
        return None
    return parts[1] if len(parts) > 2 else "top"


def is_private(path: str) -> bool:
    """A header of arch/ or platform/ outside their include folders."""
    return path.startswith(("arch/", "platform/")) and "/include/" not in path


def is_user(path: str) -> bool:
    return path.startswith(USER_TREES)


# ---- Which file an include means ------------------------------------------------------------------
def search_folders(path: str) -> list[str]:
    """The -I options that a file is compiled with."""
    if is_user(path):
        return ["user", "user/include", "test/integration", "test/bench"]
    if path.startswith(HOST_TREES):
        return ["src", "test/host/arch/include", "test/host", "platform/virt/include", "user"]
    return ["src", "arch/riscv/include", "platform/virt/include", "arch/riscv"]


def normal(path: str) -> str:
    """Without `.` and `..`; a path that leaves the root keeps its `..`."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def resolve(path: str, include: Include, known: set[str]) -> str | None:
    if include.name.startswith("kairos/abi/"):
        candidates = ["src/" + include.name.removeprefix("kairos/")]
    else:
        folders = search_folders(path)
        if include.quoted:
            folders = [path.rpartition("/")[0], *folders]
        candidates = [normal(f"{folder}/{include.name}") for folder in folders]
    return next((each for each in candidates if each in known), None)


# ---- The rules ------------------------------------------------------------------------------------
def check_kernel_include(path: str, include: Include, target: str | None) -> str | None:
    layer = layer_of(path)
    if layer not in BELOW:
        return f"the folder src/{layer} has no place among the layers; see LAYERS"
    if target is None:
        if include.name in LIBFDT_HEADERS:
            return None if layer == LIBFDT_USER else "libfdt is the platform's alone"
        return f'"{include.name}" is no file of the kernel' if include.quoted else None
    other = layer_of(target)
    if other is None:
        return f"{target} is not part of the kernel"
    if is_private(target) and not path.startswith(target.split("/")[0] + "/"):
        return f"{target} is private; see {other}'s include folder"
    if other not in BELOW[layer]:
        return f"{layer} may not include {other} ({include.name})"
    return None


def check_user_include(include: Include, target: str | None) -> str | None:
    if target is not None and not target.startswith(KERNEL_TREES):
        return None
    if target is not None and include.name.startswith("kairos/abi/"):
        return None if not include.quoted else f"write <{include.name}>"
    if target is None and not re.search(r"(^|/)(src|arch|platform)/", include.name):
        return f'there is no "{include.name}"' if include.quoted else None
    return f"programs see the kernel through <kairos/abi/...>, not {include.name}"


def check_includes(file: File, known: set[str]) -> Iterator[Violation]:
    for include in file.includes():
        target = resolve(file.path, include, known)
        text = None
        if is_user(file.path):
            text = check_user_include(include, target)
        elif file.path.startswith(KERNEL_TREES):
            text = check_kernel_include(file.path, include, target)
        if text:
            yield Violation(file.path, include.line, text)


def check_text(file: File) -> Iterator[Violation]:
    if len(file.lines) > MAX_LINES:
        yield Violation(file.path, len(file.lines), f"longer than {MAX_LINES} lines")
    conditional = file.path.startswith("src/") and file.path.endswith(".cpp")
    for number, line in enumerate(file.lines, 1):
        if conditional and CONDITIONAL.match(line):
            yield Violation(file.path, number, "conditional compilation in a .cpp file")
        if word := UNFINISHED.search(line):
            yield Violation(file.path, number, f"unfinished work: {word.group()}")


# ---- Cycles ---------------------------------------------------------------------------------------
def find_cycles(graph: dict[str, list[str]]) -> Iterator[list[str]]:
    """One cycle for each include that leads back to a file it was reached from."""
    done: set[str] = set()
    for start in sorted(graph):
        trail: list[str] = []
        work: list[tuple[str, Iterator[str]]] = []

        def enter(path: str) -> None:
            trail.append(path)
            work.append((path, iter(graph.get(path, []))))

        if start not in done:
            enter(start)
        while work:
            path, rest = work[-1]
            following = next(rest, None)
            if following is None:
                done.add(path)
                work.pop()
                trail.pop()
            elif following in trail:
                yield trail[trail.index(following) :] + [following]
            elif following not in done:
                enter(following)


def check_cycles(files: list[File], known: set[str]) -> Iterator[Violation]:
    graph: dict[str, list[str]] = {}
    for file in files:
        targets = (resolve(file.path, include, known) for include in file.includes())
        graph[file.path] = sorted({target for target in targets if target})
    for cycle in find_cycles(graph):
        yield Violation(cycle[0], 1, "includes itself: " + " -> ".join(cycle))


# ---- The tree -------------------------------------------------------------------------------------
def read_tree(root: Path) -> list[File]:
    files: list[File] = []
    for tree in TREES:
        for path in sorted((root / tree).rglob("*")):
            if path.suffix not in TEXT or not path.is_file() or "__pycache__" in path.parts:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            files.append(File(path.relative_to(root).as_posix(), text.splitlines()))
    return files


def check_tree(root: Path) -> list[Violation]:
    files = read_tree(root)
    code = [file for file in files if Path(file.path).suffix in CODE]
    known = {file.path for file in code}
    found: list[Violation] = []
    for file in files:
        found += check_text(file)
    for file in code:
        found += check_includes(file, known)
    return sorted([*found, *check_cycles(code, known)])


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[2]
    if not (root / "src").is_dir():
        print(f"check_includes.py: {root} has no src/", file=sys.stderr)
        return 2
    violations = check_tree(root)
    for violation in violations:
        print(f"{violation.path}:{violation.line}: {violation.text}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
