#!/usr/bin/env python3
"""Compiles what must not compile.

    nocompile.py FILE... -- GXX-COMMAND... -- CLANG-COMMAND...

A file has numbered cases, `#if CASE == n` or `#elif CASE == n`. Case 0 has to compile; each other
one has to be refused, with an error that matches the regular expression which follows `// error:`
on its line. `// compiler: clang` in a file picks the second command instead of the first.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

CASE = re.compile(r"^#\s*(?:if|elif) CASE == (\d+)(?:\s*// error: (.*))?$", re.MULTILINE)


class Case(NamedTuple):
    file: Path
    number: int
    expected: str  # empty: it compiles
    command: list[str]


def split_arguments(words: list[str]) -> tuple[list[Path], list[str], list[str]]:
    first = words.index("--")
    second = words.index("--", first + 1)
    return [Path(word) for word in words[:first]], words[first + 1:second], words[second + 1:]


def cases_of(file: Path, gxx: list[str], clang: list[str]) -> list[Case]:
    text = file.read_text()
    command = clang if "// compiler: clang" in text else gxx
    return [Case(file, int(number), expected or "", command)
            for number, expected in CASE.findall(text)]


def problem_of(case: Case) -> str:
    """What is wrong with a case; empty if it is as it should be."""
    result = subprocess.run([*case.command, f"-DCASE={case.number}", str(case.file)],
                            capture_output=True, text=True)
    errors = "\n".join(line for line in result.stderr.splitlines() if "error:" in line)
    if not case.expected:
        return f"does not compile:\n{result.stderr}" if result.returncode != 0 else ""
    if result.returncode == 0:
        return f"compiles; '{case.expected}' was to be the error"
    if not re.search(case.expected, errors):
        return f"is refused for another reason than '{case.expected}':\n{errors}"
    return ""


def main(words: list[str]) -> int:
    files, gxx, clang = split_arguments(words)
    cases = [case for file in files for case in cases_of(file, gxx, clang)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        problems = list(pool.map(problem_of, cases))
    for case, problem in zip(cases, problems):
        if problem:
            print(f"{case.file}: case {case.number} {problem}")
    return 1 if any(problems) or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
