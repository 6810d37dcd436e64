// SPDX-License-Identifier: MIT OR Apache-2.0

package queues

// The only file that calls C, beside fast.go: each function here is one call of shim.h and the translation of its
// result. Callers of a method make sure that the queue is not freed meanwhile: see handle.go.

/*
#cgo pkg-config: queues

#cgo noescape try_put_bytes
#cgo noescape read_bytes
#cgo noescape put_many
#cgo noescape get_many
#cgo noescape push_bytes
#cgo noescape take_bytes
#cgo noescape steal_many
#cgo noescape get_batch
#cgo noescape get_batch_bytes

#cgo nocallback try_put
#cgo nocallback try_get
#cgo nocallback peek
#cgo nocallback try_put_bytes
#cgo nocallback read_bytes
#cgo nocallback put_many
#cgo nocallback get_many
#cgo nocallback size
#cgo nocallback push
#cgo nocallback take
#cgo nocallback push_bytes
#cgo nocallback take_bytes
#cgo nocallback steal_many
#cgo nocallback get_batch
#cgo nocallback get_batch_bytes
#cgo nocallback release
#cgo nocallback lease
#cgo nocallback reserve
#cgo nocallback settle
#cgo nocallback put_back
#cgo nocallback commit
#cgo nocallback cancel
#cgo nocallback next_due

#include "shim.h"
*/
import "C"

import (
	"time"
	"unsafe"
)

// headerVersion is the version of the header that the package was compiled with.
const headerVersion = C.QUEUES_VERSION

// defaultBatchSize is the batch size that 0 stands for.
const defaultBatchSize = C.QUEUES_BATCH_DEFAULT_SIZE

func libraryVersion() string { return C.GoString(C.queues_version()) }

// statusOf is the only conversion of a status: the type that cgo gives it depends on the header.
func statusOf(status C.queues_status_t) Error { return Error(status) }

func statusString(e Error) string { return C.GoString(C.status_string(C.int32_t(e))) }

// The package writes constants of the header as numbers, for its documentation. "Index out of bounds"
// here means that one of them differs.
func _() {
	var x [1]struct{}
	_ = x[statusOK-C.QUEUES_OK]
	_ = x[ErrEmpty-C.QUEUES_EMPTY]
	_ = x[ErrFull-C.QUEUES_FULL]
	_ = x[ErrClosed-C.QUEUES_CLOSED]
	_ = x[ErrRetry-C.QUEUES_RETRY]
	_ = x[ErrTooSmall-C.QUEUES_TOO_SMALL]
	_ = x[ErrInvalid-C.QUEUES_INVALID]
	_ = x[ErrNoMemory-C.QUEUES_NOMEM]
	_ = x[ErrMisuse-C.QUEUES_MISUSE]
	_ = x[ErrCorrupt-C.QUEUES_CORRUPT]
	_ = x[Growable-C.QUEUES_DEQUE_GROWABLE]
}

type family C.family_t

const (
	mpmc     family = C.MPMC
	spsc     family = C.SPSC
	priority family = C.PRIORITY
	deque    family = C.DEQUE
	batch    family = C.BATCH
)

// A cQueue is a queue of the C library.
type cQueue struct {
	family C.family_t
	queue  C.uintptr_t
}

// create creates a queue of any family but batch: of blobs, or of numbers if itemSize is 0.
func create(family family, capacity, itemSize int, flags DequeOption) (cQueue, Error) {
	r := C.create(C.family_t(family), C.size_t(capacity), C.size_t(itemSize), C.uint64_t(flags))
	return cQueue{C.family_t(family), r.value}, statusOf(r.status)
}

// createBatch creates a batching queue: of blobs, or of numbers if itemSize is 0.
func createBatch(itemSize int, o BatchOptions) (cQueue, Error) {
	r := C.create_batch(C.size_t(o.MaxPending), C.size_t(itemSize), C.size_t(o.size()), C.int64_t(o.Age),
		C.uint64_t(o.Weight))
	return cQueue{C.BATCH, r.value}, statusOf(r.status)
}

// openShared opens a queue of blobs in a file.
func openShared(family family, fd uintptr, o SharedOptions) (cQueue, Error) {
	r := C.open_shared(C.family_t(family), C.int(fd), C.size_t(o.Capacity), C.size_t(o.ItemSize), C.size_t(o.Spare),
		C.size_t(o.Attachments), C.bool(o.Redeliver))
	return cQueue{C.family_t(family), r.value}, statusOf(r.status)
}

