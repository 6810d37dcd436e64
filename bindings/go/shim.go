package queues

// The only file that speaks to the C library. A shim chooses the family, so that all share one
// implementation in Go; queue and item travel as numbers and results come back by value, so that
// cgo has no pointers to check on the hot calls.
//
// Methods of a handle that call C run between enter, or begin, and leave: see handle.go.

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

#include "shim.h"
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"
)

// headerVersion is the version of the header that the package was compiled with.
const headerVersion = C.QUEUES_VERSION

func libraryVersion() string { return C.GoString(C.queues_version()) }

func statusString(e Error) string { return C.GoString(C.queues_status_string(C.int32_t(e))) }

// The documentation shows numbers. The compiler checks that they are those of the header: false would be
// a duplicate key.
var _ = map[bool]struct{}{false: {}, ErrEmpty == C.QUEUES_EMPTY && ErrFull == C.QUEUES_FULL &&
	ErrClosed == C.QUEUES_CLOSED && ErrRetry == C.QUEUES_RETRY && ErrTooSmall == C.QUEUES_TOO_SMALL &&
	ErrInvalid == C.QUEUES_INVALID && ErrNoMemory == C.QUEUES_NOMEM && ErrMisuse == C.QUEUES_MISUSE &&
	done == C.QUEUES_OK && Growable == C.QUEUES_DEQUE_GROWABLE: {}}

type family C.family_t

const (
	mpmc     family = C.MPMC
	spsc     family = C.SPSC
	priority family = C.PRIORITY
	deque    family = C.DEQUE
	batch    family = C.BATCH
)

// newHandle creates a queue of blobs, or of numbers if itemSize is 0.
func newHandle(family family, capacity, itemSize int, options ...DequeOption) (*handle, error) {
	if capacity < 1 { // the library takes 0 for its default
		return nil, ErrInvalid
	}
	var flags DequeOption
	for _, option := range options {
		flags |= option
	}
	r := C.create(C.family_t(family), C.size_t(capacity), C.size_t(itemSize), C.uint64_t(flags))
	underWay := cellsUnderWay
	if family == spsc || family == deque {
		underWay = 0
	}
	return adopt(family, r, itemSize, underWay)
}

// newBatchHandle does the same for a batching queue; here 0 does stand for the library's defaults.
func newBatchHandle(itemSize int, o BatchOptions) (*handle, error) {
	if o.Size < 0 || o.MaxPending < 0 {
		return nil, ErrInvalid
	}
	r := C.create_batch(C.size_t(o.MaxPending), C.size_t(itemSize), C.size_t(o.Size), C.int64_t(o.Age),
		C.uint64_t(o.Weight))
	return adopt(batch, r, itemSize, cellsUnderWay+2*o.size())
}

// cellsUnderWay is how many cells for blobs the library adds to the capacity, for calls under way; where
// there are batches, two of them more. An SPSC queue and a deque need none.
const cellsUnderWay = 64

// adopt wraps a queue that was created, or returns the error of its creation.
func adopt(family family, r C.result_t, itemSize, underWay int) (*handle, error) {
	if r.status != C.QUEUES_OK {
		return nil, Error(r.status)
	}
	capacity := int(C.capacity(C.family_t(family), r.value))
	owned := resource{family: C.family_t(family), queue: r.value, bytes: bytesOf(capacity+underWay, itemSize)}
	h := &handle{
		resource: owned, capacity: capacity, itemSize: itemSize, calls: newCalls(),
		put: side{exclusive: family == spsc || family == deque}, get: side{exclusive: family == spsc},
	}
	h.cleanup = runtime.AddCleanup(h, resource.free, owned)
	foreign.created(owned.bytes)
	return h, nil
}

// A resource is a queue of the C library, and what it takes there.
type resource struct {
	family C.family_t
	queue  C.uintptr_t
	bytes  int64
}

// free is called once: by the last call under way after Release, or by the garbage collector.
func (r resource) free() {
	C.release(r.family, r.queue)
	foreign.freed(r.bytes)
}

// tryPut puts an item; with it go the bits of its priority, or its weight.
func (h *handle) tryPut(item uintptr, with uint64) Error {
	status := C.try_put(h.family, h.queue, C.uintptr_t(item), C.uint64_t(with))
	return Error(status)
}

func (h *handle) tryGet() (uintptr, float64, Error) {
	r := C.try_get(h.family, h.queue)
	return uintptr(r.value), float64(r.priority), Error(r.status)
}

func (h *handle) peek() (uintptr, float64, Error) {
	r := C.peek(h.family, h.queue)
	return uintptr(r.value), float64(r.priority), Error(r.status)
}

