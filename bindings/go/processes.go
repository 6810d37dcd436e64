// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import "os"

// SharedOptions are what a process asks for that opens a queue which processes share. A field that is 0 stands for
// what the file says or, if the file is empty, for the default.
type SharedOptions struct {
	Capacity    int // the most blobs; default: 1000, of an SPSC queue 1024
	ItemSize    int // the length of the longest blob; an empty file needs it
	Spare       int // MPMC: cells beyond Capacity, for leases, reservations and calls in flight; default: 64
	Attachments int // handles that all processes together can have open at once; default: 64; at most 4096
	// Redeliver, MPMC: what a consumer held that died comes again, at the back of the queue; otherwise it is lost.
	Redeliver bool
}

// OpenSharedMPMC opens the queue of blobs in a file, or creates it there if the file is empty. Every process that
// opens the file uses the same queue, in any language: in C by queues_mpmc_open_shared(). file is that of a memfd or a
// regular file, best in /dev/shm, and is open for reading and writing; the caller keeps it and may close it. Who may
// open the file may use the queue.
//
// A process that is suspended or killed at any moment never makes another one wait. A put that was killed has put its
// blob whole or not at all; a get or a lease that was killed has taken its blob, which is lost or, with Redeliver,
// comes again. Other processes are not trusted with the memory of this one: what they write into the file can lose,
// scramble or stop blobs and make calls return [ErrCorrupt], but no more; except that the bytes of a [Lease] or
// [Reservation] lie in the file.
//
// The queue has all methods of an [MPMCBytes]. Close, Len, Cap and Stats are for all processes; Release closes nothing
// and leaves the blobs in the file. Calls in other processes wake goroutines that wait, and the reverse. That takes
// two threads and four file descriptors for each queue that is opened, and system calls each time that a goroutine
// waits. Stats counts only failures of this queue's methods.
//
// The error is nil; [ErrInvalid] if the file is no such queue, has other sizes or flags than the options or cannot be
// read and written, for an empty file without an ItemSize, for a field below 0, and on systems other than Linux; and
// [ErrNoMemory] if memory, the file system, descriptors or attachments are used up. OpenSharedMPMC may wait for
// another process that is creating the queue. Any goroutine may call it at any time.
func OpenSharedMPMC(file *os.File, options SharedOptions) (*MPMCBytes, error) {
	q := new(MPMCBytes)
	return nilOnError(q, q.openShared(mpmc, file, options))
}

// OpenSharedSPSC opens the queue of blobs from one process to another in a file, or creates it there if the file is
// empty: in C by queues_spsc_open_shared(). The file, the options, of which Spare and Redeliver are [ErrInvalid], and
// the errors are those of [OpenSharedMPMC].
//
// The first call that puts makes the queue the producer; the first that gets, peeks or clears makes it the consumer.
// Such calls of other handles, in any process, return [ErrMisuse] while it lives. Release, or the death of its
// process, leaves the side to the next that calls. A put that was killed has put its blob whole or not at all; a get
// that was killed has removed its blob or left it in front.
//
// The queue has all methods of an [SPSCBytes]. Otherwise as OpenSharedMPMC.
func OpenSharedSPSC(file *os.File, options SharedOptions) (*SPSCBytes, error) {
	q := new(SPSCBytes)
	return nilOnError(q, q.openShared(spsc, file, options))
}

func (q *blobQueue) openShared(f family, file *os.File, options SharedOptions) error {
	for _, field := range []int{options.Capacity, options.ItemSize, options.Spare, options.Attachments} {
		if field < 0 {
			return ErrInvalid
		}
	}
	conn, err := file.SyscallConn()
	if err != nil { // file is nil
		return ErrInvalid
	}
	var c cQueue
	status := ErrInvalid // file is closed
	conn.Control(func(fd uintptr) { c, status = openShared(f, fd, options) })
	if status != statusOK {
		return status
	}
	h, err := newSharedHandle(c)
	if err != nil {
		return err
	}
	q.handle.Store(h)
	return nil
}
