package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	testTime    = 5 * time.Minute // a case that takes longer hangs
	longTime    = 20 * time.Minute
	patience    = 60 // seconds for what has to happen soon, on a machine that others use as well
	workers     = 4
	detailLines = 12
)

// A case: what is expected of every handler alike. Where a handler differs for a reason that is not ours to mend, the case asks
// t.handler and says why.
type test struct {
	name  string
	run   func(t *T)
	alone bool // stops containerd, or counts what is left: nothing may run beside it
	since int  // the release of containerd that can do it
	moves bool // is about standard streams: the cases that streamHandler has
	floor bool // is about the policy's set strict
}

// T is one run of a case with one handler.
type T struct {
	test
	settings
	cri.RuntimeServiceClient
	daemon  *daemon
	handler string
	ctx     context.Context
	cleanup []func()
	ids     []string // of pods and containers: what the daemon's log says of them is shown with a failure
	serial  int

	mutex      sync.Mutex
	problems   []string
	notes      []string
	complaints []string // of containerd
	skipped    string
}

// What ends a case early.
type stop struct{}

func (t *T) errorf(format string, arguments ...any) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.problems = append(t.problems, fmt.Sprintf(format, arguments...))
}

func (t *T) fatalf(format string, arguments ...any) {
	t.errorf(format, arguments...)
	panic(stop{})
}

func (t *T) must(err error, format string, arguments ...any) {
	if err != nil {
		t.fatalf("%s: %v", fmt.Sprintf(format, arguments...), err)
	}
}

func (t *T) skip(reason string) {
	t.skipped = reason
	panic(stop{})
}

// A line of the report that is no verdict.
func (t *T) note(format string, arguments ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, arguments...))
}

func expect[V comparable](t *T, what string, got, wanted V) {
	if got != wanted {
		t.errorf("%s: got %q, expected %q", what, fmt.Sprint(got), fmt.Sprint(wanted))
	}
}

func expectContains(t *T, what, got, wanted string) {
	if !strings.Contains(got, wanted) {
		t.errorf("%s: %q is not in %q", what, wanted, got)
	}
}

// Tries until it is so; the case fails if that takes longer than it may.
func (t *T) waitFor(what string, seconds int, isSo func() bool) {
	end := time.Now().Add(time.Duration(seconds) * time.Second)

	for !isSo() {
		if time.Now().After(end) || t.ctx.Err() != nil {
			t.fatalf("waited in vain: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (t *T) defers(undo func()) {
	t.cleanup = append(t.cleanup, undo)
}

// A folder of this case alone, which containers can mount.
func (t *T) folderFor(name string) string {
	folder := fmt.Sprintf("%s/volumes/%s-%s", t.folder, t.unique(), name)
	t.must(os.MkdirAll(folder, 0o755), "make a folder")
	t.must(os.Chmod(folder, 0o777), "make a folder")
	return folder
}

var serials = struct {
	sync.Mutex
	next int
}{}

// A name that nothing else has.
func (t *T) unique() string {
	serials.Lock()
	defer serials.Unlock()
	serials.next++
	return fmt.Sprintf("%s-%d", t.handler, serials.next)
}

func (t *T) execute() {
	limit := testTime
	if t.long && t.alone {
		limit = longTime
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	t.ctx = ctx
	t.guarded(func() { t.run(t) })
	if len(t.problems) > 0 {
		t.complaints = t.daemon.complaintsAbout(t.ids, detailLines)
	}

	// With a time of its own: a case that ran out of its is cleaned up too.
	ctx, cancelCleanup := context.WithTimeout(context.Background(), testTime)
	defer cancelCleanup()
	t.ctx = ctx
	for i := len(t.cleanup) - 1; i >= 0; i-- {
		t.guarded(t.cleanup[i])
	}
}

func (t *T) guarded(run func()) {
	defer func() {
		reason := recover()
		if _, isStop := reason.(stop); reason != nil && !isStop {
			t.errorf("%v\n%s", reason, debug.Stack())
		}
	}()
	run()
}

func (t *T) line() string {
	return t.handler + ": " + t.name
}

func (t *T) report(number int) {
	switch {
	case len(t.problems) > 0:
		fmt.Printf("not ok %d - %s\n", number, t.line())
		for _, problem := range t.problems[:min(len(t.problems), detailLines)] {
			fmt.Println("#  ", strings.ReplaceAll(problem, "\n", "\n#   "))
		}
		for _, line := range t.complaints {
			fmt.Println("#   containerd:", line)
		}
	case t.skipped != "":
		fmt.Printf("ok %d - %s # SKIP %s\n", number, t.line(), t.skipped)
	default:
		fmt.Printf("ok %d - %s\n", number, t.line())
	}
	for _, note := range t.notes {
		fmt.Println("#", note)
	}
}

func collect(s settings, d *daemon) []*T {
	var list []*T

	for _, handler := range s.handlers {
		for _, group := range groups {
			for _, one := range group {
				t := &T{test: one, settings: s, RuntimeServiceClient: d.runtime, daemon: d, handler: handler}
				if one.since <= s.release && (one.moves || handler != streamHandler) && t.fitsPolicy() && t.fitsEngine() && s.only.MatchString(t.line()) {
					list = append(list, t)
				}
			}
		}
	}
	return list
}

// Runs handler after handler: what can run beside others first, then the rest one by one. Returns how many failed.
func runAll(s settings, d *daemon) int {
	list := collect(s, d)
	failed := 0

	fmt.Printf("1..%d\n", len(list))
	number := 0
	report := func(t *T) {
		number++
		t.report(number)
		if len(t.problems) > 0 {
			failed++
		}
	}
	for _, handler := range s.handlers {
		var together, alone []*T
		for _, t := range list {
			if t.handler == handler && t.alone {
				alone = append(alone, t)
			} else if t.handler == handler {
				together = append(together, t)
			}
		}
		runTogether(together, report)
		for _, t := range alone {
			t.execute()
			report(t)
		}
	}
	return failed
}

// Reports in the order of the list, whichever ends first.
func runTogether(list []*T, report func(*T)) {
	work := make(chan int, len(list))
	ended := make([]chan bool, len(list))

	for i := range list {
		ended[i] = make(chan bool)
		work <- i
	}
	close(work)
	for range workers {
		go func() {
			for i := range work {
				list[i].execute()
				close(ended[i])
			}
		}()
	}
	for i := range list {
		<-ended[i]
		report(list[i])
	}
}

// Whether the handler can do what newer versions of containerd ask the shim about.
func (t *T) handlerFeatures() *cri.RuntimeHandlerFeatures {
	status, err := t.Status(t.ctx, &cri.StatusRequest{})
	t.must(err, "Status")
	for _, handler := range status.RuntimeHandlers {
		if handler.Name == t.handler {
			return handler.Features
		}
	}
	return nil
}
