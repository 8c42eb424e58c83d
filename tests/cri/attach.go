package main

import (
	"strings"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

var attachTests = []test{
	{name: "Attach: output and errors of a running program", run: attachOutput, moves: true},
	{name: "Attach: input, more than once", run: attachInput, moves: true},
	{name: "Attach: input that ends with the first client", run: attachOnce, moves: true},
	{name: "Attach with a terminal", run: attachTerminal, moves: true},
	{name: "a container without input reads its end", run: noInput, moves: true},
}

func (c *container) attach(wanted streams) *session {
	answer, err := c.Attach(c.ctx, &cri.AttachRequest{ContainerId: c.id, Stdin: wanted.stdin, Stdout: wanted.stdout,
		Stderr: wanted.stderr && !wanted.tty, Tty: wanted.tty})
	c.must(err, "Attach")
	return c.connect(answer.Url, wanted)
}

func withInput(once, tty bool) containerOption {
	return func(config *cri.ContainerConfig) { config.Stdin, config.StdinOnce, config.Tty = true, once, tty }
}

func attachOutput(t *T) {
	p := t.pod(onNodeNetwork)
	mount, signal := p.withSignal()
	c := p.create("while [ ! -e /signal/end ]; do echo out; echo err >&2; sleep 0.05; done; exit 2", mount).start()
	s := c.attach(streams{stdout: true, stderr: true})
	s.waitFor("out\nout\n")
	t.waitFor("stderr", patience, func() bool { return strings.Contains(s.stderr.text(), "err\n") })
	signal("end")
	s.end()
	expect(t, "foreign lines in stdout", strings.ReplaceAll(s.stdout.text(), "out\n", ""), "")
	expect(t, "foreign lines in stderr", strings.ReplaceAll(s.stderr.text(), "err\n", ""), "")
	expect(t, "exit code", c.wait().ExitCode, 2)
}

func attachInput(t *T) {
	c := t.pod(onNodeNetwork).create(`while read line; do echo "got $line"; [ "$line" != end ] || exit 8; done; exit 1`, withInput(false, false)).start()
	s := c.attach(streams{stdin: true, stdout: true, stderr: true})
	s.send("one\n")
	s.waitFor("got one")
	s.connection.Close()
	s = c.attach(streams{stdin: true, stdout: true, stderr: true})
	s.send("two\n")
	s.waitFor("got two")
	s.send("end\n")
	s.end()
	expect(t, "exit code", c.wait().ExitCode, 8)
	expect(t, "log", c.logText(), "got one\ngot two\ngot end\n")
}

func attachOnce(t *T) {
	c := t.pod(onNodeNetwork).create("cat; echo end; exit 8", withInput(true, false)).start()
	s := c.attach(streams{stdin: true, stdout: true, stderr: true})
	s.send("text\n")
	s.waitFor("text")
	s.endInput()
	s.end()
	expect(t, "exit code", c.wait().ExitCode, 8)
	expect(t, "log", c.logText(), "text\nend\n")
}

func attachTerminal(t *T) {
	c := t.pod(onNodeNetwork).create("exec sh", withInput(false, true)).start()
	s := c.attach(streams{stdin: true, stdout: true, tty: true})
	s.setSize(100, 40)
	s.send("until stty size | grep -q '40 100'; do sleep 0.05; done; tty; echo si''zed\n")
	s.waitFor("sized")
	expectContains(t, "the terminal's name", s.stdout.text(), "/dev/")
	s.send(interruptible)
	s.waitFor("waiting")
	s.send("\x03")
	s.waitFor("interrupted")
	s.send("test -t 0 && test -t 1 && test -t 2 && test -w /dev/console && exit 7\n")
	s.end()
	expect(t, "exit code", c.wait().ExitCode, 7)
	expect(t, "errors in the log", c.logOf("stderr"), "")
	expectContains(t, "the log", c.logOf("stdout"), "interrupted\n")
}

func noInput(t *T) {
	expect(t, "output", t.pod(onNodeNetwork).output("cat; echo end"), "end")
}
