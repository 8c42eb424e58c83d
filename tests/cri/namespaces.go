package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var namespaceTests = []test{
	{name: "process ids: each container its own", run: pidContainer},
	{name: "process ids: one namespace for the pod", run: pidPod},
	{name: "process ids: the node's", run: pidNode},
	{name: "process ids: another container's (an ephemeral container)", run: pidTarget},
	{name: "two containers share network, ipc and host name", run: sharedNamespaces},
	{name: "two containers talk over the loopback device", run: sharedLoopback},
	{name: "network and ipc: the node's", run: nodeNamespaces},
	{name: "host name and DNS settings", run: hostName},
	{name: "/dev/shm is the pod's", run: sharedMemory},
	{name: "sysctls of a pod", run: sysctls},
}

var usernsTests = []test{
	{name: "user namespace: the mapping, inside and outside", run: usernsMapping, since: release2},
	{name: "user namespace: files of the image and of volumes keep their owners", run: usernsFiles, since: release2},
	{name: "user namespace: exec, logs and a terminal", run: usernsExec, since: release2},
	{name: "user namespace: shared by the pod's containers", run: usernsShared, since: release2},
	{name: "user namespace: with its own network, and other users", run: usernsNetwork, since: release2},
}

func namespaceOf(who any, kind string) string {
	link, _ := os.Readlink(fmt.Sprintf("/proc/%v/ns/%s", who, kind))
	return link
}

func pidContainer(t *T) {
	p := t.pod(onNodeNetwork)
	first, second := p.running(), p.running()
	// A shell that has forked and not executed yet has the trap's words in its arguments as well, for a moment.
	t.waitFor("its own processes, and none but these", patience, func() bool {
		return second.sh("ls -d /proc/[0-9]*/exe | head -n 1; ps -o args | grep -c [t]rap") == "/proc/1/exe\n1"
	})
	if namespaceOf(first.pid(), "pid") == namespaceOf(second.pid(), "pid") {
		t.errorf("the namespace is shared")
	}
}

func pidPod(t *T) {
	p := t.pod(onNodeNetwork, withNamespaces(func(n *cri.NamespaceOption) { n.Pid = cri.NamespaceMode_POD }))
	first := p.create("trap 'exit 5' TERM; echo $$; sleep 4321 & wait; sleep 1000").start()
	second := p.running()
	expect(t, "one namespace", namespaceOf(first.pid(), "pid"), namespaceOf(second.pid(), "pid"))
	if namespaceOf(first.pid(), "pid") == namespaceOf("self", "pid") {
		t.errorf("it is the node's")
	}
	second.sh("until ps -o args | grep -q '^sleep 4321'; do sleep 0.05; done")
	// Ended by its neighbour, by a signal.
	first.waitForLog("\n")
	second.sh("kill -TERM " + strings.TrimSpace(first.logText()))
	expect(t, "exit code", first.wait().ExitCode, 5)
	// What it left behind ends with it, although it is not the namespace's first process.
	t.waitFor("the end of its children", patience, func() bool {
		return second.exec("/bin/sh", "-c", "ps -o args | grep -q '^sleep 4321'").code == 1
	})
	expect(t, "the neighbour's state", second.status().State, cri.ContainerState_CONTAINER_RUNNING)
}

func pidNode(t *T) {
	p := t.pod(onNodeNetwork, withNamespaces(func(n *cri.NamespaceOption) { n.Pid = cri.NamespaceMode_NODE }))
	c := p.create("sleep 1000 & wait").start()
	expect(t, "namespace", namespaceOf(c.pid(), "pid"), namespaceOf("self", "pid"))
	expect(t, "the container's number is the node's", c.sh(fmt.Sprintf("test -d /proc/%d && echo seen", os.Getpid())), "seen")
	processes := processesOf(c.pid())
	c.stopWithin(1)
	t.waitFor("the end of its children", patience, func() bool {
		for _, process := range processes {
			if _, err := os.Stat("/proc/" + process); err == nil {
				return false
			}
		}
		return true
	})
}

