"""What a person meets at the prompt: commands, mistakes, servers that die, hostile programs."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from session import PROMPT, Session, compile_program  # noqa: E402


class Commands(unittest.TestCase):
    def test_first_sight(self) -> None:
        with Session(harts=4) as session:
            banner = session.expect(PROMPT)
            self.assertRegex(banner, r"Kairos \S+ on 4 harts, \d+ MiB")
            self.assertIn("help", banner)
            self.assertIn("shutdown", session.run("help"))
            self.assertIn("power off", session.run("help shutdown"))

    def test_programs_answer(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            self.assertEqual(session.run("echo one 'two  three'"), "one two  three\n")
            self.assertIn("welcome.txt", session.run("ls"))
            self.assertIn("Welcome to Kairos", session.run("cat welcome.txt"))
            self.assertRegex(session.run("ps"), r"running .* console\n")
            self.assertRegex(session.run("harts"), r"(?m)^ +1 ")
            self.assertRegex(session.run("mem"), r"free +\d+ KiB")
            self.assertRegex(session.run("objects"), r"\d+  channel")
            self.assertRegex(session.run("time true"), r"\d+ ns")

    def test_two_boots_place_differently(self) -> None:
        def boot() -> list[str]:
            with Session(files={"placement": compile_program("placement.cpp")}) as session:
                session.expect(PROMPT)
                places = session.run("placement").split()
                self.assertEqual(len(places), 2)
                return places

        first, second = boot(), boot()
        for one, other in zip(first, second):
            self.assertNotEqual(one, other)

    def test_the_kernel_explains_itself(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            self.assertRegex(session.run("stat"), r"\d+  channel_sends +messages sent")
            self.assertRegex(session.run("stat 1 1"), r"(?m)^ +\d+ +\+\d+  wait_blocks$")
            top = session.run("top 1 1")
            self.assertRegex(top, r"(?m)^ +1 +\d+\.\d% ")
            self.assertRegex(top, r"/ main")
            lines = session.run("trace -a -k sched,syscall -n 20").splitlines()
            self.assertEqual(len([line for line in lines if " hart " in line]), 20)
            self.assertIn("usage", session.run("trace -k nonsense"))
            session.type("trace\r")
            session.expect("trace\r\n")
            session.type("\x03")
            session.expect("trace: interrupted")
            session.expect(PROMPT)

    def test_who_holds_an_object(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            channel = session.run("objects channel").splitlines()[1].split()[0]
            shell = session.process_id("shell")
            right = "(read|write|transfer|duplicate|wait|manage|map|execute|signal)"
            rights = rf"{right}(\|{right})*"
            holders = session.run(f"objects {channel}").split("holders:\n")[1]
            self.assertRegex(
                holders, rf"(?m)^  (  )*process \d+ '\w+': handle 0x[0-9a-f]+, {rights}$")
            whole = session.run(f"objects {shell}")
            # Somebody started it, and has a handle to it; what looks at it has one, too.
            self.assertRegex(whole, r"holders:\n(  .*\n)*  process \d+ 'init': handle ")
            self.assertRegex(whole, r"holders:\n(  .*\n)*  process \d+ 'objects': handle ")
            handles = whole.split("\nits handles:\n")[1]
            self.assertRegex(handles, rf"(?m)^  handle 0x[0-9a-f]+: channel \d+, {rights}$")
            self.assertRegex(handles, rf"(?m)^  fd 0: \S+ \d+, {rights}$")

    def test_shutdown_ends_the_machine_with_its_status(self) -> None:
        for words, status in (("shutdown", 0), ("shutdown 7", 7)):
            with Session() as session:
                session.expect(PROMPT)
                session.type(words + "\r")
                self.assertEqual(session.finish()[1], status)


class Pipelines(unittest.TestCase):
    def test_bytes_flow(self) -> None:
        with Session(harts=2) as session:
            session.expect(PROMPT)
            before = session.run("ps").count(" running ")
            self.assertEqual(session.run("echo one two | cat"), "one two\n")
            self.assertEqual(session.run("cat welcome.txt | grep -n Welcome"),
                             "1:Welcome to Kairos.\n")
            whole = session.run("cat welcome.txt")
            self.assertEqual(session.run("cat welcome.txt | cat | wc -l").strip(),
                             str(whole.count("\n")))
            self.assertEqual(session.run("cat welcome.txt | head -n 1"), "Welcome to Kairos.\n")
            numbered = session.run("cat welcome.txt | grep -n e | wc -l -c").split()
            found = [f"{number}:{line}\n" for number, line in enumerate(whole.splitlines(), 1)
                     if "e" in line]
            self.assertEqual(numbered, [str(len(found)), str(len("".join(found)))])
            # Only the last one's end is told.
            self.assertNotIn("ended", session.run("cat nofile | true"))
            self.assertIn("grep ended with code 1", session.run("echo a | grep b"))
            self.assertEqual(session.run("time echo x | wc -c").split()[0], "2")
            self.assertEqual(session.run("ps").count(" running "), before)

    def test_what_is_typed_goes_to_the_first(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            session.type("cat | grep b | wc -l\r")
            session.expect("wc -l\r\n")
            session.type("abc\rxyz\rbb\r\x04")
            self.assertIn("2", session.expect(PROMPT).splitlines()[-2])

    def test_all_of_it_ends(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            session.type("cat | cat | cat\r")
            session.expect("cat\r\n")
            session.type("\x03")
            session.expect("cat: interrupted")
            session.expect(PROMPT)
            self.assertNotRegex(session.run("ps"), r"running .* cat\n")
            # A writer whose reader has gone ends, too.
            endless = r"""lua -e 'while io.write(_VERSION, "\n") do end'"""
            self.assertIn("Lua", session.run(endless + " | head"))
            self.assertNotRegex(session.run("ps"), r"running .* lua\n")


class Lua(unittest.TestCase):
    def test_interactive(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            session.type("lua\r")
            self.assertIn("Lua 5.4", session.expect("> "))
            for line, answer, prompt in (
                    ("1 + 1", "\n2\n", "> "),
                    ("for i = 1, 3 do", "", ">> "),
                    ("io.write(i, ' ')", "", ">> "),
                    ("end print()", "1 2 3 \n", "> "),
                    ("error('mine')", "stdin:1: mine\nstack traceback:", "> "),
                    ("'a line' == io.read() or 'another'\ra line", "\ntrue\n", "> "),
                    ("x y", "syntax error near 'y'", "> ")):
                session.type(line + "\r")
                self.assertIn(answer, session.expect(prompt))
            session.type("\x04")
            session.expect(PROMPT)
            self.assertIn("ended with code 3", session.run("lua -e 'os.exit(3)'"))
            self.assertEqual(session.run("echo 'print(6 * 7)' | lua"), "42\n")  # nobody is there
            self.assertIn("lua ended with code 1", session.run("lua -e 'error()'"))

    def test_scripts(self) -> None:
        with Session(harts=2) as session:
            session.expect(PROMPT)
            self.assertRegex(session.run("lua check.lua"), r"^\d+ checks passed\n$")
            self.assertEqual(session.run("cat welcome.txt | lua lines.lua | head -n 1"),
                             "   1  Welcome to Kairos.\n")
            session.run("""echo 'f = io.open("/tmp/f", "w") f:write("a", 1.5) f:close()' > /tmp/s""")
            session.run("""echo 'for l in io.lines("/tmp/f") do print(l) end' >> /tmp/s""")
            self.assertEqual(session.run("lua /tmp/s"), "a1.5\n")
            session.type("lua lines.lua\r")
            session.expect("lines.lua\r\n")
            session.type("typed\r")
            session.expect("   1  typed")
            session.type("\x04")
            session.expect(PROMPT)


class Mistakes(unittest.TestCase):
    def test_each_is_told_and_the_prompt_comes_back(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            self.assertIn("no such command", session.run("nosuch"))
            self.assertIn("not a program", session.run("welcome.txt"))
            self.assertIn("nofile: No such file", session.run("cat nofile"))
            self.assertIn("ended with code 1", session.run("cat nofile"))
            self.assertIn("null pointer", session.run("fault"))
            self.assertIn("quote", session.run("echo 'open"))
            self.assertIn("no lists", session.run("echo a; cat"))
            self.assertIn("command is missing", session.run("echo a |"))
            self.assertIn("no such command", session.run("echo a | nosuch"))
            self.assertIn("part of the shell", session.run("help | cat"))
            self.assertIn("not a process", session.run("kill 1"))
            self.assertEqual(session.run("true"), "")


class Keyboard(unittest.TestCase):
    def test_interrupt_stops_the_program_in_the_foreground(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            session.type("spin\r")
            session.expect("spin\r\n")
            session.type("\x03")
            session.expect("spin: interrupted")
            session.expect(PROMPT)
            self.assertEqual(session.run("echo on"), "on\n")

    def test_cooked_lines_reach_a_program(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            session.type("cat\r")
            session.expect("cat\r\n")
            session.type("helo\x7flo\r")
            session.expect("\r\nhello\r\n")
            session.type("\x04")
            session.expect(PROMPT)

    def test_what_is_typed_ahead_is_not_lost(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            session.type("".join(f"echo li''ne-{number}\r" for number in range(20)))
            for number in range(20):
                session.expect(f"line-{number}\r\n")

    def test_history_and_editing(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            session.run("echo first")
            session.type("\x1b[A\x1b[D\x7fS\r")  # Up, Left, Backspace
            session.expect("\nfirSt\r\n")


class Background(unittest.TestCase):
    def test_a_program_runs_there_until_it_is_killed(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            for command in ("spin &", "spawn spin"):
                self.assertIn("runs as process", session.run(command))
                session.type(f"kill {session.process_id('spin')}\r")
                session.expect("] spin ended with code 137")
                session.expect(PROMPT)


class Servers(unittest.TestCase):
    def test_each_comes_back(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            for server in ("archive", "names"):
                session.kill(server)
                self.assertIn("welcome.txt", session.run("ls"))
            session.type(f"kill {session.process_id('console')}\r")
            session.expect("The console has been restarted.")
            session.expect(PROMPT)
            self.assertEqual(session.run("echo on"), "on\n")
            session.type(f"kill {session.process_id('shell')}\r")
            session.expect("Kairos ")
            session.expect(PROMPT)
            self.assertEqual(session.run("echo on"), "on\n")

    def test_one_that_keeps_failing_is_given_up(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            for _ in range(6):
                self.assertIn("welcome.txt", session.run("ls"))  # waits for the server
                session.kill("archive")
            self.assertIn("ls ended with code 1", session.run("ls"))

    def test_the_machine_stops_without_an_essential_one(self) -> None:
        with Session() as session:
            for _ in range(6):
                session.expect(PROMPT)
                session.type(f"kill {session.process_id('shell')}\r")
            session.expect("an essential program is lost")
            self.assertEqual(session.finish()[1], 1)


class Files(unittest.TestCase):
    def test_through_libc_and_as_the_protocol_has_them(self) -> None:
        program = compile_program("files_client.cpp")
        for harts in (1, 4):
            with Session(harts, {"files": program}) as session:
                session.expect(PROMPT)
                for _ in range(2):
                    self.assertEqual("files are right\n", session.run("files"))

    def test_tools(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            self.assertEqual(session.run("cp welcome.txt /tmp/a"), "")
            self.assertIn("595  a\n", session.run("ls /tmp"))
            self.assertEqual(session.run("cat /tmp/a"), session.run("cat /boot/welcome.txt"))
            self.assertIn("14     102     595 /tmp/a", session.run("wc /tmp/a"))
            self.assertEqual(session.run("head -n 1 /tmp/a"), "Welcome to Kairos.\n")
            self.assertEqual(session.run("grep shutdown /tmp/a"), "  shutdown    leave\n")
            self.assertEqual(session.run("rm /tmp/a"), "")
            self.assertIn("No such file", session.run("cat /tmp/a"))
            self.assertIn("Read-only", session.run("rm welcome.txt"))

    def test_redirections(self) -> None:
        with Session(harts=4) as session:
            session.expect(PROMPT)
            self.assertEqual(session.run("echo one > /tmp/a"), "")
            self.assertEqual(session.run("echo two >> /tmp/a"), "")
            self.assertEqual(session.run("cat < /tmp/a"), "one\ntwo\n")
            self.assertEqual(session.run("cat < /tmp/a | grep t >/tmp/b"), "")
            self.assertEqual(session.run("cat /tmp/b"), "two\n")
            self.assertEqual(session.run("echo three > /tmp/a; cat /tmp/a"),
                             "shell: there are no lists; quote ; to use it as text\n")
            self.assertEqual(session.run("cat nofile > /tmp/a 2>&1"), "cat ended with code 1\n")
            self.assertIn("nofile: No such file", session.run("cat /tmp/a"))
            self.assertEqual(session.run("cat nofile 2> /tmp/e | wc -l"), "       0\n")
            self.assertIn("nofile: No such file", session.run("cat < /tmp/e"))
            self.assertIn("nofile: no such thing", session.run("cat < nofile"))
            self.assertIn("welcome.txt: ", session.run("echo a > welcome.txt"))
            # A reader that ends early is in nobody's way, nor a file larger than a stream holds.
            self.assertEqual(session.run("head -n 1 < lua | wc -l"), "       1\n")
            self.assertEqual(session.run("cat < lua > /tmp/lua"), "")
            self.assertEqual(session.run("wc -c < /tmp/lua"), session.run("wc -c < lua"))
            self.assertEqual(session.run("sort < /tmp/a | tee /tmp/c"), session.run("cat /tmp/c"))

    def test_a_server_that_dies_is_asked_again(self) -> None:
        with Session() as session:
            session.expect(PROMPT)
            session.run("cp welcome.txt /tmp/a")
            session.kill("tmp")
            self.assertEqual(session.run("ls /tmp"), "")


class Hostility(unittest.TestCase):
    def test_servers_survive_a_hostile_client(self) -> None:
        program = compile_program("hostile_client.cpp")
        for harts in (1, 4):
            with Session(harts, {"hostile": program}) as session:
                session.expect(PROMPT)
                before = session.run("ps").count("running")
                for _ in range(3):
                    self.assertIn("survived", session.run("hostile"))
                self.assertEqual(session.run("ps").count("running"), before)


class Manifest(unittest.TestCase):
    def start_with(self, manifest: str) -> tuple[str, int]:
        with Session(files={"manifest": manifest.encode()}) as session:
            return session.finish()

    def test_a_mistake_stops_the_machine_with_its_line(self) -> None:
        text, status = self.start_with("# fine\nstart x program=y gets=moon\n")
        self.assertIn("manifest:2: no such value: gets=moon", text)
        self.assertEqual(status, 1)

    def test_a_missing_program_is_told(self) -> None:
        text, status = self.start_with("start x program=missing restart=never essential=yes\n")
        self.assertIn("cannot be started: no such thing", text)
        self.assertEqual(status, 1)

    def test_nothing_to_run_is_an_end(self) -> None:
        text, status = self.start_with("start once program=true restart=never\n")
        self.assertIn("nothing is left to run", text)
        self.assertEqual(status, 0)


if __name__ == "__main__":
    unittest.main()
