#!/usr/bin/env python3
"""Runs the tests and says how it went: host unit tests, Python tests, test programs in QEMU.

A test program prints a line for each case, `ok NAME` or `FAIL NAME: REASON`, and `done N cases` at
the end, and exits with 0 if all is well. It is booted, as the only program of a fresh machine, once
for each number of harts; with --debug-kernel once more on that. The last line is `N passed, N failed`; the exit status is 1 if anything
failed or nothing ran. What failed is shown with the end of its log, at once and before the last line;
build/test-results.json has it all.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parents[1] / "build" / "test-results.json"
LOG_LINES_SHOWN = 60
LOG_LINES_REPEATED = 12
STATUS_TIMEOUT = 124
# kairos_run.py ends a machine in time; this is for the case that it does not end itself.
GRACE_SECONDS = 30
# What runs on this machine is many tests in one: it has so many times as long as a program.
HOST_PATIENCE = 4


@dataclass
class Run:
    """One program, run once."""
    name: str
    passed: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    log: str = ""


def text_of(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")


def run_command(command: list[str], timeout: float) -> tuple[int, str, str]:
    """Exit status (STATUS_TIMEOUT when it took too long), standard output, standard error."""
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as late:
        return STATUS_TIMEOUT, text_of(late.stdout), text_of(late.stderr)
    except OSError as problem:
        return 127, "", f"{command[0]}: {problem.strerror}; does it have to be built?\n"
    return result.returncode, text_of(result.stdout), text_of(result.stderr)


def how_it_ended(status: int) -> str:
    return "did not end in time" if status == STATUS_TIMEOUT else f"ended with status {status}"


def read_cases(output: str, status: int) -> tuple[int, list[str]]:
    """Passed cases and what failed, from a test program's output."""
    passed = len(re.findall(r"^ok .+$", output, re.MULTILINE))
    failures = re.findall(r"^FAIL (.+)$", output, re.MULTILINE)
    done = re.findall(r"^done (\d+) cases$", output, re.MULTILINE)
    if status == STATUS_TIMEOUT:
        failures.append(how_it_ended(status))
    elif not done:
        failures.append(f"ended early, with status {status}")
    elif int(done[-1]) != passed + len(failures):
        failures.append(f"announced {done[-1]} cases, reported {passed + len(failures)}")
    elif status not in (0, 1) or (status == 1 and not failures):
        failures.append(how_it_ended(status))
    elif status == 0 and failures:
        failures.append("ended with status 0 although cases failed")
    elif passed + len(failures) == 0:
        failures.append("has no cases")
    return passed, failures


def longest_quiet(runs: list[Run]) -> str:
    """The longest stretch without interrupts that a kernel which measures it has reported, and where."""
    reports = [(int(found[1]), run.name, found[2]) for run in runs for found in
               re.finditer(r"longest stretch without interrupts: (\d+) instructions, to\n"
                           r"((?: {4}0x[0-9a-f]+ .+\n)*)", run.log)]
    if not reports:
        return ""
    length, name, frames = max(reports)
    return f"longest stretch without interrupts: {length} instructions, in {name}, to\n{frames}"


def run_program(program: Path, harts: int, kernel: Path, options: argparse.Namespace) -> Run:
    run = Run(f"{program.name} on {harts} hart{'s' if harts > 1 else ''}"
              f"{'' if kernel == options.kernel else ', debug kernel'}")
    started = time.monotonic()
    status, output, log = run_command(
        [sys.executable, str(HERE / "kairos_run.py"), "--kernel", str(kernel), "--harts",
         str(harts), "--timeout", str(options.timeout), *(["--icount"] if options.icount else []),
         str(program)],
        options.timeout + GRACE_SECONDS)
    run.passed, run.failures = read_cases(output, status)
    run.seconds = time.monotonic() - started
    run.log = output + log
    return run


def run_host(binary: Path, options: argparse.Namespace) -> Run:
    run = Run(f"{binary.name} on this machine")
    started = time.monotonic()
    status, output, log = run_command([str(binary.resolve())], options.timeout * HOST_PATIENCE)
    counts = re.search(r"test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed", output)
    if counts is not None:
        run.passed = int(counts[1])
        run.failures = [f"{counts[2]} test cases"] * int(counts[2])
    if status != 0 and not run.failures:
        run.failures = [how_it_ended(status)]
    run.seconds = time.monotonic() - started
    run.log = output + log
    return run


