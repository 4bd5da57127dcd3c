"""kairos-run as it is called, with a stand-in for the emulator: streams, statuses, no orphans."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

SUPPORT = Path(__file__).resolve().parents[1]
BOOTED = r"printf 'firmware\n\020Klog\n\020U'"
PATIENCE = 20.0  # seconds


def is_alive(process: int) -> bool:
    try:
        # A dead process that nobody has waited for is dead all the same.
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class StandIn(unittest.TestCase):
    """A folder with an emulator made of shell commands, a kernel and a program."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.kernel = self.folder / "kernel"
        self.program = self.folder / "program"
        self.kernel.write_bytes(b"kernel")
        self.program.write_bytes(b"program")
        self.command = [sys.executable, str(SUPPORT / "kairos_run.py"), "--kernel",
                        str(self.kernel)]
        self.environment = dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}")

    def emulate(self, script: str) -> None:
        emulator = self.folder / "qemu-system-riscv64"
        emulator.write_text(f"#!/bin/sh\necho $$ > {self.folder}/pid\n"
                            f"printf '%s\\n' \"$@\" > {self.folder}/words\n{script}\n")
        emulator.chmod(0o755)

    def call(self, *words: str, program: bool = True) -> subprocess.CompletedProcess[bytes]:
        tail = [str(self.program)] if program else []
        return subprocess.run([*self.command, *words, *tail], capture_output=True, check=False,
                              env=self.environment, timeout=PATIENCE)

    def emulator_words(self) -> list[str]:
        return (self.folder / "words").read_text().splitlines()

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def emulator_id(self) -> int:
        path = self.folder / "pid"
        self.wait_for(lambda: path.is_file() and path.read_text().strip(), "no emulator started")
        return int(path.read_text())


class Results(StandIn):
    def test_streams_and_status(self) -> None:
        self.emulate(BOOTED + r"; printf 'a\020\020b\377'; echo warning >&2; exit 7")
        result = self.call()
        self.assertEqual((result.returncode, result.stdout), (7, b"a\x10b\xff"))
        self.assertIn(b"firmware\nlog\n", result.stderr)
        self.assertIn(b"warning\n", result.stderr)

    def test_fault(self) -> None:
        self.emulate(BOOTED + "; exit 101")
        self.assertEqual(self.call().returncode, 101)

    def test_timeout(self) -> None:
        self.emulate(BOOTED + "; printf early; exec sleep 60")
        result = self.call("--timeout", "0.5")
        self.assertEqual((result.returncode, result.stdout), (124, b"early"))
        self.assertIn(b"no end after 0.5 seconds", result.stderr)
        self.assertFalse(is_alive(self.emulator_id()))

    def test_emulator_refuses(self) -> None:
        self.emulate("echo no memory >&2; exit 1")
        result = self.call()
        self.assertEqual((result.returncode, result.stdout), (125, b""))
        self.assertIn(b"no memory\n", result.stderr)
        self.assertIn(b"ended with status 1 before the kernel said a word", result.stderr)

    def test_no_emulator(self) -> None:
        self.environment["PATH"] = str(self.folder)
        result = self.call()
        self.assertEqual(result.returncode, 125)
        self.assertIn(b"install QEMU", result.stderr)

    def test_output_comes_as_it_is_written(self) -> None:
        self.emulate(BOOTED + "; printf now; exec sleep 60")
        with subprocess.Popen([*self.command, str(self.program)], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=self.environment) as process:
            assert process.stdout is not None
            self.assertEqual(process.stdout.read(3), b"now")
            process.terminate()


