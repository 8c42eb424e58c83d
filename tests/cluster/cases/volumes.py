"""What the kubelet mounts."""

import base64
import json
import os

from cluster import IDLE, Case, case, container, expect, expect_in, kubectl, wait_until


def mounted(path, **more):
    return {"volumeMounts": [{"name": "volume", "mountPath": path, **more}]}


@case()
def empty_dir(t: Case):
    """emptyDir: shared by containers with different users, gone with the pod"""
    volumes = [{"name": "volume", "emptyDir": {}}]
    pod = t.ready(container("until [ -s /volume/file ]; do sleep 0.1; done; cat /volume/file; " + IDLE, **mounted("/volume")),
                  container("echo from another > /volume/file; stat -c %u /volume/file; " + IDLE, "other",
                            securityContext={"runAsUser": 1000}, **mounted("/volume")), volumes=volumes)
    wait_until("its line", lambda: kubectl("logs", pod, "-c", "main").stdout == "from another\n")
    expect("who owns it", t.exec(pod, "stat", "-c", "%u", "/volume/file").stdout, "1000\n")
    folder = f"/var/lib/kubelet/pods/{t.get(pod)['metadata']['uid']}"
    expect("it is on the node", os.path.isdir(folder), True)
    kubectl("delete", "pod", pod)
    wait_until("its folder is gone", lambda: not os.path.exists(folder))


@case()
def empty_dir_memory(t: Case):
    """emptyDir of medium Memory: a tmpfs of the size that was asked for"""
    found = t.output("grep ' /volume ' /proc/mounts; df -k /volume | tail -n 1; dd if=/dev/zero of=/volume/x bs=1M count=3 2>&1",
                     mounted("/volume"), volumes=[{"name": "volume", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}}])
    expect_in("its type", "tmpfs", found)
    expect_in("its size", "8192", found)


@case()
def config_map(t: Case):
    """configMap: as files, as environment, read-only, and renewed when it changes"""
    name = t.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": t.slug}, "data": {"key": "one", "other": "more"}})
    pod = t.ready(container(f"{IDLE}", envFrom=[{"configMapRef": {"name": name}}], **mounted("/config")),
                  volumes=[{"name": "volume", "configMap": {"name": name}}])
    expect("the file", t.exec(pod, "cat", "/config/key").stdout, "one")
    expect("the variable", t.exec(pod, "sh", "-c", "echo $other").stdout, "more\n")
    expect_in("to write to it", "Read-only", t.exec(pod, "sh", "-c", "echo x > /config/key", status=1).stderr)
    kubectl("patch", "configmap", name, "--patch", json.dumps({"data": {"key": "two"}}))
    # The kubelet looks at a pod's volumes in its own time, or when the pod changes.
    kubectl("annotate", "pod", pod, "tests.example.org/changed=yes")
    wait_until("the file is renewed", lambda: t.exec(pod, "cat", "/config/key").stdout == "two")


@case()
def secret(t: Case):
    """secret: for the group that the pod names, and for nobody else"""
    name = t.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": t.slug}, "stringData": {"word": "hidden"}})
    found = t.output("id -u; id -G; cat /secret/word; stat -L -c ' %a %g' /secret/word", {"securityContext": {"runAsUser": 1000}, **mounted("/secret")},
                     securityContext={"fsGroup": 2500}, volumes=[{"name": "volume", "secret": {"secretName": name, "defaultMode": 0o440}}])
    lines = found.splitlines()
    expect("user", lines[0], "1000")
    expect_in("groups", "2500", lines[1].split())
    expect("the file", lines[2], "hidden 440 2500")
    found = t.output("echo $WORD", {"env": [{"name": "WORD", "valueFrom": {"secretKeyRef": {"name": name, "key": "word"}}}]}, name="-env")
    expect("the variable", found, "hidden")


@case()
def token(t: Case):
    """projected token: the one that is mounted by default, and one for an audience and a time"""
    source = {"serviceAccountToken": {"path": "token", "audience": "bucket", "expirationSeconds": 600}}
    pod = t.ready(container(**mounted("/tokens")), volumes=[{"name": "volume", "projected": {"sources": [
        source, {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}}])
    for path, audience in {"/tokens/token": "bucket", "/var/run/secrets/kubernetes.io/serviceaccount/token": "https://kubernetes.default.svc"}.items():
        body = t.exec(pod, "cat", path).stdout.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        expect(f"whom {path} is for", claims["aud"], [audience])
        expect("which pod's it is", claims["kubernetes.io"]["pod"]["name"], pod)
    expect_in("the labels", t.slug, t.exec(pod, "cat", "/tokens/labels").stdout)


@case()
def sub_path(t: Case):
    """subPath: a part of a volume, a file of a configMap, and one by an expression"""
    name = t.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": t.slug}, "data": {"file": "of the map"}})
    mounts = [{"name": "volume", "mountPath": "/all"}, {"name": "volume", "mountPath": "/part", "subPath": "part"},
              {"name": "volume", "mountPath": "/named", "subPathExpr": "of-$(NAME)"},
              {"name": "map", "mountPath": "/etc/file", "subPath": "file", "readOnly": True}]
    script = "echo x > /part/in-part; echo y > /named/in-named; cd /all; find . -type f | sort; cat /etc/file; ls -d /etc/passwd"
    found = t.output(script, {"env": [{"name": "NAME", "value": "this"}], "volumeMounts": mounts},
                     volumes=[{"name": "volume", "emptyDir": {}}, {"name": "map", "configMap": {"name": name}}])
    expect("files", found.splitlines(), ["./of-this/in-named", "./part/in-part", "of the map/etc/passwd"])


@case()
def fs_group(t: Case):
    """fsGroup, supplementalGroups, and a volume that is read-only for one of two"""
    found = t.output("id; touch /volume/file; stat -c %g /volume/file", {"securityContext": {"runAsUser": 1000, "runAsGroup": 2000},
                     **mounted("/volume")}, volumes=[{"name": "volume", "emptyDir": {}}], securityContext={"fsGroup": 3000, "supplementalGroups": [4000]})
    expect_in("who", "uid=1000(user) gid=2000", found)
    expect_in("groups", "3000", found)
    expect_in("groups", "4000", found)
    expect("the file's group", found.splitlines()[-1], "3000")
    found = t.output("touch /volume/file 2>&1 || true", mounted("/volume", readOnly=True), name="-read-only", volumes=[{"name": "volume", "emptyDir": {}}])
    expect_in("read-only", "Read-only file system", found)


@case(brig_only=True)
def owner_on_node(t: Case):
    """files of a volume belong to the user that the container has, on the node as well, and never by way of set-user-id"""
    pod = t.ready(container("touch /volume/file; chmod 4755 /volume/file; " + IDLE, securityContext={"runAsUser": 1000}, **mounted("/volume")),
                  volumes=[{"name": "volume", "emptyDir": {}}])
    path = f"/var/lib/kubelet/pods/{t.get(pod)['metadata']['uid']}/volumes/kubernetes.io~empty-dir/volume/file"
    wait_until("the file", lambda: os.path.exists(path))
    expect("its owner", os.stat(path).st_uid, 1000)
    expect_in("the mount", "nosuid,nodev", t.exec(pod, "grep", " /volume ", "/proc/mounts").stdout)
