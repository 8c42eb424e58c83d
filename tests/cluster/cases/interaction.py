"""What a user does with a pod that runs."""

import os
import re
import subprocess
import tempfile
import threading
import urllib.request

from cluster import COMMAND_SECONDS, NAMESPACE, Case, Failure, Terminal, case, container, expect, expect_in, kubectl, wait_until


@case()
def ready(t: Case):
    """a pod gets Ready, and has the address that its status names, its name and its hosts"""
    pod = t.ready()
    address = t.get(pod)["status"]["podIP"]
    expect_in("the address", f"inet {address}/", t.exec(pod, "ip", "-4", "-o", "address", "show", "eth0").stdout)
    expect("its name", t.exec(pod, "hostname").stdout.strip(), pod)
    expect_in("/etc/hosts", f"{address}\t{pod}", t.exec(pod, "cat", "/etc/hosts").stdout)
    expect("the address as a field", t.output("echo $ADDRESS $NODE", {"env": [
        {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]}, name="-fields"), f"{t.slug}-fields node")


@case(brig_only=True)
def class_of_pod(t: Case):
    """a pod is under brig: ids of its own on the node, a filter, no new privileges"""
    pod = t.ready()
    first = t.exec(pod, "cat", "/proc/self/uid_map").stdout.split()[1]
    if int(first) == 0:
        raise Failure("root of the pod is root of the node")
    status = t.exec(pod, "grep", "-E", "^(Seccomp|NoNewPrivs):", "/proc/self/status").stdout.split()
    expect("the process's status", status, ["NoNewPrivs:", "1", "Seccomp:", "2"])


@case()
def logs_followed(t: Case):
    """logs -f: both streams as they come, until the pod's end"""
    pod = t.pod(container("for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; sleep 0.3; done"))
    # It may be over before somebody sees it Ready.
    wait_until("its begin", lambda: t.get(pod)["status"]["phase"] != "Pending")
    lines = kubectl("logs", "-f", pod).stdout.splitlines()
    expect("lines", sorted(lines), [f"{stream} {i}" for stream in ("err", "out") for i in range(1, 6)])
    expect("order", [line for line in lines if line.startswith("out")], [f"out {i}" for i in range(1, 6)])
    expect("--tail", kubectl("logs", "--tail=1", pod).stdout.count("\n"), 1)


@case()
def logs_previous(t: Case):
    """logs --previous: those of the container that failed and was started again"""
    script = "if [ -e /kept/second ]; then echo second; sleep 3600 & wait; fi; touch /kept/second; echo first; exit 3"
    pod = t.pod(container(script, volumeMounts=[{"name": "kept", "mountPath": "/kept"}]), restartPolicy="OnFailure",
                volumes=[{"name": "kept", "emptyDir": {}}])
    wait_until("the restart", lambda: t.status_of(pod).get("restartCount") == 1 and "running" in t.status_of(pod)["state"])
    expect("the code", t.status_of(pod)["lastState"]["terminated"]["exitCode"], 3)
    expect("before", kubectl("logs", "--previous", pod).stdout, "first\n")
    wait_until("its line", lambda: kubectl("logs", pod).stdout == "second\n")


@case()
def exec_plain(t: Case):
    """exec: exit codes, both streams, standard input, a program that is not there"""
    pod = t.ready()
    done = t.exec(pod, "sh", "-c", "echo out; echo err >&2; exit 7", status=7)
    expect("stdout", done.stdout, "out\n")
    expect_in("stderr", "err\n", done.stderr)
    text = "line\n" * 20000
    expect("what went in", t.exec(pod, "cat", stdin=text).stdout == text, True)
    missing = t.exec(pod, "/not/there", status=None)
    expect("not there", missing.returncode != 0, True)
    expect_in("not there", "/not/there", missing.stderr)
    expect("a killed one", t.exec(pod, "sh", "-c", "kill -9 $$", status=None).returncode, 137)


@case()
def exec_terminal(t: Case):
    """exec -it: a terminal, its interrupt key, its exit code"""
    terminal = Terminal("exec", "-it", t.ready(), "--", "sh")
    terminal.type("tty; sleep 5555\r")
    terminal.read_until("/dev/pts/")
    # Typed ahead of the shell's next prompt, the key has to reach the program that has the terminal.
    wait_until("the program", lambda: "sleep 5555" in t.exec(t.slug, "ps", "-o", "args").stdout)
    terminal.type("\x03")
    terminal.type("echo after $((40 + 2)); exit 5\r")
    text, status = terminal.end()
    expect_in("what came", "after 42", text)
    expect("the code", status, 5)


@case()
def cp(t: Case):
    """cp: a file and a folder, in and out, byte by byte"""
    pod = t.ready()
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/in/deep")
        data = os.urandom(1 << 20)
        for name in ["file", "deep/file"]:
            with open(f"{folder}/in/{name}", "wb") as file:
                file.write(data)
        kubectl("cp", f"{folder}/in", f"{NAMESPACE}/{pod}:/tmp/in")
        kubectl("cp", f"{NAMESPACE}/{pod}:/tmp/in", f"{folder}/out")
        for name in ["file", "deep/file"]:
            with open(f"{folder}/out/{name}", "rb") as file:
                expect(f"{name} is what it was", file.read() == data, True)


@case()
def attach(t: Case):
    """attach -i: standard input of a container that waits for it, and its output"""
    pod = t.ready(container("while read -r line; do echo got $line; done; echo end", stdin=True, stdinOnce=True))
    done = kubectl("attach", "-i", pod, stdin="one\ntwo\n")
    expect_in("what came back", "got two\n", done.stdout)
    wait_until("its end", lambda: t.get(pod)["status"]["phase"] == "Succeeded")
    expect("the log", kubectl("logs", pod).stdout, "got one\ngot two\nend\n")


@case()
def attach_terminal(t: Case):
    """attach -it: the terminal of a container that has one"""
    pod = t.ready(container("stty -echo; while read -r line; do echo got $line; [ \"$line\" != end ] || exit 0; done", stdin=True, tty=True))
    terminal = Terminal("attach", "-it", pod)
    # What is typed before it is attached has to come through as well.
    terminal.type("one\r")
    terminal.read_until("got one")
    terminal.type("end\r")
    text, _ = terminal.end()
    expect_in("what came", "got end", text)
    wait_until("its end", lambda: t.get(pod)["status"]["phase"] == "Succeeded")


@case()
def port_forward(t: Case):
    """port-forward: to a server in the pod that listens on its loopback alone"""
    pod = t.ready(container("echo here > /tmp/index.html; exec httpd -f -p 127.0.0.1:8080 -h /tmp"))
    t.answer(pod, "http://127.0.0.1:8080/index.html")
    command = ["kubectl", "--namespace", NAMESPACE, "port-forward", pod, ":8080"]
    environment = {**os.environ, "KUBECONFIG": os.environ["KUBECONFIG_USER"]}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as forward:
        timer = threading.Timer(COMMAND_SECONDS, forward.kill)
        timer.start()
        try:
            line = forward.stdout.readline()
            found = re.search(r"127.0.0.1:(\d+) ->", line)
            expect(f"an address in {line!r}", bool(found), True)
            for _ in range(3):
                with urllib.request.urlopen(f"http://127.0.0.1:{found.group(1)}/index.html", timeout=COMMAND_SECONDS) as answer:
                    expect("the answer", answer.read(), b"here\n")
        finally:
            timer.cancel()
            forward.kill()


@case()
def debug(t: Case):
    """debug: an ephemeral container sees the processes of its target, in each of kubectl's profiles that the set allows"""
    pod = t.ready(container("sleep 3333 & trap 'exit 0' TERM; wait"))
    for profile in ["general", "baseline", "restricted"]:
        name = f"debugger-{profile}"
        who = "id -u; ps -o args" if profile != "restricted" else "ps -o args"
        kubectl("debug", pod, "--image=example.org/busybox:1", "--target=main", f"--container={name}", f"--profile={profile}",
                *custom(profile), "--", "sh", "-c", f"{who}; exit 9")
        ended = wait_until("its end", lambda: t.status_of(pod, name, "ephemeralContainerStatuses").get("state", {}).get("terminated"))
        expect(f"the code of {profile}", ended["exitCode"], 9)
        expect_in(f"its output, {profile}", "sleep 3333", kubectl("logs", pod, "-c", name).stdout)


def custom(profile):
    """The profile `restricted` asks for another user than root and names none: the image has to, or this."""
    if profile != "restricted":
        return []
    path = os.path.join(tempfile.gettempdir(), "debug-restricted.json")
    with open(path, "w", encoding="ascii") as file:
        file.write('{"securityContext": {"runAsUser": 1000}}')
    return [f"--custom={path}"]


@case()
def delete_politely(t: Case):
    """delete: TERM first, and the time that the pod asked for"""
    pod = t.ready(container("trap 'echo asked; sleep 1; echo bye; exit 0' TERM; echo ready; while :; do sleep 0.2; done"),
                  terminationGracePeriodSeconds=60)
    with subprocess.Popen(["kubectl", "--namespace", NAMESPACE, "logs", "-f", pod], text=True, stdout=subprocess.PIPE,
                          env={**os.environ, "KUBECONFIG": os.environ["KUBECONFIG_USER"]}) as logs:
        timer = threading.Timer(COMMAND_SECONDS, logs.kill)
        timer.start()
        try:
            expect("its first word", logs.stdout.readline(), "ready\n")
            kubectl("delete", "pod", pod)
            expect("its last words", logs.stdout.read(), "asked\nbye\n")
        finally:
            timer.cancel()
            logs.kill()


@case()
def delete_by_force(t: Case):
    """delete: a pod that does not hear TERM is killed after its time"""
    pod = t.ready(container("trap '' TERM; while :; do sleep 0.2; done"), terminationGracePeriodSeconds=1)
    kubectl("delete", "pod", pod)
    expect_in("it is gone", "not found", kubectl("get", "pod", pod, status=1).stderr)
