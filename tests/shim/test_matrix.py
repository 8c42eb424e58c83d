"""Every call in every state of a container and of an exec, as a table: the status that containerd's clients decide by. What changes
the state is asked last, or in the tests of its own."""

import json

import bundle as bundles
import case
import shim as shims
import ttrpc

CODES = {"ok": ttrpc.OK, "state": ttrpc.FAILED_PRECONDITION, "none": ttrpc.NOT_FOUND, "taken": ttrpc.ALREADY_EXISTS,
         "invalid": ttrpc.INVALID_ARGUMENT, "late": ttrpc.DEADLINE_EXCEEDED}
SERVICES = ["containerd.task.v2.Task", "containerd.task.v3.Task"]

# "state": FailedPrecondition, "none": NotFound, "taken": AlreadyExists, "late": it waits; "-": it would be done.
CONTAINER = """
call            created  running  paused  stopped  deleted
State           ok       ok       ok      ok       none
Pids            ok       ok       ok      ok       none
Stats           ok       ok       ok      ok       none
Connect         ok       ok       ok      ok       ok
Wait            late     late     late    ok       none
Kill-0          ok       ok       ok      none     none
Kill-65         invalid  invalid  invalid invalid  invalid
Update          ok       ok       ok      state    none
Update-none     invalid  invalid  invalid invalid  invalid
Update-other    invalid  invalid  invalid invalid  invalid
Create          taken    taken    taken   taken    -
Exec            -        -        state   state    none
Exec-taken      taken    taken    taken   taken    none
Exec-nameless   invalid  invalid  invalid invalid  invalid
Exec-no-spec    invalid  invalid  invalid invalid  invalid
Start           -        state    state   state    none
Pause           state    -        state   state    none
Resume          state    state    -       state    none
Delete          -        state    state   -        none
Checkpoint      state    -        -       state    none
CloseIO         ok       ok       ok      ok       none
CloseIO-nothing ok       ok       ok      ok       none
ResizePty       state    state    state   ok       none
Shutdown        ok       ok       ok      ok       -
"""

# The columns: an exec of a running container, then of a paused one, then of one that has ended.
EXEC = """
call            added   running  ended  failed  gone  paused:added  paused:running  stopped:added  stopped:ended
State           ok      ok       ok     ok      none  ok            ok              ok             ok
Wait            late    late     ok     ok      none  late          late            late           ok
Kill-0          state   ok       none   state   none  state         ok              state          none
Exec-taken      taken   taken    taken  taken   -     taken         taken           taken          taken
Start           -       state    state  -       none  state         state           state          state
CloseIO         ok      ok       ok     ok      none  ok            ok              ok             ok
CloseIO-nothing ok      ok       ok     ok      none  ok            ok              ok             ok
Delete          -       state    -      -       none  -             state           -              -
"""


def table(text):
    head, *rows = [line.split() for line in text.split("\n") if line]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def spec(args):
    return {"type_url": bundles.PROCESS_URL, "value": json.dumps(bundles.process(args)).encode()}


def resources(text, type_url=bundles.RESOURCES_URL):
    return {"resources": {"type_url": type_url, "value": text}}


class Matrix(case.ShimTest):
    def fields_of(self, container):
        return {
            "Kill-0": {"signal": 0}, "Kill-65": {"signal": 65}, "CloseIO": {"stdin": True}, "ResizePty": {"width": 80, "height": 25},
            "Update": resources(b'{"pids": {"limit": 100}}'), "Update-other": resources(b"{}", "types.containerd.io/google/Spec"),
            "Create": {"bundle": container.folder, "rootfs": container.bundle.mounts()}, "Checkpoint": {"path": case.WORK},
            "Exec": {"exec_id": "fresh", "spec": spec(["true"])}, "Exec-taken": {"exec_id": "added", "spec": spec(["true"])},
            "Exec-nameless": {"spec": spec(["true"])}, "Exec-no-spec": {"exec_id": "fresh"},
        }

    def ask(self, shim, service, method, fields):
        """The status of the answer; Wait is given a moment."""
        message = shims.METHODS[method][0]
        names = [name for name, _, _ in shims.wire.messages[message].values()]
        payload = shims.wire.encode(message, **{key: value for key, value in fields.items() if key in names})
        try:
            shim.client.fetch(shim.client.send(service, method, payload, timeout=0.02 if method == "Wait" else shims.SECONDS_MAX))
        except ttrpc.CallError as error:
            self.assertNotEqual(error.message, "")
            return error.code
        return ttrpc.OK

    def expect_column(self, container, text, column, exec_id=""):
        """exec_id: of the exec that is asked about."""
        of_call = self.fields_of(container)
        before = len(self.server.events)
        for call, cells in table(text).items():
            for service in SERVICES if cells[column] != "-" else []:
                fields = {"id": container.name, "exec_id": exec_id, **of_call.get(call, {})}
                if exec_id:  # also for the call that has another one
                    fields["exec_id"] = exec_id
                with self.subTest(call, column=column, service=service):
                    found = self.ask(container.shim, service, call.split("-")[0], fields)
                    self.assertEqual(found, CODES[cells[column]])
        self.assertEqual([event.topic for event in self.server.events[before:]], [], "no answer here is worth an event")

    def test_container(self):
        """each call about a container that is created, running, paused, stopped, deleted has the status that the table says"""
        container = self.container()
        container.exec("true", exec_id="added")
        self.wait_for_event(topic="/tasks/exec-added")
        self.expect_column(container, CONTAINER, "created")
        container.start()
        self.wait_for_event(topic="/tasks/start")
        self.expect_column(container, CONTAINER, "running")
        container.call("Pause")
        self.wait_for_event(topic="/tasks/paused")
        self.expect_column(container, CONTAINER, "paused")
        self.assertEqual(container.state_name(), "paused")
        container.call("Resume")
        container.kill(9)
        container.status()
        self.wait_for_event(topic="/tasks/exit")
        self.expect_column(container, CONTAINER, "stopped")
        container.delete()
        self.wait_for_event(topic="/tasks/delete")
        self.expect_column(container, CONTAINER, "deleted")

    def execs_of(self, container):
        container.exec("true", exec_id="added")
        container.exec("true", exec_id="spare")
        container.exec("sleep", "1000", exec_id="running").start()
        container.exec_shell("exit 4", exec_id="ended").start().status()
        failed = container.exec("missing", exec_id="failed")
        self.refused(ttrpc.UNKNOWN, failed.start)
        container.exec("true", exec_id="gone").finish()
        self.wait_for_event(count=2, topic="/tasks/exit")

    def test_exec(self):
        """each call about an exec that was only added, runs, has ended, has failed or is gone, of a container that runs, is paused
        or has ended, has the status that the table says"""
        container = self.running()
        self.execs_of(container)
        for name in ["added", "running", "ended", "failed", "gone"]:
            self.expect_column(container, EXEC, name, exec_id=name)
        container.call("Pause")
        self.wait_for_event(topic="/tasks/paused")
        self.expect_column(container, EXEC, "paused:added", exec_id="added")
        self.expect_column(container, EXEC, "paused:running", exec_id="running")
        self.assertEqual({name: shims.STATUS[container.shim.call("State", id="one", exec_id=name).status]
                          for name in ["added", "running", "ended"]}, {"added": "created", "running": "paused", "ended": "stopped"})
        container.call("Resume")
        container.kill(9)
        container.status()
        self.wait_for_event(count=4, topic="/tasks/exit")
        self.expect_column(container, EXEC, "stopped:added", exec_id="spare")
        self.expect_column(container, EXEC, "stopped:ended", exec_id="running")
