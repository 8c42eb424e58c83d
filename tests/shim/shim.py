"""A shim as containerd sees it: started by its command line, then called over ttrpc; its containers and their streams."""

import json
import os
import select
import signal as signals
import subprocess
import time

import bundle as bundles
import ttrpc
import wire

NAMESPACE = "default"
CONTAINERD = "/run/containerd/containerd.sock"
SECONDS_MAX = 60  # for what has to happen, on a machine that others use as well

PROCESS = "ProcessRequest"
METHODS = {
    "Create": ("CreateTaskRequest", "PidResponse"),
    "Start": (PROCESS, "PidResponse"),
    "Delete": (PROCESS, "DeleteResponse"),
    "Exec": ("ExecProcessRequest", "Empty"),
    "ResizePty": ("ResizePtyRequest", "Empty"),
    "State": (PROCESS, "StateResponse"),
    "Pids": (PROCESS, "PidsResponse"),
    "Pause": (PROCESS, "Empty"),
    "Resume": (PROCESS, "Empty"),
    "Kill": ("KillRequest", "Empty"),
    "CloseIO": ("CloseIORequest", "Empty"),
    "Checkpoint": ("CheckpointTaskRequest", "Empty"),
    "Update": ("UpdateTaskRequest", "Empty"),
    "Wait": (PROCESS, "WaitResponse"),
    "Stats": (PROCESS, "StatsResponse"),
    "Connect": (PROCESS, "ConnectResponse"),
    "Shutdown": ("ShutdownRequest", "Empty"),
}
STATUS = {value: name[len("TASK_"):].lower() for name, value in wire.enums["TaskStatus"].items()}


def program():
    return os.environ.get("BRIG_SHIM") or os.path.join(os.environ["BRIG_BUILD"], "containerd-shim-brig-v2")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def caught_signals(pid):
    """Those that it has a handler for, as a mask."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
        return int(next(line for line in status if line.startswith("SigCgt:")).split()[1], 16)


def handles(pid, signal):
    return caught_signals(pid) >> (signal - 1) & 1


def wait_until(condition, what, seconds=SECONDS_MAX):
    """The condition's value, once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.005)
    return value


