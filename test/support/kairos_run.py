#!/usr/bin/env python3
"""kairos-run: boots the kernel with one program, which has the machine to itself.

Standard output is exactly what the program writes; the firmware's and the kernel's words go to
standard error. The exit status is the program's; 101 after a fault or a kernel panic, 124 when the
time is up, 125 when there is no machine to run on, 2 for a wrong call.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# In the source tree the modules lie beside this file; in an SDK, in share/ (beside bin/).
SHARE = HERE.parent / "share"
sys.path[:0] = [str(HERE), str(SHARE), str(SHARE / "python")]

from machine import Machine, stopping_on_signals  # noqa: E402

KERNELS = (SHARE / "kairos.elf", HERE.parents[1] / "build" / "release" / "kernel" / "kairos.elf")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kairos-run", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--harts", type=int, default=1, help="how many harts (1)")
    parser.add_argument("--memory", type=int, default=128, metavar="MiB", help="memory (128)")
    parser.add_argument("--timeout", type=float, metavar="S",
                        help="give up after S seconds (never)")
    parser.add_argument("--icount", action="store_true",
                        help="one instruction is one nanosecond; one hart; repeatable")
    parser.add_argument("--seed", type=int, metavar="N",
                        help="what the machine draws at random follows from N (1 with --icount, "
                             "otherwise another each time)")
    parser.add_argument("--file", action="append", default=[], metavar="HOST:NAME",
                        help="adds a file to the boot archive; may be given again")
    parser.add_argument("--kernel", type=Path, help="another kernel")
    # PARSER: a word, and whatever follows it, options and `--` included.
    parser.add_argument("words", nargs=argparse.PARSER, metavar="PROGRAM [ARGS...]",
                        help="the program, and what it is called with")
    return parser


def find_kernel(given: Path | None) -> Path:
    if given is not None:
        if not given.is_file():
            raise ValueError(f"there is no kernel {given}")
        return given
    for path in KERNELS:
        if path.is_file():
            return path
    raise ValueError("there is no kernel; `make sdk` builds one")


def find_files(words: list[str]) -> dict[str, Path]:
    """What --file names: HOST:NAME, where HOST may have colons."""
    files: dict[str, Path] = {}
    for word in words:
        host, _, name = word.rpartition(":")
        if not host or not name:
            raise ValueError(f"--file takes HOST:NAME, not '{word}'")
        if name in files:
            raise ValueError(f"two files are named '{name}'")
        files[name] = Path(host)
    return files


def read_command(words: list[str]) -> tuple[Machine, Path, list[str]]:
    """The machine, the program and its arguments; a wrong call ends here, with a reason."""
    parser = make_parser()
    options = parser.parse_args(words)
    program, *arguments = options.words[1:] if options.words[0] == "--" else options.words
    try:
        if options.harts < 1 or options.memory < 1:
            raise ValueError("--harts and --memory take at least 1")
        if options.timeout is not None and not options.timeout > 0:
            raise ValueError("--timeout takes more than 0 seconds")
        if options.icount and options.harts > 1:
            raise ValueError("--icount runs one hart; leave --harts out")
        if options.seed is not None and not 0 <= options.seed < 1 << 32:
            raise ValueError("--seed takes 0 to 2^32 - 1")
        if not Path(program).is_file():
            raise ValueError(f"there is no program {program}")
        machine = Machine(kernel=find_kernel(options.kernel), harts=options.harts,
                          memory=options.memory, timeout=options.timeout, icount=options.icount,
                          seed=1 if options.icount and options.seed is None else options.seed,
                          files=find_files(options.file))
    except ValueError as problem:
        parser.error(str(problem))
    return machine, Path(program), arguments


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data):]


def main() -> int:
    machine, program, arguments = read_command(sys.argv[1:])
    try:
        with stopping_on_signals():
            return machine.run(program, arguments, out=lambda data: write_all(1, data),
                               log=lambda data: write_all(2, data))
    except BrokenPipeError:  # whoever read our output has seen enough
        return 128 + signal.SIGPIPE
    except (OSError, ValueError) as problem:
        print(f"kairos-run: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
