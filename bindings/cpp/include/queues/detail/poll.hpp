// SPDX-License-Identifier: MIT OR Apache-2.0
// The calls of queues_poll behind poll.hpp, and the C handles of the objects that it takes.
#ifndef QUEUES_DETAIL_POLL_HPP
#define QUEUES_DETAIL_POLL_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../fwd.hpp"
#include "../status.hpp"
#include "status_of.hpp"

#include <queues.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace queues {

namespace detail {

template <class Calls, class Payload, class Handle> class queue_view;
template <class Calls, class Payload> class closable_queue;

// The C handle of an object.
struct handle_access {
    template <class Calls, class Payload, class Handle>
    static void *of(const queue_view<Calls, Payload, Handle> &queue) noexcept {
        return queue.handle_.queue;
    }
    // A template, because `event` is only declared here.
    template <class Event, class = std::enable_if_t<std::is_same_v<Event, event>>>
    static void *of(const Event &latch) noexcept {
        return latch.handle_;
    }
};

// What the functions of poll.hpp share. `Entry` is poll_entry.
struct poll_access {
    template <class Entry> static Entry readable(void *handle) noexcept {
        return {handle, QUEUES_READABLE};
    }
    template <class Entry> static Entry writable(void *queue) noexcept {
        return {queue, QUEUES_WRITABLE};
    }

    // Returns the number of entries that are ready; 0 if the wait ends before.
    template <class Entry, class Wait>
    static std::size_t poll(Entry *first, std::size_t count, Wait wait) {
        static_assert(sizeof(Entry) == sizeof(queues_poll_t)); // an array of one is the other
        std::size_t ready = 0;
        queues_poll_t *const entries = count == 0 ? nullptr : &first->entry_;
        const auto status = status_of(wait([&](std::int64_t timeout) {
                                          return queues_poll(entries, count, timeout, &ready);
                                      }),
                                      "poll");
        return status == conqueue_status::success ? ready : 0;
    }

    // Returns the index of one entry that is ready, each in its turn.
    template <class Entry, std::size_t Count, class Wait>
    static std::optional<std::size_t> wait_any(Entry (&entries)[Count], Wait wait) {
        const auto ready = poll(entries, Count, wait);
        if (ready == 0)
            return std::nullopt;
        auto skipped = turn(ready);
        std::size_t index = 0;
        while (!entries[index].is_ready() || skipped-- > 0)
            ++index;
        return index;
    }

  private:
    // Returns a number below `count`. The thread's sequence steps by the golden section. So it is
    // evenly distributed, and so is every second number of it, every third and so on: calls for one
    // set of entries have fair turns also beside calls for another set.
    static std::size_t turn(std::size_t count) noexcept {
        static thread_local std::uint32_t state = 0;
        state += 0x9E3779B9U;
        return static_cast<std::size_t>((std::uint64_t{state} * count) >> 32);
    }
};

template <class... Sources>
using if_sources = std::enable_if_t<(sizeof...(Sources) > 0) &&
                                    (... && std::is_convertible_v<const Sources &, poll_entry>)>;

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
