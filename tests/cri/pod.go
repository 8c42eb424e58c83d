package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	image      = "example.org/busybox:latest"
	pauseImage = "example.org/pause:latest"
	// Handlers whose shim holds the pod, without a pause container. With the second one standard streams are connections to that shim.
	podHandler    = "brig-pod"
	streamHandler = "brig-stream"
	// Long enough for any stop that works; a program that does not end gets SIGKILL after it.
	graceSeconds = 30
)

type pod struct {
	*T
	id     string
	config *cri.PodSandboxConfig
	group  string // its parent cgroup, from the root of each hierarchy
}

type container struct {
	*pod
	id     string
	config *cri.ContainerConfig
}

type podOption func(*cri.PodSandboxConfig)
type containerOption func(*cri.ContainerConfig)

// What a kubelet asks for a pod on a network of its own.
func (t *T) podConfig(options ...podOption) *cri.PodSandboxConfig {
	name := t.unique()
	config := &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: name, Namespace: "tests", Uid: name},
		Hostname:     name,
		LogDirectory: t.folder + "/logs/" + name,
		DnsConfig:    &cri.DNSConfig{},
		Linux: &cri.LinuxPodSandboxConfig{
			CgroupParent: t.parentGroup(name),
			SecurityContext: &cri.LinuxSandboxSecurityContext{
				NamespaceOptions: &cri.NamespaceOption{Pid: cri.NamespaceMode_CONTAINER},
				Seccomp:          &cri.SecurityProfile{ProfileType: cri.SecurityProfile_RuntimeDefault},
			},
		},
	}
	for _, option := range options {
		option(config)
	}
	// Few cases are about it (onNodeNetwork).
	if t.nodePodsEndContainerd() || t.strict && !t.floor {
		config.Linux.SecurityContext.NamespaceOptions.Network = cri.NamespaceMode_POD
		if config.Hostname == "" {
			config.Hostname = name
		}
	}
	return config
}

// Before 2.3 containerd itself crashes where a pod on the node's network has no pause container (its issue 12983).
func (t *T) nodePodsEndContainerd() bool {
	return t.holdsPod() && t.release < release(2, 3)
}

func (t *T) holdsPod() bool {
	return t.handler == podHandler || t.handler == streamHandler
}

// A pod that is removed after the case, without a trace.
func (t *T) pod(options ...podOption) *pod {
	p, err := t.tryPod(t.podConfig(options...))
	t.must(err, "RunPodSandbox")
	return p
}

func (t *T) tryPod(config *cri.PodSandboxConfig) (*pod, error) {
	p := &pod{T: t, config: config, group: config.Linux.CgroupParent}
	t.must(os.MkdirAll(config.LogDirectory, 0o755), "make the folder of logs")
	t.makeGroups(p.group)
	t.defers(func() { t.removeGroups(p.group) })
	answer, err := t.RunPodSandbox(t.ctx, &cri.RunPodSandboxRequest{Config: config, RuntimeHandler: t.handler})
	if err != nil {
		return nil, err
	}
	p.id = answer.PodSandboxId
	t.ids = append(t.ids, p.id)
	t.defers(p.remove)
	return p, nil
}

func (p *pod) stop() {
	var err error

	p.waitFor("StopPodSandbox", patience, func() bool {
		ctx, cancel := context.WithTimeout(p.ctx, p.stopTime())
		defer cancel()
		_, err = p.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: p.id})
		return !p.crio || err == nil || !(status.Code(err) == codes.DeadlineExceeded ||
			strings.Contains(err.Error(), "deadline exceeded") || strings.Contains(err.Error(), "context canceled"))
	})
	p.must(err, "StopPodSandbox")
}

// CRI-O leaves containers that don't end the whole time that the caller has, before it kills them: with a short one it has to be asked again.
func (p *pod) stopTime() time.Duration {
	if p.crio {
		return 3 * time.Second
	}
	return testTime
}

// As the kubelet ends a pod. Can be repeated.
func (p *pod) remove() {
	if p.id == "" {
		return
	}
	id := p.id
	p.stop()
	_, err := p.RemovePodSandbox(p.ctx, &cri.RemovePodSandboxRequest{PodSandboxId: id})
	p.must(err, "RemovePodSandbox")
	p.id = ""
}

func (p *pod) status() *cri.PodSandboxStatus {
	answer, err := p.PodSandboxStatus(p.ctx, &cri.PodSandboxStatusRequest{PodSandboxId: p.id})
	p.must(err, "PodSandboxStatus")
	return answer.Status
}