func pidTarget(t *T) {
	p := t.pod(onNodeNetwork)
	target := p.running()
	guest := p.running(withSecurity(func(s *cri.LinuxContainerSecurityContext) {
		network := p.config.Linux.SecurityContext.NamespaceOptions.Network
		s.NamespaceOptions = &cri.NamespaceOption{Network: network, Pid: cri.NamespaceMode_TARGET, TargetId: target.id}
	}))
	expect(t, "namespace", namespaceOf(guest.pid(), "pid"), namespaceOf(target.pid(), "pid"))
	guest.stopWithin(1)
	expect(t, "the target's state", target.status().State, cri.ContainerState_CONTAINER_RUNNING)
}

func sharedNamespaces(t *T) {
	p := t.pod()
	first, second := p.running(), p.running()
	for _, kind := range []string{"net", "ipc", "uts"} {
		expect(t, kind+" namespace", namespaceOf(second.pid(), kind), namespaceOf(first.pid(), kind))
		if namespaceOf(first.pid(), kind) == namespaceOf("self", kind) {
			t.errorf("the %s namespace is the node's", kind)
		}
	}
	if namespaceOf(first.pid(), "mnt") == namespaceOf(second.pid(), "mnt") {
		t.errorf("the mount namespace is shared")
	}
}

func sharedLoopback(t *T) {
	p := t.pod()
	p.create("while :; do echo hello | nc -l -p 7000; done").start()
	client := p.running()
	client.sh("until nc 127.0.0.1 7000 < /dev/null 2> /dev/null | grep hello; do sleep 0.05; done")
	address := p.status().Network.Ip
	expectContains(t, "the pod's addresses", client.sh("ip addr show eth0"), address+"/")
}

func nodeNamespaces(t *T) {
	if t.nodePodsEndContainerd() {
		t.skip("containerd's issue 12983")
	}
	p := t.pod(onNodeNetwork, withNamespaces(func(n *cri.NamespaceOption) { n.Ipc = cri.NamespaceMode_NODE }))
	pid := p.running().pid()
	expect(t, "network", namespaceOf(pid, "net"), namespaceOf("self", "net"))
	expect(t, "ipc", namespaceOf(pid, "ipc"), namespaceOf("self", "ipc"))
	own, _ := os.Hostname()
	expect(t, "host name", p.output("hostname"), own)
}

func hostName(t *T) {
	p := t.pod(func(config *cri.PodSandboxConfig) {
		config.Hostname = "name-of-the-pod"
		config.DnsConfig = &cri.DNSConfig{Servers: []string{"192.0.2.1"}, Searches: []string{"example.org"}}
	})
	expect(t, "host name", p.output("hostname; cat /etc/hostname"), "name-of-the-pod\nname-of-the-pod")
	expect(t, "DNS", p.output("cat /etc/resolv.conf"), "search example.org\nnameserver 192.0.2.1")
}

func sharedMemory(t *T) {
	p := t.pod()
	first, second := p.running(), p.running()
	first.sh("echo text > /dev/shm/file")
	expect(t, "a file of the other container", second.sh("cat /dev/shm/file"), "text")
	if _, err := os.Stat("/dev/shm/file"); err == nil {
		t.errorf("it is the node's")
	}
	expect(t, "size", second.sh("df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2"), "65536")
}

func sysctls(t *T) {
	p := t.pod(func(config *cri.PodSandboxConfig) {
		config.Linux.Sysctls = map[string]string{"net.ipv4.ip_unprivileged_port_start": "80", "kernel.shm_rmid_forced": "1",
			"net.ipv4.tcp_syncookies": "0"}
	})
	expect(t, "values", p.output("cd /proc/sys; cat net/ipv4/ip_unprivileged_port_start kernel/shm_rmid_forced net/ipv4/tcp_syncookies"), "80\n1\n0")
}

const (
	mappedFrom   = 200_000
	mappedLength = 65_536
)

// A pod in a user namespace (hostUsers: false).
func (t *T) usernsPod(options ...podOption) *pod {
	maps := []*cri.IDMapping{{HostId: mappedFrom, ContainerId: 0, Length: mappedLength}}
	return t.pod(append([]podOption{withNamespaces(func(n *cri.NamespaceOption) {
		n.UsernsOptions = &cri.UserNamespace{Mode: cri.NamespaceMode_POD, Uids: maps, Gids: maps}
	})}, options...)...)
}

// A volume as the kubelet passes it to such a pod.
func withMappedVolume(folder, path string) containerOption {
	maps := []*cri.IDMapping{{HostId: mappedFrom, ContainerId: 0, Length: mappedLength}}
	return withMount(&cri.Mount{HostPath: folder, ContainerPath: path, UidMappings: maps, GidMappings: maps})
}

