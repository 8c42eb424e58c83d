"""What a pod may ask for, and what is refused with the reason where its owner looks."""

import json

from cluster import IMAGE, Case, admin, case, container, expect, expect_in, kubectl, wait_until


def status_line(t, key, more, **options):
    return t.output(f"grep ^{key}: /proc/self/status", more, **options).split()[1:]


@case()
def restricted(t: Case):
    """all that the level `restricted` of the pod security standards asks for, at once"""
    script = ("id -u; grep ^CapEff: /proc/self/status; grep ^NoNewPrivs: /proc/self/status; grep ^Seccomp: /proc/self/status; "
              "touch /x 2>&1; touch /tmp/x && echo written")
    found = t.output(script, {"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}], "securityContext": {
        "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}},
        securityContext={"runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000,
                         "seccompProfile": {"type": "RuntimeDefault"}}, volumes=[{"name": "tmp", "emptyDir": {}}])
    expect("what it has", found.splitlines(), ["1000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2",
                                              "touch: /x: Read-only file system", "written"])


@case()
def host_users(t: Case):
    """hostUsers: false, with a volume and two containers in the one user namespace"""
    shared = {"volumeMounts": [{"name": "volume", "mountPath": "/volume"}]}
    pod = t.ready(container("touch /volume/file; sleep 3600 & trap 'exit 0' TERM; wait", **shared), container(name="other", **shared),
                  hostUsers=False, volumes=[{"name": "volume", "emptyDir": {}}])
    first, second = (kubectl("exec", pod, "-c", name, "--", "cat", "/proc/self/uid_map").stdout.split() for name in ("main", "other"))
    expect("the two maps", first, second)
    expect("root of the pod is root of the node", first[1] == "0", False)
    owner = wait_until("the file", lambda: kubectl("exec", pod, "-c", "other", "--", "stat", "-c", "%u", "/volume/file", status=None).stdout)
    expect("the volume's owner, seen inside", owner, "0\n")


@case()
def run_as_non_root(t: Case):
    """runAsNonRoot with an image of root is refused by the kubelet"""
    pod = t.pod(securityContext={"runAsNonRoot": True})
    expect_in("the event", "runAsNonRoot", t.event(pod, "run as root|runAsNonRoot"))


@case()
def low_port(t: Case):
    """a low port without a capability, as another user"""
    pod = t.ready(container("exec httpd -f -p 80 -h /etc", securityContext={"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}}))
    expect("the answer", t.answer(pod, "http://127.0.0.1:80/not-a-program"), "text\n")


@case(brig_only=True)
def capabilities(t: Case):
    """capabilities that strict does not give are not there, whatever the pod adds"""
    found = status_line(t, "CapBnd", {"securityContext": {"capabilities": {"add": ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"]}}})
    bits = int(found[0], 16)
    expect("SYS_ADMIN, NET_ADMIN, SYS_PTRACE", [bits >> number & 1 for number in (21, 12, 19)], [0, 0, 0])


@case(brig_only=True)
def unconfined(t: Case):
    """seccompProfile Unconfined has brig's own filter, and procMount Unmasked its masks"""
    expect("the filter", status_line(t, "Seccomp", {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}), ["2"])
    found = t.output("cat /proc/keys /proc/timer_list | wc -c; (echo 1 > /proc/sys/kernel/panic) 2> /dev/null || echo kept", {"securityContext": {"procMount": "Unmasked"}},
                     hostUsers=False, name="-unmasked")
    expect("what it sees", found.splitlines()[0], "0")
    expect("what it can write", found.splitlines()[-1], "kept")


def refused(t, pattern, *containers, name="", **spec):
    """A pod that does not come up: its event says which rule and what to do."""
    pod = t.pod(*containers, name=name, **spec)
    return t.event(pod, pattern)


@case(brig_only=True)
def refused_socket(t: Case):
    """refused: containerd's socket by hostPath"""
    message = refused(t, "rule mount-source of policy strict", container(volumeMounts=[{"name": "socket", "mountPath": "/run/x.sock"}]),
                      volumes=[{"name": "socket", "hostPath": {"path": "/run/containerd/containerd.sock"}}])
    expect_in("it names the file", "/run/containerd/containerd.sock", message)


@case(brig_only=True)
def refused_host_path(t: Case):
    """refused: folders of the node, and the kubelet's state of other pods"""
    for number, path in enumerate(["/", "/etc", "/proc", "/var/lib/kubelet"]):
        message = refused(t, "of policy strict", container(volumeMounts=[{"name": "folder", "mountPath": "/host"}]), name=f"-{number}",
                          volumes=[{"name": "folder", "hostPath": {"path": path}}])
        expect_in("it names what was asked for", path, message)


@case(brig_only=True)
def refused_host_namespaces(t: Case):
    """refused: the node's network, its processes, its ipc"""
    for number, key in enumerate(["hostNetwork", "hostPID", "hostIPC"]):
        expect_in(key, "namespace", refused(t, "rule host-namespace of", name=f"-{number}", **{key: True}))


@case(brig_only=True)
def refused_privileged(t: Case):
    """refused: a privileged container"""
    expect_in("which", "device", refused(t, "of policy strict", container(securityContext={"privileged": True})))


@case(brig_only=True)
def refused_hook_annotation(t: Case):
    """an annotation for another runtime does not come through; one of brig that would loosen changes nothing"""
    pod = t.ready(annotations={"run.oci.hooks.stdout": "/tmp/x", "brig.dev/mount-source": "off", "brig.dev/seccomp": "off"})
    expect_in("the filter", "2", t.exec(pod, "grep", "^Seccomp:", "/proc/self/status").stdout)
    refused(t, "of policy strict", container(volumeMounts=[{"name": "folder", "mountPath": "/host"}]), name="-loosened",
            annotations={"brig.dev/mount-source": "off"}, volumes=[{"name": "folder", "hostPath": {"path": "/etc"}}])


@case()
def sysctls(t: Case):
    """a safe sysctl of the pod is set"""
    found = t.output("cat /proc/sys/net/ipv4/ip_local_port_range", securityContext={"sysctls": [
        {"name": "net.ipv4.ip_local_port_range", "value": "20000 30000"}]})
    expect("the value", found.split(), ["20000", "30000"])


@case()
def hosts_and_names(t: Case):
    """hostname, hostAliases and dnsConfig"""
    found = t.output("hostname; grep -c example.test /etc/hosts; cat /etc/resolv.conf", hostname="another",
                     hostAliases=[{"ip": "10.1.2.3", "hostnames": ["example.test"]}], dnsPolicy="None",
                     dnsConfig={"nameservers": ["10.96.0.10"], "searches": ["svc.example"]})
    expect("names", found.splitlines()[:2], ["another", "1"])
    expect_in("resolv.conf", "nameserver 10.96.0.10", found)


@case(brig_only=True)
def class_unknown(t: Case):
    """a class that nobody serves is refused by the API server"""
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": t.slug}, "spec": {**t.pod_spec(), "runtimeClassName": "not-there"}}
    done = kubectl("apply", "-f", "-", stdin=json.dumps(manifest), status=1)
    expect_in("why", "not-there", done.stderr)


@case(brig_only=True)
def class_unserved(t: Case):
    """a class whose handler the node does not have: the event says so"""
    admin("apply", "-f", "-", stdin=json.dumps({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": t.slug},
                                               "handler": "not-installed"}))
    t.runtime_class = t.slug
    try:
        expect_in("the event", "no runtime for \"not-installed\" is configured", refused(t, "no runtime for"))
    finally:
        admin("delete", "runtimeclass", t.slug)


@case(brig_only=True)
def class_baseline(t: Case):
    """brig-baseline: runs beside the other class, also what asks for more"""
    t.runtime_class = "brig-baseline"
    pod = t.ready(container(image=IMAGE, securityContext={"capabilities": {"add": ["NET_ADMIN"]}}))
    expect("the filter", t.exec(pod, "grep", "^Seccomp:", "/proc/self/status").stdout.split(), ["Seccomp:", "2"])
    wait_until("its log", lambda: kubectl("logs", pod).returncode == 0)
