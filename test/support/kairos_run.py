#!/usr/bin/env python3
"""kairos-run: boots the kernel with one program, which has the machine to itself.

Standard output is exactly what the program writes; the firmware's and the kernel's words go to
standard error. The exit status is the program's; 101 after a fault or a kernel panic, 124 when the
time is up, 125 when there is no machine to run on, 2 for a wrong call.
"""

import argparse
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Beside this file in the source tree; in share/ of an SDK.
sys.path[:0] = [str(HERE), str(HERE.parent / "share")]

from machine import Machine  # noqa: E402

KERNELS = (HERE.parent / "share" / "kairos.elf",
           HERE.parents[1] / "build" / "release" / "kernel" / "kairos.elf")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kairos-run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--harts", type=int, default=1, help="how many harts (1)")
    parser.add_argument("--memory", type=int, default=128, metavar="MiB", help="memory (128)")
    parser.add_argument("--timeout", type=float, metavar="S", help="give up after S seconds (never)")
    parser.add_argument("--icount", action="store_true",
                        help="one instruction is one nanosecond; one hart; repeatable")
    parser.add_argument("--file", action="append", default=[], metavar="HOST:NAME",
                        help="adds a file to the boot archive; may be given again")
    parser.add_argument("--kernel", type=Path, help="another kernel")
    parser.add_argument("program", type=Path, metavar="PROGRAM")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS")
    options = parser.parse_args()
    if options.icount and options.harts != 1:
        parser.error("--icount runs one hart")
    if options.harts < 1 or options.memory < 1:
        parser.error("--harts and --memory take at least 1")
    if not options.program.is_file():
        parser.error(f"there is no program {options.program}")
    options.kernel = options.kernel or next((path for path in KERNELS if path.is_file()), None)
    if options.kernel is None:
        parser.error("there is no kernel; `make sdk` builds one")
    return options


def extra_files(words: list[str]) -> dict[str, Path]:
    files = {}
    for word in words:
        host, separator, name = word.rpartition(":")
        if not separator or not host or not name:
            sys.exit(f"kairos-run: --file takes HOST:NAME, not '{word}'")
        files[name] = Path(host)
    return files


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data):]


def main() -> int:
    options = parse()
    machine = Machine(kernel=options.kernel, harts=options.harts, memory=options.memory,
                      timeout=options.timeout, icount=options.icount,
                      files=extra_files(options.file))
    try:
        return machine.run(options.program, options.arguments,
                           out=lambda data: write_all(1, data), log=lambda data: write_all(2, data))
    except (OSError, ValueError) as problem:
        print(f"kairos-run: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
