#!/usr/bin/env python3
"""Boots again and again, on 1, 2, 4 and 8 harts, with a program that ends with status 0; and, given a
boot archive with a shell, to the prompt, where it types `shutdown`. A boot that hangs, ends with
another status or dies is shown with its log. The last line is `N passed, N failed`."""

import argparse
import os
import pty
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from machine import Machine

HARTS = (1, 2, 4, 8)
PROMPT = b"kairos> "
SHOWN = 4000  # characters of a failed boot's log


def boot_program(options: argparse.Namespace, harts: int) -> tuple[int, str]:
    log: list[bytes] = []
    machine = Machine(kernel=options.kernel, harts=harts, timeout=options.timeout)
    status = machine.run(options.program, [], out=log.append, log=log.append)
    return status, b"".join(log).decode(errors="replace")


def boot_shell(options: argparse.Namespace, harts: int) -> tuple[int, str]:
    """Types `shutdown` at the first prompt; the status, 124 if it did not come to that in time."""
    master, slave = pty.openpty()
    command = ["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64", "-bios", "default", "-smp",
               str(harts), "-m", "256", "-nographic", "-no-reboot", "-kernel", str(options.kernel),
               "-initrd", str(options.shell), "-append", "init=init"]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    output, asked = b"", False
    deadline = time.monotonic() + options.timeout
    try:
        while process.poll() is None and time.monotonic() < deadline:
            if not select.select([master], [], [], 0.2)[0]:
                continue
            try:
                output += os.read(master, 65536)
            except OSError:  # the other end is closed: it has ended
                break
            if not asked and PROMPT in output:
                os.write(master, b"shutdown\r")
                asked = True
        try:
            status = process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            status = 124
        return status, output.decode(errors="replace")
    finally:
        process.kill()
        process.wait()
        os.close(master)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200, help="boots for each number of harts")
    parser.add_argument("--timeout", type=float, default=60, help="seconds for one boot")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--shell", type=Path, help="boot archive with init and a shell")
    parser.add_argument("program", type=Path)
    options = parser.parse_args()
    boot = boot_shell if options.shell else boot_program
    passed = failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        boots = {pool.submit(boot, options, harts): harts
                 for _ in range(options.count) for harts in HARTS}
        for future in as_completed(boots):
            status, log = future.result()
            if status == 0:
                passed += 1
            else:
                failed += 1
                print(f"a boot on {boots[future]} harts ended with status {status}:\n{log[-SHOWN:]}")
            if (passed + failed) % 50 == 0:
                print(f"{passed + failed} of {len(boots)} boots, {failed} failed", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
