"""Standard streams that are connections to the shim's own socket, as containerd makes them with io_type = "streaming"."""

import os
import threading
import time

import case
import shim as shims
import streaming
import ttrpc

ONE, TWO = "one-stdout", "one-stderr"


class Streaming(case.ShimTest):
    def setUp(self):
        super().setUp()
        self.streams = []

    def tearDown(self):
        for stream in self.streams:
            stream.close()
        super().tearDown()

    def stream(self, name, **options):
        self.streams.append(streaming.Stream(self.containers[-1].shim.socket, name, **options))
        return self.streams[-1]

    def streams_of(self, name, stdin=False, terminal=False):
        """The fields of Create and Exec, with streams that were joined before."""
        kinds = ["stdout"] + ["stderr"] * (not terminal) + ["stdin"] * stdin
        made = {kind: self.stream(f"{name}-{kind}") for kind in kinds}
        return made, {**{kind: stream.uri() for kind, stream in made.items()}, "terminal": terminal}

    def create(self, *args, stdin=False, terminal=False, allowed=0, **changes):
        """(container, streams by kind). allowed: before Create, as containerd does it."""
        self.shim(args, process={"terminal": terminal, "args": list(args)}, **changes)
        container = self.containers[-1]
        made, fields = self.streams_of("one", stdin, terminal)
        for kind in made:
            if kind != "stdin" and allowed:
                made[kind].allow(allowed)
        none = {"stdout": False, "stderr": False}
        container.pid = container.shim.call("Create", **{**container.create_fields(**none), **fields}).pid
        return container, made

    def exec(self, container, exec_id, script, **options):
        process = shims.Process(container.shim, container.name, exec_id, container.folder)
        container.processes.append(process)
        made, fields = self.streams_of(exec_id, **options)
        none = {"stdout": False, "stderr": False}
        process.call("Exec", **{**container.exec_fields(process, ["sh", "-c", script], **none), **fields})
        return process, made

    def test_output_and_exec(self):
        """stdout and stderr arrive apart, of a container and of an exec, and end with it"""
        container, streams = self.create("sh", "-c", "echo out; echo err >&2; while [ ! -e /tmp/end ]; do sleep 0.01; done")
        container.start()
        streams["stdout"].until(b"out\n")
        process, made = self.exec(container, "exec-1", "echo more; echo wrong >&2; exit 3")
        process.start()
        self.assertEqual((made["stdout"].to_end(), made["stderr"].to_end()), (b"more\n", b"wrong\n"))
        self.assertEqual(process.status(), 3)
        process.delete()
        container.exec("touch", "/tmp/end").finish()
        self.assertEqual((streams["stdout"].to_end(), streams["stderr"].to_end()), (b"out\n", b"err\n"))
        self.assertEqual(container.status(), 0)

    def test_allowed_before(self):
        """what was allowed before the container was made counts"""
        container, streams = self.create("sh", "-c", "echo out; echo wrong >&2", allowed=streaming.WINDOW_SIZE)
        container.start()
        for kind, text in [("stdout", b"out\n"), ("stderr", b"wrong\n")]:
            while not streams[kind].is_over:
                streams[kind].take()
            self.assertEqual(bytes(streams[kind].data), text)

    def test_state_after_the_end(self):
        """that a container has ended is not said by State, after which containerd reads no more, before its readers have gone"""
        container, streams = self.create("echo", "out", allowed=streaming.WINDOW_SIZE)
        container.start()
        self.assertEqual(container.status(), 0)
        asked = container.send("State")
        began = time.monotonic()
        for stream in streams.values():
            is_answered = container.shim.client.is_answered(asked[1], 0.05)
            self.assertFalse(is_answered and time.monotonic() - began < 1)  # which is as long as it waits
            stream.to_end()
            stream.close()
        self.assertEqual(shims.STATUS[container.shim.fetch(asked).status], "stopped")
        self.assertEqual(bytes(streams["stdout"].data), b"out\n")

    def test_much_output(self):
        """16 MiB arrive whole, never more at a time than was allowed"""
        container, streams = self.create("sh", "-c", "head -c 16777216 /dev/zero; echo end")
        container.start()
        data = streams["stdout"].to_end()
        self.assertEqual((len(data), data[-4:]), (16777220, b"end\n"))

    def test_input(self):
        """a megabyte of input arrives whole; its end is that of the stream"""
        container, streams = self.create("wc", "-c", stdin=True)
        container.start()
        streams["stdin"].write(b"x" * 1000000)
        streams["stdin"].end()
        container.call("CloseIO", stdin=True)
        self.assertEqual(streams["stdout"].to_end(), b"1000000\n")

    def test_close_io_alone(self):
        """CloseIO ends the input of a peer that does not, after what it sent"""
        container, streams = self.create("wc", "-c", stdin=True)
        container.start()
        streams["stdin"].write(b"x" * 70000)
        container.call("CloseIO", stdin=True)
        self.assertEqual(streams["stdout"].to_end(), b"70000\n")

    def test_terminal(self):
        """a terminal's input and output"""
        container, streams = self.create("sh", "-c", "read line; echo got $line; stty size", stdin=True, terminal=True)
        container.start()
        container.call("ResizePty", width=90, height=30)
        streams["stdin"].write(b"text\n")
        self.assertEqual(streams["stdout"].to_end(), b"text\r\ngot text\r\n30 90\r\n")

    def test_peer_that_does_not_read(self):
        """one that allows nothing stops the writer of that stream alone, and its wait loses nothing"""
        container, streams = self.create("sh", "-c", "echo first >&2; head -c 300000 /dev/zero; echo last >&2; exit 4")
        container.start()
        streams["stderr"].until(b"first\n")
        self.assertTrue(streams["stdout"].is_silent())
        self.assertTrue(streams["stderr"].is_silent())
        self.assertEqual(container.state_name(), "running")
        self.assertEqual(len(streams["stdout"].to_end()), 300000)
        self.assertEqual(streams["stderr"].to_end(), b"first\nlast\n")
        self.assertEqual(container.status(), 4)

    def test_peer_that_does_not_fetch(self):
        """one that allows everything and fetches nothing does not make the shim grow"""
        container, streams = self.create("sh", "-c", "head -c 50000000 /dev/zero; exit 4")
        before = case.memory(container.shim.pid)["Rss"]
        container.start()
        for _ in range(64):
            streams["stdout"].allow(1 << 30)
        self.assertTrue(streams["stderr"].is_silent(0.5))
        self.assertEqual(container.state_name(), "running")
        if not case.is_sanitized():
            self.assertLess(case.memory(container.shim.pid)["Rss"] - before, 2048)

    def test_peer_that_comes_back(self):
        """what was written while nobody was connected is there for the next one of the name, the end included"""
        container, streams = self.create("sh", "-c", "echo one; until [ -e /tmp/go ]; do sleep 0.01; done; echo two; echo 2 >&2")
        container.start()
        streams["stdout"].until(b"one\n")
        streams["stdout"].close()
        streams["stderr"].close()
        process = container.exec("touch", "/tmp/go")
        process.finish()
        wait = container.send("Wait")
        self.assertEqual(container.shim.fetch(wait).exit_status, 0)
        self.assertEqual(streams["stdout"].join().to_end(), b"one\ntwo\n")
        self.assertEqual(streams["stderr"].join().to_end(), b"2\n")
        # And once more, with everything read.
        self.assertEqual(streams["stdout"].join().to_end(), b"one\ntwo\n")

    def test_name_taken_over(self):
        """a second peer of a name takes it over, with a window of its own"""
        container, streams = self.create("sh", "-c", "read line; echo $line", stdin=True)
        container.start()
        old = list(self.streams)
        new_in, new_out = self.stream("one-stdin"), self.stream(ONE)
        for stream in old:
            if stream.name != TWO:
                stream.take()
                while not stream.is_over:
                    stream.take()
        new_in.write(b"from the second\n")
        self.assertEqual(new_out.to_end(), b"from the second\n")

    def test_after_delete(self):
        """a peer that reads late gets all of the output, although the container is deleted"""
        container, streams = self.create("sh", "-c", "head -c 60000 /dev/zero")
        container.start()
        self.assertEqual(container.status(), 0)
        container.delete()
        self.assertEqual(len(streams["stdout"].to_end()), 60000)
        self.assertEqual(streams["stderr"].to_end(), b"")

    def test_refusals(self):
        """streams that nobody opened, of another socket, without a name, of another protocol"""
        shim = self.shim()
        container = self.containers[-1]
        fields = container.create_fields(stdout=False, stderr=False)
        good = self.stream(ONE).uri()
        for uri, code, words in [
            (good + "x", ttrpc.NOT_FOUND, "nobody has opened"),
            (good.replace("?", "x?"), ttrpc.INVALID_ARGUMENT, "own socket"),
            (good.replace("streaming_id", "id"), ttrpc.INVALID_ARGUMENT, "no streaming_id"),
            (good.replace("ttrpc", "grpc"), ttrpc.INVALID_ARGUMENT, "scheme"),
            (good.replace("unix", "vsock"), ttrpc.INVALID_ARGUMENT, "scheme"),
        ]:
            self.assertIn(words, self.refused(code, shim.call, "Create", **fields, stdout=uri))
        # Not two processes on one stream, nor one with two.
        self.assertIn("another process", self.refused(ttrpc.ALREADY_EXISTS, shim.call, "Create", **fields, stdout=good, stderr=good))

    def test_hostile_peers(self):
        """messages that make no sense end their stream alone"""
        container, streams = self.create("cat", stdin=True)
        container.start()
        window = streaming.any_of(streaming.WINDOW, "WindowUpdate", update=1)
        data = streaming.any_of(streaming.DATA, "StreamData", data=b"x")
        name = streaming.any_of(streaming.INIT, "StreamInit", id="other")
        for messages in [[window], [data], [b"\xff\xff"], [b""], [streaming.any_of(streaming.INIT, "StreamInit", id="")],
                         [streaming.any_of(streaming.INIT, "StreamInit", id="x" * 300)], [name, name], [name, data],
                         [name, streaming.any_of(streaming.WINDOW, "WindowUpdate", update=-1)]]:
            stream = self.stream("unused", join=False).open()
            for message in messages:
                stream.send(message)
            with self.assertRaises(ttrpc.CallError) as caught:
                while True:
                    stream.receive()
            self.assertEqual(caught.exception.code, ttrpc.INVALID_ARGUMENT, messages)
            stream.close()
        streams["stdin"].write(b"still there")
        streams["stdin"].end()
        self.assertEqual(streams["stdout"].to_end(), b"still there")

    def test_too_much_input(self):
        """a peer that sends more than it may is cut off; the process's input stays open for another"""
        container, streams = self.create("sh", "-c", "sleep 0.2; cat | tail -c 4", stdin=True)
        container.start()
        stream = streams["stdin"]
        while stream.allowed == 0:
            stream.take()
        stream.send(streaming.any_of(streaming.DATA, "StreamData", data=b"x" * (stream.allowed + 1)))
        with self.assertRaises(ttrpc.CallError) as caught:
            stream.take()
        self.assertEqual(caught.exception.code, ttrpc.INVALID_ARGUMENT)
        other = self.stream("one-stdin")
        other.write(b"end\n")
        other.end()
        self.assertEqual(streams["stdout"].to_end(), b"end\n")

    def test_reader_gone(self):
        """input for a program that closed its stdin is dropped, and its writer is not blocked"""
        container, streams = self.create("sh", "-c", "exec < /dev/null; echo closed; until [ -e /tmp/go ]; do sleep 0.01; done", stdin=True)
        container.start()
        streams["stdout"].until(b"closed\n")
        writer = threading.Thread(target=streams["stdin"].write, args=(b"x" * 300000,))
        writer.start()
        writer.join(shims.SECONDS_MAX)
        self.assertFalse(writer.is_alive())
        container.exec("touch", "/tmp/go").finish()
        self.assertEqual(streams["stdout"].to_end(), b"closed\n")

    def test_flat(self):
        """200 execs with streams leave no descriptor behind"""
        container, _ = self.create("sh", "-c", "while :; do sleep 0.1; done")
        container.start()

        def run(number):
            process, made = self.exec(container, f"exec-{number}", "echo $$", stdin=True)
            process.start()
            self.assertNotEqual(made["stdout"].to_end(), b"")
            process.status()
            process.delete()
            for stream in made.values():
                stream.close()

        def descriptors():
            return len(os.listdir(f"/proc/{container.shim.pid}/fd"))

        run(0)
        before = descriptors()
        for number in range(1, 200):
            run(number)
        shims.wait_until(lambda: descriptors() <= before, "descriptors as before")
