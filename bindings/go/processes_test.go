package queues

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The files of a test's queues; in a child, those that it inherits.
func sharedFiles(t *testing.T) (in, out *os.File) {
	if os.Getenv("QUEUES_CHILD") != "" {
		return os.NewFile(3, "in"), os.NewFile(4, "out")
	}
	open := func(name string) *os.File {
		file, err := os.OpenFile(filepath.Join(t.TempDir(), name), os.O_RDWR|os.O_CREATE, 0o600)
		must(t, err)
		t.Cleanup(func() { file.Close() })
		return file
	}
	return open("in"), open("out")
}

func openMPMC(t *testing.T, file *os.File, o SharedOptions) *MPMCBytes {
	q, err := OpenSharedMPMC(file, o)
	must(t, err)
	t.Cleanup(q.Release)
	return q
}

func openSPSC(t *testing.T, file *os.File, o SharedOptions) *SPSCBytes {
	q, err := OpenSharedSPSC(file, o)
	must(t, err)
	t.Cleanup(q.Release)
	return q
}

// startChild starts this program again, to run the function of children named task.
func startChild(t *testing.T, task string, files ...*os.File) *exec.Cmd {
	program, err := os.Executable()
	must(t, err)
	child := exec.Command(program, "-test.run=^TestChild$", "-test.timeout=5m")
	child.Env = append(os.Environ(), "QUEUES_CHILD="+task)
	child.ExtraFiles = files
	child.Stderr = os.Stderr
	must(t, child.Start())
	return child
}

// echo puts into one queue what it gets from another, until that is closed.
func echo(t *testing.T, ctx context.Context, in, out blobs) {
	t.Helper()
	buffer := make([]byte, 64)
	for {
		n, err := in.Get(ctx, buffer)
		if err == ErrClosed {
			out.Close()
			return
		}
		must(t, err)
		must(t, out.Put(ctx, buffer[:n]))
	}
}

// TestChild is what a child process does. Otherwise it does nothing.
func TestChild(t *testing.T) {
	task := os.Getenv("QUEUES_CHILD")
	if task == "" {
		return
	}
	ctx, cancel := context.WithTimeout(bg, 4*time.Minute)
	defer cancel()
	fileIn, fileOut := sharedFiles(t)
	if task == "echo spsc" {
		echo(t, ctx, openSPSC(t, fileIn, SharedOptions{}), openSPSC(t, fileOut, SharedOptions{}))
		return
	}
	in, out := openMPMC(t, fileIn, SharedOptions{}), openMPMC(t, fileOut, SharedOptions{})
	switch task {
	case "echo": // sends back what it gets
		echo(t, ctx, in, out)
	case "lease":
		for {
			lease, err := in.Lease(ctx)
			if err == ErrClosed {
				out.Close()
				return
			}
			must(t, err)
			cell, err := out.Reserve(ctx)
			must(t, err)
			n := copy(cell.Bytes(), strings.ToUpper(string(lease.Bytes())))
			lease.Settle()
			must(t, cell.Commit(n))
		}
	case "hold": // until it is killed
		lease, err := in.Lease(ctx)
		must(t, err)
		cell, err := in.Reserve(ctx)
		must(t, err)
		must(t, out.Put(ctx, []byte("holds")))
		<-ctx.Done()
		lease.Settle()
		cell.Cancel()
	}
}

