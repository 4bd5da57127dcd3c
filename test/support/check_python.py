#!/usr/bin/env python3
"""Sees that Python files parse, without writing anything: check_python.py FILE..."""

import sys
from pathlib import Path


def main(names: list[str]) -> int:
    broken = 0
    for name in names:
        try:
            compile(Path(name).read_bytes(), name, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError) as problem:
            print(f"{name}: {problem}", file=sys.stderr)
            broken += 1
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
