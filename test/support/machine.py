"""A machine to run one program on: QEMU with the kernel, and the two streams of its serial line.

On a framed console (kernel option console=framed) the byte DLE separates what programs write from
the kernel's log: DLE 'K' begins the log, DLE 'U' ends it, DLE DLE is a DLE that a program wrote.
Before the first DLE 'K' it is the firmware that speaks.
"""

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import archive

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

    def feed(self, data: bytes) -> None:
        start = 0
        for position, byte in enumerate(data):
            if self._escaped:
                self._escaped = False
                start = position + 1
                if byte == ord("K"):
                    self._to = self._log
                elif byte == ord("U"):
                    self._to = self._program
                else:
                    start = position  # a doubled DLE, or one that frames nothing
            elif byte == DLE:
                self._emit(data[start:position])
                start = position + 1
                self._escaped = True
        self._emit(data[start:])

    def _emit(self, data: bytes) -> None:
        if data:
            self._to(data)


def encode_word(word: str) -> str:
    """A word of the kernel's command line: every byte that is not plain is percent-encoded."""
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E and byte != ord("%") else f"%{byte:02x}"
                   for byte in os.fsencode(word))


def command_line(program: str, arguments: list[str]) -> str:
    words = [f"init={encode_word(program)}", "console=framed", "--"]
    # An empty argument would vanish between two spaces.
    return " ".join(words + [encode_word(word) or "%" for word in arguments])


@dataclass
class Machine:
    kernel: Path
    harts: int = 1
    memory: int = 128          # MiB
    timeout: float | None = None
    icount: bool = False
    files: dict[str, Path] = field(default_factory=dict)  # of the boot archive, besides the program

    def run(self, program: Path, arguments: list[str], out: Sink, log: Sink) -> int:
        """Boots with `program` as the only one; its exit status, or one of STATUS_*."""
        contents = {name: path.read_bytes() for name, path in self.files.items()}
        contents[program.name] = program.read_bytes()
        with tempfile.TemporaryDirectory(prefix="kairos-") as folder:
            image = Path(folder) / "archive.img"
            image.write_bytes(archive.build(contents))
            return self._run_qemu(image, command_line(program.name, arguments), out, log)

    def _command(self, image: Path, append: str) -> list[str]:
        return ["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64", "-bios", "default",
                "-smp", str(self.harts), "-m", str(self.memory), "-display", "none",
                "-monitor", "none", "-serial", "stdio", "-no-reboot", "-kernel", str(self.kernel),
                "-initrd", str(image), "-append", append,
                *(["-icount", "shift=0"] if self.icount else [])]

    def _run_qemu(self, image: Path, append: str, out: Sink, log: Sink) -> int:
        try:
            process = subprocess.Popen(self._command(image, append), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       start_new_session=True)
        except OSError as problem:
            log(f"cannot start the emulator: {problem}\n".encode())
            return STATUS_NO_MACHINE
        try:
            with _StopSignals(process):
                return self._watch(process, Demultiplexer(out, log), log)
        finally:
            process.kill()
            process.wait()

    def _watch(self, process: subprocess.Popen, streams: Demultiplexer, log: Sink) -> int:
        assert process.stdout is not None and process.stderr is not None
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        feeds = {process.stdout.fileno(): streams.feed, process.stderr.fileno(): log}
        while feeds:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                log(f"\nkairos-run: no end after {self.timeout:g} seconds\n".encode())
                return STATUS_TIMEOUT
            for descriptor in select.select(list(feeds), [], [], left)[0]:
                data = os.read(descriptor, 65536)
                if data:
                    feeds[descriptor](data)
                else:
                    del feeds[descriptor]
        status = process.wait()
        # Killed by a signal: it was not the program that ended.
        return status if status >= 0 else STATUS_NO_MACHINE


class _StopSignals:
    """While the emulator runs, a signal that ends this command ends the emulator first."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process
        self._before: dict[int, object] = {}

    def __enter__(self) -> None:
        try:
            for number in self.SIGNALS:
                self._before[number] = signal.signal(number, self._stop)
        except ValueError:
            pass  # not the main thread: whoever is takes care

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _stop(self, number: int, _: object) -> None:
        self._process.kill()
        raise SystemExit(128 + number)
