package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// In each phase of a pod's life containerd is killed and started again.
var restartTests = []test{
	{name: "containerd is killed: a pod without containers", run: restartPod, alone: true},
	{name: "containerd is killed: a container that was created", run: restartCreated, moves: true, alone: true},
	{name: "containerd is killed: a container that runs", run: restartRunning, moves: true, alone: true},
	{name: "containerd is killed: the container prints and exits meanwhile", run: restartExit, moves: true, alone: true},
	{name: "containerd is killed: an exec under way", run: restartExec, moves: true, alone: true},
	{name: "containerd is killed: a container that was stopped", run: restartStopped, moves: true, alone: true},
	{name: "containerd is killed: out of memory meanwhile", run: restartOom, alone: true},
	{name: "the shim is killed: everything can be removed", run: shimKilled, moves: true, alone: true},
}

func (t *T) restart() {
	t.daemon.kill()
	t.must(t.daemon.start(), "start containerd again")
}

// containerd 2.0 looks for such pods in the wrong folder when it starts.
func (t *T) skipIfPodIsLost() {
	if t.holdsPod() && t.release == release(2, 0) {
		t.skip("containerd 2.0 forgets a pod without a pause container when it is restarted")
	}
}

func restartPod(t *T) {
	t.skipIfPodIsLost()
	p := t.pod()
	address := p.status().Network.Ip
	t.restart()
	expect(t, "state", p.status().State, cri.PodSandboxState_SANDBOX_READY)
	expect(t, "address", p.status().Network.Ip, address)
	expect(t, "a new container's output", p.output("echo here"), "here")
}

func restartCreated(t *T) {
	t.skipIfPodIsLost()
	c := t.pod().create("echo here; exit 4")
	t.restart()
	expect(t, "state", c.status().State, cri.ContainerState_CONTAINER_CREATED)
	c.start()
	expect(t, "exit code", c.wait().ExitCode, 4)
	expect(t, "log", c.logText(), "here\n")
}

// A folder by which the client tells a container to go on while containerd is away.
func (p *pod) withSignal() (containerOption, func(name string)) {
	folder := p.folderFor("signal")
	return withMount(&cri.Mount{HostPath: folder, ContainerPath: "/signal"}), func(name string) {
		p.must(os.WriteFile(folder+"/"+name, nil, 0o644), "give a signal")
	}
}

func restartRunning(t *T) {
	p := t.pod()
	mount, signal := p.withSignal()
	c := p.create(`echo before; until [ -e /signal/away ]; do sleep 0.05; done; seq 100; touch /signal/printed
		until [ -e /signal/back ]; do sleep 0.05; done; trap 'exit 5' TERM; echo after; while :; do sleep 0.05; done`, mount).start()
	c.waitForLog("before")
	pid := c.pid()
	t.daemon.kill()
	signal("away")
	folder := c.config.Mounts[0].HostPath
	t.waitFor("the container's output", patience, func() bool {
		_, err := os.Stat(folder + "/printed")
		return err == nil
	})
	t.must(t.daemon.start(), "start containerd again")
	expect(t, "state", c.status().State, cri.ContainerState_CONTAINER_RUNNING)
	expect(t, "process", c.pid(), pid)
	signal("back")
	c.waitForLog("after")
	expect(t, "exec", c.sh("echo here"), "here")
	c.stopWithin(graceSeconds)
	expect(t, "exit code", c.status().ExitCode, 5)
	expect(t, "log", c.logText(), "before\n"+numbers(100)+"after\n")
}

func numbers(n int) string {
	var text strings.Builder

	for i := 1; i <= n; i++ {
		fmt.Fprintln(&text, i)
	}
	return text.String()
}

func gone(pid int) func() bool {
	return func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(text), ") Z ")
	}
}

// containerd 2 asks a shim that it finds for its processes, and ends it as a leak when there are none. Its own shim names only those
// that live, so how the container ended is lost.
func (t *T) lost(state *cri.ContainerStatus) bool {
	if t.handler != "runc" || state.Reason != "Unknown" {
		return false
	}
	t.note("%s: how the container ended is lost: %s", t.handler, state.Message)
	return true
}