// Goroutines wait for another process, at both ends, and are woken by its calls.
func TestProcessesWake(t *testing.T) {
	fileIn, fileOut := sharedFiles(t)
	in := openMPMC(t, fileIn, SharedOptions{Capacity: 2, ItemSize: 20})
	out := openMPMC(t, fileOut, SharedOptions{Capacity: 3, ItemSize: 20})
	child := startChild(t, "echo", fileIn, fileOut)
	const producers, each = 3, 500
	for p := range producers {
		go func() {
			for i := range each {
				if err := in.Put(bg, newParcel(p, i).bytes()); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		}()
	}
	check := newLedger(t, producers).consumer()
	buffer := make([]byte, 20)
	for range producers * each {
		n, err := out.Get(bg, buffer)
		must(t, err)
		check(parcelOf(buffer[:n]))
	}
	stats := in.Stats()
	want(t, "attached", stats.Attached, 2)
	want(t, "enqueued", stats.Enqueued, producers*each)
	want(t, "dequeued", stats.Dequeued, producers*each)
	got := make(chan error)
	go func() {
		_, err := out.Get(bg, buffer)
		got <- err
	}()
	in.Close()
	wantError(t, <-got, ErrClosed) // the child has closed the queue
	must(t, child.Wait())
	want(t, "closed", out.IsClosed(), true)
	wantError(t, out.TryPut(nil), ErrClosed)
}

// One goroutine puts and one gets, each from and to another process.
func TestProcessesSPSC(t *testing.T) {
	fileIn, fileOut := sharedFiles(t)
	in := openSPSC(t, fileIn, SharedOptions{Capacity: 2, ItemSize: 20})
	out := openSPSC(t, fileOut, SharedOptions{Capacity: 3, ItemSize: 20})
	child := startChild(t, "echo spsc", fileIn, fileOut)
	const n = 1000
	go func() {
		for i := range n {
			if err := in.Put(bg, newParcel(0, i).bytes()); err != nil {
				t.Errorf("put: %v", err)
			}
		}
		in.Close()
	}()
	check := newLedger(t, 1).consumer()
	buffer := make([]byte, 20)
	for range n {
		n, err := out.Get(bg, buffer)
		must(t, err)
		check(parcelOf(buffer[:n]))
	}
	_, err := out.Get(bg, buffer)
	wantError(t, err, ErrClosed)
	must(t, child.Wait())
}

// A role belongs to the queue that called first, until its Release.
func TestProcessesSides(t *testing.T) {
	file, _ := sharedFiles(t)
	q := openSPSC(t, file, SharedOptions{Capacity: 2, ItemSize: 8})
	must(t, q.TryPut([]byte("first")))
	other := openSPSC(t, file, SharedOptions{})
	wantError(t, other.TryPut([]byte("second")), ErrMisuse)
	buffer := make([]byte, 8)
	n, err := other.Peek(buffer)
	must(t, err)
	want(t, "blob", string(buffer[:n]), "first")
	_, err = q.TryGet(buffer)
	wantError(t, err, ErrMisuse)
	other.Release()
	_, err = q.TryGet(buffer)
	must(t, err)
	for _, o := range []SharedOptions{{Spare: 1}, {Redeliver: true}} {
		_, err = OpenSharedSPSC(file, o)
		wantError(t, err, ErrInvalid)
	}
	_, err = OpenSharedMPMC(file, SharedOptions{})
	wantError(t, err, ErrInvalid)
}

// The channels of Ready and ReadyToPut become ready because of another process.
func TestProcessesReady(t *testing.T) {
	fileIn, fileOut := sharedFiles(t)
	in := openMPMC(t, fileIn, SharedOptions{Capacity: 1, ItemSize: 8})
	out := openMPMC(t, fileOut, SharedOptions{Capacity: 1, ItemSize: 8})
	child := startChild(t, "echo", fileIn, fileOut)
	buffer := make([]byte, 8)
	for i := range 100 {
		for in.TryPut([]byte{byte(i)}) == ErrFull {
			<-in.ReadyToPut()
		}
		n, err := out.TryGet(buffer)
		for ; err == ErrEmpty; n, err = out.TryGet(buffer) {
			<-out.Ready()
		}
		must(t, err)
		want(t, "blob", string(buffer[:n]), string([]byte{byte(i)}))
	}
	in.Close()
	must(t, child.Wait())
}

func TestProcessesInPlace(t *testing.T) {
	fileIn, fileOut := sharedFiles(t)
	in := openMPMC(t, fileIn, SharedOptions{Capacity: 2, ItemSize: 30})
	out := openMPMC(t, fileOut, SharedOptions{Capacity: 2, ItemSize: 40})
	child := startChild(t, "lease", fileIn, fileOut)
	for i := range 200 {
		cell, err := in.Reserve(bg)
		must(t, err)
		want(t, "length of a cell", len(cell.Bytes()), 30)
		must(t, cell.Commit(copy(cell.Bytes(), fmt.Sprintf("blob %d", i))))
		lease, err := out.Lease(bg)
		must(t, err)
		want(t, "blob", string(lease.Bytes()), fmt.Sprintf("BLOB %d", i))
		lease.Settle()
	}
	in.Close()
	must(t, child.Wait())
}

// A blob that a process held when it was killed is lost, or redelivered.
func TestProcessesKilled(t *testing.T) {
	for _, redeliver := range []bool{false, true} {
		fileIn, fileOut := sharedFiles(t)
		options := SharedOptions{Capacity: 2, ItemSize: 8, Spare: 1, Redeliver: redeliver}
		in := openMPMC(t, fileIn, options)
		out := openMPMC(t, fileOut, SharedOptions{ItemSize: 8})
		must(t, in.TryPut([]byte("held")))
		child := startChild(t, "hold", fileIn, fileOut)
		buffer := make([]byte, 8)
		_, err := out.Get(bg, buffer)
		must(t, err)
		must(t, child.Process.Kill())
		child.Wait()
		must(t, in.TryPut([]byte("first")))
		second := in.TryPut([]byte("second")) // it needs a cell of the dead process
		var got []string
		for range 2 {
			n, err := in.TryGet(buffer)
			must(t, err)
			got = append(got, string(buffer[:n]))
		}
		if redeliver {
			wantError(t, second, ErrFull)
			want(t, "blobs", fmt.Sprint(got), "[first held]")
		} else {
			must(t, second)
			want(t, "blobs", fmt.Sprint(got), "[first second]")
		}
		want(t, "recovered", in.Stats().Recovered, 2)
		want(t, "attached", in.Stats().Attached, 1)
	}
}

// Release does not close the queue, and leaves the blobs in the file.
func TestProcessesRelease(t *testing.T) {
	file, _ := sharedFiles(t)
	q := openMPMC(t, file, SharedOptions{Capacity: 2, ItemSize: 8})
	must(t, q.TryPut([]byte("left")))
	waits := make(chan error)
	other := openMPMC(t, file, SharedOptions{})
	_, err := other.TryGet(make([]byte, 8))
	must(t, err)
	go func() {
		_, err := other.Get(bg, make([]byte, 8))
		waits <- err
	}()
	must(t, q.TryPut([]byte("again")))
	must(t, <-waits)
	must(t, q.TryPut([]byte("left")))
	other.Release()
	q.Release()
	wantError(t, q.TryPut(nil), ErrClosed)
	q = openMPMC(t, file, SharedOptions{})
	want(t, "closed", q.IsClosed(), false)
	want(t, "capacity", q.Cap(), 2)
	buffer := make([]byte, 8)
	n, err := q.TryGet(buffer)
	must(t, err)
	want(t, "blob", string(buffer[:n]), "left")
}

func TestOpenSharedRefuses(t *testing.T) {
	file, other := sharedFiles(t)
	for name, o := range map[string]SharedOptions{
		"no item size": {}, "capacity": {Capacity: -1, ItemSize: 8}, "item size": {ItemSize: -1},
		"spare": {Spare: -1, ItemSize: 8}, "attachments": {Attachments: -1, ItemSize: 8},
		"more attachments": {Attachments: 5000, ItemSize: 8},
	} {
		if _, err := OpenSharedMPMC(file, o); err != ErrInvalid {
			t.Errorf("%s: got error %v, want %v", name, err, ErrInvalid)
		}
	}
	_, err := OpenSharedMPMC(nil, SharedOptions{ItemSize: 8})
	wantError(t, err, ErrInvalid)
	_, err = other.WriteString("some text")
	must(t, err)
	_, err = OpenSharedMPMC(other, SharedOptions{ItemSize: 8})
	wantError(t, err, ErrInvalid)
	text, err := os.ReadFile(other.Name())
	must(t, err)
	want(t, "file", string(text), "some text")
	q := openMPMC(t, file, SharedOptions{Capacity: 3, ItemSize: 8, Attachments: 1})
	_, err = OpenSharedMPMC(file, SharedOptions{ItemSize: 8})
	wantError(t, err, ErrNoMemory)
	q.Release()
	_, err = OpenSharedMPMC(file, SharedOptions{ItemSize: 9})
	wantError(t, err, ErrInvalid)
	_, err = OpenSharedMPMC(file, SharedOptions{Redeliver: true})
	wantError(t, err, ErrInvalid)
	must(t, other.Close())
	_, err = OpenSharedMPMC(other, SharedOptions{ItemSize: 8})
	wantError(t, err, ErrInvalid)
}

// Words that another process has overwritten make calls return ErrCorrupt, or anything else; but all calls return.
func TestErrCorrupt(t *testing.T) {
	file, _ := sharedFiles(t)
	q := openMPMC(t, file, SharedOptions{Capacity: 2, ItemSize: 8})
	must(t, q.TryPut([]byte("1")))
	must(t, q.TryPut([]byte("2")))
	info, err := file.Stat()
	must(t, err)
	corrupt := 0
	buffer := make([]byte, 8)
	for at := int64(4096); at < info.Size(); at += 8 {
		before := make([]byte, 8)
		_, err := file.ReadAt(before, at)
		must(t, err)
		if string(before) == "\x00\x00\x00\x00\x00\x00\x00\x00" {
			continue
		}
		bad := append([]byte{before[0] | 0xFE}, before[1:]...)
		_, err = file.WriteAt(bad, at)
		must(t, err)
		_, err = q.Peek(buffer)
		if errors.Is(err, ErrCorrupt) {
			corrupt++
		}
		_, err = file.WriteAt(before, at)
		must(t, err)
	}
	if corrupt == 0 {
		t.Error("no overwritten word was noticed")
	}
	n, err := q.TryGet(buffer)
	must(t, err)
	want(t, "blob", string(buffer[:n]), "1")
}
