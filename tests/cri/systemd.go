package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Where systemd manages cgroups, on both sides: pods are slices, containers scopes in them.
var systemdTests = []test{
	{name: "a pod's containers are scopes in the slice that the kubelet names", run: scopes},
	{name: "limits are systemd's properties, and stay through daemon-reload", run: scopeLimits, alone: true},
}

// As the kubelet's driver for systemd expands the name of a pod's slice.
func sliceOf(name string) string {
	return "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + strings.ReplaceAll(name, "-", "_") + ".slice"
}

func (t *T) systemctl(arguments ...string) string {
	output, err := exec.Command("systemctl", arguments...).CombinedOutput()
	t.must(err, "systemctl %s: %s", strings.Join(arguments, " "), output)
	return strings.TrimSuffix(string(output), "\n")
}

func (t *T) property(name, unit string) string {
	return t.systemctl("show", "--value", "--property="+name, unit)
}

// Containers and pods alike, which are containers of pause.
func scopeOf(id string) string {
	return "cri-containerd-" + id + ".scope"
}

func scopes(t *T) {
	p := t.pod(onNodeNetwork)
	c := p.running()
	for _, id := range []string{p.id, c.id} {
		expect(t, "state", t.property("ActiveState", scopeOf(id)), "active")
		expect(t, "place", t.property("ControlGroup", scopeOf(id)), p.group+"/"+scopeOf(id))
		expect(t, "delegation", t.property("Delegate", scopeOf(id)), "yes")
	}
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", c.pid()))
	t.must(err, "read the container's cgroups")
	expectContains(t, "the container's group", string(groups), "0::"+p.group+"/"+scopeOf(c.id))
	expect(t, "an exec", c.sh("echo inside"), "inside")
	c.stopWithin(graceSeconds)
	c.removeContainer()
	t.waitFor("the scope's end", patience, func() bool { return t.property("LoadState", scopeOf(c.id)) == "not-found" })
	expect(t, "the pod's own", t.property("ActiveState", scopeOf(p.id)), "active")
	id := p.id
	p.remove()
	t.waitFor("the pod's scope's end", patience, func() bool { return t.property("LoadState", scopeOf(id)) == "not-found" })
}

func (t *T) expectInFile(c *container, file, wanted string) {
	value, err := os.ReadFile(cgroupRoot + t.property("ControlGroup", scopeOf(c.id)) + "/" + file)
	t.must(err, "read a limit")
	expect(t, file, strings.TrimSpace(string(value)), wanted)
}

func scopeLimits(t *T) {
	c := t.pod(onNodeNetwork).running(withResources(&cri.LinuxContainerResources{
		MemoryLimitInBytes: 64 * mebibyte, CpuQuota: 50000, CpuPeriod: 100000, CpuShares: 512,
	}))
	expect(t, "MemoryMax", t.property("MemoryMax", scopeOf(c.id)), strconv.Itoa(64*mebibyte))
	expect(t, "CPUQuotaPerSecUSec", t.property("CPUQuotaPerSecUSec", scopeOf(c.id)), "500ms")
	_, err := t.UpdateContainerResources(t.ctx, &cri.UpdateContainerResourcesRequest{ContainerId: c.id,
		Linux: &cri.LinuxContainerResources{MemoryLimitInBytes: 128 * mebibyte}})
	t.must(err, "UpdateContainerResources")
	t.systemctl("daemon-reload")
	expect(t, "MemoryMax after the update", t.property("MemoryMax", scopeOf(c.id)), strconv.Itoa(128*mebibyte))
	t.expectInFile(c, "memory.max", strconv.Itoa(128*mebibyte))
	t.expectInFile(c, "cpu.max", "50000 100000")
}
