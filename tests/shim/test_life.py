"""A container's life through the task service, with the exit codes and states that containerd shows its users."""

import os
import signal
import subprocess
import time

import case
import shim as shims
import ttrpc


class Life(case.ShimTest):
    def test_whole_life(self):
        """create, start, wait, delete: states, pids and the exit status are told as they are"""
        container = self.shell("exit 7")
        self.assertEqual(container.state_name(), "created")
        created = container.pid
        self.assertGreater(created, 0)
        self.assertEqual(container.start().pid, created)
        before = time.time()
        answer = container.wait()
        self.assertEqual(answer.exit_status, 7)
        self.assertAlmostEqual(answer.exited_at.seconds, before, delta=60)
        state = container.state()
        self.assertEqual((shims.STATUS[state.status], state.exit_status, state.pid), ("stopped", 7, created))
        deleted = container.delete()
        self.assertEqual((deleted.pid, deleted.exit_status), (created, 7))
        self.assertEqual(deleted.exited_at, answer.exited_at)
        self.refused(ttrpc.NOT_FOUND, container.state)

    def test_version_3(self):
        """task v3 has the same calls under its own name"""
        container = self.running(version=3)
        process = container.exec("true")
        self.assertEqual(process.finish()[0], 0)
        self.assertEqual(len(container.call("Pids").processes) > 0, True)
        container.stop()
        self.assertEqual(container.status(), 5)

    def test_every_exit_status(self):
        """a status from 0 to 255, and 128 + the signal for a program that a signal ended"""
        for script, wanted in [("exit 0", 0), ("exit 255", 255), ("kill -KILL $$", 137), ("kill -SEGV $$", 139)]:
            with self.subTest(script):
                container = self.running("sh", "-c", "sh -c '" + script + "'; exit $?", name=f"s{wanted}")
                self.assertEqual(container.status(), wanted)

    def test_signals(self):
        """Kill sends the signal that was asked for: one that is handled, one that is ignored, one that ends it"""
        container = self.shell("trap 'echo usr1' USR1; trap '' INT; trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done")
        container.start()
        container.out.until(b"ready\n")
        container.kill(signal.SIGINT)
        container.kill(signal.SIGUSR1)
        container.out.until(b"usr1\n")
        self.assertEqual(container.state_name(), "running")
        container.kill(signal.SIGTERM)
        self.assertEqual(container.status(), 5)
        self.refused(ttrpc.NOT_FOUND, container.kill)

    def test_kill_before_start(self):
        """a created container that is killed never runs its program, and can be deleted"""
        container = self.shell("echo ran")
        container.kill(9)
        self.assertEqual(container.status(), 137)
        self.assertEqual(container.out.to_end(), b"")
        self.refused(ttrpc.FAILED_PRECONDITION, container.start)
        container.delete()

    def test_delete_of_a_created_one(self):
        """Delete of a container that was never started takes it away"""
        container = self.container("true")
        container.delete()
        self.assertFalse(shims.is_alive(container.pid))
        self.refused(ttrpc.NOT_FOUND, container.state)

    def test_kill_all(self):
        """Kill with `all` reaches every process, also those in sessions of their own"""
        container = self.shell("setsid sleep 1000 & setsid sleep 1000 & echo ready; wait")
        container.start()
        container.out.until(b"ready\n")
        shims.wait_until(lambda: len(container.call("Pids").processes) == 3, "all three run")
        pids = [process.pid for process in container.call("Pids").processes]
        container.kill(9, everything=True)
        self.assertEqual(container.status(), 137)
        shims.wait_until(lambda: not any(map(shims.is_alive, pids)), "all processes are gone")

    def test_signal_all(self):
        """Kill with `all` sends any signal to every process, an exec's among them"""
        script = "trap 'echo first' USR1; (trap 'echo second' USR1; while :; do sleep 0.1; done) & echo ready; while :; do sleep 0.1; done"
        container = self.shell(script).start()
        container.out.until(b"ready\n")
        process = container.exec_shell("trap 'echo third' USR1; echo ready; while :; do sleep 0.1; done").start()
        process.out.until(b"ready\n")
        shims.wait_until(lambda: [shims.handles(p.pid, signal.SIGUSR1) for p in container.call("Pids").processes].count(1) >= 3, "all listen")
        container.kill(signal.SIGUSR1, everything=True)
        for stream, word in [(container.out, b"first\n"), (container.out, b"second\n"), (process.out, b"third\n")]:
            stream.until(word)
        self.assertEqual((container.state_name(), process.state_name()), ("running", "running"))

    def test_orphans_end_with_the_container(self):
        """without a pid namespace of its own, what a container left in the background ends at its end or its delete"""
        namespaces = [{"type": kind} for kind in ("network", "ipc", "uts", "mount")]
        script = "trap 'exit 0' TERM; setsid sleep 1000 > /dev/null 2>&1 & echo $!; while :; do sleep 0.1; done"
        container = self.shell(script, linux={"namespaces": namespaces}).start()
        pid = int(container.out.until(b"\n"))
        self.assertTrue(shims.is_alive(pid))
        container.kill(signal.SIGTERM)
        self.assertEqual(container.status(), 0)
        container.delete()
        shims.wait_until(lambda: not shims.is_alive(pid), "the orphan is gone")

    def test_waiting(self):
        """several callers of Wait, on several connections, are all answered, also one that comes after the end"""
        container = self.running()
        other = container.shim.another_client()
        waits = [container.send("Wait") for _ in range(3)]
        foreign = container.send("Wait", client=other)
        self.assertFalse(container.shim.client.is_answered(waits[0][1], 0.1))
        container.stop()
        answers = [container.shim.fetch(wait) for wait in waits] + [container.shim.fetch(foreign, client=other)]
        answers.append(container.wait())
        self.assertEqual([answer.exit_status for answer in answers], [5] * 5)
        self.assertEqual(len({str(answer.exited_at) for answer in answers}), 1)
        other.close()

    def test_wait_for_a_caller_that_left(self):
        """a caller that goes away while it waits is no trouble for the others"""
        container = self.running()
        other = container.shim.another_client()
        container.send("Wait", client=other)
        other.close()
        container.stop()
        self.assertEqual(container.status(), 5)

    def test_pause(self):
        """Pause holds every process still, Resume lets them go on; exec and pause are refused meanwhile"""
        container = self.shell("i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done")
        container.start()
        container.out.until(b"3\n")
        container.call("Pause")
        self.assertEqual(container.state_name(), "paused")
        # What it wrote before may still be on its way. Of one that is not held, ten lines come meanwhile.
        shims.wait_until(lambda: self.is_silent(container), "no more comes")
        self.refused(ttrpc.FAILED_PRECONDITION, container.call, "Pause")
        self.refused(ttrpc.FAILED_PRECONDITION, lambda: container.exec("true").start())
        container.call("Resume")
        self.assertEqual(container.state_name(), "running")
        lines = container.out.data.count(b"\n")
        container.out.until(b"\n%d\n" % (lines + 3))
        self.refused(ttrpc.FAILED_PRECONDITION, container.call, "Resume")

    def test_start_of_a_frozen_one(self):
        """a created container that was paused past the shim is refused with what to do, and starts once it goes on"""
        container = self.shell("exit 3")
        brig = [os.path.join(os.environ["BRIG_BUILD"], "brig"), "--root", f"/run/containerd/brig/{shims.NAMESPACE}"]
        subprocess.run([*brig, "pause", container.name], check=True, capture_output=True)
        self.assertIn("brig resume", self.refused(ttrpc.FAILED_PRECONDITION, container.start))
        subprocess.run([*brig, "resume", container.name], check=True, capture_output=True)
        container.start()
        self.assertEqual(container.status(), 3)

    @staticmethod
    def is_silent(container):
        seen = len(container.out.available())
        time.sleep(0.2)
        return len(container.out.available()) == seen

    def test_kill_while_paused(self):
        """SIGKILL ends a paused container"""
        container = self.running()
        container.call("Pause")
        container.kill(9, everything=True)
        self.assertEqual(container.status(), 137)

    def test_state_and_connect(self):
        """State gives the paths of bundle and streams, Connect the pids of shim and task"""
        container = self.running()
        state = container.state()
        self.assertEqual((state.id, state.bundle, state.stdout, state.stderr, state.terminal),
                         ("one", container.folder, container.out.path, container.err.path, 0))
        answer = container.call("Connect")
        self.assertEqual((answer.shim_pid, answer.task_pid), (container.shim.pid, container.pid))

    def test_pids(self):
        """Pids lists every process of the container, in the host's numbers"""
        container = self.shell("sleep 1000 & sleep 1000 & echo ready; wait")
        container.start()
        container.out.until(b"ready\n")
        shims.wait_until(lambda: len(container.call("Pids").processes) == 3, "all three are listed")
        pids = [process.pid for process in container.call("Pids").processes]
        self.assertIn(container.pid, pids)
        self.assertTrue(all(map(shims.is_alive, pids)))

    def test_unclean_program(self):
        """a program that is missing, or is none: Create or Start fails and says why, and nothing is left"""
        for name, path, wanted in [("missing", "missing", "not found"), ("plain", "/etc/not-a-program", "ermission denied")]:
            with self.subTest(path):
                self.shim([path], name=name)
                with self.assertRaises(ttrpc.CallError) as caught:
                    self.containers[-1].create().start()
                self.assertIn(wanted, caught.exception.message)

    def test_id_is_free_again(self):
        """after Delete another container can have the same id in the same shim"""
        container = self.shell("exit 1")
        self.assertEqual(container.finish()[0], 1)
        container.close()
        for reader in [container.out, container.err]:
            case.os.unlink(reader.path)
        container.create()
        self.assertEqual(container.finish()[0], 1)
