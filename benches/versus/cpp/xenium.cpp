// Adapters for xenium by Manuel Pöter: Vyukov's bounded queue and the deque of Chase and Lev.
#if __has_include(<xenium/vyukov_bounded_queue.hpp>)

#include "workloads.hpp"

#include <xenium/chase_work_stealing_deque.hpp>
#include <xenium/vyukov_bounded_queue.hpp>

namespace {

using namespace versus;

struct vyukov {
    using item = void *;
    explicit vyukov(std::size_t capacity) : queue(capacity) {}
    bool try_put(item i) { return queue.try_push(i); }
    bool try_get(item &i) { return queue.try_pop(i); }
    xenium::vyukov_bounded_queue<item> queue;
};

struct chase_lev {
    explicit chase_lev(std::size_t) {}
    bool push(void *item) { return queue.try_push(static_cast<char *>(item)); }
    bool pop(void *&item) {
        char *found;
        const bool is_there = queue.try_pop(found);
        item = is_there ? found : nullptr;
        return is_there;
    }
    bool steal(void *&item) {
        char *found;
        const bool is_there = queue.try_steal(found);
        item = is_there ? found : nullptr;
        return is_there;
    }
    // Of fixed size, since the growing array loses items in this version.
    using array = xenium::detail::fixed_size_circular_array<char, 1024>;
    xenium::chase_work_stealing_deque<char, xenium::policy::capacity<1024>,
                                      xenium::policy::container<array>>
        queue;
};

const char *const vyukov_cases[] = {MPMC_TRY, nullptr};
const char *const deque_cases[] = {DEQUE, nullptr};

} // namespace

extern const contestant xenium_queues[] = {
    {"xenium::vyukov_bounded_queue", VERSION_XENIUM, nullptr, vyukov_cases, fifo<vyukov>, false},
    {"xenium::chase_work_stealing_deque", VERSION_XENIUM, nullptr, deque_cases, deque<chase_lev>,
     false},
    {},
};

#else

#include "harness.h"
extern const contestant xenium_queues[] = {MISSING("xenium", "libxenium-dev"), {}};

#endif
