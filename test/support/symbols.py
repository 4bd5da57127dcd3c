#!/usr/bin/env python3
"""Writes the table of symbol names that the kernel prints backtraces with, as assembly.

    symbols.py [KERNEL-ELF] > symbols.S

Without a kernel the table is empty: for the first of the two links. The layout is described in
src/trace/symbols.cpp.
"""

import re
import subprocess
import sys

LONGEST_ARGUMENTS = 24


def without_brackets(name: str, opening: str, closing: str, longest: int) -> str:
    """Drops outermost brackets whose content is longer than `longest`."""
    result, depth, start = "", 0, 0
    for position, character in enumerate(name):
        if character == opening:
            if depth == 0:
                start = position
            depth += 1
        elif character == closing and depth > 0:
            depth -= 1
            if depth == 0 and position - start - 1 <= longest:
                result += name[start:position + 1]
        elif depth == 0:
            result += character
    return result


def shorten(name: str) -> str:
    name = name.replace("(anonymous namespace)::", "").replace("{lambda", "lambda")
    name = re.sub(r" \[clone [^]]*\]", "", name)
    name = re.sub(r"operator(\(\)|[<>=!+\-*/&|]+)", r"operator_", name)
    name = without_brackets(name, "(", ")", -1)
    name = without_brackets(name, "<", ">", LONGEST_ARGUMENTS)
    name = re.sub(r" const$", "", name)
    return name.rpartition(" ")[2] or name  # a function template's return type stands before


def read_functions(kernel: str) -> list[tuple[int, str]]:
    listing = subprocess.run(["riscv64-linux-gnu-nm", "-C", "--defined-only", kernel], text=True,
                             stdout=subprocess.PIPE, check=True).stdout
    symbols = [line.split(" ", 2) for line in listing.splitlines()]
    address = {name: int(value, 16) for value, _, name in symbols}
    begin, end = address["kernel_text_begin"], address["kernel_text_end"]
    functions: dict[int, str] = {}
    for value, kind, name in symbols:
        offset = int(value, 16) - begin
        if kind in "tTwW" and 0 <= offset < end - begin and not name.startswith((".L", "$")):
            functions.setdefault(offset, shorten(name))
    return sorted(functions.items())


def write_table(functions: list[tuple[int, str]]) -> str:
    names: dict[str, int] = {}
    position = 4 + 8 * len(functions)
    for _, name in functions:
        if name not in names:
            names[name] = position
            position += len(name.encode()) + 1
    lines = ['.section .symbols, "a"', ".balign 8", ".globl kernel_symbol_table",
             "kernel_symbol_table:", f".word {len(functions)}"]
    lines += [f".word {offset}" for offset, _ in functions]
    lines += [f".word {names[name]}" for _, name in functions]
    lines += [f'.asciz "{name}"' for name in names]
    lines += [".globl kernel_symbol_table_end", "kernel_symbol_table_end:"]
    return "\n".join(lines) + "\n"


def main() -> None:
    functions = read_functions(sys.argv[1]) if len(sys.argv) > 1 else []
    sys.stdout.write(write_table(functions))


if __name__ == "__main__":
    main()
