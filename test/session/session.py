"""A person at the machine: boots Kairos to its shell in QEMU, types, and reads what comes back.

The build to boot is the folder in KAIROS_BUILD (build/release unless set); it needs the kernel and
the boot archive (make kernel programs, or make qemu once).
"""

import os
import re
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/support"))

import archive  # noqa: E402

BUILD = ROOT / os.environ.get("KAIROS_BUILD", "build/release")
PROMPT = "kairos> "
PATIENCE = 30.0  # seconds for anything that is expected; only a hang takes that long


class Unexpected(AssertionError):
    """Something else came, or nothing at all; shows the end of what was on the screen."""


def archive_files(image: bytes) -> dict[str, bytes]:
    """The files of a boot archive, by name."""
    count = archive.HEADER.unpack_from(image)[1]
    files = {}
    for index in range(count):
        place = archive.HEADER.size + index * archive.ENTRY.size
        name, offset, size = archive.ENTRY.unpack_from(image, place)
        files[name.rstrip(b"\0").decode()] = image[offset:offset + size]
    return files


def compile_program(source: str) -> bytes:
    """A program from this folder."""
    with tempfile.TemporaryDirectory(prefix="kairos-session-") as folder:
        out = Path(folder) / "program"
        subprocess.run([ROOT / "build/sdk/bin/kairos-c++", "-O2", "-s", f"-I{ROOT / 'user'}",
                        ROOT / "test/session" / source, "-o", out], check=True)
        return out.read_bytes()


class Session:
    """One boot. To be used with `with`: the machine is gone afterwards."""

    def __init__(self, harts: int = 2, files: dict[str, bytes] | None = None,
                 debugged: bool = False) -> None:
        image_file = BUILD / "archive.img"
        if not image_file.exists():
            raise Unexpected(f"{image_file} is missing: run `make qemu` once, it builds everything")
        self._folder = tempfile.TemporaryDirectory(prefix="kairos-session-")
        image = Path(self._folder.name) / "archive.img"
        image.write_bytes(archive.build(archive_files(image_file.read_bytes()) | (files or {})))
        self.gdb_socket = Path(self._folder.name) / "gdb"  # if it is debugged
        debugger = ["-chardev", f"socket,path={self.gdb_socket},server=on,wait=off,id=gdb",
                    "-gdb", "chardev:gdb"] if debugged else []
        self._process = subprocess.Popen(
            ["qemu-system-riscv64", "-M", "virt", "-cpu", "rv64", "-smp", str(harts), "-m", "128",
             "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
             "-bios", "default", "-kernel", str(BUILD / "kernel/kairos.elf"),
             "-initrd", str(image), "-append", "init=init", *debugger],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._screen = b""
        self._read = 0  # how much of the screen has been expected

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def type(self, keys: str) -> None:
        """Presses keys; "\\r" is Enter."""
        assert self._process.stdin is not None
        self._process.stdin.write(keys.encode())
        self._process.stdin.flush()

    def expect(self, text: str) -> str:
        """Waits until `text` appears; what came before it since the last time."""
        deadline = time.monotonic() + PATIENCE
        wanted = text.encode()
        while (found := self._screen.find(wanted, self._read)) < 0:
            if not self._receive(deadline - time.monotonic()):
                tail = self._screen[-2000:].decode(errors="replace")
                raise Unexpected(f"waited for {text!r}; the screen ends with:\n{tail}")
        before = self._screen[self._read:found].decode(errors="replace")
        self._read = found + len(wanted)
        return before.replace("\r\n", "\n")

    def run(self, command: str) -> str:
        """At a prompt, types a command; what it prints until the next prompt."""
        self.type(command + "\r")
        self.expect(command + "\r\n")
        return self.expect(PROMPT).removesuffix("\r")

    def process_id(self, name: str) -> int:
        """The id of the running process called `name`."""
        listing = self.run("ps")
        found = re.search(rf"^ *(\d+)  running .* {re.escape(name)}$", listing, re.MULTILINE)
        if not found:
            raise Unexpected(f"no process called {name} in:\n{listing}")
        return int(found[1])

    def kill(self, name: str) -> None:
        """Kills the process called `name`, and waits until init and the shell have said so. init
        does not write through the console, so its line and what else there is to see then may be
        mixed, character by character."""
        command = f"kill {self.process_id(name)}"
        self.type(command + "\r")
        wanted = (command, PROMPT, f"init: {name} ended with code 137; it ")
        deadline = time.monotonic() + PATIENCE
        while not self._has_mixed(wanted, lines=2):
            if not self._receive(deadline - time.monotonic()):
                raise Unexpected(f"waited for {wanted}; the screen ends with:\n"
                                 + self._screen[-2000:].decode(errors="replace"))
        self._read = len(self._screen)

    def _has_mixed(self, texts: tuple[str, ...], lines: int) -> bool:
        """Whether each of the texts is there, whatever stands between its characters."""
        unread = self._screen[self._read:].decode(errors="replace")

        def is_there(text: str) -> bool:
            rest = iter(unread)
            return all(character in rest for character in text)

        return unread.count("\n") >= lines and all(is_there(text) for text in texts)

    def finish(self) -> tuple[str, int]:
        """Waits for the machine to be off: all that was on the screen, the exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._receive(deadline - time.monotonic()):
            pass
        try:
            return self._screen.decode(errors="replace"), self._process.wait(1)
        except subprocess.TimeoutExpired:
            raise Unexpected("the machine is not off") from None

    def _receive(self, patience: float) -> bool:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        if not select.select([descriptor], [], [], max(0.0, patience))[0]:
            return False
        data = os.read(descriptor, 65536)
        self._screen += data
        return bool(data)
