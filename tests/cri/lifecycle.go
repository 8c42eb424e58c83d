package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var lifecycleTests = []test{
	{name: "a pod is ready, then not, then gone", run: podLife, moves: true},
	{name: "stopping and removing a pod can be repeated", run: podStopAgain},
	{name: "a pod keeps its name, labels and annotations", run: podLabels},
	{name: "a container is created, runs, exits and is gone", run: containerLife, moves: true},
	{name: "exit codes", run: exitCodes},
	{name: "a program that is missing, or not to be executed", run: programMissing, moves: true},
	{name: "StopContainer: the program may end by itself", run: stopGracefully},
	{name: "StopContainer kills what does not end in time", run: stopByForce},
	{name: "StopContainer kills at once with no time given", run: stopAtOnce},
	{name: "StopContainer ends the program's children", run: stopEndsChildren},
	{name: "StopContainer can be repeated", run: stopAgain},
	{name: "a stop signal of the container's own", run: stopSignal, since: release(2, 3)},
	{name: "RemoveContainer ends one that runs", run: removeRunning},
	{name: "RemoveContainer of one that never started", run: removeCreated},
	{name: "StopPodSandbox ends the pod's containers", run: podStopEndsContainers},
	{name: "one container's end leaves the pod's others alone", run: othersLive},
	{name: "containers come and go in a pod", run: containersInTurn},
	{name: "variables, arguments and working folder", run: environment},
	{name: "a working folder that is not there is made", run: workingFolderMade},
}

func podLife(t *T) {
	p := t.pod()
	state := p.status()
	expect(t, "state", state.State, cri.PodSandboxState_SANDBOX_READY)
	expect(t, "handler", state.RuntimeHandler, t.handler)
	if state.Network.GetIp() == "" {
		t.errorf("the pod has no address")
	}
	p.stop()
	expect(t, "state after the stop", p.status().State, cri.PodSandboxState_SANDBOX_NOTREADY)
	id := p.id
	p.remove()
	_, err := t.PodSandboxStatus(t.ctx, &cri.PodSandboxStatusRequest{PodSandboxId: id})
	expect(t, "status of a removed pod", status.Code(err), codes.NotFound)
}

func podStopAgain(t *T) {
	p := t.pod(onNodeNetwork)
	p.stop()
	p.stop()
	id := p.id
	p.remove()
	_, err := t.RemovePodSandbox(t.ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id})
	t.must(err, "remove it again")
}

func podLabels(t *T) {
	p := t.pod(onNodeNetwork, func(config *cri.PodSandboxConfig) {
		config.Labels = map[string]string{"colour": "blue"}
		config.Annotations = map[string]string{"example.org/note": "kept"}
	})
	state := p.status()
	expect(t, "name", state.Metadata.Name, p.config.Metadata.Name)
	expect(t, "label", state.Labels["colour"], "blue")
	expect(t, "annotation", state.Annotations["example.org/note"], "kept")
}

func containerLife(t *T) {
	p := t.pod()
	c := p.create(forever)
	state := c.status()
	expect(t, "state when created", state.State, cri.ContainerState_CONTAINER_CREATED)
	c.start().untilTrapped()
	state = c.status()
	expect(t, "state when started", state.State, cri.ContainerState_CONTAINER_RUNNING)
	c.stopWithin(graceSeconds)
	state = c.status()
	expect(t, "state when stopped", state.State, cri.ContainerState_CONTAINER_EXITED)
	expect(t, "exit code", state.ExitCode, 0)
	expect(t, "reason", state.Reason, "Completed")
	if state.CreatedAt > state.StartedAt || state.StartedAt > state.FinishedAt || state.CreatedAt == 0 {
		t.errorf("times out of order: created %d, started %d, finished %d", state.CreatedAt, state.StartedAt, state.FinishedAt)
	}
	c.removeContainer()
	_, err := t.ContainerStatus(t.ctx, &cri.ContainerStatusRequest{ContainerId: c.id})
	expect(t, "status of a removed container", status.Code(err), codes.NotFound)
}

func exitCodes(t *T) {
	p := t.pod(onNodeNetwork)
	for _, code := range []int32{0, 1, 7, 255} {
		c := p.create(fmt.Sprintf("exit %d", code)).start()
		state := c.wait()
		expect(t, "exit code", state.ExitCode, code)
		expect(t, "reason", state.Reason, map[bool]string{true: "Completed", false: "Error"}[code == 0])
	}
	// A program that dies by a signal.
	c := p.create(`sh -c 'kill -USR1 $$'; exit $?`).start()
	expect(t, "exit code after SIGUSR1", c.wait().ExitCode, 128+10)
}

func programMissing(t *T) {
	p := t.pod(onNodeNetwork)
	for path, reason := range map[string]string{
		"/missing": "no such file or directory", "missing": "executable file not found", "/etc/not-a-program": "ermission denied",
	} {
		config := p.containerConfig("")
		config.Command = []string{path}
		c, err := p.tryCreate(config)
		t.must(err, "CreateContainer")
		err = c.tryStart()
		if err == nil {
			t.fatalf("%s: it starts", path)
		}
		expectContains(t, "the error for "+path, err.Error(), reason)
		state := c.status()
		expect(t, "state", state.State, cri.ContainerState_CONTAINER_EXITED)
		expect(t, "reason", state.Reason, "StartError")
		expect(t, "exit code", state.ExitCode, 128)
		expectContains(t, "the status's message for "+path, state.Message, reason)
		c.removeContainer()
	}
}

