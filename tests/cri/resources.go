package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var statsTests = []test{
	{name: "ContainerStats: processor time and memory", run: containerStats},
	{name: "ListContainerStats shows a pod's running containers", run: listStats},
	{name: "PodSandboxStats and ListPodSandboxStats", run: podStats},
}

var resourceTests = []test{
	{name: "limits of memory, processor time and processors hold", run: limits},
	{name: "a pod's limits hold for containers without any", run: podLimits},
	{name: "UpdateContainerResources changes them while it runs", run: updateResources},
	{name: "a program that takes too much memory is killed: OOMKilled", run: oomKilled},
	{name: "a child that takes too much memory is killed alone", run: oomChild},
	{name: "an exec that takes too much memory is killed alone", run: oomExec},
	{name: "oom_score_adj", run: oomScore},
}

const mebibyte = 1 << 20

// Holds at least so many bytes, and less than twice as many, in a shell's variable.
func holding(bytes int) string {
	return fmt.Sprintf(`x=0123456789abcdef; while [ ${#x} -lt %d ]; do x=$x$x; done; trap 'exit 0' TERM; echo holding; while :; do sleep 1000 & wait $!; done`, bytes)
}

func containerStats(t *T) {
	c := t.pod(onNodeNetwork).create(holding(20 * mebibyte)).start()
	c.waitForLog("holding")
	var stats *cri.ContainerStats
	t.waitFor("statistics", patience, func() bool {
		answer, err := t.ContainerStats(t.ctx, &cri.ContainerStatsRequest{ContainerId: c.id})
		t.must(err, "ContainerStats")
		stats = answer.Stats
		return stats.GetCpu().GetUsageCoreNanoSeconds().GetValue() > 0
	})
	expect(t, "container", stats.Attributes.Id, c.id)
	if held := stats.GetMemory().GetWorkingSetBytes().GetValue(); held < 20*mebibyte || held > 400*mebibyte {
		t.errorf("working set: %d bytes", held)
	}
	if stats.Cpu.Timestamp == 0 || stats.Memory.Timestamp == 0 {
		t.errorf("no times: %v", stats)
	}
}

func listStats(t *T) {
	p := t.pod(onNodeNetwork)
	one, two := p.running(), p.running()
	p.create("true").start().wait()
	answer, err := t.ListContainerStats(t.ctx, &cri.ListContainerStatsRequest{Filter: &cri.ContainerStatsFilter{PodSandboxId: p.id}})
	t.must(err, "ListContainerStats")
	found := map[string]bool{}
	for _, stats := range answer.Stats {
		found[stats.Attributes.Id] = stats.GetMemory().GetWorkingSetBytes().GetValue() > 0
	}
	if !found[one.id] || !found[two.id] {
		t.errorf("statistics of %v, expected those of %s and %s", found, one.id, two.id)
	}
}

func podStats(t *T) {
	p := t.pod()
	p.create(holding(20 * mebibyte)).start().waitForLog("holding")
	answer, err := t.PodSandboxStats(t.ctx, &cri.PodSandboxStatsRequest{PodSandboxId: p.id})
	t.must(err, "PodSandboxStats")
	pod := answer.Stats.Linux
	if pod.GetMemory().GetWorkingSetBytes().GetValue() < 20*mebibyte {
		t.errorf("the pod's memory: %v", pod.Memory)
	}
	if pod.GetCpu().GetUsageCoreNanoSeconds().GetValue() == 0 {
		t.errorf("the pod's processor time: %v", pod.Cpu)
	}
	if pod.GetProcess().GetProcessCount().GetValue() < 1 {
		t.errorf("the pod's processes: %v", pod.Process)
	}
	if pod.GetNetwork().GetDefaultInterface().GetName() != "eth0" {
		t.errorf("the pod's network: %v", pod.Network)
	}
	expect(t, "containers", len(pod.Containers), 1)
	list, err := t.ListPodSandboxStats(t.ctx, &cri.ListPodSandboxStatsRequest{Filter: &cri.PodSandboxStatsFilter{Id: p.id}})
	t.must(err, "ListPodSandboxStats")
	expect(t, "pods in the list", len(list.Stats), 1)
}

func (c *container) expectLimits(memory, quota, shares int64) {
	pid := c.pid()
	expect(c.T, "memory", c.limitOf(pid, "memory", "memory.limit_in_bytes", "memory.max"), memory)
	expect(c.T, "quota", c.limitOf(pid, "cpu", "cpu.cfs_quota_us", "cpu.max"), quota)
	if len(hierarchies()) > 1 {
		expect(c.T, "shares", c.limitOf(pid, "cpu", "cpu.shares", ""), shares)
	}
}

func limits(t *T) {
	c := t.pod(onNodeNetwork).running(withResources(&cri.LinuxContainerResources{
		MemoryLimitInBytes: 64 * mebibyte, CpuQuota: 20000, CpuPeriod: 100000, CpuShares: 512, CpusetCpus: "0"}))
	c.expectLimits(64*mebibyte, 20000, 512)
	expect(t, "processors", c.sh("grep Cpus_allowed_list /proc/self/status | cut -f 2"), "0")
	expect(t, "processors of the container", c.sh("grep Cpus_allowed_list /proc/1/status | cut -f 2"), "0")
}

// Hierarchies that limit or count what a pod uses: of v1, and v2.
var counting = regexp.MustCompile(`^[0-9]+:(memory|cpu|cpuacct|cpu,cpuacct|pids|):`)

