"""What a case has: kubectl as an ordinary user, pods that are made in a line and taken away at its end, waiting with a bound."""

import dataclasses
import glob
import json
import os
import pty
import re
import select
import subprocess
import time

IMAGE = "example.org/busybox:1"
NAMESPACE = "untrusted"
# Bounds, for a machine that does other things as well: nothing here measures time.
COMMAND_SECONDS = 240
WAIT_SECONDS = 300
IDLE = "trap 'exit 0' TERM; sleep 3600 & wait"
CGROUPS = "/sys/fs/cgroup"

tests = []


class Failure(Exception):
    pass


@dataclasses.dataclass
class Test:
    name: str
    function: object
    brig_only: bool
    slow: bool


def case(brig_only=False, slow=False):
    """Registers a case; its docstring is its name. brig_only: not to be expected of the yardstick."""
    def register(function):
        name = " ".join(function.__doc__.split())
        tests.append(Test(f"{function.__module__}: {name}", function, brig_only, slow))
        return function
    return register


def kubectl(*arguments, status=0, stdin="", config="KUBECONFIG_USER"):
    """Returns the output of kubectl; status None takes each."""
    environment = {**os.environ, "KUBECONFIG": os.environ[config]}
    # In a namespace that is said, the kubeconfig's own is default.
    command = ["kubectl", "--namespace", NAMESPACE, *arguments]
    done = subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, errors="replace",
                          timeout=COMMAND_SECONDS, check=False)
    if status is not None and done.returncode != status:
        raise Failure(f"kubectl {' '.join(arguments)}: status {done.returncode} in place of {status}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def admin(*arguments, **options):
    return kubectl(*arguments, config="KUBECONFIG", **options)


def wait_until(what, function):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        answer = function()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"waited in vain: {what}")
        time.sleep(0.3)


def expect(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found!r} in place of {wanted!r}")


def expect_in(what, part, text):
    if part not in text:
        raise Failure(f"{what}: no {part!r} in {text!r}")


def container(script=IDLE, name="main", **more):
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script], **more}


def memory_of(group, *names):
    """A number of a group, by its file's name in the memory controller's hierarchy, and in the one of version 2."""
    for path in [f"{CGROUPS}/memory/{group}/{names[0]}", f"{CGROUPS}/{group}/{names[1]}"]:
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                return int(file.read())
    raise Failure(f"no group {group}")


def memory_limit(group):
    return memory_of(group, "memory.limit_in_bytes", "memory.max")


def memory_use(group):
    return memory_of(group, "memory.usage_in_bytes", "memory.current")