func stopGracefully(t *T) {
	c := t.pod(onNodeNetwork).create(`trap 'echo ending; exit 5' TERM; echo ready; while :; do sleep 0.05; done`).start()
	c.waitForLog("ready")
	c.stopWithin(30)
	expect(t, "exit code", c.status().ExitCode, 5)
	expect(t, "output", c.logText(), "ready\nending\n")
}

func stopByForce(t *T) {
	c := t.pod(onNodeNetwork).create(`trap 'echo no' TERM; echo ready; while :; do sleep 0.05; done`).start()
	c.waitForLog("ready")
	c.stopWithin(1)
	state := c.status()
	expect(t, "exit code", state.ExitCode, 137)
	expect(t, "reason", state.Reason, "Error")
	// On a busy machine KILL may come before the trap has run.
	expect(t, "output", strings.TrimSuffix(c.logText(), "no\n"), "ready\n")
}

func stopAtOnce(t *T) {
	c := t.pod(onNodeNetwork).create(`trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done`).start()
	c.waitForLog("ready")
	c.stopWithin(0)
	expect(t, "exit code", c.status().ExitCode, 137)
}

// The processes that belong to a container, by a folder that only they have as their root.
func processesOf(pid int) []string {
	var found []string

	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return nil
	}
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err == nil {
			if other, _ := os.Readlink("/proc/" + entry.Name() + "/ns/mnt"); other == namespace {
				found = append(found, entry.Name())
			}
		}
	}
	return found
}

func stopEndsChildren(t *T) {
	c := t.pod(onNodeNetwork).create(`for i in 1 2 3; do setsid sh -c 'trap "" TERM; sleep 1000' & done; echo ready; wait`).start()
	c.waitForLog("ready")
	processes := processesOf(c.pid())
	if len(processes) < 4 {
		t.errorf("only processes %v", processes)
	}
	c.stopWithin(1)
	t.waitFor("the end of all processes", patience, func() bool {
		for _, process := range processes {
			if _, err := os.Stat("/proc/" + process); err == nil {
				return false
			}
		}
		return true
	})
}

func stopAgain(t *T) {
	c := t.pod(onNodeNetwork).running()
	c.stopWithin(graceSeconds)
	c.stopWithin(graceSeconds)
	expect(t, "exit code", c.status().ExitCode, 0)
}

func stopSignal(t *T) {
	c := t.pod(onNodeNetwork).create(`trap 'exit 6' USR1; trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done`,
		func(config *cri.ContainerConfig) { config.StopSignal = cri.Signal_SIGNAL_SIGUSR1 }).start()
	c.waitForLog("ready")
	c.stopWithin(graceSeconds)
	expect(t, "exit code", c.status().ExitCode, 6)
}

func removeRunning(t *T) {
	c := t.pod(onNodeNetwork).running()
	pid := c.pid()
	c.removeContainer()
	t.waitFor("the end of its process", patience, gone(pid))
}

func removeCreated(t *T) {
	t.pod(onNodeNetwork).create(forever).removeContainer()
}

func podStopEndsContainers(t *T) {
	p := t.pod()
	first, second := p.running(), p.create("sleep 1000").start()
	p.stop()
	expect(t, "state of the first", first.status().State, cri.ContainerState_CONTAINER_EXITED)
	expect(t, "state of the second", second.status().State, cri.ContainerState_CONTAINER_EXITED)
	expect(t, "exit code of the second", second.status().ExitCode, 137)
}

func othersLive(t *T) {
	p := t.pod(onNodeNetwork)
	stays, ends := p.running(), p.create("exit 3").start()
	expect(t, "exit code", ends.wait().ExitCode, 3)
	ends.removeContainer()
	expect(t, "state of the other", stays.status().State, cri.ContainerState_CONTAINER_RUNNING)
	expect(t, "the other's answer", stays.sh("echo here"), "here")
	expect(t, "state of the pod", p.status().State, cri.PodSandboxState_SANDBOX_READY)
}

func containersInTurn(t *T) {
	p := t.pod(onNodeNetwork)
	for i := range 5 {
		c := p.create(fmt.Sprintf("echo turn %d; exit %d", i, i)).start()
		expect(t, "exit code", c.wait().ExitCode, int32(i))
		expect(t, "output", c.logText(), fmt.Sprintf("turn %d\n", i))
		c.removeContainer()
	}
}

func environment(t *T) {
	output := t.pod(onNodeNetwork).output("", func(config *cri.ContainerConfig) {
		config.Command = []string{"sh", "-c", `echo "$FIRST|$SECOND|$PATH"; pwd; echo "$0,$1,$#"`}
		config.Args = []string{"zero", "one two", ""}
		config.WorkingDir = "/tmp"
		config.Envs = []*cri.KeyValue{{Key: "FIRST", Value: []byte("a b=c")}, {Key: "SECOND", Value: []byte("line\nline")}}
	})
	expect(t, "output", output, "a b=c|line\nline|/bin\n/tmp\nzero,one two,2")
}

func workingFolderMade(t *T) {
	output := t.pod(onNodeNetwork).output("pwd", func(config *cri.ContainerConfig) { config.WorkingDir = "/not/there/yet" })
	expect(t, "working folder", strings.TrimSpace(output), "/not/there/yet")
}
