"""kill -9 of the shim, and of what works for it, at any moment: containerd's `delete` clears everything away."""

import os
import random
import time

import case
import shim as shims
import ttrpc

ROUNDS = {"fast": 10}.get(case.SIZE, 60)
SEED = 20


def workers(shim_pid):
    """Children of the shim that are in our pid namespace: no container's processes."""
    found = []
    for task in os.listdir(f"/proc/{shim_pid}/task"):
        try:
            children = case.read(f"/proc/{shim_pid}/task/{task}/children").split()
        except OSError:
            continue
        for child in map(int, children):
            try:
                status = case.read(f"/proc/{child}/status").decode()
            except OSError:
                continue
            spaces = [line for line in status.splitlines() if line.startswith("NSpid:")]
            if spaces and len(spaces[0].split()) == 2 and "\nState:\tZ" not in status:
                found.append(child)
    return found


def kill(pid):
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        pass


class Crash(case.ShimTest):
    def kill_shim(self, shim):
        os.kill(shim.pid, 9)
        shims.wait_until(lambda: not shim.is_alive(), "the shim is gone")

    def delete(self, container):
        answer = container.shim.delete_command(container.name, container.bundle)
        self.assertEqual(answer.exit_status, 137)
        self.assertGreater(answer.exited_at.seconds, 0)
        self.expect_nothing_left()
        return answer

    def test_shim_killed(self):
        """the shim is killed with a running container and execs: delete ends them all, and a second delete is none too many"""
        container = self.running()
        container.exec("sleep", "1000").start()
        container.exec_shell("setsid sleep 1000 & wait").start()
        pid = container.pid
        self.kill_shim(container.shim)
        answer = self.delete(container)
        self.assertEqual(answer.pid, pid)
        container.shim.delete_command()

    def test_shim_killed_in_each_state(self):
        """the shim is killed while its container is created, paused, stopped, deleted, or was never made"""
        steps = {
            "none": lambda container: None,
            "created": lambda container: container.create(),
            "paused": lambda container: container.create().start() and container.call("Pause"),
            "stopped": lambda container: container.create().start() and container.kill(9, everything=True) and container.wait(),
            "deleted": lambda container: container.create().delete(),
        }
        for name, step in steps.items():
            with self.subTest(name):
                self.shim(name=name)
                step(self.containers[-1])
                self.kill_shim(self.shims[-1])
                self.delete(self.containers[-1])

    def test_shim_killed_without_a_pid_namespace(self):
        """the same for a container whose processes share the host's pid namespace"""
        namespaces = [{"type": kind} for kind in ("network", "ipc", "uts", "mount")]
        container = self.shell("setsid sleep 1000 & setsid sleep 1000 & echo ready; wait", linux={"namespaces": namespaces})
        container.start()
        container.out.until(b"ready\n")
        self.kill_shim(container.shim)
        self.delete(container)

    def test_delete_of_nothing(self):
        """delete of a container that never was succeeds"""
        shim = self.shim(start=False)
        self.assertEqual(shim.delete_command().exit_status, 137)

    def test_delete_leaves_others_alone(self):
        """delete of one container of a group leaves the other, and the shim, alone"""
        annotations = {"io.containerd.runc.v2.group": "pod"}
        one = self.running(name="one", annotations=annotations)
        bundle = self.bundle(case.IDLE, name="two", annotations=annotations)
        one.shim.run("start", bundle=bundle, name="two")
        two = shims.Container(one.shim, bundle)
        self.containers.append(two)
        two.create().start()
        one.shim.delete_command("one")
        self.assertEqual(two.state_name(), "running")

    def test_shim_killed_at_any_moment_of_a_create(self):
        """the shim is killed at a random moment of Create and Start: delete clears everything away"""
        chance = random.Random(SEED)
        for number in range(ROUNDS):
            self.shim(name=f"n{number}")
            container, shim = self.containers[-1], self.shims[-1]
            shim.send("Create", **container.create_fields())
            shim.send("Start", id=container.name)
            time.sleep(chance.uniform(0, 0.015))  # the moment is what is tried
            self.kill_shim(shim)
            self.delete(container)

    def test_worker_killed(self):
        """the shim's worker is killed at a random moment of Create: an error is answered, or it was done; nothing is left"""
        chance = random.Random(SEED)
        shim = self.shim()
        outcomes = {"failed": 0, "created": 0}
        for number in range(ROUNDS):
            container = shims.Container(shim, self.bundle(case.IDLE, name=f"n{number}"))
            self.containers.append(container)
            call = shim.send("Create", **container.create_fields())
            self.kill_a_worker(shim, chance, call)
            try:
                shim.fetch(call)
                container.kill_and_delete()
                outcomes["created"] += 1
            except ttrpc.CallError as error:
                self.assertNotEqual(error.message, "")
                outcomes["failed"] += 1
            self.refused(ttrpc.NOT_FOUND, container.state)
            self.expect_shim_alone(shim)
            container.close()
        print(f"# {outcomes}", flush=True)
        self.assertGreater(outcomes["failed"], 0, "no worker was killed in time")

    def expect_shim_alone(self, shim):
        def others():
            return [line for line in case.left_since(self.before)
                    if not line.startswith(f"processes: {shim.pid} ") and shim.socket not in line]
        try:
            shims.wait_until(lambda: not others(), "nothing is left of it")
        except AssertionError:
            self.fail("left behind:\n" + "\n".join(others()))

    def kill_a_worker(self, shim, chance, call):
        while not shim.client.is_answered(call[1]):
            found = workers(shim.pid)
            if found:
                time.sleep(chance.uniform(0, 0.006))  # the moment is what is tried
                for pid in found:
                    kill(pid)
                return

    def test_worker_of_an_exec_killed(self):
        """the same for the Start of an exec: the container lives, and no process of the exec is left"""
        chance = random.Random(SEED)
        container = self.running()
        for number in range(ROUNDS):
            process = container.exec("sleep", "1000", exec_id=f"e{number}")
            call = process.send("Start")
            self.kill_a_worker(container.shim, chance, call)
            try:
                container.shim.fetch(call)
                process.kill(9)
                process.status()
            except ttrpc.CallError as error:
                self.assertNotEqual(error.message, "")
            process.delete()
            process.close()
            shims.wait_until(lambda: len(container.call("Pids").processes) <= 2, "no process of the exec is left")
        self.assertEqual(container.state_name(), "running")

    def test_container_killed_behind_the_shims_back(self):
        """a container's first process that somebody else kills is an exit like any other"""
        container = self.running()
        os.kill(container.pid, 9)
        self.assertEqual(container.status(), 137)
        self.wait_for_event(topic="/tasks/exit", pid=container.pid)