func restartExit(t *T) {
	p := t.pod()
	mount, signal := p.withSignal()
	c := p.create("echo before; until [ -e /signal/away ]; do sleep 0.05; done; seq 500; exit 7", mount).start()
	other := p.running()
	c.waitForLog("before")
	pid := c.pid()
	t.daemon.kill()
	signal("away")
	t.waitFor("the container's end", patience, gone(pid))
	t.must(t.daemon.start(), "start containerd again")
	state := c.wait()
	if t.lost(state) {
		return
	}
	expect(t, "exit code", state.ExitCode, 7)
	expect(t, "reason", state.Reason, "Error")
	// With its own shim, containerd 1.6 deletes the ended container before it has read what the container printed meanwhile.
	if t.handler != "runc" {
		t.waitFor("the rest of the log", patience, func() bool { return c.logText() == "before\n"+numbers(500) })
	}
	expect(t, "the other container's answer", other.sh("echo here"), "here")
}

func restartExec(t *T) {
	c := t.pod().running()
	s := c.stream(streams{stdin: true, stdout: true, stderr: true}, "/bin/sh", "-c", "echo begin; sleep 1000")
	s.waitFor("begin")
	t.restart()
	s.connection.Close()
	expect(t, "state", c.status().State, cri.ContainerState_CONTAINER_RUNNING)
	for i := range 3 {
		expect(t, "another exec", c.sh(fmt.Sprintf("echo %d", i)), fmt.Sprint(i))
	}
	c.stopWithin(graceSeconds)
	expect(t, "exit code", c.status().ExitCode, 0)
}

func restartStopped(t *T) {
	p := t.pod()
	c := p.create("echo here; exit 9").start()
	before := c.wait()
	t.restart()
	after := c.status()
	expect(t, "state", after.State, cri.ContainerState_CONTAINER_EXITED)
	expect(t, "exit code", after.ExitCode, 9)
	expect(t, "time of the end", after.FinishedAt, before.FinishedAt)
	expect(t, "log", c.logText(), "here\n")
	p.stop()
	t.restart()
	expect(t, "state of the pod", p.status().State, cri.PodSandboxState_SANDBOX_NOTREADY)
}

func restartOom(t *T) {
	p := t.pod()
	mount, signal := p.withSignal()
	c := p.create("echo before; until [ -e /signal/away ]; do sleep 0.05; done; "+glutton, mount, withMemory(16*mebibyte)).start()
	c.waitForLog("before")
	pid := c.pid()
	t.daemon.kill()
	signal("away")
	t.waitFor("the container's end", patience, gone(pid))
	t.must(t.daemon.start(), "start containerd again")
	state := c.wait()
	if t.lost(state) {
		return
	}
	expect(t, "exit code", state.ExitCode, 137)
	// containerd's own shim does not keep events for a containerd that is away: the reason is lost.
	if t.handler != "runc" {
		c.expectOOMKilled()
	}
}

// The process that a container's program was started by, and to which it falls back: its shim.
func (c *container) shim() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid()))
	c.must(err, "find the shim")
	after := string(text)[strings.LastIndex(string(text), ")")+2:]
	parent, err := strconv.Atoi(strings.Fields(after)[1])
	c.must(err, "find the shim")
	return parent
}

// From 2.0 to 2.3 containerd calls `delete` for what a shim of version 3 was started for, and not for the pod's containers. runc's
// always is one, and ours where containerd asks for it: from 2.3 on.
func (t *T) skipIfDeadShimIsForgotten() {
	if t.release == release(2, 3) || (t.handler == "runc" && t.release >= release2 && t.release < release(2, 4)) {
		t.skip("containerd does not clean up after the containers of a shim of version 3")
	}
}

func shimKilled(t *T) {
	t.skipIfDeadShimIsForgotten()
	p := t.pod()
	c := p.running()
	pid, shim := c.pid(), c.shim()
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", shim))
	expectContains(t, "the parent of the program", string(name), "containerd-shim")
	t.must(syscall.Kill(shim, syscall.SIGKILL), "kill the shim")
	t.waitFor("the container counts as ended", patience, func() bool {
		return c.status().State != cri.ContainerState_CONTAINER_RUNNING
	})
	began := time.Now()
	p.remove()
	t.note("%s: a pod without its shim is removed in %.1f s", t.handler, time.Since(began).Seconds())
	t.waitFor("the end of the program", patience, gone(pid))
}
