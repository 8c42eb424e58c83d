package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const cgroupRoot = "/sys/fs/cgroup"

// The mount point of each hierarchy; a pure v2 system has one.
func hierarchies() []string {
	if _, err := os.Stat(cgroupRoot + "/cgroup.procs"); err == nil {
		return []string{cgroupRoot}
	}
	found, _ := filepath.Glob(cgroupRoot + "/*")
	return found
}

// The parent that a kubelet gives a pod of that name.
func (t *T) parentGroup(name string) string {
	if t.systemd {
		return sliceOf(name)
	}
	return "/pods/" + name
}

// What a kubelet makes for a pod.
func (t *T) makeGroups(group string) {
	if t.systemd {
		t.systemctl("start", filepath.Base(group))
		return
	}
	for _, hierarchy := range hierarchies() {
		folder := hierarchy
		for _, part := range strings.Split(strings.Trim(group, "/"), "/") {
			parent := folder
			folder += "/" + part
			if err := os.Mkdir(folder, 0o755); err != nil && !os.IsExist(err) {
				t.fatalf("make a cgroup: %v", err)
			}
			passOn(parent, folder)
		}
	}
}

// A child of cpuset has no processors until it is given some; a child of v2 no controllers.
func passOn(parent, folder string) {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		if value, err := os.ReadFile(parent + "/" + name); err == nil && filepath.Base(filepath.Dir(parent)) != "fs" {
			os.WriteFile(folder+"/"+name, value, 0)
		}
	}
	controllers, _ := os.ReadFile(folder + "/cgroup.controllers")
	for _, controller := range strings.Fields(string(controllers)) {
		os.WriteFile(folder+"/cgroup.subtree_control", []byte("+"+controller), 0)
	}
}

// After the pod's removal: what its containers left below is a failure.
func (t *T) removeGroups(group string) {
	for _, hierarchy := range hierarchies() {
		var left []string
		end := time.Now().Add(patience * time.Second)
		for left = groupsBelow(hierarchy + group); len(left) > 1 && time.Now().Before(end); left = groupsBelow(hierarchy + group) {
			time.Sleep(20 * time.Millisecond)
		}
		if len(left) > 1 {
			t.errorf("cgroups are left: %s", strings.Join(left[1:], ", "))
		}
		for i := len(left) - 1; i >= 0 && !t.systemd; i-- {
			os.Remove(left[i])
		}
	}
	if t.systemd {
		t.systemctl("stop", filepath.Base(group))
	}
}

// A group and all below it, parents first.
func groupsBelow(folder string) []string {
	var found []string

	filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			found = append(found, path)
		}
		return nil
	})
	return found
}

// The smallest number that a setting has in a process's group and those above it, which is the one that counts. name1 and name2 are
// its files in the two versions of cgroups.
func (t *T) limitOf(pid int, controller, name1, name2 string) int64 {
	least := int64(1) << 62

	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	t.must(err, "read a process's cgroups")
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		part := strings.SplitN(line, ":", 3)
		folder, name := cgroupRoot+"/"+controller, name1
		if part[1] == "" && len(hierarchies()) == 1 {
			folder, name = cgroupRoot, name2
		} else if part[1] != controller {
			continue
		}
		for group := part[2]; group != "/"; group = filepath.Dir(group) {
			text, err := os.ReadFile(folder + group + "/" + name)
			if err != nil {
				break
			}
			value, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
			if err == nil && value > 0 && value < least {
				least = value
			}
		}
	}
	return least
}
