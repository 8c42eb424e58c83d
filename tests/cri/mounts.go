package main

import (
	"os"
	"syscall"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var mountTests = []test{
	{name: "mounts: writable, read-only, of one file", run: mountKinds},
	{name: "mounts: read-only leaves mounts below writable", run: mountReadonly},
	{name: "mounts: read-only with all below", run: mountReadonlyRecursive, since: release2},
	{name: "mounts: one inside another, whatever the order", run: mountNested},
	{name: "mounts: at places that the image lacks", run: mountNewPlace},
	{name: "mounts: private propagation", run: mountPrivate},
	{name: "mounts: propagation from the node", run: mountFromNode},
	{name: "mounts: propagation to the node", run: mountToNode},
	{name: "mounts: an image as a volume", run: mountImage, since: release(2, 1)},
}

var deviceTests = []test{
	{name: "devices: the usual ones and no others", run: devicesUsual},
	{name: "devices: one more", run: deviceAdded},
	{name: "devices: what is not granted can't be opened", run: deviceRefused},
}

func mountKinds(t *T) {
	folder := t.folderFor("volume")
	t.must(os.WriteFile(folder+"/file", []byte("text\n"), 0o644), "make a file")
	output := t.pod(onNodeNetwork).output(
		`cat /writable/file /readonly/file /single; echo new > /writable/new; cat /readonly/new
		touch /readonly/b 2> /dev/null || echo refused; echo more >> /single; cat /writable/file`,
		withMount(&cri.Mount{HostPath: folder, ContainerPath: "/writable"}),
		withMount(&cri.Mount{HostPath: folder, ContainerPath: "/readonly", Readonly: true}),
		withMount(&cri.Mount{HostPath: folder + "/file", ContainerPath: "/single"}))
	expect(t, "output", output, "text\ntext\ntext\nnew\nrefused\ntext\nmore")
}

// A folder with a tmpfs mounted at `below`; shared says how it passes on mounts.
func (t *T) volumeWithMount(propagation uintptr) string {
	folder := t.folderFor("volume")
	t.must(syscall.Mount("volume", folder, "tmpfs", 0, ""), "mount a tmpfs")
	t.defers(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	t.must(syscall.Mount("", folder, "", propagation, ""), "set the propagation")
	t.must(os.Mkdir(folder+"/below", 0o755), "make a folder")
	return folder
}

func (t *T) mountBelow(folder string) {
	t.must(syscall.Mount("below", folder+"/below", "tmpfs", 0, ""), "mount a tmpfs")
	t.must(os.WriteFile(folder+"/below/file", []byte("text\n"), 0o644), "make a file")
	t.defers(func() { syscall.Unmount(folder+"/below", syscall.MNT_DETACH) })
}

const tryBoth = "touch /volume/a 2> /dev/null && echo above || echo refused; touch /volume/below/a 2> /dev/null && echo below || echo refused"

func mountReadonly(t *T) {
	folder := t.volumeWithMount(syscall.MS_PRIVATE)
	t.mountBelow(folder)
	output := t.pod(onNodeNetwork).output(tryBoth, withMount(&cri.Mount{HostPath: folder, ContainerPath: "/volume", Readonly: true}))
	expect(t, "output", output, "refused\nbelow")
}

func mountReadonlyRecursive(t *T) {
	if t.isNotAsked() {
		t.skip("containerd does not ask this handler, and crashes")
	}
	folder := t.volumeWithMount(syscall.MS_PRIVATE)
	t.mountBelow(folder)
	output := t.pod(onNodeNetwork).output(tryBoth,
		withMount(&cri.Mount{HostPath: folder, ContainerPath: "/volume", Readonly: true, RecursiveReadOnly: true}))
	expect(t, "output", output, "refused\nrefused")
}

func mountNested(t *T) {
	outer, inner := t.folderFor("outer"), t.folderFor("inner")
	t.must(os.MkdirAll(outer+"/inner", 0o755), "make a folder")
	t.must(os.WriteFile(outer+"/file", []byte("outer\n"), 0o644), "make a file")
	t.must(os.WriteFile(inner+"/file", []byte("inner\n"), 0o644), "make a file")
	first := withMount(&cri.Mount{HostPath: outer, ContainerPath: "/volume"})
	second := withMount(&cri.Mount{HostPath: inner, ContainerPath: "/volume/inner"})
	p := t.pod(onNodeNetwork)
	expect(t, "outer first", p.output("cat /volume/file /volume/inner/file", first, second), "outer\ninner")
	expect(t, "inner first", p.output("cat /volume/file /volume/inner/file", second, first), "outer\ninner")
}

func mountNewPlace(t *T) {
	folder := t.folderFor("volume")
	t.must(os.WriteFile(folder+"/file", []byte("text\n"), 0o644), "make a file")
	output := t.pod(onNodeNetwork).output("cat /new/place/file /other/place",
		withMount(&cri.Mount{HostPath: folder, ContainerPath: "/new/place"}),
		withMount(&cri.Mount{HostPath: folder + "/file", ContainerPath: "/other/place"}))
	expect(t, "output", output, "text\ntext")
}

func mountPrivate(t *T) {
	folder := t.volumeWithMount(syscall.MS_SHARED)
	c := t.pod(onNodeNetwork).running(withMount(&cri.Mount{HostPath: folder, ContainerPath: "/volume"}))
	t.mountBelow(folder)
	expect(t, "what the container sees", c.sh("ls /volume/below"), "")
}

func mountFromNode(t *T) {
	folder := t.volumeWithMount(syscall.MS_SHARED)
	c := t.pod(onNodeNetwork).running(withMount(&cri.Mount{HostPath: folder, ContainerPath: "/volume",
		Propagation: cri.MountPropagation_PROPAGATION_HOST_TO_CONTAINER}))
	t.mountBelow(folder)
	expect(t, "what the container sees", c.sh("cat /volume/below/file"), "text")
	t.must(syscall.Unmount(folder+"/below", 0), "unmount")
	expect(t, "what it sees afterwards", c.sh("ls /volume/below"), "")
}

func mountToNode(t *T) {
	folder := t.volumeWithMount(syscall.MS_SHARED)
	p := t.pod(onNodeNetwork, withPodSecurity(func(s *cri.LinuxSandboxSecurityContext) { s.Privileged = true }))
	c := p.running(withSecurity(func(s *cri.LinuxContainerSecurityContext) {
		s.Privileged, s.Seccomp = true, &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Unconfined}
	}), withMount(&cri.Mount{HostPath: folder, ContainerPath: "/volume", Propagation: cri.MountPropagation_PROPAGATION_BIDIRECTIONAL}))
	c.sh("mount -t tmpfs none /volume/below && echo text > /volume/below/file")
	t.defers(func() { syscall.Unmount(folder+"/below", syscall.MNT_DETACH) })
	text, err := os.ReadFile(folder + "/below/file")
	t.must(err, "read what the container mounted")
	expect(t, "the file", string(text), "text\n")
}

func mountImage(t *T) {
	output := t.pod(onNodeNetwork).output("cat /image/etc/not-a-program; touch /image/new 2> /dev/null || echo refused",
		withMount(&cri.Mount{ContainerPath: "/image", Image: &cri.ImageSpec{Image: image}, Readonly: true}))
	expect(t, "output", output, "text\nrefused")
}

func devicesUsual(t *T) {
	p := t.pod(onNodeNetwork)
	expect(t, "devices", p.output("cd /dev; find . -type c -o -type b | grep -v pts/ | sort | tr '\\n' ' '; ls -l ptmx | sed 's/.*-> //'"),
		"./full ./null ./random ./tty ./urandom ./zero pts/ptmx")
	expect(t, "what they do", p.output("head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; echo > /dev/null; "+
		"(echo > /dev/full) 2> /dev/null || echo full", asUser(1000, 1000)), "3\n3\nfull")
}

func withDevice(path, permissions string) containerOption {
	return func(config *cri.ContainerConfig) {
		config.Devices = append(config.Devices, &cri.Device{HostPath: "/dev/full", ContainerPath: path, Permissions: permissions})
	}
}

func deviceAdded(t *T) {
	p := t.pod(onNodeNetwork)
	expect(t, "output", p.output("test -c /dev/more && head -c 3 /dev/more | wc -c", withDevice("/dev/more", "rwm")), "3")
}

func deviceRefused(t *T) {
	p := t.pod(onNodeNetwork)
	// 1:1 is /dev/mem, 1:11 /dev/kmsg. Making the node is allowed (CAP_MKNOD), opening it is not.
	script := "mknod /tmp/kmsg c 1 11 && { head -c 1 /tmp/kmsg > /dev/null 2>&1 && echo opened || echo refused; }"
	expect(t, "from the program", p.output(script), "refused")
	expect(t, "from an exec", p.running().sh(script), "refused")
}