class Case:
    def __init__(self, test, runtime_class):
        self.slug = test.function.__name__.replace("_", "-")
        self.runtime_class = runtime_class
        self.made = []

    def apply(self, manifest):
        kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
        self.made.append(f"{manifest['kind']}/{manifest['metadata']['name']}")
        return manifest["metadata"]["name"]

    def pod_spec(self, *containers, **spec):
        classes = {} if self.runtime_class == "runc" else {"runtimeClassName": self.runtime_class}
        return {**classes, "terminationGracePeriodSeconds": 2, "restartPolicy": "Never",
                "containers": list(containers) or [container()], **spec}

    def pod(self, *containers, name="", annotations=None, **spec):
        """Applies a pod and returns its name."""
        metadata = {"name": f"{self.slug}{name}", "annotations": annotations or {}, "labels": {"case": self.slug}}
        return self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": self.pod_spec(*containers, **spec)})

    def ready(self, *containers, **options):
        pod = self.pod(*containers, **options)
        self.wait(pod, "condition=Ready")
        return pod

    def ended(self, *containers, **options):
        """A pod that ran to its end, and its status."""
        pod = self.pod(*containers, **options)
        wait_until(f"the end of {pod}", lambda: self.get(pod)["status"]["phase"] in ("Succeeded", "Failed"))
        return pod, self.get(pod)["status"]

    def output(self, script, more=None, **options):
        """What a pod of one container says that ends well."""
        pod, status = self.ended(container(script, **(more or {})), **options)
        expect(f"the phase of {pod}", status["phase"], "Succeeded")
        return kubectl("logs", pod).stdout.strip()

    def wait(self, pod, condition):
        kubectl("wait", f"pod/{pod}", f"--for={condition}", f"--timeout={COMMAND_SECONDS - 5}s")

    def get(self, name, kind="pod"):
        return json.loads(kubectl("get", kind, name, "-o", "json").stdout)

    def status_of(self, pod, name="main", kind="containerStatuses"):
        return next((status for status in self.get(pod)["status"].get(kind, []) if status["name"] == name), {})

    def exec(self, pod, *command, status=0, stdin=None):
        options = ["-i"] if stdin is not None else []
        return kubectl("exec", *options, pod, "-c", "main", "--", *command, status=status, stdin=stdin or "")

    def answer(self, pod, url):
        """What a server in the pod says, once it listens: a pod without a probe is Ready before."""
        return wait_until(f"an answer of {url}", lambda: self.exec(pod, "wget", "-q", "-O", "-", url, status=None).stdout)

    def event(self, pod, pattern):
        """Waits for an event of the pod that the pattern finds, and returns its message."""
        def look():
            events = kubectl("get", "events", "--field-selector", f"involvedObject.name={pod}", "-o", "json")
            return next((item["message"] for item in json.loads(events.stdout)["items"]
                         if re.search(pattern, item["message"])), None)
        return wait_until(f"an event of {pod} with {pattern}", look)

    def group(self, pod, name=None):
        """The pod's group, or a container's, below a hierarchy."""
        found = self.get(pod)
        service = {"Guaranteed": ""}.get(found["status"]["qosClass"], found["status"]["qosClass"].lower() + "/")
        group = f"kubepods/{service}pod{found['metadata']['uid']}"
        if name:
            group += "/" + self.status_of(pod, name)["containerID"].removeprefix("containerd://")
        return group

    def describe(self):
        """The last lines that kubectl says of each thing that was made: its events."""
        told = [kubectl("describe", name, status=None).stdout.splitlines() for name in self.made]
        return "\n".join(line for lines in told for line in lines[-20:])

    def end(self):
        if self.made:
            kubectl("delete", "--ignore-not-found", "--wait=true", f"--timeout={COMMAND_SECONDS - 5}s", *self.made)


class Terminal:
    """kubectl with a terminal."""

    def __init__(self, *arguments):
        self.master, slave = pty.openpty()
        environment = {**os.environ, "KUBECONFIG": os.environ["KUBECONFIG_USER"], "TERM": "dumb"}
        self.process = subprocess.Popen(["kubectl", "--namespace", NAMESPACE, *arguments], env=environment, stdin=slave,
                                        stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.text = ""

    def type(self, text):
        os.write(self.master, text.encode())

    def read_until(self, part):
        end = time.monotonic() + COMMAND_SECONDS
        while part not in self.text:
            if time.monotonic() > end or not self.read():
                raise Failure(f"no {part!r} on the terminal: {self.text!r}")

    def read(self):
        if not select.select([self.master], [], [], COMMAND_SECONDS)[0]:
            return False
        try:
            data = os.read(self.master, 4096)
        except OSError:  # its other end is closed
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def end(self):
        """All that came, and the status."""
        while self.read():
            pass
        status = self.process.wait(COMMAND_SECONDS)
        os.close(self.master)
        return self.text, status


def prepare():
    admin("create", "namespace", NAMESPACE)
    wait_until("the namespace's service account", lambda: admin("get", "serviceaccount", "default", status=None).returncode == 0)
    wait_until("the cluster's certificates", lambda: admin("get", "configmap", "kube-root-ca.crt", status=None).returncode == 0)


def shims():
    """The command lines of the shims by their process ids."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                command = file.read().split("\0")
        except OSError:
            continue
        if "containerd-shim" in command[0] and "-id" in command:
            found[path.split("/")[2]] = " ".join(command)
    return found


def remains():
    """What no pod accounts for any more: shims, groups of pods, mounts of containers, state and volumes."""
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        mounts = [line.split()[4] for line in table]
    return [*shims().values(), *glob.glob(f"{CGROUPS}/**/kubepods/**/pod*", recursive=True),
            *(mount for mount in mounts if re.search(r"/var/lib/kubelet/pods/|/io.containerd.runtime.v2.task/k8s.io/|/netns/", mount)),
            *glob.glob("/run/containerd/brig/k8s.io/[!.]*"), *glob.glob("/var/lib/kubelet/pods/*"), *glob.glob("/run/containerd/s/*")]


def leftovers():
    try:
        wait_until("all of it is gone", lambda: not remains())
    except Failure:
        return "\n".join(remains())
    return ""
