// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import "os"

// SharedOptions are the options of [OpenSharedMPMC] and [OpenSharedSPSC]. A field that is 0 stands for the value in the
// file or, if the file is empty, for the default.
type SharedOptions struct {
	Capacity    int // the largest number of blobs; default: 1000, of an SPSC queue 1024
	ItemSize    int // the largest length of a blob in bytes, which an empty file needs
	Spare       int // MPMC only: cells beyond Capacity, for leases, reservations and calls in flight; default: 64
	Attachments int // the most handles that are attached at once, in all processes together; default: 64; at most 4096
	// Redeliver, MPMC only: a blob that a process held when it died is redelivered, at the back of the queue. Otherwise
	// the blob is lost.
	Redeliver bool
}

// OpenSharedMPMC opens the queue of blobs in a file, or creates it there if the file is empty. Every process that
// opens the file uses the same queue, in any language: in C by queues_mpmc_open_shared(). file is a memfd or a regular
// file, best in /dev/shm. It is open for reading and writing; the caller keeps it and may close it. Every process that
// may open the file may use the queue.
//
// A process that is suspended or killed at any instruction makes no other process wait. A put that was killed has put
// its blob whole, or not at all. A get or a lease that was killed has taken its blob, which is lost or, with Redeliver,
// redelivered. Other processes are not trusted. What they write into the file may lose, change or delay blobs and make
// any call return [ErrCorrupt], and does no other harm. The bytes of a [Lease] or [Reservation] lie in the file, where
// another process can change them at any time.
//
// The queue has all methods of an [MPMCBytes]. Close, Len, Cap and Stats are for all processes. Release does not close
// the queue and leaves the blobs in the file. Calls in other processes wake goroutines that wait, and the reverse. That
// takes two threads and four file descriptors for each open queue, and system calls each time that a goroutine waits.
// Stats counts only failures of this queue's methods.
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
// The first call that puts takes the role of the producer. The first that gets, peeks or clears takes the role of the
// consumer. Meanwhile such calls of other handles, in any process, return [ErrMisuse]. Release, or the death of the
// process, frees the role for the next handle that calls. A put that was killed has put its blob whole, or not at all.
// A get that was killed has removed its blob, or has left it in front.
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
