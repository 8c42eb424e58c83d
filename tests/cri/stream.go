package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/moby/spdystream"
)

const (
	streamProtocol = "v4.channel.k8s.io"
	streamTime     = 2 * patience * time.Second
)

// An exec or attach with live streams, in the protocol that kubectl speaks (SPDY, remotecommand version 4).
type session struct {
	t          *T
	connection *spdystream.Connection
	stdin      *spdystream.Stream
	resize     *spdystream.Stream
	failure    *spdystream.Stream
	stdout     collector
	stderr     collector
	readers    sync.WaitGroup
}

// What arrived so far.
type collector struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
	ended  bool
}

func (c *collector) Write(data []byte) (int, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.buffer.Write(data)
}

func (c *collector) text() string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.buffer.String()
}

// What is to be streamed; with a terminal stderr comes with stdout.
type streams struct {
	stdin, stdout, stderr, tty bool
}

func (t *T) connect(address string, wanted streams) *session {
	target, err := url.Parse(address)
	t.must(err, "the address of a stream")
	raw, err := net.DialTimeout("tcp", target.Host, streamTime)
	t.must(err, "connect to the stream's server")
	fmt.Fprintf(raw, "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: %s\r\n"+
		"Content-Length: 0\r\n\r\n", target.RequestURI(), target.Host, streamProtocol)
	upgraded, err := readUpgrade(raw)
	t.must(err, "upgrade to SPDY")
	s := &session{t: t}
	s.connection, err = spdystream.NewConnection(upgraded, false)
	t.must(err, "begin SPDY")
	go s.connection.Serve(spdystream.NoOpStreamHandler)
	t.defers(func() { s.connection.Close() })

	s.failure = s.open("error")
	if wanted.stdin {
		s.stdin = s.open("stdin")
	}
	if wanted.stdout {
		s.read(s.open("stdout"), &s.stdout)
	}
	if wanted.stderr && !wanted.tty {
		s.read(s.open("stderr"), &s.stderr)
	}
	if wanted.tty {
		s.resize = s.open("resize")
	}
	return s
}

// Reads the answer byte by byte, since what follows it is SPDY's.
func readUpgrade(raw net.Conn) (net.Conn, error) {
	var head []byte
	one := make([]byte, 1)

	raw.SetReadDeadline(time.Now().Add(streamTime))
	defer raw.SetReadDeadline(time.Time{})
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		if _, err := raw.Read(one); err != nil {
			return nil, err
		}
		head = append(head, one[0])
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		return nil, fmt.Errorf("the answer is %q", head)
	}
	return raw, nil
}

func (s *session) open(kind string) *spdystream.Stream {
	header := http.Header{}
	header.Set("streamType", kind)
	stream, err := s.connection.CreateStream(header, nil, false)
	s.t.must(err, "open the stream %s", kind)
	s.t.must(stream.WaitTimeout(streamTime), "open the stream %s", kind)
	return stream
}

func (s *session) read(stream *spdystream.Stream, into *collector) {
	s.readers.Add(1)
	go func() {
		defer s.readers.Done()
		io.Copy(into, stream)
		into.mutex.Lock()
		into.ended = true
		into.mutex.Unlock()
	}()
}

func (s *session) send(text string) {
	_, err := io.WriteString(s.stdin, text)
	s.t.must(err, "send to stdin")
}

func (s *session) endInput() {
	s.t.must(s.stdin.Close(), "end stdin")
}

func (s *session) setSize(columns, rows int) {
	fmt.Fprintf(s.resize, `{"Width":%d,"Height":%d}`+"\n", columns, rows)
}

func (s *session) waitFor(text string) {
	s.t.waitFor(fmt.Sprintf("%q in the stream", text), patience, func() bool {
		return bytes.Contains([]byte(s.stdout.text()), []byte(text))
	})
}

// Waits until the other side ends the streams, and returns the exit code (of an exec) and the server's message.
func (s *session) end() (int, string) {
	var verdict struct {
		Status, Message string
		Details         struct {
			Causes []struct{ Reason, Message string }
		}
	}
	done := make(chan []byte, 1)

	go func() {
		data, _ := io.ReadAll(s.failure)
		s.readers.Wait()
		done <- data
	}()
	select {
	case data := <-done:
		if len(data) == 0 {
			return 0, ""
		}
		if err := json.Unmarshal(data, &verdict); err != nil {
			s.t.fatalf("the stream's verdict: %q", data)
		}
	case <-time.After(streamTime):
		s.t.fatalf("the streams do not end; stdout %q, stderr %q", s.stdout.text(), s.stderr.text())
	}
	code := 0
	if verdict.Status != "Success" {
		code = -1
	}
	for _, cause := range verdict.Details.Causes {
		if cause.Reason == "ExitCode" {
			fmt.Sscan(cause.Message, &code)
		}
	}
	return code, verdict.Message
}