class Calls(StandIn):
    def setUp(self) -> None:
        super().setUp()
        self.emulate(BOOTED)

    def last_append(self) -> str:
        words = self.emulator_words()
        return words[words.index("-append") + 1]

    def test_arguments_are_the_programs(self) -> None:
        result = self.call(str(self.program), "--harts", "2", "--", "a b", "", program=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.last_append(),
                         "init=program console=framed -- --harts 2 -- a%20b %")

    def test_two_dashes_before_the_program(self) -> None:
        self.assertEqual(self.call("--", str(self.program), "-x", program=False).returncode, 0)
        self.assertEqual(self.last_append(), "init=program console=framed -- -x")

    def test_the_machine(self) -> None:
        self.assertEqual(self.call("--harts", "4", "--memory", "64").returncode, 0)
        words = self.emulator_words()
        pairs = list(zip(words, words[1:]))
        for pair in (("-smp", "4"), ("-m", "64"), ("-nic", "none"), ("-serial", "stdio"),
                     ("-kernel", str(self.kernel))):
            self.assertIn(pair, pairs)
        self.assertNotIn("-icount", words)

    def test_icount(self) -> None:
        self.assertEqual(self.call("--icount").returncode, 0)
        words = self.emulator_words()
        self.assertIn(("-icount", "shift=0"), list(zip(words, words[1:])))
        self.assertIn(("-seed", "1"), list(zip(words, words[1:])))

    def test_seed(self) -> None:
        self.assertEqual(self.call().returncode, 0)
        self.assertNotIn("-seed", self.emulator_words())
        self.assertEqual(self.call("--icount", "--seed", "7").returncode, 0)
        words = self.emulator_words()
        self.assertIn(("-seed", "7"), list(zip(words, words[1:])))
        self.assertEqual(self.call("--seed", "-1").returncode, 2)

    def test_files(self) -> None:
        self.emulate(f"{BOOTED}; while [ $# -gt 0 ]; do "
                     "[ $1 = -initrd ] && cp $2 ${0%/*}/archive; shift; done")
        odd = self.folder / "o:dd"
        odd.write_bytes(b"contents of odd")
        self.assertEqual(self.call("--file", f"{odd}:etc/odd").returncode, 0)
        image = (self.folder / "archive").read_bytes()
        for part in (b"etc/odd\0", b"contents of odd", b"program\0"):
            self.assertIn(part, image)

    def test_wrong_calls(self) -> None:
        kernel = str(self.kernel)
        for words, reason in ((("--icount", "--harts", "2"), b"one hart"),
                              (("--harts", "0"), b"at least 1"),
                              (("--timeout", "0"), b"more than 0"),
                              (("--kernel", "/none"), b"no kernel"),
                              (("--file", "x"), b"HOST:NAME"),
                              (("--file", f"{kernel}:a", "--file", f"{kernel}:a"), b"two files"),
                              (("--file", f"{kernel}:program"), b"both named"),
                              (("--file", f"{kernel}:/a"), b"leading slash"),
                              (("--file", "/none:a"), b"No such file"),
                              (("/none",), b"no program"),
                              (("--hart", "2"), b"--hart")):
            result = self.call(*words)
            self.assertEqual((result.returncode, result.stdout), (2, b""), words)
            self.assertIn(reason, result.stderr)
            self.assertNotIn(b"Traceback", result.stderr)

    def test_installed(self) -> None:
        for modules in ("share", "share/python"):
            sdk = self.folder / modules.replace("/", "-")
            (sdk / "bin").mkdir(parents=True)
            (sdk / modules).mkdir(parents=True)
            shutil.copy(SUPPORT / "kairos_run.py", sdk / "bin" / "kairos-run")
            for name in ("machine.py", "archive.py"):
                shutil.copy(SUPPORT / name, sdk / modules)
            shutil.copy(self.kernel, sdk / "share" / "kairos.elf")
            self.command = [sys.executable, str(sdk / "bin" / "kairos-run")]
            result = self.call()
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(str(sdk / "share" / "kairos.elf"), self.emulator_words())


class Orphans(StandIn):
    def end_by(self, number: int) -> int:
        """The status of a run that a signal ends while the machine is busy."""
        self.emulate(BOOTED + "; printf x; exec sleep 60")
        with subprocess.Popen([*self.command, str(self.program)], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=self.environment) as process:
            assert process.stdout is not None
            process.stdout.read(1)
            process.send_signal(number)
            status = process.wait(PATIENCE)
        emulator = self.emulator_id()
        self.wait_for(lambda: not is_alive(emulator), "the emulator goes on")
        return status

    def test_none_after_an_interrupt(self) -> None:
        self.assertEqual(self.end_by(signal.SIGINT), 128 + signal.SIGINT)

    def test_none_after_a_termination(self) -> None:
        self.assertEqual(self.end_by(signal.SIGTERM), 128 + signal.SIGTERM)

    def test_none_after_a_hangup(self) -> None:
        self.assertEqual(self.end_by(signal.SIGHUP), 128 + signal.SIGHUP)

    def test_none_after_a_kill(self) -> None:
        self.assertEqual(self.end_by(signal.SIGKILL), -signal.SIGKILL)

    def test_none_when_nobody_reads(self) -> None:
        self.emulate(BOOTED + "; while :; do printf 'line\\n'; done")
        with subprocess.Popen([*self.command, str(self.program)], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env=self.environment) as process:
            assert process.stdout is not None
            process.stdout.read(1)
            process.stdout.close()
            self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGPIPE)
        self.assertFalse(is_alive(self.emulator_id()))


class Soak(StandIn):
    def call_soak(self, count: int) -> list[str]:
        return [sys.executable, str(SUPPORT / "soak_boot.py"), "--kernel", str(self.kernel),
                "--timeout", "0.5", "--count", str(count), str(self.program)]

    def run_soak(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.call_soak(1), capture_output=True, text=True, check=False,
                              env=self.environment, timeout=PATIENCE)

    def test_all_pass(self) -> None:
        self.emulate(BOOTED)
        result = self.run_soak()
        self.assertEqual((result.returncode, result.stdout), (0, "4 passed, 0 failed\n"))

    def test_shows_what_failed(self) -> None:
        self.emulate(f"{BOOTED}; case \" $* \" in *' -smp 2 '*) printf boom; exit 3;; "
                     "*' -smp 8 '*) exec sleep 60;; esac")
        result = self.run_soak()
        self.assertEqual(result.returncode, 1)
        self.assertIn("on 2 harts ended with status 3:\nfirmware\nlog\nboom\n", result.stdout)
        self.assertIn("on 8 harts hung:\n", result.stdout)
        self.assertTrue(result.stdout.endswith("\n2 passed, 2 failed\n"))

    def test_an_interrupt_ends_it_at_once(self) -> None:
        self.emulate(f"echo $$ >> {self.folder}/all; {BOOTED}; exec sleep 60")
        command = self.call_soak(1000)
        command[command.index("0.5")] = "1000"
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=self.environment) as process:
            started = self.folder / "all"
            self.wait_for(lambda: started.is_file() and started.read_text().count("\n") == 2,
                          "no two machines started")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGINT)
        for emulator in started.read_text().split():
            self.assertFalse(is_alive(int(emulator)))


if __name__ == "__main__":
    unittest.main()
