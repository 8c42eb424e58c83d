package main

import (
	"context"
	"encoding/json"
	"strings"
	"sync"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var statusTests = []test{
	{name: "the handler's features", run: features, since: release2},
	{name: "verbose status of a pod and a container", run: verbose},
	{name: "lists by pod, state and label", run: lists},
	{name: "container events", run: containerEvents, since: release2},
}

// Before 2.2 containerd asks runc's shim alone, and knows nothing of other handlers.
func (t *T) isNotAsked() bool {
	return t.handler != "runc" && t.release < release(2, 2)
}

func features(t *T) {
	if t.isNotAsked() {
		t.skip("containerd does not ask this handler")
	}
	has := t.handlerFeatures()
	if has == nil {
		t.fatalf("containerd reports no handler %s", t.handler)
	}
	expect(t, "user namespaces", has.UserNamespaces, true)
	expect(t, "recursive read-only mounts", has.RecursiveReadOnlyMounts, true)
}

func verbose(t *T) {
	p := t.pod()
	c := p.running()
	if pid := c.pid(); pid <= 1 {
		t.errorf("the container's process is %d", pid)
	}
	if t.holdsPod() {
		return // where the shim holds the pod, containerd passes on what that says, and makes nothing up
	}
	answer, err := t.PodSandboxStatus(t.ctx, &cri.PodSandboxStatusRequest{PodSandboxId: p.id, Verbose: true})
	t.must(err, "PodSandboxStatus, verbose")
	var info struct{ RuntimeType string }
	t.must(json.Unmarshal([]byte(answer.Info["info"]), &info), "the verbose status")
	kind, _, _ := strings.Cut(t.handler, "-")
	expect(t, "runtime", info.RuntimeType, "io.containerd."+kind+".v2")
}

func lists(t *T) {
	p := t.pod(onNodeNetwork)
	running := p.running(func(config *cri.ContainerConfig) { config.Labels = map[string]string{"part": "one"} })
	ended := p.create("true").start()
	ended.wait()
	ids := func(filter *cri.ContainerFilter) []string {
		filter.PodSandboxId = p.id
		answer, err := t.ListContainers(t.ctx, &cri.ListContainersRequest{Filter: filter})
		t.must(err, "ListContainers")
		var found []string
		for _, c := range answer.Containers {
			found = append(found, c.Id)
		}
		return found
	}
	only := func(what string, got []string, c *container) {
		if len(got) != 1 || got[0] != c.id {
			t.errorf("%s: got %v, expected %s", what, got, c.id)
		}
	}
	expect(t, "containers of the pod", len(ids(&cri.ContainerFilter{})), 2)
	only("running ones", ids(&cri.ContainerFilter{State: &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}}), running)
	only("ended ones", ids(&cri.ContainerFilter{State: &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_EXITED}}), ended)
	only("with a label", ids(&cri.ContainerFilter{LabelSelector: map[string]string{"part": "one"}}), running)
}

// What the kubelet's event-driven view of pods is made from.
func containerEvents(t *T) {
	var mutex sync.Mutex
	seen := map[string][]cri.ContainerEventType{}
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	stream, err := t.GetContainerEvents(ctx, &cri.GetEventsRequest{})
	t.must(err, "GetContainerEvents")
	go func() {
		for {
			event, err := stream.Recv()
			if err != nil {
				return
			}
			mutex.Lock()
			seen[event.ContainerId] = append(seen[event.ContainerId], event.ContainerEventType)
			mutex.Unlock()
		}
	}()
	// One that ends at once may be told to have ended before it is told to have started.
	c := t.pod(onNodeNetwork).running()
	c.stopWithin(graceSeconds)
	c.removeContainer()
	wanted := []cri.ContainerEventType{cri.ContainerEventType_CONTAINER_CREATED_EVENT, cri.ContainerEventType_CONTAINER_STARTED_EVENT,
		cri.ContainerEventType_CONTAINER_STOPPED_EVENT, cri.ContainerEventType_CONTAINER_DELETED_EVENT}
	t.waitFor("four events", patience, func() bool {
		mutex.Lock()
		defer mutex.Unlock()
		return len(seen[c.id]) >= len(wanted)
	})
	mutex.Lock()
	defer mutex.Unlock()
	for i, event := range seen[c.id] {
		expect(t, "event", event, wanted[min(i, len(wanted)-1)])
	}
}
