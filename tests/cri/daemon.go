package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	startTime      = 2 * patience * time.Second
	answerBytesMax = 64 << 20
	lineBytesMax   = 600
)

// The engine under test, containerd or CRI-O, as a child, so that it can be killed and started again.
type daemon struct {
	settings
	runtime cri.RuntimeServiceClient
	images  cri.ImageServiceClient
	logPath string

	mutex   sync.Mutex
	process *exec.Cmd
}

func startDaemon(s settings) (*daemon, error) {
	connection, err := grpc.NewClient(s.socket(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1, MaxDelay: time.Second},
			MinConnectTimeout: time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(answerBytesMax)))
	if err != nil {
		return nil, err
	}
	d := &daemon{
		settings: s, runtime: cri.NewRuntimeServiceClient(connection), images: cri.NewImageServiceClient(connection),
		logPath: s.folder + "/containerd.log",
	}
	if err = d.start(); err != nil {
		return nil, err
	}
	if err = d.awaitImages(); err != nil {
		d.end()
	}
	return d, err
}

// Starts it and returns once it answers.
func (d *daemon) start() error {
	log, err := os.OpenFile(d.logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	process := exec.Command(d.containerd, d.arguments()...)
	process.Stdout, process.Stderr = log, log
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err = process.Start(); err != nil {
		return err
	}
	d.process = process
	end := time.Now().Add(startTime)
	for {
		err = d.answers()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%w; the end of its log: %s", err, strings.Join(d.complaintsAbout([]string{""}, detailLines), "\n"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (d *daemon) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	status, err := d.runtime.Status(ctx, &cri.StatusRequest{}, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	for _, condition := range status.Status.Conditions {
		if !condition.Status && (condition.Type == cri.RuntimeReady || condition.Type == cri.NetworkReady) {
			return errors.New(condition.Type + ": " + condition.Message)
		}
	}
	return nil
}

// Images that `ctr` imported reach CRI by an event.
func (d *daemon) awaitImages() error {
	for _, name := range d.archives() {
		ctr := exec.Command("ctr", "-n", "k8s.io", "images", "import", d.folder+"/"+name+".tar")
		if output, err := ctr.CombinedOutput(); err != nil {
			return fmt.Errorf("import the image %s: %w: %s", name, err, output)
		}
	}
	end := time.Now().Add(startTime)
	for _, name := range []string{image, pauseImage} {
		for {
			status, err := d.images.ImageStatus(context.Background(), &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}})
			if err == nil && status.Image != nil {
				break
			}
			if time.Now().After(end) {
				return fmt.Errorf("image %s does not appear: %v", name, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}

// As the kernel's OOM killer or a crash would end it.
func (d *daemon) kill() {
	d.process.Process.Signal(syscall.SIGKILL)
	d.process.Wait()
}

func (d *daemon) end() {
	d.process.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(patience*time.Second, func() { d.process.Process.Signal(syscall.SIGKILL) })
	d.process.Wait()
	timer.Stop()
}

// The last lines of its log that complain and name one of these.
func (d *daemon) complaintsAbout(words []string, n int) []string {
	var found []string

	text, _ := os.ReadFile(d.logPath)
	for _, line := range strings.Split(string(text), "\n") {
		if strings.Contains(line, "level=info") || strings.Contains(line, "level=debug") {
			continue
		}
		for _, word := range words {
			if line != "" && strings.Contains(line, word) {
				found = append(found, line[:min(len(line), lineBytesMax)])
				break
			}
		}
	}
	return found[max(0, len(found)-n):]
}