// adopted adds a reference to a queue of another owner. ok is false if the queue is not of the family and payload.
func adopted(family family, words bool, handle unsafe.Pointer) (q cQueue, ok bool) {
	r := C.adopt(C.family_t(family), C.bool(words), handle)
	return cQueue{C.family_t(family), r.value}, r.value != 0
}

// retain adds a reference and returns the queue as a pointer.
func (q cQueue) retain() unsafe.Pointer {
	return C.retain(q.family, q.queue)
}

// fd returns the descriptor of an end.
func (q cQueue) fd(readable bool) (fd int, status Error) {
	r := C.descriptor(q.family, q.queue, C.bool(readable))
	return int(r.value), statusOf(r.status)
}

func (q cQueue) free() { C.release(q.family, q.queue) }

// is reports whether the queue is of a family.
func (q cQueue) is(f family) bool { return family(q.family) == f }

// tryPut puts an item and what travels beside it: the bits of its priority, or its weight.
func (q cQueue) tryPut(item uintptr, with uint64) Error {
	return statusOf(C.try_put(q.family, q.queue, C.uintptr_t(item), C.uint64_t(with)))
}

func (q cQueue) tryGet() (item uintptr, priority float64, status Error) {
	r := C.try_get(q.family, q.queue)
	return uintptr(r.value), float64(r.priority), statusOf(r.status)
}

func (q cQueue) peek() (item uintptr, priority float64, status Error) {
	r := C.peek(q.family, q.queue)
	return uintptr(r.value), float64(r.priority), statusOf(r.status)
}

