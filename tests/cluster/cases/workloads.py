"""Controllers that make pods."""

from cluster import Case, case, container, expect, expect_in, kubectl, wait_until


def template(t, *containers, **spec):
    return {"metadata": {"labels": {"app": t.slug}}, "spec": t.pod_spec(*containers, **spec)}


@case()
def deployment(t: Case):
    """a Deployment: rolled out, changed, scaled"""
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": t.slug}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": t.slug}}, "template": template(t, restartPolicy="Always")}}
    t.apply(manifest)
    kubectl("rollout", "status", f"deployment/{t.slug}", "--timeout=110s")
    kubectl("set", "env", f"deployment/{t.slug}", "CHANGED=yes")
    kubectl("rollout", "status", f"deployment/{t.slug}", "--timeout=110s")
    wait_until("a new one", lambda: "yes\n" in [changed(pod) for pod in names(t)])
    kubectl("scale", f"deployment/{t.slug}", "--replicas=0")
    wait_until("they are gone", lambda: not kubectl("get", "pods", "-l", f"app={t.slug}", "-o", "name").stdout)


def names(t):
    """Also those of pods that are on their way out."""
    return kubectl("get", "pods", "-l", f"app={t.slug}", "--field-selector=status.phase=Running", "-o", "name").stdout.split()


def changed(pod):
    return kubectl("exec", pod, "--", "sh", "-c", "echo $CHANGED", status=None).stdout


@case()
def job(t: Case):
    """a Job: completions beside each other, one that fails is tried again"""
    t.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": t.slug}, "spec": {
        "completions": 3, "parallelism": 3, "template": template(t, container("echo done"))}})
    kubectl("wait", "--for=condition=Complete", f"job/{t.slug}", "--timeout=110s")
    name = f"{t.slug}-fails"
    t.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {
        "backoffLimit": 0, "template": template(t, container("exit 3"))}})
    kubectl("wait", "--for=condition=Failed", f"job/{name}", "--timeout=110s")


@case()
def daemon_set(t: Case):
    """a DaemonSet: one pod on the node that the class's node selector names"""
    t.apply({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": t.slug}, "spec": {
        "selector": {"matchLabels": {"app": t.slug}}, "template": template(t, restartPolicy="Always")}})
    kubectl("rollout", "status", f"daemonset/{t.slug}", "--timeout=110s")


@case()
def nginx(t: Case):
    """nginx as root on port 80, in the network that the plugin made: probed by the kubelet, asked by another pod, reloaded by exec"""
    pod = t.ready({"name": "main", "image": "example.org/nginx:1",
                   "readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}}, name="-server")
    address = t.get(pod)["status"]["podIP"]
    expect("its page", t.output(f"wget -q -O - http://{address}/", name="-asks"), "a page of nginx")
    users = t.exec(pod, "/bin/busybox", "ps", "-o", "user,args").stdout
    expect_in("the master", "root     nginx: master process", users)
    expect_in("a worker", "www-data nginx: worker process", users)
    t.exec(pod, "/usr/sbin/nginx", "-s", "reload")
    expect("its page again", t.output(f"wget -q -O - http://{address}/", name="-asks-again"), "a page of nginx")
    wait_until("its log", lambda: '"GET / HTTP/1.1" 200' in kubectl("logs", pod).stdout)
