// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
	"weak"
)

// How goroutines wait for threads of C: the library signals the queue's descriptor, which the netpoller of Go
// waits for. Each end that has waiters has a goroutine, the pump, which wakes one of them; a waiter that succeeds
// wakes the next, until an attempt finds the queue blocked. That attempt has armed the descriptor again. The pump
// reads nothing, because the library resets the descriptor itself.

// Shared are the queues that programs in C, C++ and other languages can use, too: see [FromHandle].
type Shared interface {
	MPMCBytes | SPSCBytes | PriorityBytes | BatchBytes | DequeBytes | MPMCWords | SPSCWords
}

// FromHandle returns a queue of a C program: pointer points to a queue of the C library of the family and payload
// of Q, to which the caller holds a reference. FromHandle adds another, which Release gives back. The error is nil,
// [ErrInvalid] if pointer is nil or points to a queue of another family or payload, and [ErrNoMemory] if no file
// descriptor is left.
//
//	q, err := queues.FromHandle[queues.MPMCBytes](pointer)
//
// Calls in C wake goroutines that wait, and calls in Go wake threads that wait in C. That takes at least two file
// descriptors for each end, on Linux four for the consumers of a batching queue, and system calls each time that a
// goroutine waits. The queue has all methods of Q, with these exceptions: Release does not close it; Stats counts only
// failures of this queue's methods, while the library counts each attempt of a waiting goroutine. The rules of the
// family hold for all threads together, in particular those of an SPSC queue and of a deque, of which the package
// knows only its own calls. FromHandle does not wait. Any goroutine may call it at any time.
func FromHandle[Q Shared](pointer unsafe.Pointer) (*Q, error) {
	q := new(Q)
	var b *base
	var f family
	words := false
	switch q := any(q).(type) {
	case *MPMCBytes:
		b, f = &q.base, mpmc
	case *SPSCBytes:
		b, f = &q.base, spsc
	case *PriorityBytes:
		b, f = &q.base, priority
	case *BatchBytes:
		b, f = &q.base, batch
	case *DequeBytes:
		b, f = &q.base, deque
	case *MPMCWords:
		b, f, words = &q.base, mpmc, true
	case *SPSCWords:
		b, f, words = &q.base, spsc, true
	}
	h, err := fromHandle(f, words, pointer)
	if err != nil {
		return nil, err
	}
	b.handle.Store(h)
	if q, is := any(q).(*BatchBytes); is {
		q.size = h.batchSize()
	}
	return q, nil
}

func fromHandle(f family, words bool, pointer unsafe.Pointer) (*handle, error) {
	c, ok := adopted(f, words, pointer)
	if !ok {
		return nil, ErrInvalid
	}
	return newSharedHandle(c)
}

// newSharedHandle returns a handle of a queue that has other owners, too. It owns a reference.
func newSharedHandle(c cQueue) (*handle, error) {
	h := newHandleOf(resource{c, 0}, c.itemSize())
	h.borrowed = true
	cMemory.created(0) // the memory is another owner's
	if status := h.share(); status != statusOK {
		h.release()
		return nil, status
	}
	return h, nil
}

// handleOf returns the handle of a queue, for other languages, with a reference.
func handleOf(b *base) unsafe.Pointer {
	return observe(b, func(h *handle) unsafe.Pointer {
		if h.share() != statusOK {
			return nil
		}
		return h.retain()
	}, nil)
}

// Handle returns the queue as the C library knows it, a pointer to queues_FAMILY_t, for code in C and other
// languages. It adds a reference, which the receiver gives back by queues_FAMILY_release(); the queue lives as
// long as there is a reference, and Release closes it. From then on calls in C wake goroutines that wait, too:
// see [FromHandle], also for the cost. Handle returns nil if no file descriptor is left, after Release
// and for a zero value. It does not wait. Any goroutine may call it at any time.
func (q *blobQueue) Handle() unsafe.Pointer { return handleOf(&q.base) }

// Handle returns the deque as the C library knows it, a pointer to queues_deque_t, for code in C and other
// languages. It adds a reference, which the receiver gives back by queues_deque_release(). From then on
// pushes in C make the channel of Ready ready, too. Handle returns nil if no file descriptor is left, after
// Release and for a zero value. It does not wait. Any goroutine may call it at any time.
func (d *DequeBytes) Handle() unsafe.Pointer { return handleOf(&d.base) }

// share makes calls in C wake goroutines. The caller is in a call, or is the only user of the handle.
func (h *handle) share() Error {
	h.sharing.Lock()
	defer h.sharing.Unlock()
	if h.shared {
		return statusOK
	}
	ends := []*role{&h.consumer, &h.producer}
	if h.is(deque) { // no call of it waits for room
		ends = ends[:1]
	}
	var files []*os.File
	for _, end := range ends {
		file, status := h.descriptor(end == &h.consumer)
		if status != statusOK {
			closeAll(files)
			return status
		}
		files = append(files, file)
	}
	h.shared = true
	h.files = files
	runtime.AddCleanup(h, closeAll, files)
	for i, end := range ends {
		end.waits.share(h, files[i])
		end.peer.waits.state.Or(peerShared)
	}
	for _, end := range ends {
		end.waits.wakeAll() // the library arms a descriptor when the attempts of the waiters fail
	}
	if h.released.Load() { // meanwhile, and perhaps before there were files to close
		closeAll(files)
	}
	return statusOK
}

// closeAll ends the pumps. It may be called again.
func closeAll(files []*os.File) {
	for _, file := range files {
		file.Close()
	}
}

// descriptor returns a copy of the queue's descriptor of an end, which the netpoller can wait for.
func (h *handle) descriptor(readable bool) (*os.File, Error) {
	fd, status := h.fd(readable)
	if status != statusOK {
		return nil, status
	}
	copied, _, failed := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if failed != 0 {
		return nil, ErrNoMemory
	}
	if syscall.SetNonblock(int(copied), true) != nil {
		syscall.Close(int(copied))
		return nil, ErrNoMemory
	}
	return os.NewFile(copied, "queue"), statusOK
}

// share gives the list the descriptor of its end. Its pump starts with the first waiter.
func (l *waitList) share(h *handle, file *os.File) {
	weakly := weak.Make(h)
	consumes := l == &h.consumer.waits
	l.mu.Lock()
	defer l.mu.Unlock()
	l.startPump = func() {
		conn, err := file.SyscallConn()
		if err != nil { // the queue was released
			return
		}
		go conn.Read(func(uintptr) (end bool) { // Read calls this at the start, and after each signal
			h := weakly.Value()
			if h == nil {
				return true
			}
			if consumes {
				return h.consumer.waits.signaled()
			}
			return h.producer.waits.signaled()
		})
	}
}

// signaled wakes a waiter because of a call in C.
func (l *waitList) signaled() (end bool) {
	l.wake(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// pump starts the pump, unless the pump runs or calls in C wake no goroutine. The caller has locked the list.
func (l *waitList) pump() {
	if start := l.startPump; start != nil {
		l.startPump = nil
		start()
	}
}