// A container's settings: a shell's script, in a pod's usual security context.
func (p *pod) containerConfig(script string, options ...containerOption) *cri.ContainerConfig {
	name := p.unique()
	config := &cri.ContainerConfig{
		Metadata: &cri.ContainerMetadata{Name: name},
		Image:    &cri.ImageSpec{Image: image},
		Command:  []string{"/bin/sh", "-c", script},
		LogPath:  name + ".log",
		Linux: &cri.LinuxContainerConfig{
			Resources: &cri.LinuxContainerResources{},
			SecurityContext: &cri.LinuxContainerSecurityContext{
				NamespaceOptions: p.config.Linux.SecurityContext.NamespaceOptions,
				Seccomp:          &cri.SecurityProfile{ProfileType: cri.SecurityProfile_RuntimeDefault},
				MaskedPaths: []string{"/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
					"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"},
				ReadonlyPaths: []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
			},
		},
	}
	for _, option := range options {
		option(config)
	}
	return config
}

func (p *pod) tryCreate(config *cri.ContainerConfig) (*container, error) {
	answer, err := p.CreateContainer(p.ctx,
		&cri.CreateContainerRequest{PodSandboxId: p.id, Config: config, SandboxConfig: p.config})
	if err != nil {
		return nil, err
	}
	p.ids = append(p.ids, answer.ContainerId)
	return &container{pod: p, id: answer.ContainerId, config: config}, nil
}

func (p *pod) create(script string, options ...containerOption) *container {
	c, err := p.tryCreate(p.containerConfig(script, options...))
	p.must(err, "CreateContainer")
	return c
}

func (c *container) tryStart() error {
	_, err := c.StartContainer(c.ctx, &cri.StartContainerRequest{ContainerId: c.id})
	return err
}

func (c *container) start() *container {
	c.must(c.tryStart(), "StartContainer")
	if c.handler == "runc" {
		c.waitFor("runc to become the program", patience, c.isProgram)
	}
	return c
}

// runc tells of the start before its own process executes the program, and until then that process handles all signals.
func (c *container) isProgram() bool {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", c.pid()))
	return !strings.HasPrefix(string(name), "runc")
}

// A container that runs, until it is stopped.
const forever = `trap 'exit 0' TERM; while :; do sleep 1000 & wait $!; done`

func (p *pod) running(options ...containerOption) *container {
	return p.create(forever, options...).start().untilTrapped()
}

// A started program is no shell with a trap yet, and as process 1 it does not get a signal that it has no handler for. With a pod's
// process namespace the shell is a common process, which the signal would end: no better.
func (c *container) untilTrapped() *container {
	pid := c.pid()
	c.waitFor("the shell's trap for SIGTERM", 30, func() bool {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		c.must(err, "read the status of the container's process")
		_, rest, _ := strings.Cut(string(status), "\nSigCgt:")
		caught, err := strconv.ParseUint(strings.Fields(rest)[0], 16, 64)
		c.must(err, "read the caught signals")
		return caught&(1<<(syscall.SIGTERM-1)) != 0
	})
	return c
}

// Runs a script to its end, and returns what it printed.
func (p *pod) output(script string, options ...containerOption) string {
	c := p.create(script, options...).start()
	status := c.wait()
	if status.ExitCode != 0 {
		c.fatalf("%s: exit code %d (%s %s), output %q", script, status.ExitCode, status.Reason, status.Message, c.logText())
	}
	return strings.TrimSuffix(c.logText(), "\n")
}

func (c *container) status() *cri.ContainerStatus {
	answer, err := c.ContainerStatus(c.ctx, &cri.ContainerStatusRequest{ContainerId: c.id})
	c.must(err, "ContainerStatus")
	return answer.Status
}

func (c *container) wait() *cri.ContainerStatus {
	var status *cri.ContainerStatus

	c.waitFor("the container's end", patience, func() bool {
		status = c.status()
		return status.State == cri.ContainerState_CONTAINER_EXITED
	})
	return status
}

func (c *container) stopWithin(seconds int64) {
	_, err := c.StopContainer(c.ctx, &cri.StopContainerRequest{ContainerId: c.id, Timeout: seconds})
	c.must(err, "StopContainer")
}

func (c *container) removeContainer() {
	_, err := c.RemoveContainer(c.ctx, &cri.RemoveContainerRequest{ContainerId: c.id})
	c.must(err, "RemoveContainer")
}

