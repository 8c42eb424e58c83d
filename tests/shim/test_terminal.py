"""Containers and execs with a terminal."""

import os
import signal

import case
import ttrpc


class Terminal(case.ShimTest):
    terminal = {"terminal": True, "stdin": True}

    def shell_with_terminal(self):
        container = self.container("sh", process={"terminal": True, "args": ["sh"]}, create=self.terminal)
        container.start()
        container.out.until(b"# ")
        return container

    def type(self, process, text):
        os.write(process.stdin_fd, text)

    def test_input_and_output(self):
        """what is typed reaches the program, what it shows comes back in full, and its status is told"""
        container = self.shell_with_terminal()
        self.type(container, b"tty; echo $((6 * 7)); exit 6\n")
        shown = container.out.to_end()
        self.assertIn(b"/dev/pts/0\r\n42\r\n", shown)
        self.assertEqual(container.status(), 6)
        self.assertEqual(container.state().terminal, 1)

    def test_resize(self):
        """ResizePty sets the size and tells the program"""
        container = self.shell_with_terminal()
        container.call("ResizePty", width=100, height=40)
        self.type(container, b"stty size\n")
        container.out.until(b"40 100\r\n")
        self.type(container, b"trap 'echo resi\"\"zed' WINCH; echo re\"\"ady\n")
        container.out.until(b"ready\r\n")
        container.call("ResizePty", width=70, height=20)
        self.type(container, b"\nstty size\n")
        container.out.until(b"20 70\r\n")

    def test_control_keys(self):
        """ctrl-c interrupts the program, not the shell"""
        container = self.shell_with_terminal()
        self.type(container, b"sh -c 'trap \"exit 3\" INT; echo be\"\"gin; while :; do sleep 0.1; done'\n")
        container.out.until(b"begin\r\n")
        self.type(container, b"\x03")
        self.type(container, b"echo after $?\n")
        container.out.until(b"after 3\r\n")

    def test_exec(self):
        """an exec has a terminal of its own"""
        container = self.running()
        process = container.exec("sh", **self.terminal).start()
        process.out.until(b"# ")
        process.call("ResizePty", width=90, height=30)
        self.type(process, b"stty size; tty; exit 4\n")
        self.assertIn(b"30 90\r\n/dev/pts/0\r\n", process.out.to_end())
        self.assertEqual(process.status(), 4)

    def test_much_output(self):
        """a megabyte through a terminal arrives in full before its end"""
        script = "stty -onlcr; head -c 1000000 /dev/zero | tr '\\0' x; echo end"
        container = self.container("sh", process={"terminal": True, "args": ["sh", "-c", script]}, create={"terminal": True})
        container.start()
        data = container.out.to_end()
        self.assertEqual((data.count(b"x"), data[-5:]), (1000000, b"xend\n"))
        self.assertEqual(container.status(), 0)

    def test_no_terminal(self):
        """ResizePty of a process without a terminal is harmless or refused, and never a crash"""
        container = self.running()
        try:
            container.call("ResizePty", width=10, height=10)
        except ttrpc.CallError as error:
            self.assertIn(error.code, [ttrpc.FAILED_PRECONDITION, ttrpc.INVALID_ARGUMENT, ttrpc.UNKNOWN])
        self.assertEqual(container.state_name(), "running")

    def test_end_of_input_is_told(self):
        """CloseIO of a terminal's input: who reads lines, a shell or a program, comes to the end; who takes every key gets none"""
        container = self.shell_with_terminal()
        keys = "stty raw -echo min 0 time 20; echo r''aw; head -c 1 | od -An -tx1; echo n''one"
        raw = container.exec_shell(keys, **self.terminal).start()
        raw.out.until(b"raw")
        raw.close_stdin()
        process = container.exec_shell("cat; echo e''nd", **self.terminal).start()
        self.type(process, b"line")
        process.close_stdin()
        self.assertIn(b"end", process.out.to_end())
        self.assertNotIn(b"04", raw.out.until(b"none"))
        container.call("CloseIO", stdin=True)
        container.call("CloseIO", stdin=True)
        self.assertEqual(container.status(), 0)

    def test_end_of_input(self):
        """CloseIO of a terminal's input does not end the program, whose output still comes"""
        container = self.shell_with_terminal()
        self.type(container, b"trap 'echo al\"\"ive' USR1; echo re\"\"ady; while :; do sleep 0.1; done\n")
        container.out.until(b"ready\r\n")
        container.close_stdin()
        container.kill(signal.SIGUSR1)
        container.out.until(b"alive\r\n")
        container.kill(9)
        self.assertEqual(container.status(), 137)
