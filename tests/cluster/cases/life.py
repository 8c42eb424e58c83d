"""From a pod's first container to its last: order, probes, restarts, ends."""

from cluster import IDLE, Case, case, container, expect, expect_in, kubectl, wait_until

SHARED = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
VOLUMES = [{"name": "shared", "emptyDir": {}}]
QUICK = {"periodSeconds": 1, "failureThreshold": 1}


@case()
def exit_codes(t: Case):
    """exit codes, reasons and termination messages in the status"""
    _, status = t.ended(container("echo the last word > /dev/termination-log; exit 7"),
                        container("echo to the log; exit 8", "from-log", terminationMessagePolicy="FallbackToLogsOnError"),
                        container("sh -c 'kill -KILL $$$$; exit 0'; exit $?", "killed"), container("exit 0", "well"))
    expect("phase", status["phase"], "Failed")
    ended = {found["name"]: found["state"]["terminated"] for found in status["containerStatuses"]}
    expect("the codes", {name: (end["exitCode"], end["reason"]) for name, end in ended.items()},
           {"main": (7, "Error"), "from-log": (8, "Error"), "killed": (137, "Error"), "well": (0, "Completed")})
    expect("message", ended["main"]["message"], "the last word\n")
    expect("message from the log", ended["from-log"]["message"], "to the log\n")


@case()
def init_containers(t: Case):
    """init containers run one after the other, before all others; one that fails ends the pod"""
    append = "echo {} >> /shared/file"
    pod, status = t.ended(container("echo main >> /shared/file; cat /shared/file", **SHARED), volumes=VOLUMES, initContainers=[
        container("sleep 0.5; " + append.format("one"), "one", **SHARED), container(append.format("two"), "two", **SHARED)])
    expect("phase", status["phase"], "Succeeded")
    expect("order", kubectl("logs", pod).stdout.split(), ["one", "two", "main"])
    _, status = t.ended(container("echo never"), name="-fails", initContainers=[container("exit 4", "fails")])
    expect("phase", status["phase"], "Failed")
    expect("its code", status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"], 4)


@case()
def sidecar(t: Case):
    """a native sidecar: there before the others, restarted when it fails, ended after them"""
    script = ("echo up >> /shared/file; trap 'echo asked; exit 0' TERM; [ $(wc -l < /shared/file) -gt 1 ] || { sleep 0.5; exit 1; }; "
              "touch /shared/ready; while :; do sleep 0.2; done")
    beside = container(script, "beside", restartPolicy="Always", **SHARED,
                       startupProbe={"exec": {"command": ["test", "-e", "/shared/ready"]}, "periodSeconds": 1, "failureThreshold": 60})
    pod, status = t.ended(container("cat /shared/file", **SHARED), volumes=VOLUMES, initContainers=[beside], terminationGracePeriodSeconds=60)
    expect("phase", status["phase"], "Succeeded")
    expect("what the main one found", kubectl("logs", pod).stdout, "up\nup\n")
    beside = status["initContainerStatuses"][0]
    expect("restarts", beside["restartCount"], 1)
    expect("its code at the end", beside["state"]["terminated"]["exitCode"], 0)
    expect("what it heard", kubectl("logs", pod, "-c", "beside").stdout, "asked\n")


@case()
def readiness_exec(t: Case):
    """a readiness probe by exec takes the pod out and in"""
    pod = t.ready(container("touch /tmp/ready; " + IDLE, readinessProbe={"exec": {"command": ["test", "-e", "/tmp/ready"]}, **QUICK, "timeoutSeconds": 60}))
    t.exec(pod, "rm", "/tmp/ready")
    t.wait(pod, "condition=Ready=false")
    t.exec(pod, "touch", "/tmp/ready")
    t.wait(pod, "condition=Ready")
    expect("restarts", t.status_of(pod)["restartCount"], 0)


@case()
def liveness_http(t: Case):
    """a liveness probe by http restarts what does not answer any more, after one for the start by http"""
    probe = {"httpGet": {"path": "/alive", "port": 8080}, "periodSeconds": 1, "timeoutSeconds": 60}
    pod = t.ready(container("echo yes > /tmp/alive; exec httpd -f -p 8080 -h /tmp", livenessProbe={**probe, "failureThreshold": 1},
                            startupProbe={**probe, "failureThreshold": 60}), restartPolicy="Always")
    t.exec(pod, "rm", "/tmp/alive")
    wait_until("the restart", lambda: t.status_of(pod)["restartCount"] == 1 and t.status_of(pod)["ready"])
    expect_in("why", "Liveness probe failed: HTTP probe failed with statuscode: 404", t.event(pod, "Liveness probe failed.*404"))


@case()
def startup_tcp(t: Case):
    """a startup probe by tcp waits for a slow server, and a liveness probe by tcp then finds it"""
    script = "sleep 3; exec httpd -f -p 8080 -h /tmp"
    pod = t.ready(container(script, startupProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 60},
                            livenessProbe={"tcpSocket": {"port": 8080}, **QUICK, "timeoutSeconds": 60}))
    expect("restarts", t.status_of(pod)["restartCount"], 0)


