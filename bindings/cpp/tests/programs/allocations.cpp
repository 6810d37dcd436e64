// No call on a constructed queue allocates for an item. A separate program, because it replaces
// malloc.
#include "../check.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

static std::size_t allocations = 0;

// The allocations of the whole process, including the C library of the queues.
extern "C" {
void *__libc_malloc(std::size_t);
void *__libc_calloc(std::size_t, std::size_t);
void *__libc_realloc(void *, std::size_t);
void *__libc_memalign(std::size_t, std::size_t);

void *malloc(std::size_t size) {
    ++allocations;
    return __libc_malloc(size);
}
void *calloc(std::size_t count, std::size_t size) {
    ++allocations;
    return __libc_calloc(count, size);
}
void *realloc(void *memory, std::size_t size) {
    ++allocations;
    return __libc_realloc(memory, size);
}
void *aligned_alloc(std::size_t alignment, std::size_t size) {
    ++allocations;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void **memory, std::size_t alignment, std::size_t size) {
    ++allocations;
    *memory = __libc_memalign(alignment, size);
    return *memory == nullptr;
}
}

namespace {

using queues::conqueue_status;

struct job {
    int number;
    std::string text;
};
struct large {
    std::array<unsigned char, 2000> bytes;
};
struct alignas(64) aligned {
    std::string text;
};
struct slow_to_move {
    std::string text;
    explicit slow_to_move(std::string from) noexcept : text(std::move(from)) {}
    slow_to_move(slow_to_move &&other) noexcept(false) : text(std::move(other.text)) {}
    slow_to_move &operator=(slow_to_move &&other) noexcept(false) {
        text = std::move(other.text);
        return *this;
    }
};

const std::string long_text(100, 'x');

template <class T> T make();
template <> std::uint64_t make() { return 7; }
template <> std::string make() { return long_text; }
template <> std::shared_ptr<int> make() { return std::make_shared<int>(7); }
template <> std::unique_ptr<int> make() { return std::make_unique<int>(7); }
template <> job make() { return {7, long_text}; }
template <> aligned make() { return {long_text}; }
template <> slow_to_move make() { return slow_to_move(long_text); }
template <> large make() {
    large value;
    value.bytes.fill(7);
    return value;
}

bool is_whole(std::uint64_t value) { return value == 7; }
bool is_whole(const std::string &value) { return value == long_text; }
bool is_whole(const std::shared_ptr<int> &value) { return value && *value == 7; }
bool is_whole(const std::unique_ptr<int> &value) { return value && *value == 7; }
bool is_whole(const job &value) { return value.number == 7 && value.text == long_text; }
bool is_whole(const aligned &value) {
    return value.text == long_text && reinterpret_cast<std::uintptr_t>(&value) % 64 == 0;
}
bool is_whole(const slow_to_move &value) { return value.text == long_text; }
bool is_whole(const large &value) { return value.bytes.front() == 7 && value.bytes.back() == 7; }

constexpr std::size_t turns = 300; // more than the queues have cells

template <class T> struct items {
    std::array<T, 8> in{make<T>(), make<T>(), make<T>(), make<T>(),
                        make<T>(), make<T>(), make<T>(), make<T>()};
};

// Calls `use` `turns` times, and checks that nothing was allocated.
template <class Use> void allocate_nothing(Use use) {
    const std::size_t before = allocations;
    for (std::size_t i = 0; i < turns; ++i)
        use();
    CHECK(allocations == before);
}

template <class Queue> void fifo() {
    using T = typename Queue::value_type;
    Queue queue(8);
    items<T> all;
    auto &in = all.in;
    allocate_nothing([&] {
        CHECK(queue.push(std::move(in[0])));
        CHECK(queue.try_push(std::move(in[1])) == conqueue_status::success);
        CHECK(queue.push_for(std::move(in[2]), std::chrono::hours(1)) == conqueue_status::success);
        CHECK(queue.emplace(std::move(in[3])));
        CHECK(queue
                  .push_many(std::make_move_iterator(in.begin() + 4),
                             std::make_move_iterator(in.end()))
                  .count == 4);
        T more = std::move(*queue.pop());
        CHECK(queue.push(std::move(more)));
        CHECK(queue.try_push(T(std::move(more))) == conqueue_status::full);
        CHECK(queue.pop(in[0]) && is_whole(in[0]));
        in[1] = *queue.try_pop();
        CHECK(queue.try_pop(in[2]) == conqueue_status::success && is_whole(in[2]));
        in[3] = *queue.pop_for(std::chrono::hours(1));
        CHECK(queue.pop_many(in.begin() + 4, 9).count == 4);
        for (const T &item : in)
            CHECK(is_whole(item));
        CHECK(!queue.try_pop() && queue.is_empty());
    });
    CHECK(queue.push(std::move(in[0])));
    const std::size_t before = allocations;
    CHECK(queue.clear() == 1 && allocations == before);
}

template <class T> void priority() {
    queues::priority<T> queue(8);
    items<T> all;
    auto &in = all.in;
    allocate_nothing([&] {
        CHECK(queue.push(std::move(in[0]), 2));
        CHECK(queue.try_push(std::move(in[1]), 1) == conqueue_status::success);
        CHECK(queue.emplace(3, std::move(in[2])));
        CHECK(queue
                  .push_many(std::make_move_iterator(in.begin() + 3),
                             std::make_move_iterator(in.end()), 4)
                  .count == 5);
        T more{std::move(queue.pop()->value)};
        CHECK(queue.push(std::move(more), 0));
        CHECK(queue.try_push(T(std::move(more)), 1) == conqueue_status::full);
        double rank = 0;
        CHECK(queue.pop(in[0], rank) && is_whole(in[0]) && rank == 0);
        CHECK(queue.try_pop(in[1], rank) == conqueue_status::success && rank == 2);
        for (std::size_t i = 2; i < in.size(); ++i)
            in[i] = std::move(queue.try_pop()->value);
        for (const T &item : in)
            CHECK(is_whole(item));
    });
}

template <class T> void batcher() {
    queues::batch_limits limits;
    limits.size = 4;
    limits.max_pending = 8;
    queues::batcher<T> queue(limits);
    items<T> all;
    auto &in = all.in;
    std::vector<T> batch;
    batch.reserve(4);
    allocate_nothing([&] {
        CHECK(queue.push(std::move(in[0])));
        CHECK(queue.try_push(std::move(in[1]), queues::weight(3)) == conqueue_status::success);
        CHECK(queue.emplace(std::move(in[2])));
        CHECK(queue.emplace(queues::weight(2), std::move(in[3])));
        CHECK(queue
                  .push_many(std::make_move_iterator(in.begin() + 4),
                             std::make_move_iterator(in.end()), queues::weight(2))
                  .count == 4);
        for (std::size_t first : {0U, 4U}) {
            CHECK(queue.pop_batch_into(batch) == conqueue_status::success && batch.size() == 4);
            for (std::size_t i = 0; i < 4; ++i) {
                CHECK(is_whole(batch[i]));
                in[first + i] = std::move(batch[i]);
            }
        }
        CHECK(queue.try_pop_batch_into(batch) == conqueue_status::empty && queue.is_empty());
    });
}

// Also with the default limits (`size` 0), and with items that are copied.
template <class T> void large_batches(std::size_t size, const T &item) {
    queues::batch_limits limits;
    limits.size = size;
    queues::batcher<T> queue(limits);
    std::vector<T> batch;
    batch.reserve(queue.batch_size());
    allocate_nothing([&] {
        for (std::size_t i = 0; i < queue.batch_size(); ++i)
            CHECK(queue.push(item));
        CHECK(queue.pop_batch_into(batch) == conqueue_status::success);
        CHECK(batch.size() == queue.batch_size());
    });
}

template <class T> void every_family() {
    fifo<queues::mpmc<T>>();
    fifo<queues::spsc<T>>();
    priority<T>();
    batcher<T>();
}

// std::deque allocates when it is moved; the queue adds nothing to that.
void structures_that_allocate_are_moved() {
    struct numbers {
        std::deque<int> all;
    };
    std::size_t own = 0;
    {
        numbers from{{1, 2, 3}}, to;
        const std::size_t before = allocations;
        numbers moved(std::move(from));
        to = std::move(moved);
        own = allocations - before;
    }
    queues::mpmc<numbers> queue(4);
    numbers from{{1, 2, 3}}, to;
    const std::size_t before = allocations;
    CHECK(queue.push(std::move(from)) && queue.pop(to) && to.all.size() == 3);
    CHECK(allocations - before <= own);
}

} // namespace

int main() {
    check::running = "allocations";
    delete new int(1);
    CHECK(allocations > 0); // the counter works
    every_family<std::uint64_t>();
    every_family<std::string>();
    every_family<std::shared_ptr<int>>();
    every_family<std::unique_ptr<int>>();
    every_family<job>();
    every_family<large>();
    every_family<aligned>();
    every_family<slow_to_move>();
    large_batches<large>(0, make<large>());
    large_batches<std::shared_ptr<int>>(512, make<std::shared_ptr<int>>());
    large_batches<std::array<char, 1000>>(0, {});
    large_batches<std::array<char, 100>>(256, {});
    structures_that_allocate_are_moved();
    std::puts("allocations: none after construction");
}
