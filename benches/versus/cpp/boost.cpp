// Adapters for Boost.Lockfree: the bounded queue and the SPSC ring.
#if __has_include(<boost/lockfree/queue.hpp>)

#include "workloads.hpp"

#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <boost/version.hpp>

namespace {

using namespace versus;
namespace lf = boost::lockfree;

struct mpmc {
    using item = void *;
    explicit mpmc(std::size_t capacity) : queue(capacity) {}
    bool try_put(item i) { return queue.push(i); }
    bool try_get(item &i) { return queue.pop(i); }
    lf::queue<item, lf::fixed_sized<true>> queue;
};

template <class T> struct spsc {
    using item = T;
    explicit spsc(std::size_t capacity) : queue(capacity) {}
    bool try_put(const item &i) { return queue.push(i); }
    bool try_get(item &i) { return queue.pop(i); }
    std::size_t put_bulk(const item *items, std::size_t count) { return queue.push(items, count); }
    std::size_t get_bulk(item *items, std::size_t count) { return queue.pop(items, count); }
    lf::spsc_queue<item> queue;
};

const char *const spsc_cases[] = {SPSC_TRY("*"), SPSC_BULK("*"), nullptr};
// A queue of fixed size has 16-bit node indexes, so 65536 nodes are too many.
const char *const mpmc_cases[] = {"mpmc/*/single/64/ptr",
                                  "mpmc/*/single/256/ptr",
                                  "mpmc/*/single/1024/ptr",
                                  "mpmc/*/single/4096/ptr",
                                  "mpmc/*/single/16384/ptr",
                                  "pingpong/1P1C/spin",
                                  "fairness",
                                  "memory/-/-/1024",
                                  nullptr};

constexpr auto version = VERSION_BOOST;

} // namespace

extern const contestant boost_queues[] = {
    {"boost::lockfree::spsc_queue", version, nullptr, spsc_cases, any_payload<spsc>, false},
    {"boost::lockfree::queue", version, nullptr, mpmc_cases, fifo<mpmc>, false},
    {},
};

#else

#include "harness.h"
extern const contestant boost_queues[] = {MISSING("boost::lockfree", "libboost-dev"), {}};

#endif
