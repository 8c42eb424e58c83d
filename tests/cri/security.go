package main

import (
	"os"
	"strings"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var userTests = []test{
	{name: "run as user, group and supplemental groups", run: users},
	{name: "run as a user by name, with its groups of the image", run: userByName},
	{name: "a user that the image does not have is refused", run: userUnknown},
}

var privilegeTests = []test{
	{name: "capabilities: the usual ones", run: capabilitiesDefault},
	{name: "capabilities: add and drop", run: capabilitiesChanged},
	{name: "capabilities: not for another user than root", run: capabilitiesOfUsers},
	{name: "no_new_privs", run: noNewPrivileges},
	{name: "a read-only root file system", run: readonlyRoot},
	{name: "privileged", run: privileged},
	{name: "not privileged: the kernel's files can't be written", run: notPrivileged},
}

var seccompTests = []test{
	{name: "seccomp: RuntimeDefault", run: seccompDefault},
	{name: "seccomp: Unconfined", run: seccompUnconfined},
	{name: "seccomp: Localhost", run: seccompLocalhost},
	{name: "seccomp: Localhost with a profile that is missing", run: seccompMissing},
}

var pathTests = []test{
	{name: "masked paths show nothing", run: maskedPaths},
	{name: "readonly paths can't be written", run: readonlyPaths},
}

const usualCapabilities = "00000000a80425fb"

func asUser(user, group int64, more ...int64) containerOption {
	return withSecurity(func(s *cri.LinuxContainerSecurityContext) {
		s.RunAsUser, s.RunAsGroup, s.SupplementalGroups = &cri.Int64Value{Value: user}, &cri.Int64Value{Value: group}, more
	})
}

func withCapabilities(add, drop []string) containerOption {
	return withSecurity(func(s *cri.LinuxContainerSecurityContext) {
		s.Capabilities = &cri.Capability{AddCapabilities: add, DropCapabilities: drop}
	})
}

func withSeccomp(kind cri.SecurityProfile_ProfileType, path string) containerOption {
	return withSecurity(func(s *cri.LinuxContainerSecurityContext) {
		s.Seccomp = &cri.SecurityProfile{ProfileType: kind, LocalhostRef: path}
	})
}

func users(t *T) {
	p := t.pod(onNodeNetwork)
	// User 1000 is in group 2000 by the image's /etc/group.
	expect(t, "user, group, groups", p.output("id -u; id -g; id -G", asUser(1000, 3000, 4000, 5000)), "1000\n3000\n3000 2000 4000 5000")
	expect(t, "a user of no name", p.output("id -u; id -g; id -G", asUser(4321, 1234)), "4321\n1234\n1234")
	expect(t, "root", p.output("id -u; id -g"), "0\n0")
}

func userByName(t *T) {
	byName := withSecurity(func(s *cri.LinuxContainerSecurityContext) { s.RunAsUsername = "user" })
	expect(t, "user, group, groups", t.pod(onNodeNetwork).output("id -u; id -g; id -G", byName), "1000\n1000\n1000 2000")
}

func userUnknown(t *T) {
	p := t.pod(onNodeNetwork)
	c, err := p.tryCreate(p.containerConfig("id", withSecurity(
		func(s *cri.LinuxContainerSecurityContext) { s.RunAsUsername = "nobody-of-that-name" })))
	if err == nil {
		err = c.tryStart()
	}
	if err == nil {
		t.fatalf("it starts")
	}
}

// CapInh, CapPrm, CapEff, CapBnd and CapAmb of a container's program.
func (p *pod) capabilities(options ...containerOption) map[string]string {
	found := map[string]string{}

	for _, line := range strings.Split(p.output("grep ^Cap /proc/self/status", options...), "\n") {
		name, value, _ := strings.Cut(line, ":\t")
		found[name] = value
	}
	return found
}

func (t *T) expectCapabilities(what string, got map[string]string, effective, bounding string) {
	expect(t, what+": effective", got["CapEff"], effective)
	expect(t, what+": permitted", got["CapPrm"], effective)
	expect(t, what+": bounding", got["CapBnd"], bounding)
	expect(t, what+": ambient", got["CapAmb"], "0000000000000000")
	if t.release > release(1, 6) { // that fills them
		expect(t, what+": inheritable", got["CapInh"], "0000000000000000")
	}
}

func capabilitiesDefault(t *T) {
	t.expectCapabilities("usual", t.pod(onNodeNetwork).capabilities(), usualCapabilities, usualCapabilities)
}

func capabilitiesChanged(t *T) {
	const netAdmin, withoutChown, none = "0000000000001000", "00000000a80425fa", "0000000000000000"
	p := t.pod(onNodeNetwork)
	t.expectCapabilities("all dropped, one added", p.capabilities(withCapabilities([]string{"NET_ADMIN"}, []string{"ALL"})), netAdmin, netAdmin)
	t.expectCapabilities("one dropped", p.capabilities(withCapabilities(nil, []string{"CHOWN"})), withoutChown, withoutChown)
	t.expectCapabilities("all dropped", p.capabilities(withCapabilities(nil, []string{"ALL"})), none, none)
	expect(t, "chown without CAP_CHOWN", p.output("touch /tmp/a; chown 1 /tmp/a 2> /dev/null || echo refused",
		withCapabilities(nil, []string{"CHOWN"})), "refused")
	all := ownStatus("CapBnd")
	t.expectCapabilities("all added", p.capabilities(withCapabilities([]string{"ALL"}, nil)), all, all)
}

func capabilitiesOfUsers(t *T) {
	t.expectCapabilities("user 1000", t.pod(onNodeNetwork).capabilities(asUser(1000, 1000)), "0000000000000000", usualCapabilities)
}

// A line of this process's own status.
func ownStatus(name string) string {
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		if value, found := strings.CutPrefix(line, name+":\t"); found {
			return value
		}
	}
	return ""
}

