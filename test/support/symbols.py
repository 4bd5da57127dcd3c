#!/usr/bin/env python3
"""Writes the kernel's table of function names as assembly, to standard output.

symbols.py KERNEL_ELF   the functions between kernel_text_begin and kernel_text_end
symbols.py              an empty table, for the first link

The layout is read by src/trace/symbols.cpp: a count, the functions' offsets from
kernel_text_begin (rising), the offsets of their names from the table, the names. Names that end
alike share their bytes. There is one name per address; a global one is preferred.
"""

import re
import subprocess
import sys
from typing import NamedTuple

NM = "riscv64-linux-gnu-nm"
MAX_TEMPLATE_ARGUMENTS = 24


class Function(NamedTuple):
    offset: int
    name: str


def matching_end(text: str, start: int) -> int:
    """The index after the bracket that closes the one at `start`; the end if none does."""
    opening, closing = text[start], {"(": ")", "<": ">"}[text[start]]
    depth = 0
    for index in range(start, len(text)):
        if text[index] == opening:
            depth += 1
        elif text[index] == closing and text[index - 1] != "-":
            depth -= 1
            if depth == 0:
                return index + 1
    return len(text)


OPERATOR = re.compile(r"\boperator(?:\(\)|<=>|<<=?|>>=?|<=?|>=?|->\*?)")


def without_arguments(name: str) -> str:
    """Cuts parameter lists, and template arguments that are too long to help."""
    result, index = "", 0
    while index < len(name):
        if operator := OPERATOR.match(name, index):
            result += operator.group()
            index = operator.end()
        elif name[index] == "(":
            index = matching_end(name, index)
        elif name[index] == "<":
            end = matching_end(name, index)
            inside = without_arguments(name[index + 1 : end - 1])
            result += f"<{inside}>" if len(inside) <= MAX_TEMPLATE_ARGUMENTS else "<>"
            index = end
        else:
            result += name[index]
            index += 1
    return result


def without_return_type(name: str) -> str:
    """Templates are demangled with their result type: keep what follows the last outer space."""
    if "operator" in name:
        return name
    depth, start = 0, 0
    for index, character in enumerate(name):
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == " " and depth == 0:
            start = index + 1
    return name[start:]


def shortened(name: str) -> str:
    """The name as a person would say it: no parameters, no anonymous namespaces, no clones."""
    name = re.sub(r" \[clone [^]]*\]", "", name).replace("(anonymous namespace)::", "")
    name = re.sub(r" (const|volatile|&|&&)$", "", without_arguments(name))
    name = re.sub(r" (const|volatile)(?=::)", "", name)
    return without_return_type(name)


def read_functions(elf: str) -> list[Function]:
    command = [NM, "-C", "--defined-only", elf]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split(" ", 2) for line in output.splitlines()]
    addresses = {name: int(address, 16) for address, _, name in rows}
    try:
        begin, end = addresses["kernel_text_begin"], addresses["kernel_text_end"]
    except KeyError as missing:
        raise SystemExit(f"symbols.py: {elf} has no symbol {missing}; is it the kernel?")
    best: dict[int, tuple[bool, str]] = {}
    for address, kind, name in rows:
        where = int(address, 16)
        if kind not in "tTwW" or not begin <= where < end or name == "kernel_text_begin":
            continue
        if name.startswith(("$", ".L")):
            continue
        best[where] = min(best.get(where, (True, name)), (kind in "tw", name))
    return [Function(where - begin, shortened(best[where][1])) for where in sorted(best)]


def place_names(names: set[str]) -> tuple[list[str], dict[str, int]]:
    """The strings to write, and where each name begins in them; a name may be another's end."""
    written: list[str] = []
    places: dict[str, int] = {}
    size = 0
    host = ""
    for name in sorted(names, key=lambda each: each[::-1], reverse=True):
        if not host.endswith(name):
            host = name
            written.append(name)
            size += len(name.encode()) + 1
        places[name] = size - 1 - len(name.encode())
    return written, places


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def words(values: list[int]) -> list[str]:
    return [
        "    .word " + ", ".join(map(str, values[first : first + 8]))
        for first in range(0, len(values), 8)
    ]


def assembly(functions: list[Function]) -> str:
    strings, places = place_names({function.name for function in functions})
    names_begin = 4 * (1 + 2 * len(functions))
    lines = [
        '.section .symbols, "a", @progbits',
        ".balign 8",
        ".globl kernel_symbol_table, kernel_symbol_table_end",
        "kernel_symbol_table:",
        f"    .word {len(functions)}",
        *words([function.offset for function in functions]),
        *words([names_begin + places[function.name] for function in functions]),
        *(f"    .asciz {quoted(name)}" for name in strings),
        "kernel_symbol_table_end:",
        '.section .note.GNU-stack, "", @progbits',
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    if len(arguments) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        functions = read_functions(arguments[0]) if arguments else []
    except FileNotFoundError:
        raise SystemExit(f"symbols.py: {NM} is missing; `make` installs it")
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"symbols.py: {error.stderr.strip()}")
    sys.stdout.write(assembly(functions))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
