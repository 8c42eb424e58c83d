"""Garbage on the socket: an error answer or a closed connection, while other callers are served as if nothing were."""

import os
import random
import socket
import struct

import case
import shim as shims
import ttrpc
import wire

MIB = 1024 * 1024


class Hostile(case.ShimTest):
    def setUp(self):
        super().setUp()
        self.steady = self.running()

    def expect_service(self):
        """The first connection is served as before, and new ones are."""
        self.assertEqual(self.steady.state_name(), "running")
        other = self.steady.shim.another_client()
        self.assertEqual(self.steady.shim.fetch(self.steady.send("State", client=other), client=other).pid, self.steady.pid)
        other.close()

    def connect(self):
        return ttrpc.connect(self.steady.shim.socket)

    def send(self, sock, data):
        """As much as the shim takes; it may close the connection at any time."""
        try:
            sock.sendall(data)
        except OSError:
            pass

    def frame(self, method="State", stream_id=1, **fields):
        payload = wire.encode(shims.METHODS[method][0], **(fields or {"id": "one"}))
        return ttrpc.frame(stream_id, ttrpc.REQUEST, ttrpc.request(self.steady.shim.service, method, payload))

    def test_random_bytes(self):
        """random bytes on two hundred connections"""
        chance = random.Random(1)
        for _ in range(200):
            sock = self.connect()
            self.send(sock, chance.randbytes(chance.randrange(1, 5000)))
            sock.close()
        self.expect_service()

    def test_broken_requests(self):
        """requests with single bytes changed: never more than an error"""
        chance = random.Random(2)
        good = self.frame()
        for _ in range(500):
            data = bytearray(good)
            for _ in range(chance.randrange(1, 4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            sock = self.connect()
            self.send(sock, bytes(data))
            sock.close()
        self.expect_service()

    def test_truncated_frames(self):
        """a frame that ends early, at every place"""
        good = self.frame()
        for end in range(len(good)):
            sock = self.connect()
            self.send(sock, good[:end])
            sock.close()
        self.expect_service()

    def test_slow_frame(self):
        """a request that comes byte by byte is answered, and others meanwhile"""
        sock = self.connect()
        for byte in self.frame():
            sock.sendall(bytes([byte]))
            if byte % 16 == 0:
                self.assertEqual(self.steady.state_name(), "running")
        connection = ttrpc.Connection(sock)
        body = connection.receive(case.time.monotonic() + shims.SECONDS_MAX)[3]
        self.assertEqual(wire.decode("StateResponse", wire.decode("Response", body).payload).pid, self.steady.pid)
        sock.close()

    def test_huge_lengths(self):
        """a frame that announces more than 4 MiB is answered with ResourceExhausted or ends the connection; memory stays"""
        before = case.memory(self.steady.shim.pid)["Rss"]
        for length in [4 * MIB + 1, 64 * MIB, 0x7FFFFFFF, 0xFFFFFFFF]:
            with self.subTest(length=length):
                sock = self.connect()
                self.send(sock, struct.pack(">IIBB", length, 1, ttrpc.REQUEST, 0) + b"x" * 100000)
                sock.close()
        sock = self.connect()
        self.send(sock, struct.pack(">IIBB", 4 * MIB + 1, 1, ttrpc.REQUEST, 0) + b"x" * (4 * MIB + 1))
        self.send(sock, self.frame(stream_id=3))
        connection = ttrpc.Connection(sock)
        deadline = case.time.monotonic() + shims.SECONDS_MAX
        answers = dict(connection.receive(deadline)[::3] for _ in range(2))
        self.assertEqual(wire.decode("Response", answers[1]).status.code, ttrpc.RESOURCE_EXHAUSTED)
        self.assertEqual(wire.decode("Response", answers[3]).status.code, ttrpc.OK)
        sock.close()
        self.expect_service()
        self.assertLess(case.memory(self.steady.shim.pid)["Rss"], before + 2 * 1024)

    def test_wrong_streams(self):
        """stream ids that are even, zero, used twice or falling, and frames of the wrong type: InvalidArgument on that stream, and
        the connection serves on"""
        wrong = [(self.frame(stream_id=2), 2), (self.frame(stream_id=0), 0), (self.frame(stream_id=5) * 2, 5),
                 (self.frame(stream_id=9) + self.frame(stream_id=3), 3), (ttrpc.frame(1, ttrpc.RESPONSE, b""), 1),
                 (ttrpc.frame(1, ttrpc.DATA, b"x"), 1), (ttrpc.frame(1, 77, b""), 1), (ttrpc.frame(1, ttrpc.REQUEST, b"", flags=255), 1),
                 (self.frame(stream_id=1) + ttrpc.frame(1, ttrpc.DATA, b"x"), 1)]
        for data, stream_id in wrong:
            with self.subTest(data[:10]):
                connection = ttrpc.Connection(self.connect())
                connection.send(data + self.frame(stream_id=101))
                answers = self.answers(connection, until=101)
                self.assertEqual(answers[stream_id][-1], ttrpc.INVALID_ARGUMENT)
                self.assertEqual(answers[101], [ttrpc.OK])
                connection.close()
        self.expect_service()

    @staticmethod
    def answers(connection, until):
        """The codes by stream, in order, up to the answer on that one."""
        found = {}
        deadline = case.time.monotonic() + shims.SECONDS_MAX
        while until not in found:
            stream_id, _, _, body = connection.receive(deadline)
            found.setdefault(stream_id, []).append(wire.decode("Response", body).status.code)
        return found

    def test_half_open_connections(self):
        """a thousand connections that say nothing, or half a frame: whoever was there before is served"""
        held = []
        for number in range(1000):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.setblocking(False)
            try:
                sock.connect(self.steady.shim.socket)
                if number % 2:
                    sock.send(self.frame()[:7])
            except OSError:
                pass
            held.append(sock)
        self.assertEqual(self.steady.state_name(), "running")
        process = self.steady.exec_shell("echo served")
        self.assertEqual(process.finish()[1], b"served\n")
        for sock in held:
            sock.close()
        self.expect_service()

    def test_caller_that_does_not_read(self):
        """thousands of requests whose answers nobody fetches: the shim's memory stays bounded, others are served"""
        sock = self.connect()
        sock.settimeout(0.5)
        try:
            for number in range(100000):
                sock.sendall(self.frame(stream_id=2 * number + 1))
        except OSError:
            pass
        self.expect_service()
        if not case.is_sanitized():
            self.assertLess(case.memory(self.steady.shim.pid)["Rss"], 32 * 1024)
        sock.close()
        self.expect_service()

    def test_many_open_calls(self):
        """five thousand calls of Wait on one connection: served or refused, and the end of the connection frees them"""
        sock = self.connect()
        data = b"".join(self.frame("Wait", stream_id=2 * number + 1) for number in range(5000))
        self.send(sock, data)
        self.expect_service()
        sock.close()
        self.expect_service()

    def test_caller_that_leaves(self):
        """callers that go away right after a request, of each kind that takes its time"""
        for number in range(50):
            sock = self.connect()
            self.send(sock, self.frame("Wait") + self.frame("Exec", stream_id=3, id="one", exec_id=f"e{number}", spec={
                "type_url": case.bundles.PROCESS_URL, "value": case.json.dumps(case.bundles.process(["true"])).encode(),
            }) + self.frame("Start", stream_id=5, id="one", exec_id=f"e{number}"))
            sock.close()
        self.expect_service()

    def as_user(self, path):
        """What a request of an ordinary user comes to: `closed`, `answered`, or the name of an error."""
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                os.setgid(1000)
                os.setuid(1000)
                sock = ttrpc.connect(path)
                sock.sendall(self.frame())
                result = "answered" if sock.recv(1000) else "closed"
            except OSError as error:
                result = type(error).__name__
            os.write(write_end, result.encode())
            os._exit(0)
        os.waitpid(pid, 0)
        result = os.read(read_end, 1000).decode()
        os.close(read_end)
        os.close(write_end)
        return result

    def test_other_users(self):
        """a peer that is not root is refused, also where it gets at the socket"""
        path = self.steady.shim.socket
        self.assertEqual(self.as_user(path), "PermissionError")
        for name in [os.path.dirname(path), path]:
            os.chmod(name, 0o777)
        answer = self.as_user(path)
        os.chmod(os.path.dirname(path), 0o700)
        # Either the connection ended without an answer, or it was already gone.
        self.assertIn(answer, ["closed", "BrokenPipeError", "ConnectionResetError"])
        self.expect_service()

    def test_no_descriptor_is_left(self):
        """after all kinds of broken connections the shim has as many descriptors open as before"""
        def descriptors():
            return len(os.listdir(f"/proc/{self.steady.shim.pid}/fd"))

        self.expect_service()
        before = descriptors()
        for data in [b"", b"x", self.frame()[:9], self.frame(), self.frame("Wait"), b"\xff" * 100]:
            for _ in range(20):
                sock = self.connect()
                self.send(sock, data)
                sock.close()
        shims.wait_until(lambda: descriptors() <= before, "the descriptors are released")
