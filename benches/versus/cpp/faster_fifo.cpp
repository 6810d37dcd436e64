// Adapter for the core of the Python package faster-fifo, which is C++: a ring of bytes under a
// mutex, with condition variables. Its functions have no header that other programs install, so its
// source is compiled into this file.
#if __has_include(<cpp_lib/faster_fifo.cpp>)

#include <cpp_lib/faster_fifo.cpp>

#include "harness.h"

namespace {

// The longest wait of a call, in seconds; the package's own default.
constexpr float LONGEST_WAIT = 10;

// A message has its length in front.
constexpr std::size_t PREFIX = sizeof(std::size_t);

struct fifo {
    void *queue;
    void *bytes;
};

fifo *fifo_create(std::size_t capacity, std::size_t size) {
    const auto bytes = capacity * (size + PREFIX);
    const auto q = static_cast<fifo *>(shared_memory(sizeof(fifo)));
    *q = {shared_memory(queue_object_size()), shared_memory(bytes)};
    create_queue(q->queue, bytes, capacity);
    return q;
}
fifo *fifo_attach(fifo *q, std::size_t, std::size_t) { return q; }
void fifo_detach(fifo *) {}
void fifo_release(fifo *) {} // the memory is there until the process ends
inline void fifo_put(fifo *q, const void *item, std::size_t size) {
    while (queue_put(q->queue, q->bytes, &item, &size, 1, true, LONGEST_WAIT) != Q_SUCCESS) {
    }
}
inline void fifo_get(fifo *q, void *item, std::size_t size) {
    char message[PREFIX + 1024];
    std::size_t count, bytes, needed;
    while (queue_get(q->queue, q->bytes, message, sizeof message, 1, sizeof message, &count, &bytes,
                     &needed, true, LONGEST_WAIT) != Q_SUCCESS) {
    }
    std::memcpy(item, message + PREFIX, size);
}
#define QUEUE fifo
#define SHARED fifo
#define HANDLE fifo
#define HAS_BLOCKING 1
#define THREADS 0
#include "processes.h"

const char *const cases[] = {PROCESS, PROCESS_KILL, nullptr};

} // namespace

extern const contestant faster_fifos[] = {
    {"faster-fifo, its core", VERSION_FASTER_FIFO, nullptr, cases, fifo_process, false},
    {},
};

#else

#include "harness.h"
extern const contestant faster_fifos[] = {MISSING("faster-fifo", "the source of faster-fifo"), {}};

#endif
