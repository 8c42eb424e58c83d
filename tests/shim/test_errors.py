"""Every call in every wrong place: the status code, and a message that says what is wrong."""

import case
import shim as shims
import ttrpc
import wire

# What a request about something that does not exist has to say beside the ids.
FIELDS = {"Kill": {"signal": 9}, "ResizePty": {"width": 1, "height": 1}, "CloseIO": {"stdin": True}}
OF_A_CONTAINER = ["Start", "Delete", "State", "Pids", "Pause", "Resume", "Kill", "ResizePty", "CloseIO", "Wait", "Stats", "Update"]
OF_AN_EXEC = ["Start", "Delete", "State", "Kill", "ResizePty", "CloseIO", "Wait"]


class Errors(case.ShimTest):
    def test_unknown_container(self):
        """NotFound from every call about a container that is not there"""
        shim = self.shim()
        for method in OF_A_CONTAINER:
            with self.subTest(method):
                fields = dict(FIELDS.get(method, {}))
                if method == "Update":
                    fields["resources"] = {"type_url": case.bundles.RESOURCES_URL, "value": b"{}"}
                self.refused(ttrpc.NOT_FOUND, shim.call, method, id="missing", **fields)
        spec = {"type_url": case.bundles.PROCESS_URL, "value": b"{}"}
        self.refused(ttrpc.NOT_FOUND, shim.call, "Exec", id="missing", exec_id="x", spec=spec)

    def test_unknown_exec(self):
        """NotFound from every call about an exec that is not there"""
        container = self.running()
        for method in OF_AN_EXEC:
            with self.subTest(method):
                self.refused(ttrpc.NOT_FOUND, container.shim.call, method, id="one", exec_id="missing", **FIELDS.get(method, {}))

    def test_taken_ids(self):
        """AlreadyExists for the id of a container and of an exec that are there"""
        container = self.running()
        fields = {"id": "one", "bundle": container.folder, "rootfs": container.bundle.mounts()}
        self.refused(ttrpc.ALREADY_EXISTS, container.shim.call, "Create", **fields)
        container.exec("sleep", "1000", exec_id="taken").start()
        value = case.json.dumps(case.bundles.process(["true"])).encode()
        spec = {"type_url": case.bundles.PROCESS_URL, "value": value}
        self.refused(ttrpc.ALREADY_EXISTS, container.shim.call, "Exec", id="one", exec_id="taken", spec=spec)

    def test_wrong_state(self):
        """FailedPrecondition: start twice, delete of what runs, pause and resume of what is not running or paused"""
        container = self.container()
        self.refused(ttrpc.FAILED_PRECONDITION, container.call, "Pause")
        self.refused(ttrpc.FAILED_PRECONDITION, container.call, "Resume")
        container.start()
        self.refused(ttrpc.FAILED_PRECONDITION, container.start)
        self.refused(ttrpc.FAILED_PRECONDITION, container.delete)
        process = container.exec("sleep", "1000")
        self.refused(ttrpc.FAILED_PRECONDITION, process.kill)
        process.start()
        self.refused(ttrpc.FAILED_PRECONDITION, process.start)
        self.refused(ttrpc.FAILED_PRECONDITION, process.delete)
        container.kill(9)
        container.status()
        self.refused(ttrpc.FAILED_PRECONDITION, container.start)
        self.refused(ttrpc.FAILED_PRECONDITION, lambda: container.exec("true").start())

    def test_unknown_calls(self):
        """Unimplemented for a service or method that does not exist: the fall-back from task v3 to v2 depends on it"""
        shim = self.shim()
        for service, method in [("containerd.task.v9.Task", "Create"), ("containerd.task.v2.Task", "Dance"), ("x", "Create")]:
            with self.subTest(service=service, method=method):
                self.refused(ttrpc.UNIMPLEMENTED, lambda: shim.client.fetch(shim.client.send(service, method, b"")))

    def test_checkpoint(self):
        """Checkpoint answers why it can't, and the container runs on"""
        container = self.running()
        message = self.refused(ttrpc.UNIMPLEMENTED, container.call, "Checkpoint", path=case.WORK)
        self.assertNotEqual(message, "")
        self.assertEqual(container.state_name(), "running")

    def test_invalid_arguments(self):
        """InvalidArgument for ids that are no names, specs and resources that are no JSON, signals that don't exist"""
        container = self.running()
        shim = container.shim

        def spec(text):
            return {"type_url": case.bundles.PROCESS_URL, "value": text}

        fields = {"bundle": container.folder, "rootfs": container.bundle.mounts()}
        for name in ["", "../up", "a/b", ".", "with space", "new\nline", "x" * 251]:
            with self.subTest(id=name):
                self.refused(ttrpc.INVALID_ARGUMENT, shim.call, "Create", id=name, **fields)
        value = case.json.dumps(case.bundles.process(["true"])).encode()
        for name in ["../up", "a/b", "x" * 251]:
            with self.subTest(exec_id=name):
                self.refused(ttrpc.INVALID_ARGUMENT, shim.call, "Exec", id="one", exec_id=name, spec=spec(value))
        self.assertEqual(container.exec("true", exec_id="x" * 250).finish()[0], 0)
        self.refused(ttrpc.RESOURCE_EXHAUSTED, shim.call, "Create", id="x" * 2000, **fields)
        self.refused(ttrpc.RESOURCE_EXHAUSTED, shim.call, "Exec", id="one", exec_id="x" * 2000, spec=spec(value))
        for number, text in enumerate([b"", b"{", b"[]", b'{"args": "true"}', b"[" * 100000, b"\xff\xfe"]):
            with self.subTest(spec=text[:20]):
                with self.assertRaises(ttrpc.CallError) as caught:
                    shim.call("Exec", id="one", exec_id=f"e{number}", spec=spec(text))
                    shim.call("Start", id="one", exec_id=f"e{number}")
                self.assertEqual(caught.exception.code, ttrpc.INVALID_ARGUMENT, caught.exception.message)
        for text in [b"{", b"[]", b'{"pids": {"limit": "many"}}', b'{"memory": {"limit": -5}}']:
            with self.subTest(resources=text):
                value = {"type_url": case.bundles.RESOURCES_URL, "value": text}
                self.refused(ttrpc.INVALID_ARGUMENT, shim.call, "Update", id="one", resources=value)
        for number in [65, 1000, 4294967295]:
            with self.subTest(signal=number):
                with self.assertRaises(ttrpc.CallError):
                    container.kill(number)
        self.assertEqual(container.state_name(), "running")

    def test_bad_bundles(self):
        """a bundle that is missing, or whose config.json is wrong: Create says so and nothing is left of it"""
        container = self.running()
        texts = {"missing": None, "empty": b"", "torn": b'{"ociVersion": "1.0.2", ', "list": b"[]", "deep": b"[" * 100000,
                 "no-process": b'{"ociVersion": "1.0.2", "root": {"path": "rootfs"}}', "huge": b" " * 20000000}
        for name, text in texts.items():
            with self.subTest(name):
                folder = case.os.path.join(case.WORK, "bad-" + name)
                case.os.makedirs(folder + "/rootfs")
                if text is not None:
                    with open(folder + "/config.json", "wb") as file:
                        file.write(text)
                with self.assertRaises(ttrpc.CallError) as caught:
                    container.shim.call("Create", id=name, bundle=folder, rootfs=container.bundle.mounts())
                self.assertNotEqual(caught.exception.message, "")
                self.refused(ttrpc.NOT_FOUND, container.shim.call, "State", id=name)

    def test_bad_mounts(self):
        """a root file system that can't be mounted: Create says which and nothing is left of it"""
        shim = self.shim()
        bad = [{"type": "overlay", "source": "overlay", "options": ["lowerdir=/no/such/folder"]},
               {"type": "no-such-type", "source": "none", "options": []},
               {"type": "bind", "source": "/no/such/folder", "options": ["rbind"]}]
        for mount in bad:
            with self.subTest(mount["type"]):
                with self.assertRaises(ttrpc.CallError) as caught:
                    shim.call("Create", id="one", bundle=shim.bundle.folder, rootfs=[mount])
                self.assertNotEqual(caught.exception.message, "")
                self.refused(ttrpc.NOT_FOUND, shim.call, "State", id="one")

    def test_malformed_payload(self):
        """a payload that is no message is InvalidArgument, for every call"""
        shim = self.shim()
        for method in shims.METHODS:
            for payload in [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x10short", b"\x00" * 100]:
                with self.subTest(method, payload=payload):
                    with self.assertRaises(ttrpc.CallError) as caught:
                        shim.client.fetch(shim.client.send(shim.service, method, payload))
                    self.assertEqual(caught.exception.code, ttrpc.INVALID_ARGUMENT, caught.exception.message)

    def test_deadline(self):
        """a call's deadline is kept by the shim: DeadlineExceeded, and the connection serves on"""
        container = self.running()
        payload = wire.encode("ProcessRequest", id="one")
        call = container.shim.client.send(container.shim.service, "Wait", payload, timeout=0.05)
        self.refused(ttrpc.DEADLINE_EXCEEDED, container.shim.client.fetch, call)
        self.assertEqual(container.state_name(), "running")

    def test_metadata(self):
        """metadata that a caller sends along is no trouble"""
        container = self.running()
        payload = wire.encode("ProcessRequest", id="one")
        pairs = [("containerd-namespace-ttrpc", "default"), ("k" * 100, "v" * 1000), ("k" * 100, "again")]
        call = container.shim.client.send(container.shim.service, "State", payload, metadata=pairs)
        self.assertEqual(wire.decode("StateResponse", container.shim.client.fetch(call)).pid, container.pid)

    def test_unknown_options(self):
        """Create with options that nobody knows names the unknown key"""
        shim = self.shim()
        value = wire.encode("RuntimeOptions", type_url="x", config_body=b'polcy = "conformant"\n')
        options = {"type_url": "runtimeoptions.v1.Options", "value": value}
        fields = {"id": "one", "bundle": shim.bundle.folder, "rootfs": shim.bundle.mounts(), "options": options}
        self.assertIn("polcy", self.refused(ttrpc.INVALID_ARGUMENT, shim.call, "Create", **fields))
