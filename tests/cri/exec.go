package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var execTests = []test{
	{name: "ExecSync: output, errors, exit code", run: execSync, moves: true},
	{name: "ExecSync runs as the container does", run: execIdentity},
	{name: "ExecSync of a program that is missing", run: execMissing, moves: true},
	{name: "ExecSync ends what takes too long", run: execTimeout, moves: true},
	{name: "ExecSync ends what takes too long with its children", run: execTimeoutChildren, moves: true},
	{name: "ExecSync returns much output whole", run: execMuch, moves: true},
	{name: "ExecSync in a container that does not run", run: execNotRunning},
	{name: "what an exec leaves in the background lives on", run: execBackground},
	{name: "ten ExecSync at the same time", run: execParallel, moves: true},
	{name: "probes at ten a second", run: probes, moves: true},
	{name: "Exec: streams both ways, end of input, exit code", run: execStream, moves: true},
	{name: "Exec with much data in both directions", run: execStreamMuch, moves: true},
	{name: "Exec without input", run: execNoInput, moves: true},
	{name: "Exec with a terminal: size, change of size, interruption", run: execTerminal, moves: true},
	{name: "Exec of a program that is missing", run: execStreamMissing, moves: true},
}

func execSync(t *T) {
	c := t.pod(onNodeNetwork).running()
	got := c.exec("/bin/sh", "-c", "echo out; echo err >&2; exit 9")
	expect(t, "stdout", got.stdout, "out\n")
	expect(t, "stderr", got.stderr, "err\n")
	expect(t, "exit code", got.code, 9)
	expect(t, "exit code of true", c.exec("true").code, 0)
	expect(t, "exit code after a signal", c.exec("/bin/sh", "-c", "kill -KILL $$").code, 137)
	expect(t, "the container's own log", c.logText(), "")
}

func execIdentity(t *T) {
	c := t.pod(onNodeNetwork).running(func(config *cri.ContainerConfig) {
		config.WorkingDir = "/tmp"
		config.Envs = []*cri.KeyValue{{Key: "WORD", Value: []byte("value")}}
		security := config.Linux.SecurityContext
		security.RunAsUser, security.RunAsGroup = &cri.Int64Value{Value: 1000}, &cri.Int64Value{Value: 3000}
		security.SupplementalGroups = []int64{4000}
		security.NoNewPrivs = true
		security.ReadonlyRootfs = true
	})
	expect(t, "user, folder, variable", c.sh("id -u; id -g; pwd; echo $WORD"), "1000\n3000\n/tmp\nvalue")
	init := c.sh("grep -E '^(Groups|Cap...|NoNewPrivs|Seccomp|Uid|Gid):' /proc/1/status")
	own := c.sh("grep -E '^(Groups|Cap...|NoNewPrivs|Seccomp|Uid|Gid):' /proc/self/status")
	expect(t, "identity", own, init)
	for _, kind := range []string{"mnt", "pid", "net", "ipc", "uts"} {
		link := func(who string) string { return c.sh("readlink /proc/" + who + "/ns/" + kind) }
		expect(t, kind+" namespace", link("self"), link("1"))
	}
	expect(t, "cgroup view", c.sh("cat /proc/self/oom_score_adj"), c.sh("cat /proc/1/oom_score_adj"))
}

func execMissing(t *T) {
	c := t.pod(onNodeNetwork).running()
	for program, reason := range map[string]string{
		"missing": "executable file not found", "/missing": "no such file or directory", "/etc/not-a-program": "ermission denied",
	} {
		_, err := c.tryExec(program)
		if err == nil {
			t.fatalf("%s runs", program)
		}
		expectContains(t, "the error for "+program, err.Error(), reason)
	}
	expect(t, "the container's answer afterwards", c.sh("echo here"), "here")
}