func noNewPrivileges(t *T) {
	p := t.pod(onNodeNetwork)
	show := "grep NoNewPrivs /proc/self/status | cut -f 2"
	expect(t, "set", p.output(show, withSecurity(func(s *cri.LinuxContainerSecurityContext) { s.NoNewPrivs = true })), "1")
	if t.handler == "runc" {
		expect(t, "not set", p.output(show), "0")
	}
	// brig's policies may set it for everyone; what they do is tested where they are.
}

func readonlyRoot(t *T) {
	p := t.pod(onNodeNetwork)
	volume := t.folderFor("volume")
	output := p.output("touch /tmp/a 2> /dev/null || echo refused; touch /volume/a && echo written; echo > /dev/null && echo null",
		withSecurity(func(s *cri.LinuxContainerSecurityContext) { s.ReadonlyRootfs = true }),
		withMount(&cri.Mount{HostPath: volume, ContainerPath: "/volume"}))
	expect(t, "read-only", output, "refused\nwritten\nnull")
	expect(t, "not read-only", p.output("touch /tmp/a && echo written"), "written")
}

func privileged(t *T) {
	p := t.pod(onNodeNetwork, withPodSecurity(func(s *cri.LinuxSandboxSecurityContext) { s.Privileged = true }))
	asRoot := withSecurity(func(s *cri.LinuxContainerSecurityContext) {
		s.Privileged, s.Seccomp = true, &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Unconfined}
	})
	all := ownStatus("CapBnd")
	t.expectCapabilities("privileged", p.capabilities(asRoot), all, all)
	expect(t, "seccomp", p.output("grep Seccomp: /proc/self/status | cut -f 2", asRoot), "0")
	// A mount of its own, the node's devices, files of the kernel that can be written.
	expect(t, "powers", p.output(`mount -t tmpfs none /tmp && echo mounted; test -e /dev/kmsg && echo devices
		for file in /proc/sys/kernel/domainname /sys/kernel/uevent_helper /sys/kernel/profiling /sys/kernel/mm/ksm/run; do
			[ ! -e $file ] || (: >> $file) 2> /dev/null && echo writable
		done | sort -u`, asRoot), "mounted\ndevices\nwritable")
}