class Reader:
    """containerd's end of an output fifo: open before the container is."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path, 0o700)
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.data = bytearray()

    def more(self, deadline):
        """False at the end, which is when nobody has the fifo open for writing any more."""
        left = deadline - time.monotonic()
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        if left <= 0 or not poll.poll(left * 1000):
            raise AssertionError(f"nothing more came, and no end, after {bytes(self.data[-300:])!r}")
        data = os.read(self.fd, 1 << 16)
        self.data += data
        return bool(data)

    def to_end(self, seconds=SECONDS_MAX):
        deadline = time.monotonic() + seconds
        while self.more(deadline):
            pass
        return bytes(self.data)

    def until(self, text, seconds=SECONDS_MAX):
        deadline = time.monotonic() + seconds
        while text not in self.data:
            if not self.more(deadline):
                raise AssertionError(f"the end came before {text!r}: {bytes(self.data[-300:])!r}")
        return bytes(self.data)

    def available(self):
        """What is there now, without waiting."""
        try:
            while data := os.read(self.fd, 1 << 16):
                self.data += data
        except BlockingIOError:
            pass
        return bytes(self.data)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


class Process:
    """A container's first process (exec_id "") or an exec."""

    def __init__(self, shim, name, exec_id, folder):
        self.shim = shim
        self.name = name
        self.exec_id = exec_id
        self.folder = folder
        self.pid = 0
        self.out = self.err = None
        self.stdin_path = ""
        self.stdin_fd = -1

    def stream_path(self, kind):
        return os.path.join(self.folder, f"{self.exec_id or 'init'}-{kind}")

    def make_streams(self, terminal=False, stdin=False, stdout=True, stderr=True):
        """The fields of Create and Exec."""
        fields = {"terminal": terminal}
        if stdin:
            self.stdin_path = fields["stdin"] = self.stream_path("in")
            os.mkfifo(self.stdin_path, 0o700)
            self.stdin_fd = os.open(self.stdin_path, os.O_RDWR | os.O_CLOEXEC)  # as containerd does: open needs no reader
        if stdout:
            self.out = Reader(self.stream_path("out"))
            fields["stdout"] = self.out.path
        if stderr and not terminal:
            self.err = Reader(self.stream_path("err"))
            fields["stderr"] = self.err.path
        return fields

    def ids(self):
        return {"id": self.name, "exec_id": self.exec_id}

    def call(self, method, **fields):
        return self.shim.call(method, **self.ids(), **fields)

    def send(self, method, **fields):
        return self.shim.send(method, **self.ids(), **fields)

    def start(self):
        self.pid = self.call("Start").pid
        return self

    def wait(self):
        return self.call("Wait")

    def status(self):
        return self.wait().exit_status

    def state(self):
        return self.call("State")

    def state_name(self):
        return STATUS[self.state().status]

    def kill(self, signal=9, everything=False):
        return self.call("Kill", signal=int(signal), all=everything)

    def delete(self):
        return self.call("Delete")

    def close_stdin(self):
        """As containerd does it: its own end, then CloseIO."""
        if self.stdin_fd >= 0:
            os.close(self.stdin_fd)
        self.stdin_fd = -1
        self.call("CloseIO", stdin=True)

    def finish(self):
        """(status, output, errors): starts it, waits for its end, deletes it."""
        self.start()
        out = self.out.to_end()
        err = self.err.to_end() if self.err else b""
        status = self.status()
        self.delete()
        return status, out, err

    def close(self):
        for reader in [self.out, self.err]:
            if reader:
                reader.close()
        if self.stdin_fd >= 0:
            os.close(self.stdin_fd)
            self.stdin_fd = -1


class Container(Process):
    def __init__(self, shim, bundle):
        super().__init__(shim, bundle.name, "", bundle.folder)
        self.bundle = bundle
        self.processes = [self]
        self.execs = 0

    def create_fields(self, **options):
        streams = {key: options.pop(key) for key in list(options) if key in ("terminal", "stdin", "stdout", "stderr")}
        fields = {"id": self.name, "bundle": self.folder, "rootfs": self.bundle.mounts(), **self.make_streams(**streams)}
        if self.shim.options:
            fields["options"] = self.shim.options
        return {**fields, **options}

    def create(self, **options):
        self.pid = self.shim.call("Create", **self.create_fields(**options)).pid
        return self

    def exec_fields(self, process, args, **options):
        streams = {key: options.pop(key) for key in list(options) if key in ("terminal", "stdin", "stdout", "stderr")}
        spec = bundles.process(args, **options)
        spec["terminal"] = streams.get("terminal", False)
        value = json.dumps(spec).encode()
        return {**process.make_streams(**streams), "spec": {"type_url": bundles.PROCESS_URL, "value": value}}

    def exec(self, *args, exec_id=None, **options):
        """Added, not started yet. options: those of the process object, and terminal, stdin, stdout, stderr."""
        self.execs += 1
        process = Process(self.shim, self.name, exec_id or f"exec-{self.execs}", self.folder)
        self.processes.append(process)
        process.call("Exec", **self.exec_fields(process, args, **options))
        return process

    def exec_shell(self, script, **options):
        return self.exec("sh", "-c", script, **options)

    def kill_and_delete(self):
        """Whatever it is doing."""
        try:
            self.kill(9, everything=True)
            self.status()
        except ttrpc.CallError:
            pass
        try:
            self.delete()
        except ttrpc.CallError as error:
            if error.code != ttrpc.NOT_FOUND:
                raise

    def stop(self):
        """SIGTERM, once its program handles that: before, the kernel spares the first process of a pid namespace."""
        wait_until(lambda: handles(self.pid, signals.SIGTERM), "the program handles SIGTERM")
        self.kill(signals.SIGTERM)

    def close(self):
        for process in self.processes[1:]:
            process.close()
        super().close()


