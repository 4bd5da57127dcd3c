"""A machine to run one program on: QEMU with the kernel, and the two streams of its serial line.

On a framed console (kernel option console=framed) the byte DLE separates what programs write from
the kernel's log: DLE 'K' begins the log, DLE 'U' ends it, DLE DLE is a DLE that a program wrote.
Before the first DLE 'K' it is the firmware that speaks.

No emulator outlives the command that started it: `stopping_on_signals` ends them all on the signals
that can be caught, and the system ends them when this process dies of one that cannot.
"""

import ctypes
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import archive

EMULATOR = "qemu-system-riscv64"
DLE = 0x10
STATUS_FAULT = 101
STATUS_TIMEOUT = 124
STATUS_NO_MACHINE = 125

Sink = Callable[[bytes], None]


class Demultiplexer:
    """Separates a framed stream, in pieces of any size."""

    def __init__(self, program: Sink, log: Sink) -> None:
        self._program = program
        self._log = log
        self._to = log  # the firmware's banner
        self._escaped = False
        self.kernel_spoke = False

    def feed(self, data: bytes) -> None:
        while data:
            if self._escaped:
                self._mark(data[0])
                data = data[1:]
                continue
            text, escape, data = data.partition(bytes([DLE]))
            self._escaped = bool(escape)
            if text:
                self._to(text)

    def _mark(self, byte: int) -> None:
        self._escaped = False
        if byte == ord("K"):
            self._to, self.kernel_spoke = self._log, True
        elif byte == ord("U") and self.kernel_spoke:
            self._to = self._program
        elif byte == DLE:
            self._to(bytes([DLE]))
        else:
            self._to(bytes([DLE, byte]))  # no mark of ours: it stays as it came


def encode_word(word: str) -> str:
    """A word of the kernel's command line: every byte that is not plain is percent-encoded."""
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E and byte != ord("%") else f"%{byte:02x}"
                   for byte in os.fsencode(word))


def command_line(program: str, arguments: list[str], options: list[str] | None = None) -> str:
    words = [f"init={encode_word(program)}", "console=framed", *(options or []), "--"]
    # An empty argument would vanish between two spaces.
    return " ".join(words + [encode_word(word) or "%" for word in arguments])


# ---- Emulators end with us ---------------------------------------------------------------------
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl

# What a signal handler touches needs no lock: each use is one operation of the interpreter.
_running: set[subprocess.Popen[bytes]] = set()
_stopped = False


def _die_with_parent() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _stop(number: int, _: FrameType | None) -> None:
    global _stopped
    _stopped = True  # before the kills: an emulator that starts meanwhile sees it in `emulator`
    for process in list(_running):
        process.kill()
    raise SystemExit(128 + number)


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """For the main thread of a command: a signal that ends it ends all its emulators first."""
    before = {number: signal.signal(number, _stop) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def signals_held() -> Iterator[None]:
    """For the main thread where it must not be torn away: a signal comes when the block is left."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def emulator(command: list[str], stdin: int = subprocess.DEVNULL, stdout: int = subprocess.PIPE,
             stderr: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
    """A running emulator, which is gone when the block is left. OSError when it cannot start."""
    # In a session of its own: a terminal's Ctrl-C comes to us alone, and we decide.
    process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=0,
                               start_new_session=True, preexec_fn=_die_with_parent)
    try:
        _running.add(process)
        if _stopped:
            process.kill()
        yield process
    finally:
        process.kill()
        process.wait()
        _running.discard(process)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


# ---- The machine -------------------------------------------------------------------------------
def exit_status(emulator_status: int, kernel_spoke: bool) -> tuple[int, str]:
    """The status of a run whose emulator has ended, and a complaint if it was no run at all."""
    if emulator_status < 0:
        return STATUS_NO_MACHINE, f"{EMULATOR} was ended by signal {-emulator_status}"
    # A kernel that panics before its first word is heard by its status only.
    if not kernel_spoke and emulator_status != STATUS_FAULT:
        return STATUS_NO_MACHINE, (f"{EMULATOR} ended with status {emulator_status} before the "
                                   "kernel said a word; is this a kernel, and is there memory "
                                   "enough for it?")
    return emulator_status, ""


@dataclass
class Machine:
    kernel: Path
    harts: int = 1
    memory: int = 128          # MiB
    timeout: float | None = None
    icount: bool = False
    seed: int | None = None    # of what the machine draws at random; None: another each time
    options: list[str] = field(default_factory=list)      # further ones of the kernel
    files: dict[str, Path] = field(default_factory=dict)  # of the boot archive, besides the program

    def run(self, program: Path, arguments: list[str], out: Sink, log: Sink) -> int:
        """Boots with `program` as the only one; its exit status, or one of STATUS_*.

        OSError when a file cannot be read, ValueError when it cannot be named in the archive.
        """
        if program.name in self.files:
            raise ValueError(f"the program and another file are both named '{program.name}'")
        contents = {name: path.read_bytes() for name, path in self.files.items()}
        contents[program.name] = program.read_bytes()
        with tempfile.TemporaryDirectory(prefix="kairos-") as folder:
            image = Path(folder) / "archive.img"
            image.write_bytes(archive.build(contents))
            return self._run_emulator(self._command(image, command_line(program.name, arguments,
                                                                  self.options)),
                                      out, log)

    def _command(self, image: Path, append: str) -> list[str]:
        return [EMULATOR, "-M", "virt", "-cpu", "rv64", "-bios", "default", "-smp",
                str(self.harts), "-m", str(self.memory), "-nic", "none", "-display", "none",
                "-monitor", "none", "-serial", "stdio", "-no-reboot", "-kernel", str(self.kernel),
                "-initrd", str(image), "-append", append,
                *(["-icount", "shift=0"] if self.icount else []),
                *(["-seed", str(self.seed)] if self.seed is not None else [])]

    def _run_emulator(self, command: list[str], out: Sink, log: Sink) -> int:
        def complain(problem: str) -> None:
            log(f"\nkairos-run: {problem}\n".encode())

        streams = Demultiplexer(out, log)
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        try:
            with emulator(command) as process:
                if not self._watch(process, deadline, streams.feed, log):
                    complain(f"no end after {self.timeout:g} seconds")
                    return STATUS_TIMEOUT
                status, problem = exit_status(process.wait(), streams.kernel_spoke)
        except (FileNotFoundError, PermissionError) as missing:
            status = STATUS_NO_MACHINE
            problem = f"cannot start {EMULATOR} ({missing.strerror}); install QEMU for RISC-V"
        if problem:
            complain(problem)
        return status

    @staticmethod
    def _watch(process: subprocess.Popen[bytes], deadline: float | None, serial: Sink,
               log: Sink) -> bool:
        """Passes on what the emulator writes, as it comes, until it ends; false if time is up."""
        assert process.stdout is not None and process.stderr is not None
        feeds = {process.stdout.fileno(): serial, process.stderr.fileno(): log}
        while feeds:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready = select.select(list(feeds), [], [], left)[0]
            for descriptor in ready:
                data = os.read(descriptor, 65536)
                if data:
                    feeds[descriptor](data)
                else:
                    del feeds[descriptor]
            if feeds and deadline is not None and time.monotonic() >= deadline:
                return False
        return True
