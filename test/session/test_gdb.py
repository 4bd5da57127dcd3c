"""The gdb commands of test/support/kairos_gdb.py, on a kernel that runs."""

import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from session import BUILD, PROMPT, ROOT, Session, compile_program  # noqa: E402


@unittest.skipUnless(shutil.which("gdb-multiarch"), "gdb-multiarch is not installed")
class Views(unittest.TestCase):
    """The machine is stopped once, in the middle of whatever it does then."""

    @classmethod
    def setUpClass(cls) -> None:
        program = compile_program("waits_for_itself.cpp")
        with Session(files={"waits_for_itself": program}, debugged=True) as session:
            session.expect(PROMPT)
            cls.shell = session.process_id("shell")
            session.type("waits_for_itself &\r")
            session.expect("calls ")
            cls.endpoint = int(session.expect(" as "))
            thread = int(session.expect("."))
            while "blocked" not in session.run(f"objects {thread}"):
                pass
            cls.views = cls.look(session.gdb_socket, [
                "threads", "processes", "channels", "objects", "waits", "trace", "trace 5",
                "locks", f"handles {cls.shell}", f"holders {cls.shell}",
                f"history {cls.shell}", f"holders {cls.endpoint}", "history 999999999", ""])

    @staticmethod
    def look(socket: Path, views: list[str]) -> dict[str, str]:
        """What gdb prints for each."""
        commands = ["set architecture riscv:rv64", f"target remote {socket}",
                    f"source {ROOT / 'test/support/kairos_gdb.py'}"]
        for view in views:
            # What fails says so, and the next one is tried.
            commands += [f"echo \\n=== {view}\\n", f"python try_view({view!r})"]
        commands += ["echo \\n=== end\\n", "detach"]
        trying = ("python\ndef try_view(view):\n"
                  "    try: gdb.execute('kairos ' + view)\n"
                  "    except gdb.error as problem: print('error:', problem)\n"
                  "end\n")
        script = socket.with_name("commands.gdb")
        script.write_text(trying + "\n".join(commands) + "\n")
        run = subprocess.run(["gdb-multiarch", "-nx", "-q", "-batch", "-x", str(script),
                              str(BUILD / "kernel/kairos.elf")],
                             capture_output=True, text=True, errors="replace", timeout=300)
        parts = re.split(r"(?m)^=== (.*)\n", run.stdout)[1:]
        found = dict(zip(parts[::2], parts[1::2]))
        if "end" not in found:
            raise AssertionError(f"gdb stopped early:\n{run.stdout}\n{run.stderr}")
        return found

    def view(self, name: str) -> str:
        return self.views[name]

    def test_lists(self) -> None:
        self.assertRegex(self.view("threads"), r"(?m)^ *\d+ (running|ready) .*kernel / idle$")
        self.assertRegex(self.view("processes"), rf"(?m)^ *{self.shell} running .* shell$")
        self.assertRegex(self.view("channels"), rf"(?m)^ *{self.endpoint} +\d+ open ")
        self.assertRegex(self.view("objects"), rf"(?m)^ *{self.shell} process ")
        self.assertRegex(self.view(f"handles {self.shell}"), r"(?m)^ +0x[0-9a-f]+ .* channel \d+$")

    def test_who_waits_for_whom(self) -> None:
        waits = self.view("waits")
        self.assertRegex(waits, rf"thread \d+ '\S*' of process (\d+) 'waits_for_itself' waits for "
                                rf"a reply of object {self.endpoint}, peer \d+, from process \1\n")
        self.assertRegex(waits, r"(?m)^cycle: thread \d+ .* 'waits_for_itself' -> thread \d+ .* "
                                r"'waits_for_itself'$")

    def test_who_holds_what(self) -> None:
        self.assertRegex(self.view(f"holders {self.shell}"),
                         r"process \d+ 'init': handle 0x[0-9a-f]+, read\|write\|")
        self.assertRegex(self.view(f"holders {self.endpoint}"),
                         r"process \d+ 'waits_for_itself': handle 0x[0-9a-f]+, ")

    def test_what_happened_last(self) -> None:
        line = r"(?m)^ *\d+ ns hart \d+ thread \d+: \w+"
        self.assertGreater(len(re.findall(line, self.view("trace"))), 5)
        times = [int(time) for time in re.findall(r"(?m)^ *(\d+) ns hart", self.view("trace"))]
        self.assertEqual(times, sorted(times))
        self.assertEqual(len(re.findall(line, self.view("trace 5"))), 5)
        self.assertRegex(self.view(f"history {self.shell}"),
                         r"references:\n +\d+ ns  init +1 references, by thread \d+ on hart \d")

    def test_locks(self) -> None:
        self.assertRegex(self.view("locks"), r"\Ahart 0: .*\nhart 1: ")

    def test_mistakes(self) -> None:
        self.assertIn("no object has the id 999999999", self.view("history 999999999"))
        self.assertIn("kairos waits", self.view(""))


if __name__ == "__main__":
    unittest.main()
