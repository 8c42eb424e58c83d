package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var logTests = []test{
	{name: "logs: both streams, in order, with times", run: logStreams, moves: true},
	{name: "logs: a line longer than CRI's limit is put together again", run: logLongLine, moves: true},
	{name: "logs: a last line without an end", run: logNoNewline, moves: true},
	{name: "logs: nothing is lost at a quick exit", run: logQuickExit, moves: true},
	{name: "logs: a child that outlives the program is heard to the end of the container", run: logChild, moves: true},
	{name: "logs go to a new file after ReopenContainerLog", run: logReopen, moves: true},
	{name: "logs: a terminal's output", run: logTerminal, moves: true},
	{name: "/dev/stdout and /dev/stderr can be opened, by anyone", run: logDevices, moves: true},
	{name: "logs: many megabytes, line by line", run: logMany, moves: true, alone: true},
}

func logStreams(t *T) {
	c := t.pod(onNodeNetwork).create("for i in 1 2 3; do echo out $i; echo err $i >&2; done").start()
	c.wait()
	expect(t, "stdout", c.logOf("stdout"), "out 1\nout 2\nout 3\n")
	expect(t, "stderr", c.logOf("stderr"), "err 1\nerr 2\nerr 3\n")
	last := map[string]logLine{}
	for _, line := range c.logLines() {
		if line.time.Before(last[line.stream].time) {
			t.errorf("%q is older than %q", line.text, last[line.stream].text)
		}
		last[line.stream] = line
	}
}

func logLongLine(t *T) {
	c := t.pod(onNodeNetwork).create("head -c 100000 /dev/zero | tr '\\0' x; echo; echo after").start()
	c.wait()
	text := c.logOf("stdout")
	expect(t, "length", len(text), 100000+len("\nafter\n"))
	expect(t, "end", strings.TrimLeft(text, "x"), "\nafter\n")
	if lines := c.logLines(); len(lines) < 3 || lines[0].full {
		t.errorf("the line is in one piece")
	}
}

func logNoNewline(t *T) {
	c := t.pod(onNodeNetwork).create("printf 'one\\ntwo'").start()
	c.wait()
	expect(t, "log", strings.TrimSuffix(c.logText(), "\n"), "one\ntwo")
}

func logQuickExit(t *T) {
	p := t.pod(onNodeNetwork)
	wanted := ""
	for i := 1; i <= 3000; i++ {
		wanted += strconv.Itoa(i) + "\n"
	}
	for range 5 {
		c := p.create("seq 3000; exit 1").start()
		expect(t, "exit code", c.wait().ExitCode, 1)
		expect(t, "log is complete", c.logText() == wanted, true)
		c.removeContainer()
	}
}

func logChild(t *T) {
	c := t.pod(onNodeNetwork).create("(sleep 1000; echo late) & echo early; exit 0").start()
	expect(t, "exit code", c.wait().ExitCode, 0)
	expect(t, "log", c.logText(), "early\n")
}

func logReopen(t *T) {
	p := t.pod(onNodeNetwork)
	mount, signal := p.withSignal()
	c := p.create("echo one; until [ -e /signal/go ]; do sleep 0.05; done; echo two", mount).start()
	c.waitForLog("one")
	t.must(os.Rename(c.logFile(), c.logFile()+".1"), "rotate the log")
	_, err := t.ReopenContainerLog(t.ctx, &cri.ReopenContainerLogRequest{ContainerId: c.id})
	t.must(err, "ReopenContainerLog")
	signal("go")
	c.wait()
	expect(t, "new log", c.logText(), "two\n")
}

func logTerminal(t *T) {
	c := t.pod(onNodeNetwork).create("echo out; echo err >&2; test -t 1 && echo terminal",
		func(config *cri.ContainerConfig) { config.Tty = true }).start()
	c.wait()
	expect(t, "log", c.logOf("stdout"), "out\nerr\nterminal\n")
}

func logDevices(t *T) {
	p := t.pod(onNodeNetwork)
	for _, user := range []int64{0, 1000} {
		c := p.create("echo out > /dev/stdout; echo err > /dev/stderr; echo more >> /dev/stdout", withSecurity(
			func(s *cri.LinuxContainerSecurityContext) { s.RunAsUser = &cri.Int64Value{Value: user} })).start()
		expect(t, "exit code", c.wait().ExitCode, 0)
		expect(t, "stdout", c.logOf("stdout"), "out\nmore\n")
		expect(t, "stderr", c.logOf("stderr"), "err\n")
	}
}

func logMany(t *T) {
	lines := 30_000
	if t.long {
		lines = 1_000_000
	}
	script := fmt.Sprintf(`pad=$(head -c 1000 /dev/zero | tr '\0' x); awk -v n=%d -v pad=$pad 'BEGIN { for (i = 0; i < n; i++) print i, pad }'`, lines)
	c := t.pod(onNodeNetwork).create(script).start()
	seconds := 2 * patience
	if t.long {
		seconds = 900
	}
	t.waitFor("the program's end", seconds, func() bool { return c.status().State == cri.ContainerState_CONTAINER_EXITED })

	file, err := os.Open(c.logFile())
	t.must(err, "open the log")
	defer file.Close()
	defer os.Remove(c.logFile())
	reader := bufio.NewScanner(file)
	n := 0
	for reader.Scan() {
		part := bytes.SplitN(reader.Bytes(), []byte(" "), 5)
		if len(part) != 5 || string(part[3]) != strconv.Itoa(n) || len(part[4]) != 1000 {
			t.fatalf("line %d is %.80q", n, reader.Text())
		}
		n++
	}
	expect(t, "lines", n, lines)
}
