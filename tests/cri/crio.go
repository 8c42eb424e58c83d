package main

import "fmt"

// CRI-O as the engine: where it listens, how it is started, and the cases that are about containerd alone.

// Cases that expect what containerd does and CRI-O does otherwise, whatever the runtime is.
var unlikeCrio = map[string]string{
	"a pod is ready, then not, then gone":                 "it does not tell a pod's handler",
	"a program that is missing, or not to be executed":    "told by CreateContainer, and conmon's group is left",
	"verbose status of a pod and a container":             "no runtimeType in it",
	"container events":                                    "only where they are turned on",
	"ExecSync ends what takes too long":                   "no error, but code -1",
	"ExecSync ends what takes too long with its children": "conmon ends the first process alone",
	"ExecSync in a container that does not run":           "it asks the runtime, for which a created one can have an exec",
	"Exec of a program that is missing":                   "the reason is in the stream of errors",
	"PodSandboxStats and ListPodSandboxStats":             "it takes a pod's group for a slice of systemd",
	"capabilities: the usual ones":                        "a smaller set",
	"capabilities: add and drop":                          "a smaller set",
	"capabilities: not for another user than root":        "a smaller set",
	"devices: what is not granted can't be opened":        "a smaller set",
	"process ids: one namespace for the pod":              "what a container leaves lives until it is removed",
	"privileged":                                          "it asks for inheritable and ambient capabilities",
	"masked paths show nothing":                           "its own list of paths, whatever is asked for",
}

// The same of its handlers of the type vm, for which it asks the shim itself.
const vmHandler = "brig-vm"

var unlikeCrioVM = map[string]string{
	"logs: a line longer than CRI's limit is put together again": "it knows no limit",
	"logs: nothing is lost at a quick exit":                      "what it has read is written to the log after the status says exited",
	"logs go to a new file after ReopenContainerLog":             "it does nothing for it",
}

func (s settings) socket() string {
	if s.crio {
		return "unix:///run/crio/crio.sock"
	}
	return "unix:///run/containerd/containerd.sock"
}

func (s settings) arguments() []string {
	if s.crio {
		return []string{"--config", s.config, "--config-dir", fmt.Sprint(s.folder, "/crio.conf.d")}
	}
	return []string{"--config", s.config}
}

// The images that have to be imported: into CRI-O's storage podman did that before.
func (s settings) archives() []string {
	if s.crio {
		return nil
	}
	return []string{"busybox", "pause"}
}

// Those that kill the engine, or count what it leaves, know containerd's ways.
func (t *T) fitsEngine() bool {
	return !t.crio || !t.alone && unlikeCrio[t.name] == "" && (t.handler != vmHandler || unlikeCrioVM[t.name] == "")
}