class Shim:
    """name: of the container that it is started for."""

    def __init__(self, bundle, options=None, version=2, program_path=None):
        self.bundle = bundle
        self.options = options  # an Any as a dictionary
        self.service = f"containerd.task.v{version}.Task"
        self.program = program_path or program()
        self.socket = None
        self.client = None
        self.pid = 0
        self.log = os.open(bundle.path("log"), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def command(self, *action, name=None):
        return [self.program, "-namespace", NAMESPACE, "-address", CONTAINERD, "-publish-binary", "/usr/bin/containerd",
                "-id", name or self.bundle.name, *action]

    def run(self, *action, stdin=None, bundle=None, name=None):
        """One command of the shim, in the bundle."""
        environment = dict(
            os.environ, TTRPC_ADDRESS=CONTAINERD + ".ttrpc", GRPC_ADDRESS=CONTAINERD, NAMESPACE=NAMESPACE,
            MAX_SHIM_VERSION="2", GOMAXPROCS="2",
        )
        if stdin is None:
            stdin = wire.encode("Any", **self.options) if self.options else b""
        return subprocess.run(
            self.command(*action, name=name), cwd=(bundle or self.bundle).folder, env=environment, input=stdin,
            capture_output=True, timeout=SECONDS_MAX, check=False,
        )

    def start(self, stdin=None):
        result = self.run("start", stdin=stdin)
        answer = result.stdout + result.stderr  # containerd reads both
        if result.returncode != 0 or not answer.startswith(b"unix://"):
            raise AssertionError(f"start: status {result.returncode}, {answer!r}")
        self.socket = answer.decode()[len("unix://"):]
        self.connect()
        return self

    def connect(self):
        self.client = ttrpc.Client(self.socket)
        self.pid = self.call("Connect", id=self.bundle.name).shim_pid

    def another_client(self):
        return ttrpc.Client(self.socket)

    def send(self, method, client=None, **fields):
        payload = wire.encode(METHODS[method][0], **self.known(method, fields))
        return method, (client or self.client).send(self.service, method, payload)

    def fetch(self, call, seconds=ttrpc.SECONDS_MAX, client=None):
        method, stream_id = call
        return wire.decode(METHODS[method][1], (client or self.client).fetch(stream_id, seconds))

    def call(self, method, **fields):
        return self.fetch(self.send(method, **fields))

    @staticmethod
    def known(method, fields):
        """Not every request about a container has an exec id."""
        names = [field for field, _, _ in wire.messages[METHODS[method][0]].values()]
        return {key: value for key, value in fields.items() if key in names or key != "exec_id"}

    def is_alive(self):
        return self.pid > 0 and is_alive(self.pid)

    def shutdown(self):
        try:
            self.call("Shutdown", id=self.bundle.name)
        except ttrpc.Disconnected:
            pass  # it may be gone before its answer is out
        self.client.close()  # else the shim stays for a second, so that its answer is read
        wait_until(lambda: not self.is_alive(), "the shim ends after Shutdown")

    def delete_command(self, name=None, bundle=None):
        """The shim's `delete`: containerd calls it when the shim itself is dead."""
        bundle = bundle or self.bundle
        result = self.run("-bundle", bundle.folder, "delete", bundle=bundle, name=name)
        if result.returncode != 0:
            raise AssertionError(f"delete: status {result.returncode}, {result.stderr!r}")
        return wire.decode("DeleteResponse", result.stdout)

    def log_text(self):
        try:
            return os.read(self.log, 1 << 16).decode(errors="replace")
        except BlockingIOError:
            return ""

    def close(self):
        if self.client:
            self.client.close()
        os.close(self.log)