func execTimeout(t *T) {
	c := t.pod(onNodeNetwork).running()
	_, err := c.execWithin(1, "sleep", "1001")
	expect(t, "code of the error", status.Code(err), codes.DeadlineExceeded)
	expect(t, "state", c.status().State, cri.ContainerState_CONTAINER_RUNNING)
	t.waitFor("the end of the process", patience, func() bool { return !strings.Contains(c.sh("ps -o args"), "sleep 1001") })
}

func execTimeoutChildren(t *T) {
	if t.handler == "runc" {
		t.skip("containerd's own shim kills the first process alone, and the call hangs while its children hold the streams")
	}
	c := t.pod(onNodeNetwork).running()
	_, err := c.execWithin(1, "/bin/sh", "-c", "trap '' TERM; setsid sleep 1301 & sleep 1302")
	expect(t, "code of the error", status.Code(err), codes.DeadlineExceeded)
	expect(t, "state", c.status().State, cri.ContainerState_CONTAINER_RUNNING)
	t.waitFor("the end of the processes", patience, func() bool { return !strings.Contains(c.sh("ps -o args"), "sleep 130") })
}

func execMuch(t *T) {
	const bytes = 3 << 20
	c := t.pod(onNodeNetwork).running()
	got := c.exec("/bin/sh", "-c", fmt.Sprintf("head -c %d /dev/zero | tr '\\0' x; head -c %d /dev/zero | tr '\\0' y >&2", bytes, bytes))
	expect(t, "length of stdout", len(got.stdout), bytes)
	expect(t, "length of stderr", len(got.stderr), bytes)
	expect(t, "foreign bytes", strings.Trim(got.stdout, "x")+strings.Trim(got.stderr, "y"), "")
}

func execNotRunning(t *T) {
	p := t.pod(onNodeNetwork)
	created, ended := p.create(forever), p.create("true").start()
	ended.wait()
	for _, c := range []*container{created, ended} {
		if _, err := c.tryExec("true"); err == nil {
			t.errorf("exec succeeds in state %s", c.status().State)
		}
	}
}

func execBackground(t *T) {
	c := t.pod(onNodeNetwork).running()
	c.sh("sleep 1234 > /dev/null 2>&1 < /dev/null &")
	t.waitFor("the process, seen from inside", patience, func() bool {
		return c.exec("/bin/sh", "-c", "ps -o args | grep -q '^sleep 1234'").code == 0
	})
	seen := false
	for _, process := range processesOf(c.pid()) {
		command, _ := os.ReadFile("/proc/" + process + "/cmdline")
		seen = seen || string(command) == "sleep\x001234\x00"
	}
	if !seen {
		t.errorf("the process is not to be seen from outside")
	}
	c.stopWithin(graceSeconds)
}

func execParallel(t *T) {
	var all sync.WaitGroup
	c := t.pod(onNodeNetwork).running()
	for i := range 10 {
		all.Add(1)
		go func() {
			defer all.Done()
			got, err := c.tryExec("/bin/sh", "-c", fmt.Sprintf("echo %d; exit %d", i, i))
			if err != nil {
				t.errorf("exec %d: %v", i, err)
			}
			expect(t, "stdout", got.stdout, fmt.Sprintf("%d\n", i))
			expect(t, "exit code", got.code, int32(i))
		}()
	}
	all.Wait()
}

// As a kubelet with many exec probes asks. The pace is what the case is about; no answer's time is judged.
func probes(t *T) {
	const n, interval = 40, 100 * time.Millisecond
	var all sync.WaitGroup
	p := t.pod(onNodeNetwork)
	c := p.running()
	aloneAgain := func() bool { return len(processesOf(c.pid())) == 2 }
	t.waitFor("the container's two processes", patience, aloneAgain)
	took := make([]time.Duration, n)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for i := range n {
		<-ticker.C
		all.Add(1)
		go func() {
			defer all.Done()
			began := time.Now()
			got, err := c.execWithin(patience, "/bin/sh", "-c", "echo alive")
			took[i] = time.Since(began)
			if err != nil || got.stdout != "alive\n" || got.code != 0 {
				t.errorf("probe %d: %v %v", i, got, err)
			}
		}()
	}
	all.Wait()
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	t.note("%s: a probe takes %.1f ms in the middle, %.1f ms at most", t.handler, took[n/2].Seconds()*1e3, took[n-1].Seconds()*1e3)
	t.waitFor("none but the container's own processes", patience, aloneAgain)
}

