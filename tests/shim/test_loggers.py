"""Binary loggers under the floor: programs of the host's that a Create or an Exec names, run as root (CVE-2026-53488)."""

import json
import os

import case
import shim as shims
import ttrpc
import wire


class Loggers(case.ShimTest):
    def setUp(self):
        super().setUp()
        self.listed = os.path.join(case.WORK, "loggers")
        self.ran = os.path.join(case.WORK, "ran")
        os.makedirs(self.listed)
        # What a label of an image's can name: a program that is there, and what it is to do.
        self.any_program = "binary:///bin/sh?-c=" + f"exec 5>&-; touch {self.ran}; exec cat <&3".replace(" ", "%20").replace("&", "%26")
        self.log, self.program = os.path.join(case.WORK, "logged"), os.path.join(self.listed, "logger")
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec 5>&-; cat <&3 > {self.log}; echo "$@" > {self.log}.end\n')
        os.chmod(self.program, 0o755)
        self.policy({"set": "strict", "audit": {"enabled": False}, "hook_directories": [self.listed, "/bin/sh"],
                     "loggers": [f"{self.program}?ONE"]})

    def policy(self, document):
        path = os.path.join(case.WORK, "policy.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        os.chmod(path, 0o644)
        value = wire.encode("RuntimeOptions", config_body=f'policy = "{path}"'.encode())
        self.options = {"type_url": "runtimeoptions.v1.Options", "value": value}

    def create(self, url):
        container, shim = self.containers[-1], self.shims[-1]
        shim.call("Create", id="one", bundle=container.folder, rootfs=container.bundle.mounts(), options=self.options,
                  stdout=url, stderr=url)
        return container

    def test_any_program(self):
        """a program of the host's that the policy does not list is no logger: it is not run, and no container is made"""
        self.shim(["true"])
        for url in [self.any_program, f"binary://{self.listed}/../../../bin/sh", f"binary://{self.listed}/../loggers/logger?ONE=x"]:
            message = self.refused(ttrpc.PERMISSION_DENIED, self.create, url)
            self.assertIn("rule hook of policy strict", message)
            self.assertIn("loggers", message)
            self.assertFalse(os.path.exists(self.ran))
        self.refused(ttrpc.NOT_FOUND, self.containers[-1].state)

    def test_exec(self):
        """the same for an exec, and its container goes on"""
        container = self.running()
        fields = container.exec_fields(container, ["true"], stdout=False, stderr=False)
        fields.update(stdout=self.any_program, stderr=self.any_program)
        container.shim.call("Exec", id="one", exec_id="e", **fields)
        self.assertIn("rule hook", self.refused(ttrpc.PERMISSION_DENIED, container.shim.call, "Start", id="one", exec_id="e"))
        self.assertFalse(os.path.exists(self.ran))
        self.assertEqual(container.state_name(), "running")

    def test_listed(self):
        """one that is listed is run, with the argument that is listed and a value, and refused with any other"""
        self.shim(["echo", "out"])
        for query in ["", "?", "?run=--privileged", "?TWO=x", "?ONEX=x", "?ONE=x&TWO=y", "?run=x&ONE=y", "?%4fNE=x&ONE=x", "?*=x"]:
            self.assertIn("rule hook", self.refused(ttrpc.PERMISSION_DENIED, self.create, f"binary://{self.program}{query}"))
        self.logs_with("?ONE=x+y", b"ONE x y\n")

    def logs_with(self, query, arguments):
        container = self.create(f"binary://{self.program}{query}").start()
        self.assertEqual(container.status(), 0)
        container.delete()
        shims.wait_until(lambda: os.path.exists(self.log + ".end") and case.read(self.log + ".end"), "the logger has ended")
        self.assertEqual((case.read(self.log), case.read(self.log + ".end")), (b"out\n", arguments))

    def test_none(self):
        """one that is listed without an argument has none"""
        self.policy({"set": "strict", "audit": {"enabled": False}, "loggers": [self.program]})
        self.shim(["echo", "out"])
        self.refused(ttrpc.PERMISSION_DENIED, self.create, f"binary://{self.program}?ONE=x")
        self.logs_with("", b"\n")

    def test_any_arguments(self):
        """one that is listed with a star has any"""
        self.policy({"set": "strict", "audit": {"enabled": False}, "loggers": ["/other", f"{self.program}?*"]})
        self.shim(["echo", "out"])
        self.logs_with("?ONE=x&TWO", b"ONE x TWO \n")

    def test_warning(self):
        """at the level warn any is run, and the shim's log has a line"""
        self.policy({"set": "strict", "audit": {"enabled": False}, "rules": {"hook": "warn"}})
        self.shim(["true"])
        container = self.create(self.any_program).start()
        self.assertEqual(container.status(), 0)
        shims.wait_until(lambda: os.path.exists(self.ran), "the logger runs")
        self.assertIn("rule hook", self.shims[-1].log_text())
