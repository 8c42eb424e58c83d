package main

import (
	"fmt"
	"os"
	"strings"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// What a pod gets under the set strict, whatever it asks for. All other cases have to pass under it as they are, but for these.
var strictTests = []test{
	{name: "strict: root of a pod is nobody on the node, and somebody else in each pod", run: strictUsers, floor: true},
	{name: "strict: a volume keeps its owners on disk", run: strictVolume, floor: true},
	{name: "strict: the filter is there, also for who asks for none, and for an exec", run: strictFilter, floor: true},
	{name: "strict: low ports without a capability", run: strictPorts, floor: true},
	{name: "strict: what is refused says which rule and what to do", run: strictRefusals, floor: true},
}

// Cases that want what strict does not give, with the rule that stands in their way.
var unlikeStrict = map[string]string{
	"ExecSync runs as the container does":                   "landlock", // its root is read-only: an exec can not look at the program's /proc entries
	"user namespace: with its own network, and other users": "capability",
	"mounts: an image as a volume":                          "volume-unmapped", // containerd mounts it as an overlay
	"capabilities: the usual ones":                          "capability",
	"capabilities: add and drop":                            "capability",
	"capabilities: not for another user than root":          "capability",
	"privileged":                                   "device",
	"seccomp: Unconfined":                          "seccomp",
	"masked paths show nothing":                    "masked-path", // it looks whether they show something unmasked
	"readonly paths can't be written":              "masked-path",
	"process ids: the node's":                      "host-namespace",
	"network and ipc: the node's":                  "host-namespace",
	"mounts: propagation to the node":              "device",     // its container is privileged
	"devices: what is not granted can't be opened": "capability", // it makes a node
}

func (t *T) fitsPolicy() bool {
	if !t.strict {
		return !t.floor
	}
	return unlikeStrict[t.name] == ""
}

// Where the ids of a container's user namespace begin on the node.
func (c *container) firstID() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/uid_map", c.pid()))
	c.must(err, "read the map of ids")
	fields := strings.Fields(string(text))
	if len(fields) != 3 || fields[0] != "0" {
		c.fatalf("the map of ids: %q", text)
	}
	return fields[1]
}

func strictUsers(t *T) {
	one, other := t.pod(), t.pod()
	first, beside, apart := one.running(), one.running(), other.running()

	expect(t, "two containers of a pod", beside.firstID(), first.firstID())
	if first.firstID() == "0" || first.firstID() == apart.firstID() {
		t.errorf("ids from %s and %s on", first.firstID(), apart.firstID())
	}
	expect(t, "who they are to themselves", first.exec("id", "-u").stdout, "0\n")
}

func strictVolume(t *T) {
	folder := t.folderFor("kept")
	t.pod().output("echo mine > /volume/file && chown 1000:1000 /volume/file",
		withMount(&cri.Mount{HostPath: folder, ContainerPath: "/volume"}))
	expect(t, "in another pod", t.pod().output("stat -c %u:%g /volume/file",
		withMount(&cri.Mount{HostPath: folder, ContainerPath: "/volume"})), "1000:1000")
}

func strictFilter(t *T) {
	const look = "grep ^Seccomp: /proc/self/status"
	p := t.pod()
	expect(t, "Unconfined", p.output(look, withSeccomp(cri.SecurityProfile_Unconfined, "")), "Seccomp:\t2")
	c := p.running(withSeccomp(cri.SecurityProfile_Unconfined, ""))
	expect(t, "an exec", c.exec("sh", "-c", look).stdout, "Seccomp:\t2\n")
}

func strictPorts(t *T) {
	expect(t, "port 80", t.pod().output("nc -l -p 80 -e echo heard & "+
		"for i in $(seq 500); do nc 127.0.0.1 80 2> /dev/null && exit; sleep 0.1; done; exit 1", withCapabilities(nil, []string{"ALL"})), "heard")
}

func strictRefusals(t *T) {
	_, err := t.tryPod(t.podConfig(onNodeNetwork))
	if err == nil {
		t.fatalf("a pod on the node's network was let in")
	}
	expectContains(t, "the node's network", err.Error(), "rule host-namespace of policy strict")
	p := t.pod()
	for path, words := range map[string]string{
		"/etc":                            "of policy strict",
		"/run/containerd/containerd.sock": "rule mount-source of policy",
		"/proc":                           "rule mount-source of policy",
	} {
		c, err := p.tryCreate(p.containerConfig("true", withMount(&cri.Mount{HostPath: path, ContainerPath: "/host"})))
		if err == nil {
			err = c.tryStart()
		}
		if err == nil {
			t.errorf("%s was let in", path)
			continue
		}
		expectContains(t, path, err.Error(), words)
	}
}