// putMany puts items until none is left or the queue is full.
func (q cQueue) putMany(items []uintptr) (n int, status Error) {
	r := C.put_many(q.family, q.queue, unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	return int(r.value), statusOf(r.status)
}

// getMany gets items until len(items) are there or the queue is empty.
func (q cQueue) getMany(items []uintptr) (n int, status Error) {
	r := C.get_many(q.family, q.queue, unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	return int(r.value), statusOf(r.status)
}

func (q cQueue) tryPutBytes(blob []byte, with uint64) Error {
	p := unsafe.Pointer(unsafe.SliceData(blob))
	return statusOf(C.try_put_bytes(q.family, q.queue, p, C.size_t(len(blob)), C.uint64_t(with)))
}

// readBytes copies the next blob into buffer and removes it, unless leave is true. With ErrTooSmall it
// returns the length of the blob.
func (q cQueue) readBytes(buffer []byte, leave bool) (n int, priority float64, status Error) {
	p := unsafe.Pointer(unsafe.SliceData(buffer))
	r := C.read_bytes(q.family, q.queue, C.bool(leave), p, C.size_t(len(buffer)))
	return int(r.value), float64(r.priority), statusOf(r.status)
}

// getBatch gets a batch of at most len(items): one that is due, or else one of what is pending.
func (q cQueue) getBatch(items []uintptr, due bool) (n int, status Error) {
	r := C.get_batch(q.queue, C.bool(due), unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	return int(r.value), statusOf(r.status)
}

// An extent is where a blob of a batch lies in the buffer.
type extent C.queues_batch_blob_t

func (e extent) of(buffer []byte) []byte {
	end := e.offset + e.length
	return buffer[e.offset:end:end]
}

// getBatchBytes gets a batch of blobs, as getBatch does. With ErrTooSmall it returns the length of
// all of them.
func (q cQueue) getBatchBytes(buffer []byte, extents []extent, due bool) (n int, status Error) {
	r := C.get_batch_bytes(q.queue, C.bool(due), unsafe.Pointer(unsafe.SliceData(buffer)), C.size_t(len(buffer)),
		unsafe.Pointer(unsafe.SliceData(extents)), C.size_t(len(extents)))
	if status = statusOf(r.status); status == ErrTooSmall {
		return int(r.len), status
	}
	return int(r.count), status
}

func (q cQueue) push(item uintptr) Error {
	return statusOf(C.push(q.queue, C.uintptr_t(item)))
}

// take steals an item or, for the owner of the deque, pops one.
func (q cQueue) take(steal bool) (item uintptr, status Error) {
	r := C.take(q.queue, C.bool(steal))
	return uintptr(r.value), statusOf(r.status)
}

func (q cQueue) stealMany(items []uintptr) (n int, status Error) {
	r := C.steal_many(q.queue, unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	return int(r.value), statusOf(r.status)
}

func (q cQueue) pushBytes(blob []byte) Error {
	p := unsafe.Pointer(unsafe.SliceData(blob))
	return statusOf(C.push_bytes(q.queue, p, C.size_t(len(blob))))
}

// takeBytes steals or pops a blob. With ErrTooSmall it returns the length of the blob.
func (q cQueue) takeBytes(buffer []byte, steal bool) (n int, status Error) {
	p := unsafe.Pointer(unsafe.SliceData(buffer))
	r := C.take_bytes(q.queue, C.bool(steal), p, C.size_t(len(buffer)))
	return int(r.value), statusOf(r.status)
}

// lease removes the oldest blob of an MPMC queue and returns its cell and length.
func (q cQueue) lease() (data unsafe.Pointer, n int, status Error) {
	r := C.lease(q.queue)
	return r.data, int(r.len), statusOf(r.status)
}

// reserve returns a cell for a blob of an MPMC queue.
func (q cQueue) reserve() (data unsafe.Pointer, status Error) {
	r := C.reserve(q.queue)
	return r.data, statusOf(r.status)
}

func (q cQueue) settle(data uintptr) Error {
	return statusOf(C.settle(q.queue, C.uintptr_t(data)))
}

func (q cQueue) putBack(data uintptr) Error {
	return statusOf(C.put_back(q.queue, C.uintptr_t(data)))
}

func (q cQueue) commit(data uintptr, n int) Error {
	return statusOf(C.commit(q.queue, C.uintptr_t(data), C.size_t(n)))
}

func (q cQueue) cancel(data uintptr) Error {
	return statusOf(C.cancel(q.queue, C.uintptr_t(data)))
}

func (q cQueue) clear() (n int, status Error) {
	r := C.clear(q.family, q.queue)
	return int(r.value), statusOf(r.status)
}

// nextDue returns the time until a batch is due: 0 if a batch is due or the queue is closed, below 0 if no pending
// item makes a batch due by its age.
func (q cQueue) nextDue() time.Duration { return time.Duration(C.next_due(q.queue)) }

func (q cQueue) flush() { C.flush(q.queue) }

func (q cQueue) close() { C.close_queue(q.family, q.queue) }

func (q cQueue) isClosed() bool { return bool(C.is_closed(q.family, q.queue)) }

func (q cQueue) size() int { return int(C.size(q.family, q.queue)) }

func (q cQueue) capacity() int { return int(C.capacity(q.family, q.queue)) }

// itemSize returns the length of the longest blob; 0 for a queue of numbers.
func (q cQueue) itemSize() int { return int(C.item_size(q.family, q.queue)) }

// batchSize returns the most items of a batch of a batching queue.
func (q cQueue) batchSize() int { return int(C.batch_size(q.queue)) }

func (q cQueue) isEmpty() bool { return bool(C.is_empty(q.queue)) }

func (q cQueue) isFull() bool { return bool(C.is_full(q.queue)) }

func (q cQueue) stats() Stats {
	s := C.stats(q.family, q.queue).stats
	return Stats{
		Enqueued:      uint64(s.enqueued),
		Dequeued:      uint64(s.dequeued),
		FailedEnqueue: uint64(s.failed_enqueue),
		FailedDequeue: uint64(s.failed_dequeue),
		PeakSize:      uint64(s.peak_size),
		CurrentSize:   uint64(s.current_size),
		Capacity:      uint64(s.capacity),
		Stolen:        uint64(s.stolen),
		Attached:      uint64(s.attached),
		Recovered:     uint64(s.recovered),
	}
}

// prometheus writes the statistics in Prometheus' text format.
func prometheus(queues []NamedStats) (string, Error) {
	stats := make([]C.queues_stats_t, max(len(queues), 1))
	names := make([]*C.char, max(len(queues), 1))
	for i, q := range queues {
		names[i] = C.CString(q.Name)
		defer C.free(unsafe.Pointer(names[i]))
		stats[i] = C.queues_stats_t{
			enqueued:       C.uint64_t(q.Enqueued),
			dequeued:       C.uint64_t(q.Dequeued),
			failed_enqueue: C.uint64_t(q.FailedEnqueue),
			failed_dequeue: C.uint64_t(q.FailedDequeue),
			peak_size:      C.uint64_t(q.PeakSize),
			current_size:   C.uint64_t(q.CurrentSize),
			capacity:       C.uint64_t(q.Capacity),
			stolen:         C.uint64_t(q.Stolen),
			attached:       C.uint64_t(q.Attached),
			recovered:      C.uint64_t(q.Recovered),
		}
	}
	for text := make([]byte, 1); ; {
		r := C.prometheus(&stats[0], &names[0], C.size_t(len(queues)),
			(*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)))
		if status := statusOf(r.status); status != ErrTooSmall {
			return string(text[:r.value]), status
		}
		text = make([]byte, r.value+1)
	}
}
