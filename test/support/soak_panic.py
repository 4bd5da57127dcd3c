#!/usr/bin/env python3
"""Makes a debug kernel panic at random points while a program runs, many times, and reads each
report (dump.py). Prints one line for each report that is not whole, and a count at the end.

soak_panic.py --kernel KERNEL [--count N] [--seed S] [--harts N...] PROGRAM [ARGS...]
"""

import argparse
import random
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import dump  # noqa: E402
from machine import STATUS_FAULT, Machine, stopping_on_signals  # noqa: E402

MOST_LOCKS = 100_000  # what a test program takes until it ends, about


def run_once(options: argparse.Namespace, harts: int, injection: str) -> tuple[str, dump.Dump | None]:
    """What is wrong with the report, or nothing; and the report."""
    log = bytearray()
    machine = Machine(kernel=options.kernel, harts=harts, timeout=options.timeout,
                      options=[f"inject={injection}"])
    status = machine.run(options.program, options.arguments, out=lambda _: None, log=log.extend)
    found = dump.parse(log.decode(errors="replace"))
    if found is None:
        if status == 0:
            return "ended", None  # before the point came
        return f"no report, status {status}:\n{log.decode(errors='replace')[-2000:]}", None
    problems = found.problems()
    if status != STATUS_FAULT:
        problems.append(f"status {status}")
    return "; ".join(problems), found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--harts", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("program", type=Path)
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    places: Counter[str] = Counter()
    failed = ended = 0
    with stopping_on_signals():
        for number in range(options.count):
            harts = options.harts[number % len(options.harts)]
            injection = f"{chance.choice(['panic', 'fault'])}@{chance.randint(1, MOST_LOCKS)}"
            problem, found = run_once(options, harts, injection)
            if problem == "ended":
                ended += 1
            elif problem:
                failed += 1
                print(f"{injection} on {harts} harts: {problem}", flush=True)
            if found is not None and found.harts:
                names = [frame.symbol for frame in found.harts[0].frames if frame.symbol]
                places[next((name for name in names if not name.startswith(
                    ("panic", "injection", "note_lock", "store_to", "check", "SpinLock", "LockGuard"))),
                    "?")] += 1
    passed = options.count - failed - ended
    print("\n".join(f"{times:5} {place}" for place, times in places.most_common()))
    print(f"{passed} reports from {len(places)} places; {ended} runs ended before their point")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