func ownerOf(t *T, path string) uint32 {
	info, err := os.Stat(path)
	t.must(err, "find a file's owner")
	return info.Sys().(*syscall.Stat_t).Uid
}

func usernsMapping(t *T) {
	p := t.usernsPod()
	expect(t, "mapping", strings.Join(strings.Fields(p.output("cat /proc/self/uid_map /proc/self/gid_map")), " "),
		fmt.Sprintf("0 %d %d 0 %d %d", mappedFrom, mappedLength, mappedFrom, mappedLength))
	c := p.running()
	expect(t, "user inside", c.sh("id -u; id -g"), "0\n0")
	expect(t, "user outside", ownerOf(t, fmt.Sprintf("/proc/%d", c.pid())), uint32(mappedFrom))
	if namespaceOf(c.pid(), "user") == namespaceOf("self", "user") {
		t.errorf("the user namespace is the node's")
	}
	user := p.running(asUser(1000, 1000))
	expect(t, "another user outside", ownerOf(t, fmt.Sprintf("/proc/%d", user.pid())), uint32(mappedFrom+1000))
}

func usernsFiles(t *T) {
	volume := t.folderFor("volume")
	t.must(os.WriteFile(volume+"/given", []byte("text"), 0o600), "make a file")
	p := t.usernsPod()
	output := p.output("stat -c %u /bin/busybox /etc/passwd /volume/given; cat /volume/given; echo; echo new > /volume/new; touch /root/file; "+
		"stat -c %u /volume/new /root/file; touch /tmp/user; chown 1000 /tmp/user && stat -c %u /tmp/user",
		withMappedVolume(volume, "/volume"))
	expect(t, "inside", output, "0\n0\n0\ntext\n0\n0\n1000")
	expect(t, "outside", ownerOf(t, volume+"/new"), uint32(0))
}

func usernsExec(t *T) {
	c := t.usernsPod().running()
	expect(t, "mapping", strings.Fields(c.sh("cat /proc/self/uid_map"))[1], fmt.Sprint(mappedFrom))
	expect(t, "exec", c.sh("id -u; echo text > /dev/stdout"), "0\ntext")
	s := c.stream(streams{stdin: true, stdout: true, tty: true}, "/bin/sh")
	s.send("stat -c %u $(tty); test -w $(tty) && echo writ''able; exit 4\n")
	code, _ := s.end()
	expect(t, "exit code", code, 4)
	expectContains(t, "the terminal", s.stdout.text(), "writable")
	tty := c.pod.create("stat -c %u $(tty); echo text > /dev/tty", func(config *cri.ContainerConfig) { config.Tty = true }).start()
	expect(t, "exit code with a terminal", tty.wait().ExitCode, 0)
	expect(t, "log", tty.logText(), "0\ntext\n")
	expect(t, "log without a terminal", c.pod.output("echo out > /dev/stdout; echo err > /dev/stderr"), "out\nerr")
}

func usernsShared(t *T) {
	p := t.usernsPod()
	first, second := p.running(), p.running()
	expect(t, "namespace", namespaceOf(second.pid(), "user"), namespaceOf(first.pid(), "user"))
	first.sh("echo text > /dev/shm/file")
	expect(t, "a file of the other container", second.sh("cat /dev/shm/file; stat -c %u /dev/shm/file"), "text\n0")
}

func usernsNetwork(t *T) {
	p := t.usernsPod(func(config *cri.PodSandboxConfig) {
		config.Linux.Sysctls = map[string]string{"net.ipv4.ip_unprivileged_port_start": "80"}
	})
	expectContains(t, "the device", p.output("ip addr show eth0"), p.status().Network.Ip)
	// The namespace's own root rules its network.
	expect(t, "a new device", p.output("ip link set lo mtu 1400 && cat /sys/class/net/lo/mtu",
		withCapabilities([]string{"NET_ADMIN"}, nil)), "1400")
	expect(t, "sysctl", p.output("cat /proc/sys/net/ipv4/ip_unprivileged_port_start"), "80")
	expect(t, "privilege outside", p.output("(cat /proc/1/root/etc/shadow || echo 1 > /proc/sys/kernel/panic) 2> /dev/null || echo refused"), "refused")
}