# runc's shim leaves what such a probe started in the background.
@case(brig_only=True)
def liveness_exec_hangs(t: Case):
    """a probe by exec that hangs is ended with all that it started"""
    probe = {"exec": {"command": ["sh", "-c", "if [ -e /tmp/hang ]; then sleep 4444 & sleep 4444; fi"]}, "periodSeconds": 1, "timeoutSeconds": 1}
    pod = t.ready(container(readinessProbe={**probe, "failureThreshold": 1}))
    t.exec(pod, "touch", "/tmp/hang")
    t.event(pod, "Readiness probe (failed|errored).*tim")
    t.exec(pod, "rm", "/tmp/hang")
    t.wait(pod, "condition=Ready")
    wait_until("its processes are gone", lambda: "sleep 4444" not in t.exec(pod, "ps", "-o", "args").stdout.replace("sh -c", ""))


@case()
def hooks(t: Case):
    """postStart before the pod is Ready, preStop before TERM"""
    pod = t.ready(container("trap 'cat /tmp/stopped; exit 0' TERM; while :; do sleep 0.2; done", lifecycle={
        "postStart": {"exec": {"command": ["touch", "/tmp/started"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "sleep 0.5; echo stopped > /tmp/stopped"]}}}), terminationGracePeriodSeconds=30)
    t.exec(pod, "test", "-e", "/tmp/started")
    kubectl("patch", "pod", pod, "--type=json", '--patch=[{"op": "add", "path": "/metadata/finalizers", "value": ["tests.example.org/look"]}]')
    try:
        kubectl("delete", "pod", pod, "--wait=false")
        wait_until("its end", lambda: "terminated" in t.status_of(pod)["state"])
        expect("its code", t.status_of(pod)["state"]["terminated"]["exitCode"], 0)
    finally:
        kubectl("patch", "pod", pod, "--type=json", '--patch=[{"op": "remove", "path": "/metadata/finalizers"}]')


@case()
def deadline_of_pod(t: Case):
    """activeDeadlineSeconds: the pod fails with the reason DeadlineExceeded"""
    _, status = t.ended(activeDeadlineSeconds=3)
    expect("the end", (status["phase"], status["reason"]), ("Failed", "DeadlineExceeded"))


@case(brig_only=True)
def deadline_of_brig(t: Case):
    """brig.dev/timeout: code 124, and the message says why"""
    _, status = t.ended(annotations={"brig.dev/timeout": "2s"})
    ended = status["containerStatuses"][0]["state"]["terminated"]
    expect("the code", ended["exitCode"], 124)
    expect_in("the message", "brig.dev/timeout", ended.get("message", ""))


@case(brig_only=True)
def output_limit(t: Case):
    """brig.dev/max-output: code 137, and the message says why"""
    _, status = t.ended(container("while :; do echo 0123456789; done"), annotations={"brig.dev/max-output": "10k"})
    ended = status["containerStatuses"][0]["state"]["terminated"]
    expect("the code", ended["exitCode"], 137)
    expect_in("the message", "brig.dev/max-output", ended.get("message", ""))


@case(brig_only=True)
def annotation_refused(t: Case):
    """an annotation of brig with a value that is none is refused by name"""
    pod = t.pod(annotations={"brig.dev/timeout": "soon"})
    expect_in("the event", "soon", t.event(pod, "brig.dev/timeout"))


@case()
def containers_together(t: Case):
    """the containers of a pod share its network, with shareProcessNamespace its processes as well"""
    pod = t.ready(container(), container("exec httpd -f -p 127.0.0.1:8080 -h /etc", "server"), shareProcessNamespace=True)
    expect("by loopback", t.answer(pod, "http://127.0.0.1:8080/not-a-program"), "text\n")
    expect_in("processes", "httpd -f", t.exec(pod, "ps", "-o", "args").stdout)


@case()
def pods_talk(t: Case):
    """pods reach each other by address"""
    server = t.ready(container("exec httpd -f -p 80 -h /etc"), name="-server")
    t.answer(server, "http://127.0.0.1/not-a-program")
    address = t.get(server)["status"]["podIP"]
    expect("the answer", t.output(f"wget -q -O - http://{address}/not-a-program", name="-client"), "text")
