"""Calls in any order, from several callers at once, some of whom leave without their answers: the shim answers every one, and its
container and its execs can be used and deleted afterwards."""

import json
import os
import random
import threading

import bundle as bundles
import case
import shim as shims
import ttrpc
import wire

CALLERS = 5
ROUNDS = {"fast": 100, "long": 20000}.get(case.SIZE, 300)
EXECS = ["a", "b", "c", "y" * 200]
PROGRAMS = [["true"], ["sleep", "0.01"], ["sleep", "1000"], ["sh", "-c", "setsid sleep 1000 & exit 3"], ["missing"]]
OPEN_MAX = 60  # calls of one caller that nobody has fetched the answer of
SECONDS_MAX = 60


class Caller(threading.Thread):
    def __init__(self, container, seed):
        super().__init__(daemon=True)
        self.container = container
        self.shim = container.shim
        self.random = random.Random(seed)
        self.client = self.shim.another_client()
        self.open = 0
        self.failure = None

    def pick(self, *values):
        return self.random.choice(values)

    def ids(self):
        return {"id": self.pick("one", "one", "one", "other", "", "x" * 300), "exec_id": self.pick("", *EXECS)}

    def exec_fields(self):
        spec = json.dumps(bundles.process(self.pick(*PROGRAMS)))
        if self.random.random() < 0.1:
            spec = spec[:self.random.randrange(len(spec))]
        return {"spec": {"type_url": bundles.PROCESS_URL, "value": spec.encode()}, "terminal": self.pick(True, False, False),
                "stdout": self.pick("", "", self.file(), "/missing"), "stdin": self.pick("", "", "", "/missing")}

    @staticmethod
    def file():
        return f"file://{case.WORK}/storm"

    def fields(self, method):
        """None: of no use here, since the container is to live."""
        fields = self.ids()
        is_init = fields["id"] == "one" and not fields["exec_id"]
        if method == "Delete" and is_init:
            return None
        if method == "Create":
            fields.update(id=self.pick("one", "other"), bundle=self.pick(self.container.folder, "/missing", "relative"),
                          stdout=self.pick("", self.file(), "/missing"), terminal=self.pick(True, False))
        elif method == "Exec":
            fields.update(self.exec_fields())
        elif method == "Kill":
            fields.update(signal=0 if is_init else self.pick(0, 9, 15, 65, 1000), all=self.pick(True, False))
        elif method == "Update":
            fields.update(resources={"type_url": bundles.RESOURCES_URL, "value": self.pick(b"{}", b'{"pids":{"limit":100}}', b"{", b"[]")})
        elif method == "ResizePty":
            fields.update(width=self.pick(0, 80, 70000), height=24)
        elif method == "CloseIO":
            fields.update(stdin=True)
        elif method == "Checkpoint":
            fields.update(path=self.pick("", "/run/brig-shim/images", "relative"))
        return self.shim.known(method, fields)

    def call(self):
        method = self.pick(*shims.METHODS, "Exec", "Start", "Start")
        fields = self.fields(method)
        if fields is None:
            return
        payload = wire.encode(shims.METHODS[method][0], **fields)
        if self.random.random() < 0.05:
            payload = self.random.randbytes(self.random.randrange(60))
        stream = self.client.send(self.shim.service, method, payload)
        if method == "Wait" or self.random.random() < 0.3:
            self.open += 1
        else:
            try:
                self.client.fetch(stream, SECONDS_MAX)
            except ttrpc.CallError:
                pass
            except ttrpc.Timeout:
                raise AssertionError(f"no answer to {method} {fields}") from None
        if self.open > OPEN_MAX:
            self.client.close()
            self.client = self.shim.another_client()
            self.open = 0

    def run(self):
        try:
            for _ in range(ROUNDS):
                self.call()
        except Exception as error:  # told by the test
            self.failure = error
        self.client.close()


class Storm(case.ShimTest):
    def test_storm(self):
        """calls in any order, of several callers: each is answered, and what is there can be used and deleted afterwards"""
        seed = int(os.environ.get("BRIG_SEED") or random.randrange(1 << 32))
        container = self.running()
        callers = [Caller(container, seed + number) for number in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            while caller.is_alive():
                caller.join(0.2)
                self.resume(container)  # the start of an exec that a pause met on its way waits for that
        self.assertEqual([caller.failure for caller in callers], [None] * CALLERS, f"BRIG_SEED={seed}")
        for exec_id in EXECS:
            self.end(shims.Process(container.shim, "one", exec_id, container.folder))
        self.assertEqual(container.exec("true", exec_id="last").finish()[0], 0, f"BRIG_SEED={seed}")
        self.assertEqual(container.state_name(), "running", f"BRIG_SEED={seed}")

    @staticmethod
    def resume(container):
        try:
            container.call("Resume")
        except ttrpc.CallError:
            pass  # it is not paused

    def end(self, process):
        """In whatever state it is."""
        for method in ["Kill", "Wait", "Delete"]:
            if method == "Wait" and not self.has_ended(process):
                continue
            try:
                process.call(method, signal=9) if method == "Kill" else process.call(method)
            except ttrpc.CallError as error:
                self.assertIn(error.code, [ttrpc.NOT_FOUND, ttrpc.FAILED_PRECONDITION], error.message)

    @staticmethod
    def has_ended(process):
        """One that was killed will have; one that was never started, or is not there, has no end to wait for."""
        try:
            return shims.STATUS[process.state().status] in ("running", "stopped")
        except ttrpc.CallError:
            return False
