// Adapter for the message queue of Boost.Interprocess, with its blocking calls.
#if __has_include(<boost/interprocess/ipc/message_queue.hpp>)

#include "harness.h"

#include <boost/interprocess/ipc/message_queue.hpp>
#include <string>
#include <unistd.h>

namespace {

using boost::interprocess::message_queue;

// The processes inherit the mapping, so the name can be removed at once, and a trial that is killed
// leaves nothing behind.
message_queue *boost_create(std::size_t capacity, std::size_t size) {
    const auto name = "versus-" + std::to_string(getpid());
    const auto queue =
        new message_queue(boost::interprocess::create_only, name.c_str(), capacity, size);
    message_queue::remove(name.c_str());
    return queue;
}
message_queue *boost_attach(message_queue *q, std::size_t, std::size_t) { return q; }
void boost_detach(message_queue *) {}
void boost_release(message_queue *q) { delete q; }
inline void boost_put(message_queue *q, const void *item, std::size_t size) {
    q->send(item, size, 0);
}
inline void boost_get(message_queue *q, void *item, std::size_t size) {
    message_queue::size_type length;
    unsigned priority;
    q->receive(item, size, length, priority);
}
#define QUEUE boost
#define SHARED message_queue
#define HANDLE message_queue
#define HAS_BLOCKING 1
#define THREADS 0
#include "processes.h"

const char *const cases[] = {PROCESS, PROCESS_KILL, nullptr};

} // namespace

extern const contestant interprocess_queues[] = {
    {"boost::interprocess::message_queue", VERSION_BOOST, nullptr, cases, boost_process, false},
    {},
};

#else

#include "harness.h"
extern const contestant interprocess_queues[] = {
    MISSING("boost::interprocess::message_queue", "libboost-dev"), {}};

#endif
