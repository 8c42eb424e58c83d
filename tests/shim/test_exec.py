"""Further processes in a running container."""

import re
import signal

import case
import shim as shims
import ttrpc
import wire


class Exec(case.ShimTest):
    def test_output_and_status(self):
        """an exec has its own streams and exit status; the container runs on"""
        container = self.running()
        process = container.exec_shell("echo out; echo err >&2; exit 9")
        self.assertEqual(process.state_name(), "created")
        self.assertEqual(process.finish(), (9, b"out\n", b"err\n"))
        self.refused(ttrpc.NOT_FOUND, process.state)
        self.assertEqual(container.state_name(), "running")

    def test_environment_user_and_folder(self):
        """environment, user, groups, folder and limits are those that were asked for"""
        container = self.running()
        process = container.exec_shell(
            "echo $WORD; id -u; id -g; id -G; pwd; ulimit -n", env=["PATH=/bin", "WORD=value"], cwd="/tmp",
            user={"uid": 1000, "gid": 1000, "additionalGids": [2000]},
            rlimits=[{"type": "RLIMIT_NOFILE", "soft": 99, "hard": 100}],
        )
        self.assertEqual(process.finish()[1].split(), [b"value", b"1000", b"1000", b"1000", b"2000", b"/tmp", b"99"])

    def test_same_place(self):
        """an exec is in the container's namespaces and sees its processes and files"""
        container = self.shell("echo inside > /tmp/file; sleep 1000")
        container.start()
        shims.wait_until(lambda: container.exec("cat", "/tmp/file").finish()[1] == b"inside\n", "the file is there")
        here = container.exec_shell("for i in mnt net ipc uts pid; do readlink /proc/self/ns/$i; done").finish()[1]
        init = container.exec_shell("for i in mnt net ipc uts pid; do readlink /proc/1/ns/$i; done", capabilities={
            kind: ["CAP_SYS_PTRACE", "CAP_KILL", "CAP_DAC_OVERRIDE"] for kind in ("bounding", "effective", "permitted")}).finish()
        self.assertEqual(here.split()[4], case.os.readlink(f"/proc/{container.pid}/ns/pid").encode())
        self.assertEqual(here.split()[:4], [case.os.readlink(f"/proc/{container.pid}/ns/{kind}").encode()
                                            for kind in ("mnt", "net", "ipc", "uts")], init)

    def test_missing_program(self):
        """an exec of a program that does not exist fails at Start, says so, ends whoever waits, and its id is free after Delete"""
        container = self.running()
        process = container.exec("missing", exec_id="again")
        wait = process.send("Wait")
        with self.assertRaises(ttrpc.CallError) as caught:
            process.start()
        self.assertIn("not found", caught.exception.message)
        self.assertEqual([container.shim.fetch(wait).exit_status, process.status()], [255, 255])
        process.delete()
        process.close()
        for reader in [process.out, process.err]:
            case.os.unlink(reader.path)
        self.assertEqual(container.exec("true", exec_id="again").finish()[0], 0)

    def test_signal(self):
        """Kill of an exec ends that exec, with 128 + the signal, and nothing else"""
        container = self.running()
        other = container.exec("sleep", "1000").start()
        process = container.exec("sleep", "1000").start()
        process.kill(signal.SIGTERM)
        self.assertEqual(process.status(), 143)
        self.refused(ttrpc.NOT_FOUND, process.kill)
        self.assertEqual((other.state_name(), container.state_name()), ("running", "running"))

    def test_process_tree_is_killed(self):
        """SIGKILL of an exec ends all that it started, also in a session of its own"""
        container = self.running()
        process = container.exec_shell("setsid sleep 1000 & sh -c 'setsid sleep 1000 & wait' & echo ready; wait").start()
        process.out.until(b"ready\n")
        shims.wait_until(lambda: len(container.call("Pids").processes) >= 6, "the tree is complete")
        others = {p.pid for p in container.call("Pids").processes}
        process.kill(9)
        self.assertEqual(process.status(), 137)
        shims.wait_until(lambda: len(container.call("Pids").processes) <= 2, "only the container's own are left")
        self.assertIn(container.pid, others)
        self.assertEqual(container.state_name(), "running")
        process.delete()

    def test_background_survivor(self):
        """what an exec leaves in the background stays, and ends with the container"""
        container = self.running()
        process = container.exec_shell("setsid sleep 1234 > /dev/null 2>&1 & exit 0")
        self.assertEqual(process.finish()[0], 0)
        counts = container.exec_shell("ps | grep -c '[s]leep 1234'").finish()[1]
        self.assertEqual(counts.strip(), b"1")
        listed = [p.pid for p in container.call("Pids").processes]
        survivor = [pid for pid in listed if b"1234" in case.command_line(pid)]
        self.assertEqual(len(survivor), 1)
        container.kill(9)
        container.status()
        shims.wait_until(lambda: not shims.is_alive(survivor[0]), "the survivor is gone")

    def test_pids_name_the_exec(self):
        """Pids says which exec a process is the first one of"""
        container = self.running()
        process = container.exec("sleep", "1000", exec_id="named").start()
        details = {p.pid: wire.decode("ProcessDetails", p.info.value).exec_id for p in container.call("Pids").processes}
        self.assertEqual(details.get(process.pid), "named")
        urls = {p.info.type_url for p in container.call("Pids").processes if p.info.value}
        self.assertEqual({url.rsplit("/", 1)[-1] for url in urls}, {"containerd.runc.v1.ProcessDetails"})

    def test_ids_of_finished_execs(self):
        """an exec that ended stays until it is deleted: State tells its status, its id is taken"""
        container = self.running()
        process = container.exec_shell("exit 3", exec_id="ended").start()
        self.assertEqual(process.status(), 3)
        state = process.state()
        self.assertEqual((shims.STATUS[state.status], state.exit_status), ("stopped", 3))
        fields = {"id": "one", "exec_id": "ended", "spec": {"type_url": case.bundles.PROCESS_URL, "value": b"{}"}}
        self.refused(ttrpc.ALREADY_EXISTS, container.shim.call, "Exec", **fields)
        self.assertEqual(process.delete().exit_status, 3)

    def test_delete_of_one_that_never_started(self):
        """an exec that was added and not started can be deleted"""
        container = self.running()
        process = container.exec("true")
        process.delete()
        self.refused(ttrpc.NOT_FOUND, process.state)

    def test_many_at_once(self):
        """fifty execs side by side, each with its own output and status"""
        container = self.running()
        processes = []
        for number in range(50):
            processes.append(container.exec_shell(f"echo number {number}; exit {number}"))
        starts = [process.send("Start") for process in processes]
        for start in starts:
            container.shim.fetch(start)
        for number, process in enumerate(processes):
            self.assertEqual(process.out.to_end(), b"number %d\n" % number)
        waits = [process.send("Wait") for process in processes]
        self.assertEqual([container.shim.fetch(wait).exit_status for wait in waits], list(range(50)))
        for process in processes:
            process.delete()

    def test_end_of_the_container_ends_execs(self):
        """execs that still run when the container ends are ended, and their waiters answered"""
        container = self.running()
        process = container.exec("sleep", "1000").start()
        wait = process.send("Wait")
        container.kill(9)
        self.assertEqual(container.status(), 137)
        self.assertEqual(container.shim.fetch(wait).exit_status, 137)

    def test_stopped(self):
        """an exec that a process of the container stops before its program runs fails, says so, and is gone"""
        container = self.running()
        container.exec_shell("while :; do kill -s STOP -1; done").start()
        stopped = []
        for _ in range(40):
            process = container.exec("true")
            try:
                process.start()
            except ttrpc.CallError as error:
                self.assertRegex(error.message, "process [0-9]+ of the container was stopped by a signal while it was set up")
                stopped.append(int(re.search("process ([0-9]+) of", error.message)[1]))
            if len(stopped) == 2:
                break
        self.assertNotEqual(stopped, [])
        self.assertEqual([pid for pid in stopped if shims.is_alive(pid)], [])

    def test_descriptors(self):
        """neither the container nor an exec has a descriptor open but its three streams"""
        container = self.shell("ls -l /proc/self/fd; echo end; sleep 1000")
        container.start()
        for text in [container.out.until(b"end\n"), container.exec("ls", "-l", "/proc/self/fd").finish()[1]]:
            numbers = re.findall(rb"^l.*? (\d+)(?: -> \S+)?$", text, re.MULTILINE)
            self.assertEqual(numbers, [b"0", b"1", b"2", b"3"], text)  # 3 is ls's own

    def test_waiting_container_has_no_descriptor_of_the_shim(self):
        """a created container that waits for its start holds no socket, log or event pipe of the shim's"""
        container = self.container()
        folder = f"/proc/{container.pid}/fd"

        def holds_none():
            try:
                targets = [case.os.readlink(f"{folder}/{fd}") for fd in case.os.listdir(folder)]
            except FileNotFoundError:
                return False  # it closes what it does not need after it has said that it is there
            return not [target for target in targets if target.endswith("/log") or "eventpoll" in target or "signalfd" in target]

        shims.wait_until(holds_none, "it holds none of them")