func (h *handle) putMany(items []uintptr) (int, Error) {
	r := C.put_many(h.family, h.queue, unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	return int(r.value), Error(r.status)
}

func (h *handle) getMany(items []uintptr) (int, Error) {
	r := C.get_many(h.family, h.queue, unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	return int(r.value), Error(r.status)
}

func (h *handle) tryPutBytes(data []byte, with uint64) Error {
	p := unsafe.Pointer(unsafe.SliceData(data))
	status := C.try_put_bytes(h.family, h.queue, p, C.size_t(len(data)), C.uint64_t(with))
	return Error(status)
}

// readBytes gets the blob in front, or only copies it if it is to keep. With ErrTooSmall it returns the
// length that is needed.
func (h *handle) readBytes(buffer []byte, keep bool) (int, float64, Error) {
	p := unsafe.Pointer(unsafe.SliceData(buffer))
	r := C.read_bytes(h.family, h.queue, C.bool(keep), p, C.size_t(len(buffer)))
	return int(r.value), float64(r.priority), Error(r.status)
}

// isDrained tells whether every get fails from now on.
func (h *handle) isDrained() bool {
	if family(h.family) == batch {
		return h.isClosed() && h.size() == 0
	}
	_, _, status := h.peek()
	return status == ErrClosed
}

// getBatch gets a batch of at most len(items) if one is due, or else whatever there is.
func (h *handle) getBatch(items []uintptr, due bool) (int, Error) {
	r := C.get_batch(h.queue, C.bool(due), unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	return int(r.value), Error(r.status)
}

// An extent is where a blob of a batch lies.
type extent C.queues_batch_blob_t

func (e extent) of(buffer []byte) []byte {
	end := e.offset + e.length
	return buffer[e.offset:end:end]
}

// getBatchBytes does the same with blobs. With ErrTooSmall it returns the length that is needed.
func (h *handle) getBatchBytes(buffer []byte, extents []extent, due bool) (int, Error) {
	r := C.get_batch_bytes(h.queue, C.bool(due), unsafe.Pointer(unsafe.SliceData(buffer)), C.size_t(len(buffer)),
		unsafe.Pointer(unsafe.SliceData(extents)), C.size_t(len(extents)))
	if Error(r.status) == ErrTooSmall {
		return int(r.len), ErrTooSmall
	}
	return int(r.n), Error(r.status)
}

func (h *handle) flush() {
	C.flush(h.queue)
}

func (h *handle) push(item uintptr) Error {
	status := C.push(h.queue, C.uintptr_t(item))
	return Error(status)
}

// take pops or steals.
func (h *handle) take(steal bool) (uintptr, Error) {
	r := C.take(h.queue, C.bool(steal))
	return uintptr(r.value), Error(r.status)
}

func (h *handle) stealMany(items []uintptr) (int, Error) {
	r := C.steal_many(h.queue, unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	return int(r.value), Error(r.status)
}

func (h *handle) pushBytes(data []byte) Error {
	p := unsafe.Pointer(unsafe.SliceData(data))
	status := C.push_bytes(h.queue, p, C.size_t(len(data)))
	return Error(status)
}

// takeBytes pops or steals. With ErrTooSmall it returns the length that is needed.
func (h *handle) takeBytes(buffer []byte, steal bool) (int, Error) {
	p := unsafe.Pointer(unsafe.SliceData(buffer))
	r := C.take_bytes(h.queue, C.bool(steal), p, C.size_t(len(buffer)))
	return int(r.value), Error(r.status)
}

// lease takes the blob in front out of an MPMC queue, and leaves it where it lies.
func (h *handle) lease() (unsafe.Pointer, int, Error) {
	r := C.lease(h.queue)
	return r.data, int(r.len), Error(r.status)
}

// reserve finds a place for a blob of an MPMC queue.
func (h *handle) reserve() (unsafe.Pointer, int, Error) {
	r := C.reserve(h.queue)
	return r.data, h.itemSize, Error(r.status)
}

func (h *handle) settle(data uintptr) Error {
	return Error(C.settle(h.queue, C.uintptr_t(data)))
}

func (h *handle) putBack(data uintptr) Error {
	return Error(C.put_back(h.queue, C.uintptr_t(data)))
}

func (h *handle) commit(data uintptr, n int) Error {
	return Error(C.commit(h.queue, C.uintptr_t(data), C.size_t(n)))
}

func (h *handle) cancel(data uintptr) Error {
	return Error(C.cancel(h.queue, C.uintptr_t(data)))
}

func (h *handle) clear() int {
	n := int(C.clear(h.family, h.queue))
	return n
}

// canClose is false for a deque.
func (h *handle) canClose() bool { return family(h.family) != deque }

func (h *handle) close() {
	C.close_queue(h.family, h.queue)
}

func (h *handle) isClosed() bool {
	closed := bool(C.is_closed(h.family, h.queue))
	return closed
}

func (h *handle) size() int {
	n := int(C.size(h.family, h.queue))
	return n
}

func (h *handle) room() int {
	n := int(C.capacity(h.family, h.queue))
	return n
}

func (h *handle) isEmpty() bool {
	empty := bool(C.is_empty(h.queue))
	return empty
}

func (h *handle) isFull() bool {
	full := bool(C.is_full(h.queue))
	return full
}

func (h *handle) stats() Stats {
	s := C.stats(h.family, h.queue)
	return Stats{
		Enqueued:      uint64(s.enqueued),
		Dequeued:      uint64(s.dequeued),
		FailedEnqueue: h.put.failed.Load(), // the library's own count has every look of a waiting call
		FailedDequeue: h.get.failed.Load(),
		PeakSize:      uint64(s.peak_size),
		CurrentSize:   uint64(s.current_size),
		Capacity:      uint64(s.capacity),
		Stolen:        uint64(s.stolen),
	}
}

// Prometheus tells the statistics of queues in Prometheus' text exposition format (version 0.0.4), each
// with its name as the label "queue". All queues of a page belong into one call: a metric may be
// described only once on it. It returns [ErrInvalid] for a name that is no UTF-8 or has a zero byte.
func Prometheus(queues ...NamedStats) (string, error) {
	stats := make([]C.queues_stats_t, max(len(queues), 1))
	names := make([]*C.char, max(len(queues), 1))
	for i, q := range queues {
		if strings.Contains(q.Name, "\x00") {
			return "", ErrInvalid
		}
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
		}
	}
	for text := make([]byte, 1); ; {
		r := C.prometheus(&stats[0], &names[0], C.size_t(len(queues)),
			(*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)))
		if Error(r.status) != ErrTooSmall {
			return string(text[:r.value]), Error(r.status).orNil()
		}
		text = make([]byte, r.value+1)
	}
}