func notPrivileged(t *T) {
	expect(t, "refusals", t.pod().output(`
		mount -t tmpfs none /tmp 2> /dev/null || echo mount
		echo x 2> /dev/null > /proc/sys/kernel/domainname || echo proc
		hostname other 2> /dev/null || echo hostname
		group=/sys/fs/cgroup; [ ! -d $group/pids ] || group=$group/pids; mkdir $group/x 2> /dev/null || echo cgroup
		test -e /dev/kmsg || echo kmsg`), "mount\nproc\nhostname\ncgroup\nkmsg")
}

// Allowed to everyone by the kernel, refused by the usual filter.
const unshareUser = "unshare -U true 2> /dev/null && echo allowed || echo refused"

func seccompDefault(t *T) {
	p := t.pod(onNodeNetwork)
	expect(t, "mode", p.output("grep Seccomp: /proc/self/status | cut -f 2"), "2")
	expect(t, "a new user namespace", p.output(unshareUser), "refused")
	expect(t, "exec", p.running().sh("grep Seccomp: /proc/self/status | cut -f 2; "+unshareUser), "2\nrefused")
}

func seccompUnconfined(t *T) {
	p := t.pod(onNodeNetwork)
	none := withSeccomp(cri.SecurityProfile_Unconfined, "")
	expect(t, "mode", p.output("grep Seccomp: /proc/self/status | cut -f 2", none), "0")
	expect(t, "a new user namespace", p.output(unshareUser, none), "allowed")
}

func seccompLocalhost(t *T) {
	path := t.folderFor("profile") + "/profile.json"
	t.must(os.WriteFile(path, []byte(`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
		"syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 42}]}`), 0o644), "write a profile")
	p := t.pod(onNodeNetwork)
	own := withSeccomp(cri.SecurityProfile_Localhost, path)
	expect(t, "what it forbids", p.output("mkdir /tmp/new 2> /dev/null || echo refused; touch /tmp/file && echo made", own), "refused\nmade")
	expect(t, "exec", p.running(own).sh("mkdir /tmp/new 2> /dev/null || echo refused; grep Seccomp: /proc/self/status | cut -f 2"), "refused\n2")
}

func seccompMissing(t *T) {
	p := t.pod(onNodeNetwork)
	c, err := p.tryCreate(p.containerConfig("true", withSeccomp(cri.SecurityProfile_Localhost, t.folder+"/missing.json")))
	if err == nil {
		err = c.tryStart()
	}
	if err == nil {
		t.fatalf("it starts")
	}
}

func withPaths(masked, readonly []string) containerOption {
	return withSecurity(func(s *cri.LinuxContainerSecurityContext) { s.MaskedPaths, s.ReadonlyPaths = masked, readonly })
}

func maskedPaths(t *T) {
	p := t.pod(onNodeNetwork)
	expect(t, "the usual ones", p.output("wc -c < /proc/timer_list; ls /sys/firmware | wc -l; wc -c < /proc/keys"), "0\n0\n0")
	expect(t, "others", p.output("wc -c < /etc/passwd; ls /root /missing 2> /dev/null; ls /bin | wc -l; wc -c < /etc/group",
		withPaths([]string{"/etc/passwd", "/missing", "/root", "/etc/group"}, nil)),
		"0\n/root:\n"+p.output("ls /bin | wc -l")+"\n0")
	expect(t, "none", p.output("test $(wc -c < /proc/timer_list) -gt 0 && echo shown", withPaths(nil, nil)), "shown")
}

func readonlyPaths(t *T) {
	p := t.pod()
	expect(t, "others", p.output("touch /tmp/a 2> /dev/null || echo refused; touch /root/a && echo written",
		withPaths(nil, []string{"/tmp", "/missing"})), "refused\nwritten")
	expect(t, "the usual ones", p.output("(echo 1 > /proc/sys/kernel/shm_rmid_forced) 2> /dev/null || echo refused"), "refused")
	expect(t, "none", p.output("(echo 1 > /proc/sys/kernel/shm_rmid_forced) && echo written", withPaths(nil, nil)), "written")
}
