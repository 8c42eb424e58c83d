"""Limits, what happens at them, and what changes while a pod runs."""

import glob
import json
import os
import re

from cluster import CGROUPS, Case, Failure, admin, case, container, expect, expect_in, kubectl, memory_limit, memory_use, shims, wait_until

MIB = 1 << 20


@case()
def limits(t: Case):
    """limits and requests are those of the container's group"""
    pod = t.ready(container(resources={"limits": {"memory": "64Mi", "cpu": "500m"}, "requests": {"memory": "32Mi", "cpu": "100m"}}))
    expect("the container's", memory_limit(t.group(pod, "main")), 64 * MIB)


@case(brig_only=True)
def overhead(t: Case):
    """the class's overhead is in the pod, and in the limit of the pod's group, and covers what brig takes"""
    pod = t.ready(container(resources={"limits": {"memory": "64Mi", "cpu": "500m"}}))
    asked = t.get(pod)["spec"].get("overhead", {}).get("memory", "0")
    if not asked.endswith("Mi"):
        raise Failure(f"the class adds no memory that this test can read: {asked}")
    expect("the pod's", memory_limit(t.group(pod)), (64 + int(asked[:-2])) * MIB)
    # It has to be enough for the pause container and for the shim, which is in none of the pod's groups.
    beside = memory_use(t.group(pod)) - memory_use(t.group(pod, "main"))
    taken = beside + shim_memory(t.group(pod, "main"))
    if taken > int(asked[:-2]) * MIB:
        raise Failure(f"the pod takes {taken} bytes beside its container, its overhead is {asked}")


def shim_memory(group):
    """The proportional share, in bytes, of the shim, which is the parent of a container's first process."""
    for path in [f"{CGROUPS}/memory/{group}/cgroup.procs", f"{CGROUPS}/{group}/cgroup.procs"]:
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                parents = {parent_of(pid) for pid in file.read().split()}
    shim, = parents & shims().keys()
    expect_in("the parent is the shim", "containerd-shim-brig-v2", shims()[shim])
    with open(f"/proc/{shim}/smaps_rollup", encoding="ascii") as file:
        return 1024 * int(re.search(r"^Pss: +(\d+) kB", file.read(), re.MULTILINE).group(1))


def parent_of(pid):
    """Nothing for a process that is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return re.search(r"^PPid:\t(\d+)", file.read(), re.MULTILINE).group(1)
    except OSError:
        return ""


@case()
def out_of_memory(t: Case):
    """out of memory: the reason is OOMKilled, the code 137"""
    _, status = t.ended(container("exec dd if=/dev/zero of=/dev/null bs=200M count=1", resources={"limits": {"memory": "32Mi"}}))
    ended = status["containerStatuses"][0]["state"]["terminated"]
    expect("the end", (ended["reason"], ended["exitCode"]), ("OOMKilled", 137))


@case()
def resize(t: Case):
    """in-place resize: up and down without a restart"""
    pod = t.ready(container(resources={"limits": {"memory": "64Mi", "cpu": "200m"}, "requests": {"memory": "64Mi", "cpu": "200m"}}))
    for size in (128, 48):
        resources = {"memory": f"{size}Mi", "cpu": f"{size * 2}m"}
        kubectl("patch", "pod", pod, "--subresource=resize", "--patch", json.dumps({"spec": {"containers": [
            {"name": "main", "resources": {"limits": resources, "requests": resources}}]}}))
        wait_until(f"{size} MiB in the status",
                   lambda wanted=f"{size}Mi": t.status_of(pod).get("resources", {}).get("limits", {}).get("memory") == wanted)
        expect("the group's limit", memory_limit(t.group(pod, "main")), size * MIB)
    expect("restarts", t.status_of(pod)["restartCount"], 0)


@case(slow=True)
def log_rotation(t: Case):
    """logs are rotated at their size, no line is lost on the way, and `kubectl logs` goes on"""
    script = ("i=0; while [ ! -e /tmp/stop ]; do i=$((i + 1)); echo line $i of a log that is to be rotated; "
              "[ $((i % 200)) -ne 0 ] || sleep 0.2; done; trap 'exit 0' TERM; while :; do echo last $i; sleep 1; done")
    pod = t.ready(container(script))
    metadata = t.get(pod)["metadata"]
    folder = f"/var/log/pods/{metadata['namespace']}_{pod}_{metadata['uid']}/main"
    wait_until("two rotations", lambda: len(glob.glob(f"{folder}/0.log.*")) >= 2)
    t.exec(pod, "touch", "/tmp/stop")
    wait_until("the last line", lambda: kubectl("logs", "--tail=1", pod).stdout.startswith("last "))
    numbers = rotated_numbers(folder)
    expect("the lines across a rotation", numbers, list(range(numbers[0], numbers[0] + len(numbers))))
    # Not at once: where the log was rotated just now, there is no line yet.
    wait_until("the number of the last line", lambda: kubectl("logs", "--tail=1", pod).stdout == f"last {numbers[-1]}\n")


def rotated_numbers(folder):
    """The numbers of the lines in the log and in the one before it, which is not compressed yet."""
    before = [path for path in sorted(glob.glob(f"{folder}/0.log.*")) if not path.endswith((".gz", ".tmp"))]
    numbers = []
    try:
        for path in [*before, f"{folder}/0.log"]:
            with open(path, encoding="ascii") as file:
                numbers += [int(number) for number in re.findall(r" line (\d+) of ", file.read())]
    except FileNotFoundError: # rotated meanwhile
        return rotated_numbers(folder)
    return numbers


@case()
def stats(t: Case):
    """the kubelet has the pod's use of memory and processors"""
    pod = t.ready(container("trap 'exit 0' TERM; while :; do :; done & wait"))

    def look():
        lines = admin("get", "--raw", "/api/v1/nodes/node/proxy/metrics/resource").stdout.splitlines()
        values = {line.split("{")[0]: float(line.split()[1]) for line in lines if 'container="main"' in line and f'pod="{pod}"' in line}
        return values.get("container_memory_working_set_bytes", 0) > 0 and values.get("container_cpu_usage_seconds_total", 0) > 0
    wait_until("the numbers", look)


@case()
def process_limit(t: Case):
    """a fork bomb ends at the limit that the kubelet sets for a pod, and the pod can be removed"""
    pod = t.ready(container("trap 'exit 0' TERM; bomb() { while :; do sleep 3600 & done; }; bomb 2> /tmp/refused & wait"))
    wait_until("a refusal", lambda: "fork" in open_in(t, pod))
    kubectl("delete", "pod", pod)
    expect_in("it is gone", "not found", kubectl("get", "pod", pod, status=1).stderr)


def open_in(t, pod):
    """Read from the node: in the container nothing can be started any more."""
    container_id = t.status_of(pod)["containerID"].removeprefix("containerd://")
    for path in glob.glob("/proc/[0-9]*/cgroup"):
        try:
            with open(path, encoding="ascii") as file:
                if container_id not in file.read():
                    continue
            with open(f"{path.rsplit('/', 1)[0]}/root/tmp/refused", encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            continue
    return ""
