// Objects of every class of the C++ binding, with every kind of payload. tests/gdb/run.sh prints
// them at the breakpoint `stop`; with any argument the program aborts there and leaves a core file.

#include <cstdlib>
#include <memory>
#include <queues.hpp>

struct point {
    int x, y;
};
// Larger than a pointer, and copied as bytes.
struct box {
    point from, to;
};
// Not trivially copyable: it lives in a cell of the queue, in a pool or in a box.
struct named {
    explicit named(int of) : number(of) {}
    named(named &&other) noexcept : number(other.number) {}
    named &operator=(named &&other) noexcept {
        number = other.number;
        return *this;
    }
    ~named() { number = 0; }
    int number;
};
struct alignas(32) wide : named {
    using named::named;
};

[[gnu::noinline]] static void stop() { __asm__ volatile(""); }

[[gnu::noinline]] static void stop_or_abort(int count) {
    stop();
    if (count > 1)
        std::abort();
}

int main(int count, char **) {
    queues::mpmc<int> bits(4);
    queues::mpmc<box> copies(4);
    queues::mpmc<named> cells(2);
    queues::spsc<wide> aligned(2);
    queues::spsc<double> spsc(8, queues::checked);
    queues::priority<named> pool(4);
    queues::deque<named> boxes(4);
    queues::deque<point> deque(4, queues::growable);
    queues::batcher<point> batcher({.size = 2, .max_pending = 8});
    queues::mpmc<std::unique_ptr<int>> owners(2);
    queues::mpmc_bytes bytes(3, 16);
    queues::spsc_bytes spsc_bytes(3, 16);
    queues::priority_bytes priority_bytes(3, 16);
    queues::deque_bytes deque_bytes(3, 16);
    queues::batcher_bytes batcher_bytes(16, {.size = 2, .max_pending = 8});

    for (int i = 1; i < 4; i++)
        bits.push(i * -3);
    bits.close();
    copies.push({{1, 2}, {3, 4}});
    cells.push(named(7));
    aligned.push(wide(8));
    spsc.push(2.5);
    pool.push(named(10), 1.5);
    pool.push(named(11), 0.5);
    (void)boxes.push(named(12));
    (void)deque.push({1, 2});
    (void)deque.push({3, 4});
    batcher.push({5, 6});
    owners.push(nullptr);
    bytes.push("mpmc");
    spsc_bytes.push("spsc");
    priority_bytes.push("priority", 3.0);
    (void)deque_bytes.push("deque");
    batcher_bytes.push("batch");
    const auto stealer = deque.get_stealer();
    const auto bytes_stealer = deque_bytes.get_stealer();
    const auto popped = bits.try_pop();
    const auto nothing = queues::mpmc<int>(1).try_pop();
    const queues::unexpected<int> unexpected(3);
    const queues::bytes_view view("some bytes");
    auto *const pointer = &bits;
    const auto &reference = copies;
    stop_or_abort(count);
    return pointer->size() + reference.size() + stealer.size() + bytes_stealer.size() +
                       popped.has_value() + nothing.has_value() + unexpected.error() + view.size() >
                   0
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