func (c *container) stream(wanted streams, command ...string) *session {
	answer, err := c.Exec(c.ctx, &cri.ExecRequest{ContainerId: c.id, Cmd: command, Stdin: wanted.stdin, Stdout: wanted.stdout,
		Stderr: wanted.stderr && !wanted.tty, Tty: wanted.tty})
	c.must(err, "Exec")
	return c.connect(answer.Url, wanted)
}

func execStream(t *T) {
	c := t.pod(onNodeNetwork).running()
	s := c.stream(streams{stdin: true, stdout: true, stderr: true}, "/bin/sh", "-c",
		`echo begin; read line; echo "got $line" >&2; cat; echo end; exit 6`)
	s.waitFor("begin")
	s.send("one\ntwo\nthree")
	s.endInput()
	code, _ := s.end()
	expect(t, "exit code", code, 6)
	expect(t, "stdout", s.stdout.text(), "begin\ntwo\nthreeend\n")
	expect(t, "stderr", s.stderr.text(), "got one\n")
}

func execStreamMuch(t *T) {
	c := t.pod(onNodeNetwork).running()
	s := c.stream(streams{stdin: true, stdout: true, stderr: true}, "cat")
	block := strings.Repeat("0123456789abcdef", 4096)
	go t.guarded(func() {
		for range 64 {
			s.send(block)
		}
		s.endInput()
	})
	code, _ := s.end()
	expect(t, "exit code", code, 0)
	expect(t, "length of stdout", len(s.stdout.text()), 64*len(block))
	expect(t, "stdout is stdin", s.stdout.text() == strings.Repeat(block, 64), true)
}

func execNoInput(t *T) {
	c := t.pod(onNodeNetwork).running()
	s := c.stream(streams{stdout: true, stderr: true}, "/bin/sh", "-c", "cat; echo end; exit 3")
	code, _ := s.end()
	expect(t, "exit code", code, 3)
	expect(t, "stdout", s.stdout.text(), "end\n")
}

// Waits to be interrupted, in the foreground already when it says so: between two commands of its own the shell would go on with the next.
const interruptible = "trap 'echo inter''rupted' INT; sh -c \"echo wai''ting; exec sleep 1000\"\n"

func execTerminal(t *T) {
	c := t.pod(onNodeNetwork).running()
	s := c.stream(streams{stdin: true, stdout: true, tty: true}, "/bin/sh")
	s.setSize(100, 40)
	s.waitFor("# ")
	s.send("until stty size | grep -q '40 100'; do sleep 0.05; done; tty; echo si''zed\n")
	s.waitFor("sized")
	expectContains(t, "the terminal's name", s.stdout.text(), "/dev/pts/")
	s.setSize(77, 33)
	s.send("until stty size | grep -q '33 77'; do sleep 0.05; done; echo resi''zed\n")
	s.waitFor("resized")
	s.send(interruptible)
	s.waitFor("waiting")
	s.send("\x03")
	s.waitFor("interrupted")
	s.send("exit 4\n")
	code, _ := s.end()
	expect(t, "exit code", code, 4)
}

func execStreamMissing(t *T) {
	c := t.pod(onNodeNetwork).running()
	code, message := c.stream(streams{stdout: true, stderr: true}, "missing").end()
	if code == 0 {
		t.errorf("it succeeds")
	}
	expectContains(t, "the message", message, "executable file not found")
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", c.pid())); err != nil {
		t.errorf("the container has ended")
	}
}
