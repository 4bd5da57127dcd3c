#!/usr/bin/env python3
"""Boots again and again, on 1, 2, 4 and 8 harts, with a program that ends with status 0; or, given
a boot archive with a shell, to the prompt, where it types `shutdown`. A boot that hangs or ends
with another status is shown with its log. The last line is `N passed, N failed`."""

import argparse
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from machine import EMULATOR, STATUS_TIMEOUT, Machine, emulator, signals_held, stopping_on_signals

HARTS = (1, 2, 4, 8)
PROMPT = b"kairos> "
PROGRESS = 50  # boots between two lines of progress

Boot = Callable[[argparse.Namespace, int], tuple[int, str]]


def boot_program(options: argparse.Namespace, harts: int) -> tuple[int, str]:
    log: list[bytes] = []
    machine = Machine(kernel=options.kernel, harts=harts, timeout=options.timeout)
    status = machine.run(options.program, [], out=log.append, log=log.append)
    return status, b"".join(log).decode(errors="replace")


def type_shutdown(terminal: int, process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Answers the first prompt with `shutdown`; all that was said until the end or the deadline."""
    output, asked = b"", False
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            output += os.read(terminal, 65536)
        except OSError:  # the other end is closed: it has ended
            break
        if not asked and PROMPT in output:
            os.write(terminal, b"shutdown\r")
            asked = True
    return output


def boot_shell(options: argparse.Namespace, harts: int) -> tuple[int, str]:
    command = [EMULATOR, "-M", "virt", "-cpu", "rv64", "-bios", "default", "-smp", str(harts), "-m",
               "256", "-nographic", "-no-reboot", "-kernel", str(options.kernel), "-initrd",
               str(options.shell), "-append", "init=init"]
    terminal, emulators_end = pty.openpty()
    try:
        with emulator(command, emulators_end, emulators_end, emulators_end) as process:
            os.close(emulators_end)
            output = type_shutdown(terminal, process, time.monotonic() + options.timeout)
            try:
                status = process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                status = STATUS_TIMEOUT
        return status, output.decode(errors="replace")
    finally:
        os.close(terminal)


def report(harts: int, status: int, log: str) -> None:
    how = "hung" if status == STATUS_TIMEOUT else f"ended with status {status}"
    print(f"a boot on {harts} hart{'s' if harts > 1 else ''} {how}:\n{log.rstrip()}\n", flush=True)


def soak(boot: Boot, options: argparse.Namespace) -> tuple[int, int]:
    """How many boots passed and failed."""
    passed = failed = 0
    pool = ThreadPoolExecutor(options.jobs)
    try:
        # Torn away from inside, the pool would be left with a lock taken.
        with signals_held():
            boots = {pool.submit(boot, options, harts): harts
                     for _ in range(options.count) for harts in HARTS}
        total = len(boots)
        for future in as_completed(boots):
            harts = boots.pop(future)  # with its log: thousands of them are not kept
            status, log = future.result()
            if status == 0:
                passed += 1
            else:
                failed += 1
                report(harts, status, log)
            if (passed + failed) % PROGRESS == 0:
                print(f"{passed + failed} of {total} boots, {failed} failed", flush=True)
    finally:
        # After a signal this is what keeps the rest from being booted before we may go.
        with signals_held():
            pool.shutdown(cancel_futures=True)
    return passed, failed


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200, help="boots for each number of harts")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for one boot")
    parser.add_argument("--jobs", type=int, default=2, help="machines at a time")
    parser.add_argument("--shell", type=Path, help="boot archive with init and a shell")
    parser.add_argument("program", type=Path)
    return parser.parse_args()


def main() -> int:
    options = parse()
    try:
        with stopping_on_signals():
            passed, failed = soak(boot_shell if options.shell else boot_program, options)
    except OSError as problem:
        sys.exit(f"soak_boot.py: {problem}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
