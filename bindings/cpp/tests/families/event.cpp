// queues/event.hpp and queues/poll.hpp are the only headers of the library that this program
// includes before a family's.
#include <queues/event.hpp>
#include <queues/poll.hpp>

#include <chrono>
#include <cstdio>

static bool is_set_within(const queues::event &event, std::chrono::milliseconds time) {
    return queues::wait_any_for(time, event) == 0U;
}

#include <queues/mpmc.hpp>

int main() {
    const queues::event event;
    queues::mpmc<int> queue(1);
    if (is_set_within(event, std::chrono::milliseconds(1)))
        return 1;
    event.set();
    if (!is_set_within(event, std::chrono::milliseconds(0)) || queues::wait_any(queue, event) != 1)
        return 1;
    std::puts("families: event and poll");
}
