package queues

// The only file that speaks to the C library. A shim chooses the family, so that both share one
// implementation in Go; queue and item travel as numbers and results come back by value, so that
// cgo has no pointers to check on the hot calls.

/*
#cgo pkg-config: queues

#cgo noescape try_put_bytes
#cgo noescape read_bytes
#cgo noescape put_many
#cgo noescape get_many

#cgo nocallback try_put
#cgo nocallback try_get
#cgo nocallback peek
#cgo nocallback try_put_bytes
#cgo nocallback read_bytes
#cgo nocallback put_many
#cgo nocallback get_many
#cgo nocallback size

#include <queues.h>
#include <stdlib.h>

#define QUEUE bool spsc, uintptr_t queue
#define CALL(verb, ...) \
    (spsc ? queues_spsc_##verb((queues_spsc_t *)queue, ##__VA_ARGS__) \
          : queues_mpmc_##verb((queues_mpmc_t *)queue, ##__VA_ARGS__))

typedef struct { queues_status_t status; uintptr_t value; } result_t;

static result_t create(bool spsc, size_t capacity, size_t item_size) {
    queues_spsc_options_t s = {.struct_size = sizeof s, .capacity = capacity, .item_size = item_size};
    queues_mpmc_options_t m = {.struct_size = sizeof m, .capacity = capacity, .item_size = item_size};
    queues_spsc_t *spsc_queue = NULL;
    queues_mpmc_t *mpmc_queue = NULL;
    queues_status_t status =
        spsc ? queues_spsc_create(&s, &spsc_queue) : queues_mpmc_create(&m, &mpmc_queue);
    return (result_t){status, spsc ? (uintptr_t)spsc_queue : (uintptr_t)mpmc_queue};
}
static void release(QUEUE) { CALL(release); }

static queues_status_t try_put(QUEUE, uintptr_t item) { return CALL(try_put, (void *)item); }
static result_t try_get(QUEUE) {
    void *item = NULL;
    queues_status_t status = CALL(try_get, &item);
    return (result_t){status, (uintptr_t)item};
}
static result_t peek(QUEUE) {
    void *item = NULL;
    queues_status_t status = CALL(peek, &item);
    return (result_t){status, (uintptr_t)item};
}

static queues_status_t try_put_bytes(QUEUE, const void *data, size_t len) {
    return CALL(try_put_bytes, data, len);
}
static result_t read_bytes(QUEUE, bool keep, void *buffer, size_t capacity) {
    size_t len = 0;
    queues_status_t status = keep ? CALL(peek_bytes, buffer, capacity, &len)
                                  : CALL(try_get_bytes, buffer, capacity, &len);
    return (result_t){status, len};
}

static result_t put_many(QUEUE, void *items, size_t n) {
    size_t done = 0;
    queues_status_t status = CALL(put_many, items, n, 0, &done);
    return (result_t){status, done};
}
static result_t get_many(QUEUE, void *items, size_t n) {
    size_t done = 0;
    queues_status_t status = CALL(get_many, items, n, 0, &done);
    return (result_t){status, done};
}

static size_t clear(QUEUE) {
    size_t count = 0;
    CALL(clear, &count);
    return count;
}
static void close_queue(QUEUE) { CALL(close); }
static bool is_closed(QUEUE) { return CALL(is_closed); }
static size_t size(QUEUE) { return CALL(size); }
static bool is_empty(uintptr_t queue) { return queues_spsc_is_empty((queues_spsc_t *)queue); }
static bool is_full(uintptr_t queue) { return queues_spsc_is_full((queues_spsc_t *)queue); }
static queues_stats_t stats(QUEUE) {
    queues_stats_t stats = {.struct_size = sizeof stats};
    CALL(stats, &stats);
    return stats;
}

static result_t prometheus(queues_stats_t *stats, const char **names, size_t n, char *text, size_t capacity) {
    for (size_t i = 0; i < n; i++)
        stats[i].struct_size = sizeof stats[i];
    size_t len = 0;
    queues_status_t status = queues_stats_prometheus(stats, names, n, text, capacity, &len);
    return (result_t){status, len};
}
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"
)

// headerVersion is the version of the header that the package was compiled with.
const headerVersion = C.QUEUES_VERSION

// Version tells the version of the C library that the program runs with.
func Version() string { return C.GoString(C.queues_version()) }

// An Error is a status of the C library other than success. Its values are the sentinels of this
// package; compare with == or [errors.Is].
type Error int32

// The errors of the package. A call that gave up because of its context returns the context's error
// instead.
const (
	ErrEmpty    Error = C.QUEUES_EMPTY     // nothing to get
	ErrFull     Error = C.QUEUES_FULL      // no room to put
	ErrClosed   Error = C.QUEUES_CLOSED    // put: closed; get: closed and drained; either: released
	ErrTooSmall Error = C.QUEUES_TOO_SMALL // the blob is longer than the buffer; it stays in front
	ErrInvalid  Error = C.QUEUES_INVALID   // an argument is out of range; nothing happened
	ErrNoMemory Error = C.QUEUES_NOMEM     // the queue does not fit into memory
	ErrMisuse   Error = C.QUEUES_MISUSE    // a second producer or consumer on an SPSC queue
)

// done is the status of success; as an error it is nil.
const done Error = C.QUEUES_OK

// Error describes the status in words.
func (e Error) Error() string {
	return "queues: " + C.GoString(C.queues_status_string(C.int32_t(e)))
}

func (e Error) orNil() error {
	if e == done {
		return nil
	}
	return e
}

// cacheLine keeps what one side writes off the lines of the other; twice 64, as processors fetch
// lines in pairs.
const cacheLine = 128

// A handle owns a queue of the C library, which is released once the handle is unreachable: never
// under a call that is still running. Every method keeps it reachable to its end.
type handle struct {
	spsc     C.bool
	queue    C.uintptr_t
	capacity int
	itemSize int
	_        [cacheLine]byte
	put      side
	_        [cacheLine]byte
	get      side
	_        [cacheLine]byte
}

type family bool

const (
	mpmc family = false
	spsc family = true
)

// newHandle creates a queue of blobs, or of numbers if itemSize is 0.
func newHandle(family family, capacity, itemSize int) (*handle, error) {
	if capacity < 1 { // the library takes 0 for its default
		return nil, ErrInvalid
	}
	r := C.create(C.bool(family), C.size_t(capacity), C.size_t(itemSize))
	if r.status != C.QUEUES_OK {
		return nil, Error(r.status)
	}
	exclusive := family == spsc
	h := &handle{
		spsc: C.bool(family), queue: r.value, capacity: capacity, itemSize: itemSize,
		put: side{exclusive: exclusive}, get: side{exclusive: exclusive},
	}
	runtime.AddCleanup(h, func(queue C.uintptr_t) { C.release(C.bool(family), queue) }, h.queue)
	return h, nil
}

func (h *handle) tryPut(item uintptr) Error {
	status := C.try_put(h.spsc, h.queue, C.uintptr_t(item))
	runtime.KeepAlive(h)
	return Error(status)
}

func (h *handle) tryGet() (uintptr, Error) {
	r := C.try_get(h.spsc, h.queue)
	runtime.KeepAlive(h)
	return uintptr(r.value), Error(r.status)
}

func (h *handle) peek() (uintptr, Error) {
	r := C.peek(h.spsc, h.queue)
	runtime.KeepAlive(h)
	return uintptr(r.value), Error(r.status)
}

func (h *handle) putMany(items []uintptr) (int, Error) {
	r := C.put_many(h.spsc, h.queue, unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	runtime.KeepAlive(h)
	return int(r.value), Error(r.status)
}

func (h *handle) getMany(items []uintptr) (int, Error) {
	r := C.get_many(h.spsc, h.queue, unsafe.Pointer(unsafe.SliceData(items)), C.size_t(len(items)))
	runtime.KeepAlive(h)
	return int(r.value), Error(r.status)
}

func (h *handle) tryPutBytes(data []byte) Error {
	p := unsafe.Pointer(unsafe.SliceData(data))
	status := C.try_put_bytes(h.spsc, h.queue, p, C.size_t(len(data)))
	runtime.KeepAlive(h)
	return Error(status)
}

// readBytes gets the oldest blob, or only copies it if it is to keep. With ErrTooSmall it returns the
// length that is needed.
func (h *handle) readBytes(buffer []byte, keep bool) (int, Error) {
	p := unsafe.Pointer(unsafe.SliceData(buffer))
	r := C.read_bytes(h.spsc, h.queue, C.bool(keep), p, C.size_t(len(buffer)))
	runtime.KeepAlive(h)
	return int(r.value), Error(r.status)
}

func (h *handle) clear() int {
	n := int(C.clear(h.spsc, h.queue))
	runtime.KeepAlive(h)
	return n
}

func (h *handle) close() {
	C.close_queue(h.spsc, h.queue)
	runtime.KeepAlive(h)
}

func (h *handle) isClosed() bool {
	closed := bool(C.is_closed(h.spsc, h.queue))
	runtime.KeepAlive(h)
	return closed
}

func (h *handle) size() int {
	n := int(C.size(h.spsc, h.queue))
	runtime.KeepAlive(h)
	return n
}

func (h *handle) isEmpty() bool {
	empty := bool(C.is_empty(h.queue))
	runtime.KeepAlive(h)
	return empty
}

func (h *handle) isFull() bool {
	full := bool(C.is_full(h.queue))
	runtime.KeepAlive(h)
	return full
}

func (h *handle) stats() Stats {
	putLooks, getLooks := h.put.looks.Load(), h.get.looks.Load() // first: they lag behind the failures
	s := C.stats(h.spsc, h.queue)
	runtime.KeepAlive(h)
	failedPut, failedGet := uint64(s.failed_enqueue), uint64(s.failed_dequeue)
	return Stats{
		Enqueued:      uint64(s.enqueued),
		Dequeued:      uint64(s.dequeued),
		FailedEnqueue: failedPut - min(failedPut, putLooks),
		FailedDequeue: failedGet - min(failedGet, getLooks),
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
