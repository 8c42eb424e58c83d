package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var scaleTests = []test{
	{name: "many pods made and removed: nothing is left", run: manyPods, alone: true},
}

// Folders that stay once they were made, and what belongs to containerd itself.
var permanent = regexp.MustCompile(`^/run/(netns|brig|containerd/(s|runc|runc/k8s\.io)|containerd/io\.containerd\.[a-z0-9.]+.*)$`)

// What a pod can leave behind, each as a line: processes, mounts, files under /run, cgroups, network devices.
func traces() map[string]bool {
	found := map[string]bool{}

	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		name, _ := os.ReadFile("/proc/" + entry.Name() + "/comm")
		if err == nil && !gone(pid)() {
			found["process "+entry.Name()+" "+strings.TrimSpace(string(name))] = true
		}
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for _, line := range strings.Split(strings.TrimSpace(string(mounts)), "\n") {
		found["mount "+strings.Fields(line)[4]] = true
	}
	filepath.WalkDir("/run", func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			found["file "+path] = true
		}
		return nil
	})
	for _, hierarchy := range hierarchies() {
		for _, group := range groupsBelow(hierarchy) {
			found["cgroup "+group] = true
		}
	}
	devices, _ := os.ReadDir("/sys/class/net")
	for _, device := range devices {
		found["device "+device.Name()] = true
	}
	return found
}

// What is there now and was not before; what stays on purpose does not count.
func newTraces(before map[string]bool) []string {
	var found []string

	for trace := range traces() {
		_, path, _ := strings.Cut(trace, " ")
		info, err := os.Lstat(path)
		stays := strings.HasPrefix(trace, "file ") && permanent.MatchString(path) && err == nil && info.IsDir() && isEmpty(path)
		if !before[trace] && !stays {
			found = append(found, trace)
		}
	}
	sort.Strings(found)
	return found
}

func isEmpty(folder string) bool {
	entries, _ := os.ReadDir(folder)
	return len(entries) == 0
}

func manyPods(t *T) {
	n := 50
	if t.long {
		n = 500
	}
	onePod(t) // what is made once is made now
	before := traces()
	began := time.Now()
	var all sync.WaitGroup
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range work {
				t.guarded(func() { onePod(t) })
			}
		}()
	}
	all.Wait()
	t.note("%s: %d pods with a container each in %.1f s", t.handler, n, time.Since(began).Seconds())
	var left []string
	end := time.Now().Add(patience * time.Second)
	for left = newTraces(before); len(left) > 0 && time.Now().Before(end); left = newTraces(before) {
		time.Sleep(100 * time.Millisecond)
	}
	if len(left) > 0 {
		t.errorf("%d things are left: %s", len(left), strings.Join(left[:min(20, len(left))], "; "))
	}
	t.expectNoPods()
}

// With a case of its own, since what a case has to undo is no list for several at a time.
func onePod(t *T) {
	own := &T{test: t.test, settings: t.settings, RuntimeServiceClient: t.RuntimeServiceClient, daemon: t.daemon, handler: t.handler}
	own.run = func(t *T) {
		p := t.pod()
		first, second := p.create("echo one; exit 3").start(), p.running()
		expect(t, "exit code", first.wait().ExitCode, 3)
		expect(t, "exec", second.sh("echo here"), "here")
		expect(t, "log", first.logText(), "one\n")
		os.RemoveAll(p.config.LogDirectory)
	}
	own.alone = false
	own.execute()
	for _, problem := range own.problems {
		t.errorf("%s", problem)
	}
	if len(own.problems) > 0 {
		t.mutex.Lock()
		t.ids = append(t.ids, own.ids...)
		t.mutex.Unlock()
	}
}

// After all cases of a handler: what was made has been removed.
func (t *T) expectNoPods() {
	pods, err := t.ListPodSandbox(t.ctx, &cri.ListPodSandboxRequest{})
	t.must(err, "ListPodSandbox")
	for _, pod := range pods.Items {
		if pod.RuntimeHandler == t.handler {
			t.errorf("pod %s is left", pod.Metadata.Name)
		}
	}
	containers, err := t.ListContainers(t.ctx, &cri.ListContainersRequest{})
	t.must(err, "ListContainers")
	expect(t, "containers left", fmt.Sprint(len(containers.Containers)), "0")
}
