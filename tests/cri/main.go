// cri runs a containerd and speaks CRI to it as a kubelet does, once for each handler, and prints TAP. It expects a machine to
// itself (../clients/world): `run` makes that and everything that is named on the command line.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// What a run was asked for.
type settings struct {
	containerd string   // the engine's program
	crio       bool     // the engine is CRI-O, see crio.go
	config     string   // its configuration
	folder     string   // for logs, volumes and profiles
	release    int      // of containerd, see release()
	handlers   []string // in the order of the report: the yardstick first
	only       *regexp.Regexp
	long       bool
	systemd    bool // manages the cgroups
	strict     bool // the site's policy is the set strict
}

// Releases of containerd as numbers that can be compared.
func release(major, minor int) int {
	return 100*major + minor
}

const release2 = 200 // release(2, 0)

func parseRelease(text string) (int, error) {
	var major, minor int

	_, err := fmt.Sscanf(text, "%d.%d", &major, &minor)
	return release(major, minor), err
}

func parseSettings() settings {
	var s settings

	handlers := flag.String("handlers", "runc,brig", "handlers, the yardstick first")
	only := flag.String("only", ".", "run cases whose line in the report matches")
	flag.StringVar(&s.containerd, "containerd", "containerd", "the program")
	flag.BoolVar(&s.crio, "crio", false, "the program is CRI-O")
	flag.StringVar(&s.config, "config", "", "its configuration")
	flag.StringVar(&s.folder, "folder", "", "for logs and volumes")
	flag.Func("release", "of containerd, as in 2.4", func(text string) (err error) {
		s.release, err = parseRelease(text)
		return err
	})
	flag.BoolVar(&s.long, "long", false, "the long form of the cases that have one")
	flag.BoolVar(&s.systemd, "systemd", false, "systemd manages the cgroups: pods are slices; and the cases about that")
	flag.BoolVar(&s.strict, "strict", false, "the site's policy is the set strict: the cases of strict.go, and no case that wants what it refuses")
	flag.Parse()
	s.handlers = strings.Split(*handlers, ",")
	s.only = regexp.MustCompile(*only)

	return s
}

// Each case's names, in the order of the report.
var groups = [][]test{
	lifecycleTests, statusTests, execTests, attachTests, logTests, statsTests, resourceTests, userTests, privilegeTests,
	seccompTests, pathTests, namespaceTests, usernsTests, mountTests, deviceTests, strictTests, restartTests, scaleTests,
}

func main() {
	s := parseSettings()
	if s.systemd {
		groups = append(groups, systemdTests)
	}
	daemon, err := startDaemon(s)
	if err != nil {
		fmt.Printf("1..1\nnot ok 1 - the engine does not start: %v\n", err)
		os.Exit(1)
	}
	failed := runAll(s, daemon)
	daemon.end()
	if failed > 0 {
		os.Exit(1)
	}
}