def run_python(folder: Path, options: argparse.Namespace) -> Run:
    run = Run(f"{folder} on this machine")
    started = time.monotonic()
    status, output, log = run_command(
        [sys.executable, "-m", "unittest", "discover", "-s", str(folder)],
        options.timeout * HOST_PATIENCE)
    count = re.search(r"^Ran (\d+) test", log, re.MULTILINE)
    failed = sum(int(number) for number in re.findall(r"(?:failures|errors)=(\d+)", log))
    run.passed = max(0, (int(count[1]) if count else 0) - failed)
    run.failures = ["a test case"] * failed
    if status != 0 and not run.failures:
        run.failures = [how_it_ended(status)]
    run.seconds = time.monotonic() - started
    run.log = output + log
    return run


def show(run: Run, done: int, total: int) -> None:
    verdict = "FAILED" if run.failures else "passed"
    print(f"[{done:3}/{total}] {verdict}  {run.passed:4} cases {run.seconds:6.1f} s  {run.name}",
          flush=True)
    if not run.failures:
        return
    for failure in run.failures:
        print(f"    {failure}")
    lines = run.log.splitlines()
    if len(lines) > LOG_LINES_SHOWN:
        print(f"    | ({len(lines) - LOG_LINES_SHOWN} lines before these)")
    for line in lines[-LOG_LINES_SHOWN:]:
        print(f"    | {line}")


def list_failures(runs: list[Run]) -> None:
    """What failed once more, beside the verdict, where somebody looks who has only the end."""
    failed = [run for run in runs if run.failures]
    if failed:
        print("What failed:")
    for run in failed:
        for failure in run.failures:
            print(f"    {run.name}: {failure}")
        for line in run.log.splitlines()[-LOG_LINES_REPEATED:]:
            print(f"    | {line}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--host", type=Path, nargs="*", default=[], help="doctest binaries")
    parser.add_argument("--python", type=Path, nargs="*", default=[], help="folders of unittests")
    parser.add_argument("--programs", type=Path, nargs="*", default=[])
    parser.add_argument("--harts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--debug-kernel", type=Path, help="a second kernel, which checks itself")
    parser.add_argument("--debug-harts", type=int, nargs="+", default=[4])
    parser.add_argument("--icount", action="store_true",
                        help="count instructions (one hart); a kernel that measures says how long it "
                        "kept interrupts off")
    parser.add_argument("--filter", default="", help="only what has this in its name")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="machines at a time")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one program")
    options = parser.parse_args()
    if options.icount:
        options.harts = [1]
    return options


def plan(options: argparse.Namespace) -> list[Callable[[], Run]]:
    """Everything that is to run, once for each repetition."""
    hosts = [binary for binary in options.host if options.filter in binary.name]
    folders = [folder for folder in options.python
               if folder.is_dir() and options.filter in str(folder)]
    programs = [program for program in options.programs if options.filter in program.name]
    once: list[Callable[[], Run]] = []
    once += [partial(run_host, binary, options) for binary in hosts]
    once += [partial(run_python, folder, options) for folder in folders]
    once += [partial(run_program, program, harts, options.kernel, options)
             for program in programs for harts in options.harts]
    if options.debug_kernel is not None:
        once += [partial(run_program, program, harts, options.debug_kernel, options)
                 for program in programs for harts in options.debug_harts]
    return once * options.repeat


def run_all(work: list[Callable[[], Run]], jobs: int) -> list[Run]:
    runs: list[Run] = []
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(task) for task in work]
        try:
            for future in as_completed(futures):
                runs.append(future.result())
                show(runs[-1], len(runs), len(work))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return runs


def main() -> int:
    options = parse()
    try:
        runs = run_all(plan(options), options.jobs)
    except KeyboardInterrupt:
        print("interrupted")
        return 130
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(run) for run in runs], indent=1), encoding="utf-8")
    list_failures(runs)
    passed = sum(run.passed for run in runs)
    failed = sum(len(run.failures) for run in runs)
    if not runs:
        print("There is nothing to run." + (" Does --filter fit?" if options.filter else ""))
    if options.icount:
        print(longest_quiet(runs), end="")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
