package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test program is also the program that it tests.
func TestMain(m *testing.M) {
	if os.Getenv("SELECTSERVER") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const (
	requests   = 1000 // of each client
	clients    = 4
	window     = 64  // requests without an answer: a socket holds that many answers
	slow       = 200 // the first requests, which take so long that the pool runs out of room
	largePrime = 4294967291
)

func encode(numbers ...uint32) (bytes []byte) {
	for _, number := range numbers {
		bytes = binary.NativeEndian.AppendUint32(bytes, number)
	}
	return bytes
}

// ask sends requests in parts that end inside of one, and checks that each has its answer.
func ask(conn net.Conn, numbers []uint32) error {
	unanswered := map[uint32]int{}
	for _, number := range numbers {
		unanswered[number]++
	}
	for answered, written := 0, 0; answered < len(numbers); answered++ {
		if written <= answered+window/2 {
			end := min(len(numbers), answered+window)
			for part := range slices.Chunk(encode(numbers[written:end]...), 101) {
				if _, err := conn.Write(part); err != nil {
					return err
				}
			}
			written = end
		}
		var answer [8]byte
		if _, err := io.ReadFull(conn, answer[:]); err != nil {
			return err
		}
		number, factor := binary.NativeEndian.Uint32(answer[:]), binary.NativeEndian.Uint32(answer[4:])
		if unanswered[number]--; unanswered[number] < 0 {
			return fmt.Errorf("an answer to %d, which has one or is no request", number)
		}
		if factor != smallestFactor(number) {
			return fmt.Errorf("the smallest factor of %d is not %d", number, factor)
		}
	}
	return nil
}

func TestSmallestFactor(t *testing.T) {
	for number, factor := range map[uint32]uint32{0: 0, 1: 1, 2: 2, 35: 5, 49: 7, largePrime: largePrime, 1<<32 - 1: 3} {
		if got := smallestFactor(number); got != factor {
			t.Errorf("the smallest factor of %d is not %d", number, got)
		}
	}
}

// Clients use the server, some of them badly. It answers every request, stops reading while there is no room, and
// ends after a signal although a client is connected.
func TestServes(t *testing.T) {
	folder, err := os.MkdirTemp("", "") // its path is short, because that of a socket has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "socket")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // as an earlier run leaves it
		t.Fatal(err)
	}
	var out, message bytes.Buffer
	end := time.Now().Add(2 * time.Minute)
	ctx, cancel := context.WithDeadline(context.Background(), end) // kills a server that hangs
	defer cancel()
	server := exec.CommandContext(ctx, os.Args[0], path)
	server.Env = append(os.Environ(), "SELECTSERVER=1")
	server.Stdout, server.Stderr = &out, &message
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	connect := func() net.Conn {
		for {
			conn, err := net.Dial("unix", path)
			if err == nil {
				conn.SetDeadline(end)
				return conn
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	idle := connect()
	// They leave: one without a request, one within a request, one before its answers.
	connect().Close()
	for _, bytes := range [][]byte{{1}, bytes.Repeat([]byte{7}, 160)} {
		conn := connect()
		conn.Write(bytes)
		conn.Close()
	}
	// One does not read its answers.
	unread := connect()
	go func() {
		for conn, many := unread, bytes.Repeat(encode(2), 1000); ; {
			if _, err := conn.Write(many); err != nil {
				return
			}
		}
	}()
	var all sync.WaitGroup
	for i := range clients {
		start(&all, func() {
			conn := connect()
			defer conn.Close()
			var numbers []uint32
			for k := range uint32(requests) {
				if k < slow {
					numbers = append(numbers, largePrime)
				} else {
					numbers = append(numbers, 2+uint32(i)+k*k)
				}
			}
			if err := ask(conn, numbers); err != nil {
				t.Error(err)
			}
			// It comes back, and ends its requests before it has the answer.
			conn.Write(encode(35))
			conn.(*net.UnixConn).CloseWrite()
			if answer, err := io.ReadAll(conn); err != nil || !bytes.Equal(answer, encode(35, 5)) {
				t.Error(answer, err)
			}
		})
	}
	all.Wait()
	if _, err := io.Copy(io.Discard, unread); os.IsTimeout(err) {
		t.Error("a client that does not read is not disconnected")
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if n, err := idle.Read(make([]byte, 1)); n != 0 || os.IsTimeout(err) {
		t.Error(n, err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("%v\n%s", err, message.String())
	}
	var served, noRoom int
	if _, err := fmt.Sscanf(out.String(), "%d requests; %d times", &served, &noRoom); err != nil {
		t.Fatal(err, out.String())
	}
	if served < clients*(requests+1) || noRoom == 0 {
		t.Error(out.String())
	}
}
