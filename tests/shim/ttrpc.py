"""ttrpc, both ends of it: a client that keeps several calls under way on one connection, and a server of one method for events.

Nothing here has a thread of its own but the server: a call is sent, and its answer fetched when somebody wants it.
"""

import os
import select
import socket
import struct
import threading
import time

import wire

REQUEST, RESPONSE, DATA = 1, 2, 3
HEADER = struct.Struct(">IIBB")
SECONDS_MAX = 60  # for an answer, where the caller does not say

OK, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS = 0, 2, 3, 4, 5, 6
PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, UNIMPLEMENTED, INTERNAL = 7, 8, 9, 12, 13


class CallError(Exception):
    """The peer's answer is a status other than OK."""

    def __init__(self, code, message):
        super().__init__(f"status {code}: {message}")
        self.code = code
        self.message = message


class Timeout(Exception):
    pass


class Disconnected(Exception):
    pass


def frame(stream_id, kind, body, flags=0):
    return HEADER.pack(len(body), stream_id, kind, flags) + body


def request(service, method, payload, timeout=0, metadata=()):
    pairs = [{"key": key, "value": value} for key, value in metadata]
    return wire.encode(
        "Request", service=service, method=method, payload=payload, timeout_nano=int(timeout * 1e9), metadata=pairs,
    )


class Connection:
    """Whole frames over a stream socket."""

    def __init__(self, sock):
        self.socket = sock
        self.buffer = bytearray()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Disconnected(str(error)) from error

    def receive(self, deadline):
        """(stream id, type, flags, body) of the next frame."""
        header = self.take(HEADER.size, deadline)
        length, stream_id, kind, flags = HEADER.unpack(header)
        return stream_id, kind, flags, self.take(length, deadline)

    def take(self, count, deadline):
        while len(self.buffer) < count:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and (left <= 0 or not select.select([self.socket], [], [], left)[0]):
                raise Timeout("no answer in time")
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError as error:
                raise Disconnected(str(error)) from error
            if not data:
                raise Disconnected("the peer closed the connection")
            self.buffer += data
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def close(self):
        self.socket.close()


def connect(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(path)  # blocking: waits for room in the queue
        sock.settimeout(SECONDS_MAX)
    except OSError:
        sock.close()
        raise
    return sock


class Client:
    def __init__(self, path):
        self.connection = Connection(connect(path))
        self.next_id = 1
        self.answers = {}

    def send(self, service, method, payload, **options):
        """The id with which to fetch the answer."""
        stream_id = self.next_id
        self.next_id += 2
        self.connection.send(frame(stream_id, REQUEST, request(service, method, payload, **options)))
        return stream_id

    def fetch(self, stream_id, seconds=SECONDS_MAX):
        deadline = time.monotonic() + seconds
        while stream_id not in self.answers:
            other, kind, _, body = self.connection.receive(deadline)
            if kind != RESPONSE:
                raise ValueError(f"a frame of type {kind}, where an answer was to come")
            self.answers[other] = wire.decode("Response", body)
        answer = self.answers.pop(stream_id)
        if answer.status.code != OK:
            raise CallError(answer.status.code, answer.status.message)
        return answer.payload

    def is_answered(self, stream_id, seconds=0.0):
        """Whether the answer comes within that time; it stays to be fetched."""
        deadline = time.monotonic() + seconds
        while stream_id not in self.answers:
            try:
                other, _, _, body = self.connection.receive(max(deadline, time.monotonic() + 0.001))
            except Timeout:
                return False
            self.answers[other] = wire.decode("Response", body)
        return True

    def close(self):
        self.connection.close()


class EventServer:
    """containerd's end for events. `events` has them in the order in which they came."""

    SERVICE = "containerd.services.events.ttrpc.v1.Events"

    def __init__(self, path):
        self.path = path
        self.events = []
        self.changed = threading.Condition()
        self.listener = None
        self.connections = []

    def open(self):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def close(self):
        """As when containerd ends: nobody listens, open connections break."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)
        with self.changed:
            for sock in self.connections:
                sock.shutdown(socket.SHUT_RDWR)
            self.connections = []

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self.changed:
                self.connections.append(sock)
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        connection = Connection(sock)
        try:
            while True:
                stream_id, _, _, body = connection.receive(None)
                connection.send(frame(stream_id, RESPONSE, wire.encode("Response", **self.answer(body))))
        except (Disconnected, OSError):
            pass
        finally:
            with self.changed:
                if sock in self.connections:
                    self.connections.remove(sock)
            sock.close()

    def answer(self, body):
        call = wire.decode("Request", body)
        if (call.service, call.method) != (self.SERVICE, "Forward"):
            return {"status": {"code": UNIMPLEMENTED, "message": f"no {call.service}/{call.method} here"}}
        envelope = wire.decode("ForwardRequest", call.payload).envelope
        name = envelope.event.type_url.rsplit(".", 1)[-1]
        event = wire.decode(name, envelope.event.value)
        event.topic, event.namespace, event.type_url = envelope.topic, envelope.namespace, envelope.event.type_url
        event.timestamp = envelope.timestamp
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()
        return {}
