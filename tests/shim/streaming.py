"""containerd's end of a standard stream that is a connection of its own (io_type = "streaming")."""

import time

import ttrpc
import wire

SERVICE = "containerd.services.streaming.v1.Streaming"
INIT, DATA = "containerd.services.streaming.v1.StreamInit", "containerd.types.transfer.Data"
WINDOW, EMPTY = "containerd.types.transfer.WindowUpdate", "google.protobuf.Empty"
WINDOW_SIZE = 65536  # containerd's
REMOTE_CLOSED, REMOTE_OPEN, NO_DATA = 1, 2, 4


def any_of(kind, message, **values):
    return wire.encode("Any", type_url=kind, value=wire.encode(message, **values))


class Stream:
    """Joined by name. As a reader it allows so much at a time as containerd does, as a writer it sends what it is allowed."""

    def __init__(self, path, name, join=True):
        self.path = path
        self.name = name
        self.data = bytearray()
        self.window = 0   # what the shim may still send
        self.allowed = 0  # what we may still send
        self.is_over = False
        self.connection = None
        if join:
            self.join()

    def uri(self):
        return f"ttrpc+unix://{self.path}?streaming_id={self.name}"

    def open(self):
        self.connection = ttrpc.Connection(ttrpc.connect(self.path))
        self.connection.send(ttrpc.frame(1, ttrpc.REQUEST, ttrpc.request(SERVICE, "Stream", b""), REMOTE_OPEN))
        return self

    def join(self):
        """Also for the second time, after a restart."""
        self.open()
        self.window = self.allowed = 0
        self.is_over = False
        self.send(any_of(INIT, "StreamInit", id=self.name))
        kind, _ = self.receive()
        if kind != EMPTY:
            raise AssertionError(f"the answer to the name is a {kind}")
        return self

    def send(self, payload, flags=0):
        self.connection.send(ttrpc.frame(1, ttrpc.DATA, payload, flags))

    def receive(self, seconds=ttrpc.SECONDS_MAX):
        """The type and the bytes of the next message; None at the end."""
        _, kind, flags, body = self.connection.receive(time.monotonic() + seconds)
        if kind == ttrpc.RESPONSE:
            answer = wire.decode("Response", body)
            raise ttrpc.CallError(answer.status.code, answer.status.message)
        if flags & REMOTE_CLOSED:
            self.is_over = True
        if flags & NO_DATA:
            return None, b""
        message = wire.decode("Any", body)
        return message.type_url, message.value

    def allow(self, n):
        self.window += n
        self.send(any_of(WINDOW, "WindowUpdate", update=n))

    def take(self, seconds=ttrpc.SECONDS_MAX):
        kind, value = self.receive(seconds)
        if kind == DATA:
            data = wire.decode("StreamData", value).data
            if not 0 < len(data) <= self.window:
                raise AssertionError(f"{len(data)} bytes came, {self.window} were allowed")
            self.data += data
            self.window -= len(data)
        elif kind == WINDOW:
            self.allowed += wire.decode("WindowUpdate", value).update
        elif kind is not None:
            raise AssertionError(f"a {kind} came")

    def more(self, deadline):
        """For to_end and until: see shim.Reader."""
        if self.window < WINDOW_SIZE:
            self.allow(WINDOW_SIZE)
        self.take(max(deadline - time.monotonic(), 0.001))
        return not self.is_over

    def to_end(self, seconds=ttrpc.SECONDS_MAX):
        deadline = time.monotonic() + seconds
        while self.more(deadline):
            pass
        return bytes(self.data)

    def until(self, text, seconds=ttrpc.SECONDS_MAX):
        deadline = time.monotonic() + seconds
        while text not in self.data:
            if not self.more(deadline):
                raise AssertionError(f"the end came before {text!r}: {bytes(self.data[-300:])!r}")
        return bytes(self.data)

    def is_silent(self, seconds=0.1):
        try:
            self.take(seconds)
        except ttrpc.Timeout:
            return True
        return False

    def write(self, data):
        while data:
            while self.allowed == 0:
                self.take()
            piece = data[:min(self.allowed, 32768)]
            self.send(any_of(DATA, "StreamData", data=piece))
            self.allowed -= len(piece)
            data = data[len(piece):]

    def end(self):
        self.send(b"", REMOTE_CLOSED | NO_DATA)

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
