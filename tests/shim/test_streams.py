"""Standard streams without a terminal: containerd's fifos."""

import os
import threading

import case
import shim as shims


class Streams(case.ShimTest):
    def test_output_is_kept_apart(self):
        """stdout and stderr arrive in their own fifos, and both end with the program"""
        container = self.shell("echo out; echo err >&2")
        self.assertEqual(container.finish(), (0, b"out\n", b"err\n"))

    def test_much_output(self):
        """64 MiB arrive whole, and all of it before the end of the stream"""
        container = self.shell("head -c 67108864 /dev/zero; echo end")
        container.start()
        data = container.out.to_end()
        self.assertEqual((len(data), data[-4:]), (67108868, b"end\n"))
        self.assertEqual(container.status(), 0)

    def test_nothing_is_lost_before_the_exit(self):
        """what the program wrote last is in the fifo when its exit is told"""
        for number in range(5):
            container = self.shell("head -c 60000 /dev/zero; echo last words", name=f"n{number}")
            container.start()
            container.status()
            self.assertEqual(container.out.available()[-11:], b"last words\n")

    def test_slow_reader(self):
        """a reader that does not read holds up the one program alone; it goes on when it reads"""
        container = self.shell("head -c 1000000 /dev/zero; exit 4")
        container.start()
        wait = container.send("Wait")
        self.assertFalse(container.shim.client.is_answered(wait[1], 0.2))
        self.assertEqual(container.state_name(), "running")
        other = container.exec_shell("echo meanwhile")
        self.assertEqual(other.finish()[1], b"meanwhile\n")
        self.assertEqual(len(container.out.to_end()), 1000000)
        self.assertEqual(container.shim.fetch(wait).exit_status, 4)

    def test_reader_that_leaves(self):
        """a reader of stdout that goes away neither kills the program nor holds up stderr"""
        container = self.shell("while [ ! -e /tmp/go ]; do sleep 0.01; done; echo lost; echo kept >&2; exit 3")
        container.start()
        container.out.close()
        # It may be ended with the container before it has ended itself.
        self.assertIn(container.exec("touch", "/tmp/go").finish()[0], (0, 137))
        self.assertEqual(container.err.to_end(), b"kept\n")
        self.assertEqual(container.status(), 3)

    def test_reader_that_comes_back(self):
        """output written while nobody read is there for the reader that comes back, as after a restart of containerd"""
        container = self.shell("while [ ! -e /tmp/go ]; do sleep 0.01; done; echo while away; while [ ! -e /tmp/end ]; do sleep 0.01; done")
        container.start()
        container.out.close()
        self.assertEqual(container.exec_shell("touch /tmp/go; sleep 0.1").finish()[0], 0)
        container.out.fd = os.open(container.out.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        container.out.until(b"while away\n")
        container.exec("touch", "/tmp/end").finish()
        self.assertEqual(container.out.to_end(), b"while away\n")

    def test_reader_that_comes_late(self):
        """who opens a stream that nothing was written to only after the exec's exit sees its end, and does not wait for a writer for ever"""
        container = self.running()
        process = container.exec_shell("echo alive")
        process.err.close()
        process.start()
        self.assertEqual(process.out.to_end(), b"alive\n")
        process.status()
        opened = []
        late = threading.Thread(target=lambda: opened.append(os.open(process.err.path, os.O_RDONLY)), daemon=True)
        late.start()
        late.join(30)
        self.assertEqual(len(opened), 1, "the open of the late reader hangs")
        self.assertEqual(os.read(opened[0], 10), b"")
        os.close(opened[0])

    def test_no_streams(self):
        """without streams a program reads nothing and writes to nowhere"""
        container = self.shell("cat; echo nowhere; exit 6", create={"stdout": False, "stderr": False})
        container.start()
        self.assertEqual(container.status(), 6)

    def test_input(self):
        """a megabyte of input arrives whole; its end is seen after CloseIO"""
        container = self.container("wc", "-c", create={"stdin": True})
        container.start()
        feeder = threading.Thread(target=os.write, args=(container.stdin_fd, b"x" * 1000000))
        feeder.start()
        feeder.join(shims.SECONDS_MAX)
        self.assertFalse(feeder.is_alive())
        container.close_stdin()
        self.assertEqual(container.out.to_end(), b"1000000\n")
        self.assertEqual(container.status(), 0)

    def test_input_before_start(self):
        """input that was written, and closed, before Start is read by the program"""
        container = self.container("cat", create={"stdin": True})
        os.write(container.stdin_fd, b"early\n")
        container.close_stdin()
        self.assertEqual(container.finish()[:2], (0, b"early\n"))

    def test_input_stays_open(self):
        """the end of a writer alone is no end of input: that is CloseIO's to tell"""
        container = self.container("cat", create={"stdin": True})
        container.start()
        os.write(container.stdin_fd, b"one\n")
        container.out.until(b"one\n")
        self.assertEqual(container.state_name(), "running")
        container.close_stdin()
        self.assertEqual(container.status(), 0)

    def test_exec_input(self):
        """an exec's input and CloseIO"""
        container = self.running()
        process = container.exec("cat", stdin=True).start()
        os.write(process.stdin_fd, b"to the exec\n")
        process.out.until(b"to the exec\n")
        process.close_stdin()
        self.assertEqual(process.status(), 0)

    def test_close_releases(self):
        """CloseIO gives the shim's descriptors of that fifo back at once, of a container and of an exec, while both run on"""
        container = self.running(create={"stdin": True})
        for process in [container, container.exec("sleep", "1000", stdin=True).start()]:
            self.assertGreater(self.descriptors_of(container.shim, process.stdin_path), 0)
            process.close_stdin()
            self.assertEqual(self.descriptors_of(container.shim, process.stdin_path), 0)
            process.call("CloseIO", stdin=True)
            self.assertEqual(process.state_name(), "running")

    @staticmethod
    def descriptors_of(shim, path):
        folder = f"/proc/{shim.pid}/fd"
        return [os.path.realpath(f"{folder}/{fd}") for fd in os.listdir(folder)].count(path)

    def test_background_writer(self):
        """a grandchild that keeps an exec's output open does not hold up its exit; after Delete the stream ends"""
        container = self.running()
        process = container.exec_shell("setsid sleep 1000 & echo done").start()
        self.assertEqual(process.status(), 0)
        process.delete()
        self.assertIn(b"done\n", process.out.until(b"done\n"))
        container.kill(9, everything=True)
        container.status()
        self.assertEqual(process.out.to_end(), b"done\n")

    def test_reopening(self):
        """a program may open /dev/stdout and /dev/stderr again, also as another user"""
        for user, name in [(0, "root"), (1000, "user")]:
            with self.subTest(user=name):
                script = "echo again > /dev/stdout; echo errors > /dev/stderr"
                container = self.shell(script, name=name, process={"user": {"uid": user, "gid": user}})
                self.assertEqual(container.finish(), (0, b"again\n", b"errors\n"))

    def test_exec_as_another_user_reopens(self):
        """an exec as another user may open its /dev/stdout"""
        container = self.running()
        process = container.exec_shell("echo mine > /dev/stdout", user={"uid": 1000, "gid": 1000})
        self.assertEqual(process.finish()[:2], (0, b"mine\n"))

    def test_file(self):
        """file:// collects both streams in one file"""
        path = os.path.join(case.WORK, "log-file")
        self.shim(["sh", "-c", "echo out; echo err >&2"])
        container, shim = self.containers[-1], self.shims[-1]
        shim.call("Create", id="one", bundle=container.folder, rootfs=container.bundle.mounts(), stdout=f"file://{path}",
                  stderr=f"file://{path}")
        container.start()
        self.assertEqual(container.status(), 0)
        container.delete()
        self.assertEqual(sorted(case.read(path).split()), [b"err", b"out"])

    def test_binary_logger(self):
        """binary:// runs a logger with both streams, which sees their end"""
        log, program = os.path.join(case.WORK, "logged"), os.path.join(case.WORK, "logger")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nenv > {log}.env; exec 5>&-; cat <&3 > {log}.out; cat <&4 > {log}.err; echo $* > {log}.end\n")
        os.chmod(program, 0o755)
        self.shim(["sh", "-c", "echo out; echo err >&2"])
        container, shim = self.containers[-1], self.shims[-1]
        url = f"binary://{program}?word=value"
        shim.call("Create", id="one", bundle=container.folder, rootfs=container.bundle.mounts(), stdout=url, stderr=url)
        container.start()
        self.assertEqual(container.status(), 0)
        container.delete()
        shims.wait_until(lambda: os.path.exists(log + ".end") and case.read(log + ".end"), "the logger has ended")
        self.assertEqual((case.read(log + ".out"), case.read(log + ".err")), (b"out\n", b"err\n"))
        self.assertIn(b"word value", case.read(log + ".end"))
        for line in [b"CONTAINER_ID=one\n", b"CONTAINER_NAMESPACE=default\n"]:
            self.assertIn(line, case.read(log + ".env"))

    def test_missing_fifo(self):
        """a stream that does not exist is an error of Create, and nothing is left of it"""
        self.shim(["true"])
        container, shim = self.containers[-1], self.shims[-1]
        with self.assertRaises(case.ttrpc.CallError):
            shim.call("Create", id="one", bundle=container.folder, rootfs=container.bundle.mounts(),
                      stdout="/run/brig-shim/no-such/fifo")
        self.refused(case.ttrpc.NOT_FOUND, container.state)

    def test_descriptors_are_released(self):
        """after a hundred execs with input and output the shim has no more descriptors open than before"""
        container = self.running()

        def descriptors():
            return len(os.listdir(f"/proc/{container.shim.pid}/fd"))

        container.exec("true").finish()
        before = descriptors()
        for number in range(100):
            process = container.exec("true", exec_id=f"n{number}", stdin=number % 2 == 0, terminal=number % 3 == 0)
            process.finish()
            process.close()
        shims.wait_until(lambda: descriptors() <= before, "the descriptors are released")
