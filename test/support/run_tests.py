#!/usr/bin/env python3
"""Runs the tests and says how it went: host unit tests, tests of the tools, test programs in QEMU.

A test program prints a line for each case, `ok NAME` or `FAIL NAME: REASON`, and `done N cases` at
the end, and exits with 0 if all is well. It is booted, as the only program of a fresh machine, once
for each number of harts. The last line is `N passed, N failed`.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = Path("build/test-results.json")
LOG_LINES_SHOWN = 60


@dataclass
class Run:
    """One program, run once."""
    name: str
    passed: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    log: str = ""


def run_command(command: list[str]) -> tuple[int, str, str]:
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, check=False)
    return (result.returncode, result.stdout.decode(errors="replace"),
            result.stderr.decode(errors="replace"))


def read_cases(output: str, status: int) -> tuple[int, list[str]]:
    """Passed cases and what failed, from a test program's output."""
    passed = len(re.findall(r"^ok .+$", output, re.MULTILINE))
    failures = re.findall(r"^FAIL (.+)$", output, re.MULTILINE)
    done = re.findall(r"^done (\d+) cases$", output, re.MULTILINE)
    if status == 124:
        failures.append("did not end in time")
    elif not done:
        failures.append(f"ended early, with status {status}")
    elif int(done[-1]) != passed + len(failures):
        failures.append(f"announced {done[-1]} cases, reported {passed + len(failures)}")
    elif status != 0 and not failures:
        failures.append(f"ended with status {status}")
    return passed, failures


def run_program(program: Path, harts: int, options: argparse.Namespace) -> Run:
    run = Run(f"{program.name} on {harts} hart{'s' if harts > 1 else ''}")
    started = time.monotonic()
    status, output, log = run_command(
        [sys.executable, str(HERE / "kairos_run.py"), "--kernel", str(options.kernel), "--harts",
         str(harts), "--timeout", str(options.timeout), str(program)])
    run.passed, run.failures = read_cases(output, status)
    run.seconds = time.monotonic() - started
    run.log = output + log
    return run


def run_host(binary: Path) -> Run:
    run = Run(f"{binary.name} on this machine")
    started = time.monotonic()
    status, output, log = run_command([str(binary)])
    counts = re.search(r"test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed", output)
    if counts is not None:
        run.passed = int(counts[1])
        run.failures = [f"{counts[2]} test cases"] * int(counts[2])
    if status != 0 and not run.failures:
        run.failures = [f"ended with status {status}"]
    run.seconds = time.monotonic() - started
    run.log = output + log
    return run


def run_python(folder: Path) -> Run:
    run = Run("tests of the tools")
    started = time.monotonic()
    status, output, log = run_command(
        [sys.executable, "-m", "unittest", "discover", "-s", str(folder), "-t", str(folder.parent)])
    count = re.search(r"^Ran (\d+) test", log, re.MULTILINE)
    failed = sum(int(number) for number in re.findall(r"(?:failures|errors)=(\d+)", log))
    run.passed = (int(count[1]) if count else 0) - failed
    run.failures = ["a test of the tools"] * failed
    if status != 0 and not run.failures:
        run.failures = [f"ended with status {status}"]
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


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--host", type=Path, nargs="*", default=[], help="doctest binaries")
    parser.add_argument("--python", type=Path, nargs="*", default=[], help="folders of unittests")
    parser.add_argument("--programs", type=Path, nargs="*", default=[])
    parser.add_argument("--harts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--filter", default="", help="only programs whose name contains this")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="machines at a time")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one program")
    return parser.parse_args()


def main() -> int:
    options = parse()
    work = [lambda binary=binary: run_host(binary) for binary in options.host]
    work += [lambda folder=folder: run_python(folder) for folder in options.python
             if folder.is_dir()]
    work += [lambda program=program, harts=harts: run_program(program, harts, options)
             for _ in range(options.repeat) for program in options.programs
             if options.filter in program.name for harts in options.harts]
    runs: list[Run] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for future in as_completed([pool.submit(task) for task in work]):
            runs.append(future.result())
            show(runs[-1], len(runs), len(work))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(run) for run in runs], indent=1))
    passed = sum(run.passed for run in runs)
    failed = sum(len(run.failures) for run in runs)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