// The init process's number, as this process sees it.
func (c *container) pid() int {
	var info struct{ Pid int }

	answer, err := c.ContainerStatus(c.ctx, &cri.ContainerStatusRequest{ContainerId: c.id, Verbose: true})
	c.must(err, "ContainerStatus, verbose")
	c.must(json.Unmarshal([]byte(answer.Info["info"]), &info), "the verbose status")
	return info.Pid
}

type result struct {
	stdout, stderr string
	code           int32
}

func (c *container) tryExec(command ...string) (result, error) {
	return c.execWithin(0, command...)
}

func (c *container) execWithin(seconds int64, command ...string) (result, error) {
	answer, err := c.ExecSync(c.ctx, &cri.ExecSyncRequest{ContainerId: c.id, Cmd: command, Timeout: seconds})
	if err != nil {
		return result{}, err
	}
	return result{string(answer.Stdout), string(answer.Stderr), answer.ExitCode}, nil
}

func (c *container) exec(command ...string) result {
	got, err := c.tryExec(command...)
	c.must(err, "ExecSync %q", command)
	return got
}

// Runs a shell's script in the container; it has to succeed.
func (c *container) sh(script string) string {
	got := c.exec("/bin/sh", "-c", script)
	if got.code != 0 {
		c.fatalf("%s: exit code %d, stdout %q, stderr %q", script, got.code, got.stdout, got.stderr)
	}
	return strings.TrimSuffix(got.stdout, "\n")
}

type logLine struct {
	time   time.Time
	stream string
	full   bool
	text   string
}

func (c *container) logFile() string {
	return c.pod.config.LogDirectory + "/" + c.config.LogPath
}

// "TIME stdout|stderr F|P TEXT"
func (c *container) logLines() []logLine {
	var lines []logLine

	data, err := os.ReadFile(c.logFile())
	c.must(err, "read the log")
	whole := data[:bytes.LastIndexByte(data, '\n')+1] // what is still being written is no line yet
	for _, line := range strings.Split(strings.TrimSuffix(string(whole), "\n"), "\n") {
		part := strings.SplitN(line, " ", 4)
		if len(part) < 4 {
			if line != "" {
				c.errorf("a line of the log is not of CRI's form: %q", line)
			}
			continue
		}
		stamp, err := time.Parse(time.RFC3339Nano, part[0])
		if err != nil {
			c.errorf("a line of the log begins with no time: %q", line)
		}
		lines = append(lines, logLine{stamp, part[1], part[2] == "F", part[3]})
	}
	return lines
}

func (c *container) logText() string {
	return c.logOf("stdout") + c.logOf("stderr")
}

func (c *container) logOf(stream string) string {
	var text strings.Builder

	for _, line := range c.logLines() {
		if line.stream == stream {
			text.WriteString(strings.TrimSuffix(line.text, "\r")) // of a terminal
			if line.full {
				text.WriteByte('\n')
			}
		}
	}
	return text.String()
}

func (c *container) waitForLog(text string) {
	c.waitFor(fmt.Sprintf("%q in the log", text), patience, func() bool {
		data, _ := os.ReadFile(c.logFile())
		return strings.Contains(string(data), text)
	})
}

// The usual changes of a configuration.

func withSecurity(change func(*cri.LinuxContainerSecurityContext)) containerOption {
	return func(config *cri.ContainerConfig) { change(config.Linux.SecurityContext) }
}

func withResources(resources *cri.LinuxContainerResources) containerOption {
	return func(config *cri.ContainerConfig) { config.Linux.Resources = resources }
}

func withMount(mount *cri.Mount) containerOption {
	return func(config *cri.ContainerConfig) { config.Mounts = append(config.Mounts, mount) }
}

func withPodSecurity(change func(*cri.LinuxSandboxSecurityContext)) podOption {
	return func(config *cri.PodSandboxConfig) { change(config.Linux.SecurityContext) }
}

func withNamespaces(change func(*cri.NamespaceOption)) podOption {
	return withPodSecurity(func(s *cri.LinuxSandboxSecurityContext) { change(s.NamespaceOptions) })
}

// On the network of the node, which spares the case what belongs to the network.
func onNodeNetwork(config *cri.PodSandboxConfig) {
	config.Linux.SecurityContext.NamespaceOptions.Network = cri.NamespaceMode_NODE
	config.Hostname = ""
}