// The kubelet sets them in the pod's own cgroup, which containers have to be below in every hierarchy.
func podLimits(t *T) {
	p := t.pod(onNodeNetwork)
	for _, hierarchy := range hierarchies() {
		for name, value := range map[string]string{"memory.limit_in_bytes": "16777216", "memory.max": "16777216", "pids.max": "30"} {
			if path := hierarchy + p.group + "/" + name; exists(path) {
				t.must(os.WriteFile(path, []byte(value), 0), "limit the pod")
			}
		}
	}
	c := p.running()
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", c.pid()))
	t.must(err, "read the container's cgroups")
	for _, line := range strings.Split(strings.TrimSpace(string(groups)), "\n") {
		if counting.MatchString(line) && !strings.Contains(line, p.group+"/") {
			t.errorf("the container is not below the pod's cgroup %s: %s", p.group, line)
		}
	}
	expect(t, "exit code of a program that takes too much memory", p.create(glutton).start().wait().ExitCode, 137)
	many := c.exec("/bin/sh", "-c", "for i in $(seq 40); do sleep 1000 > /dev/null 2>&1 & done")
	expectContains(t, "too many processes", many.stderr, "fork")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func updateResources(t *T) {
	c := t.pod(onNodeNetwork).running(withResources(&cri.LinuxContainerResources{
		MemoryLimitInBytes: 64 * mebibyte, CpuQuota: 20000, CpuPeriod: 100000, CpuShares: 512}))
	for _, memory := range []int64{96 * mebibyte, 32 * mebibyte} {
		_, err := t.UpdateContainerResources(t.ctx, &cri.UpdateContainerResourcesRequest{ContainerId: c.id,
			Linux: &cri.LinuxContainerResources{MemoryLimitInBytes: memory, CpuQuota: 30000, CpuPeriod: 100000, CpuShares: 256}})
		t.must(err, "UpdateContainerResources")
		c.expectLimits(memory, 30000, 256)
		state := c.status()
		if state.Resources != nil { // which containerd 1.6 does not tell
			expect(t, "memory in the status", state.Resources.Linux.MemoryLimitInBytes, memory)
		}
	}
	expect(t, "the container's answer", c.sh("echo here"), "here")
}

const glutton = `x=$(head -c 100000000 /dev/zero | tr '\0' x); echo survived`

func withMemory(bytes int64) containerOption {
	return withResources(&cri.LinuxContainerResources{MemoryLimitInBytes: bytes})
}

// The end of a container is told by an answer and the reason by an event: in no order. containerd's own shim may also lose that event,
// with the cgroup that it watches.
func (c *container) expectOOMKilled() {
	isSo := func() bool { return c.status().Reason == "OOMKilled" }
	if c.handler != "runc" {
		c.waitFor("the reason OOMKilled", patience, isSo)
	} else if !isSo() {
		c.note("%s: the reason is %s", c.handler, c.status().Reason)
	}
}

func oomKilled(t *T) {
	p := t.pod(onNodeNetwork)
	for range 3 {
		c := p.create(glutton, withMemory(16*mebibyte)).start()
		expect(t, "exit code", c.wait().ExitCode, 137)
		c.expectOOMKilled()
		// The shell may live to tell of its child's end.
		expect(t, "output", strings.ReplaceAll(c.logText(), "Killed\n", ""), "")
	}
}

func oomChild(t *T) {
	// One process alone: see oomExec.
	c := t.pod(onNodeNetwork).create(`dd if=/dev/zero of=/dev/null bs=64M count=1; echo status $?; exit 3`, withMemory(16*mebibyte)).start()
	expect(t, "exit code", c.wait().ExitCode, 3)
	expect(t, "log", strings.ReplaceAll(c.logText(), "Killed\n", ""), "status 137\n")
}

func oomExec(t *T) {
	c := t.pod(onNodeNetwork).running(withMemory(16 * mebibyte))
	// One process alone: while the first victim of several goes, the kernel may already choose the next.
	expect(t, "exit code", c.exec("/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1").code, 137)
	expect(t, "state", c.status().State, cri.ContainerState_CONTAINER_RUNNING)
	expect(t, "the container's answer", c.sh("echo here"), "here")
}

func oomScore(t *T) {
	p := t.pod(onNodeNetwork)
	score := func(wanted int64) string {
		return p.output("cat /proc/self/oom_score_adj", withResources(&cri.LinuxContainerResources{OomScoreAdj: wanted}))
	}
	expect(t, "oom_score_adj", score(900), "900")
	if mayLowerScore() {
		expect(t, "oom_score_adj of the class Guaranteed", score(-997), "-997")
		return
	}
	// Not to be had, which may not keep the container from running: it has that of who made it.
	if got, err := strconv.Atoi(score(-997)); err != nil || got < ownScore(t) {
		t.errorf("oom_score_adj without CAP_SYS_RESOURCE: %d, %v", got, err)
	}
}

func mayLowerScore() bool {
	const sysResource = 24
	text, _ := os.ReadFile("/proc/self/status")
	_, after, _ := strings.Cut(string(text), "\nCapEff:\t")
	effective, _ := strconv.ParseUint(strings.SplitN(after, "\n", 2)[0], 16, 64)
	return effective&(1<<sysResource) != 0
}

func ownScore(t *T) int {
	text, err := os.ReadFile("/proc/self/oom_score_adj")
	t.must(err, "read oom_score_adj")
	own, err := strconv.Atoi(strings.TrimSpace(string(text)))
	t.must(err, "read oom_score_adj")
	return own
}
