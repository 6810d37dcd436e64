// The workloads in C++, each a template that is written once for all queues.
//
// An adapter is a class that is constructed with a capacity and has a type `item`. It has as many
// of these members as its queue offers:
//   try_put(const item &), try_get(item &)          do not block; false: full, empty
//   put(const item &), get(item &)                  block as the queue itself does
//   put_bulk(const item *, n), get_bulk(item *, n)  do not block; return how many items they moved
//   handle()                                        what a thread uses in place of the queue
// A workload that needs a member which the adapter lacks returns false.
#ifndef WORKLOADS_HPP
#define WORKLOADS_HPP

#include "harness.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

namespace versus {

template <class Work> double timed(unsigned threads, Work &&work) {
    const auto call = [](void *context, unsigned thread) {
        (*static_cast<std::remove_reference_t<Work> *>(context))(thread);
    };
    return ::timed(threads, call, std::addressof(work));
}

// Warms up with a tenth of the items, then measures.
template <class Once> double warmed_up(std::uint64_t items, Once &&once) {
    once(items / 10);
    return once(items);
}

inline void verify_sum(std::uint64_t got, std::uint64_t put) {
    verify(got == put, "items were lost, duplicated or torn");
}

// --- items: words and blobs, each of which carries a number

template <std::size_t Size> struct blob { std::uint64_t words[Size / 8]; };

inline void set_number(void *&item, std::uint64_t number) {
    item = reinterpret_cast<void *>(number);
}
inline std::uint64_t number_of(void *item) { return reinterpret_cast<std::uint64_t>(item); }

template <std::size_t Size> void set_number(blob<Size> &item, std::uint64_t number) {
    std::fill(std::begin(item.words), std::end(item.words), number);
}
// A torn item yields a number that no producer puts.
template <std::size_t Size> std::uint64_t number_of(const blob<Size> &item) {
    const auto first = item.words[0], last = item.words[Size / 8 - 1];
    return first == last ? first : UINT64_MAX / 3;
}

// --- policies: how to put and get one item

template <class Queue> decltype(auto) handle_of(Queue &queue) {
    if constexpr (requires { queue.handle(); })
        return queue.handle();
    else
        return (queue);
}

template <class Queue> using item_of = typename Queue::item;

// Tries until it succeeds. All queues get the same backoff: spinning, then yielding. These
// functions are inlined into the loop of each contestant; otherwise chance decides which of them
// the compiler inlines.
struct with_backoff {
    template <class Queue> static constexpr bool supports = requires(Queue q, item_of<Queue> i) {
        handle_of(q).try_put(i);
    };

    template <class Handle, class Item>
    [[gnu::always_inline]] static void put(Handle &handle, const Item &item) {
        backoff b{};
        while (!handle.try_put(item))
            snooze(&b);
    }
    template <class Handle, class Item>
    [[gnu::always_inline]] static void get(Handle &handle, Item &item) {
        backoff b{};
        while (!handle.try_get(item))
            snooze(&b);
    }
};

// For ping-pong: a yield takes longer than the round trip that is measured.
struct spinning {
    template <class Handle, class Item>
    [[gnu::always_inline]] static void put(Handle &handle, const Item &item) {
        while (!handle.try_put(item))
            relax();
    }
    template <class Handle, class Item>
    [[gnu::always_inline]] static void get(Handle &handle, Item &item) {
        while (!handle.try_get(item))
            relax();
    }
};

struct blocking {
    template <class Queue> static constexpr bool supports = requires(Queue q, item_of<Queue> i) {
        handle_of(q).put(i);
    };

    template <class Handle, class Item>
    [[gnu::always_inline]] static void put(Handle &handle, const Item &item) {
        handle.put(item);
    }
    template <class Handle, class Item>
    [[gnu::always_inline]] static void get(Handle &handle, Item &item) {
        handle.get(item);
    }
};

template <class Queue> constexpr bool has_bulk = requires(Queue q, item_of<Queue> i) {
    handle_of(q).put_bulk(&i, std::size_t{1});
};

// --- streams: the numbers from 1 to `count`, one by one or in bulk

template <class Policy> struct one_by_one {
    template <class Item> static void produce(auto &handle, std::uint64_t count) {
        Item item;
        for (std::uint64_t i = 1; i <= count; i++) {
            set_number(item, i);
            Policy::put(handle, item);
        }
    }
    template <class Item> static std::uint64_t consume(auto &handle, std::uint64_t count) {
        Item item;
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < count; i++) {
            Policy::get(handle, item);
            sum += number_of(item);
        }
        return sum;
    }
    template <class Item> static std::uint64_t alternate(auto &handle, std::uint64_t count) {
        Item item;
        std::uint64_t sum = 0;
        for (std::uint64_t i = 1; i <= count; i++) {
            set_number(item, i);
            Policy::put(handle, item);
            Policy::get(handle, item);
            sum += number_of(item);
        }
        return sum;
    }
};

template <std::size_t Bulk> struct in_bulk {
    // Puts the `count` numbers after `last`.
    template <class Item>
    static void put(auto &handle, std::vector<Item> &items, std::uint64_t last, std::size_t count) {
        for (std::size_t i = 0; i < count; i++)
            set_number(items[i], last + 1 + i);
        backoff b{};
        for (std::size_t done = 0; done < count;) {
            if (const auto more = handle.put_bulk(items.data() + done, count - done)) {
                done += more;
                b = {};
            } else {
                snooze(&b);
            }
        }
    }
    template <class Item>
    static std::uint64_t get(auto &handle, std::vector<Item> &items, std::uint64_t count) {
        std::uint64_t sum = 0;
        backoff b{};
        while (count > 0) {
            if (const auto done = handle.get_bulk(items.data(), std::min(Bulk, count))) {
                for (std::size_t i = 0; i < done; i++)
                    sum += number_of(items[i]);
                count -= done;
                b = {};
            } else {
                snooze(&b);
            }
        }
        return sum;
    }

    template <class Item> static void produce(auto &handle, std::uint64_t count) {
        std::vector<Item> items(Bulk);
        for (std::uint64_t i = 0; i < count; i += Bulk)
            put(handle, items, i, std::min(Bulk, count - i));
    }
    template <class Item> static std::uint64_t consume(auto &handle, std::uint64_t count) {
        std::vector<Item> items(Bulk);
        return get(handle, items, count);
    }
    template <class Item> static std::uint64_t alternate(auto &handle, std::uint64_t count) {
        std::vector<Item> items(Bulk);
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < count; i += Bulk) {
            put(handle, items, i, std::min(Bulk, count - i));
            sum += get(handle, items, std::min(Bulk, count - i));
        }
        return sum;
    }
};

// Producers and consumers, or threads that put and get in turn.
template <class Mode, class Queue> bool stream(const case_spec *s, measurement *m) {
    using item = item_of<Queue>;
    const auto queue = std::make_unique<Queue>(s->capacity);
    m->seconds = warmed_up(s->items, [&](std::uint64_t items) {
        const shares each = shares_of(s, items);
        std::atomic<std::uint64_t> sum{0};
        const double seconds = timed(s->threads, [&](unsigned thread) {
            auto &&handle = handle_of(*queue);
            if (s->alternates)
                sum += Mode::template alternate<item>(handle, each.put);
            else if (produces(s, thread))
                Mode::template produce<item>(handle, each.put);
            else
                sum += Mode::template consume<item>(handle, each.got);
        });
        verify_sum(sum, s->producers * sum_up_to(each.put));
        m->items = each.put * s->producers;
        return seconds;
    });
    return true;
}

template <class Queue> bool streams(const case_spec *s, measurement *m) {
    if constexpr (with_backoff::supports<Queue>) {
        if (is(s->mode, "single"))
            return stream<one_by_one<with_backoff>, Queue>(s, m);
    }
    if constexpr (blocking::supports<Queue>) {
        if (is(s->mode, "blocking"))
            return stream<one_by_one<blocking>, Queue>(s, m);
    }
    if constexpr (has_bulk<Queue>) {
        switch (s->bulk) {
        case 8:
            return stream<in_bulk<8>, Queue>(s, m);
        case 32:
            return stream<in_bulk<32>, Queue>(s, m);
        case 256:
            return stream<in_bulk<256>, Queue>(s, m);
        }
    }
    return false;
}

// --- ping-pong: a token through one queue and back through another

template <class Policy, class Queue> bool ping_pong(const case_spec *s, measurement *m) {
    const auto there = std::make_unique<Queue>(s->capacity);
    const auto back = std::make_unique<Queue>(s->capacity);
    m->items = s->items;
    m->seconds = warmed_up(s->items, [&](std::uint64_t round_trips) {
        return timed(2, [&](unsigned thread) {
            auto &&out = handle_of(thread == 0 ? *there : *back);
            auto &&in = handle_of(thread == 0 ? *back : *there);
            item_of<Queue> item;
            for (std::uint64_t i = 1; i <= round_trips; i++) {
                if (thread == 0) {
                    set_number(item, i);
                    Policy::put(out, item);
                }
                Policy::get(in, item);
                verify(number_of(item) == i, "a round trip returned another token");
                if (thread == 1)
                    Policy::put(out, item);
            }
        });
    });
    return true;
}

// --- latency: from the time at which an item was due until a consumer has it

template <class Queue> bool latency(const case_spec *s, measurement *m) {
    static histogram latencies;
    const auto queue = std::make_unique<Queue>(s->capacity);
    const std::uint64_t each = s->items / s->pairs, start = now() + 1000000;
    std::atomic<std::uint64_t> put{0}, got{0};
    std::mutex merging;
    m->seconds = timed(s->threads, [&](unsigned thread) {
        auto &&handle = handle_of(*queue);
        item_of<Queue> item;
        std::uint64_t sum = 0;
        if (thread % 2 == 0) {
            for (std::uint64_t i = 0; i < each; i++) {
                const std::uint64_t due = start + (i * s->pairs + thread / 2) * PACE_NS;
                wait_until(due, s->threads);
                set_number(item, due);
                handle.put(item);
                sum += due;
            }
            put += sum;
            return;
        }
        const auto mine = std::make_unique<histogram>();
        for (std::uint64_t i = 0; i < each; i++) {
            handle.get(item);
            const std::uint64_t time = now(), due = number_of(item);
            sum += due;
            // The first tenth is warm-up.
            if (i >= each / 10)
                record(mine.get(), time > due ? time - due : 0);
        }
        got += sum;
        const std::lock_guard lock(merging);
        merge(&latencies, mine.get());
    });
    verify_sum(got, put);
    m->items = each * s->pairs;
    m->latency = &latencies;
    return true;
}

// --- fairness: how many items each thread moves, and the longest time between two of them

template <class Queue> bool fairness(const case_spec *s, measurement *m) {
    const auto queue = std::make_unique<Queue>(s->capacity);
    m->seconds = warmed_up(s->items, [&](std::uint64_t items) {
        items = items / SHARE * SHARE;
        alignas(128) std::atomic<std::int64_t> left{static_cast<std::int64_t>(items)};
        alignas(128) std::atomic<unsigned> producing{s->pairs};
        std::atomic<std::uint64_t> sum{0};
        std::mutex merging;
        m->longest_starvation = 0;
        const double seconds = timed(s->threads, [&](unsigned thread) {
            auto &&handle = handle_of(*queue);
            item_of<Queue> item;
            std::uint64_t mine = 0, count = 0, longest = 0, last = now();
            const auto progress = [&] {
                const std::uint64_t time = now();
                longest = std::max(longest, time - last);
                last = time;
                count++;
            };
            if (thread % 2 == 0) {
                while (left.fetch_sub(SHARE, std::memory_order_relaxed) > 0) {
                    for (std::uint64_t i = 1; i <= SHARE; i++) {
                        set_number(item, i);
                        with_backoff::put(handle, item);
                        progress();
                    }
                }
                producing--;
            } else {
                backoff b{};
                for (;;) {
                    // Loaded before the get: if all producers had finished by then, an empty queue
                    // stays empty.
                    const bool finished = producing == 0;
                    if (handle.try_get(item)) {
                        mine += number_of(item);
                        progress();
                        b = {};
                    } else if (finished) {
                        break;
                    } else {
                        snooze(&b);
                    }
                }
                sum += mine;
            }
            m->shares[thread / 2 + (thread % 2 == 0 ? 0 : s->pairs)] = count;
            const std::lock_guard lock(merging);
            m->longest_starvation = std::max(m->longest_starvation, longest);
        });
        verify_sum(sum, items / SHARE * sum_up_to(SHARE));
        m->items = items;
        return seconds;
    });
    m->threads = s->threads;
    return true;
}

// --- memory of an empty queue

template <class Queue> bool memory(const case_spec *s, measurement *m) {
    // The first queue may allocate what all queues share, which is not part of one.
    std::make_unique<Queue>(1);
    const std::size_t before = allocated();
    const std::uint64_t start = now();
    const auto queue = std::make_unique<Queue>(s->capacity);
    m->seconds = static_cast<double>(now() - start) / 1e9;
    m->bytes = allocated() - before;
    m->items = 1;
    return true;
}

// --- one trial

// All workloads of first-in-first-out queues.
template <class Queue> bool fifo(const case_spec *s, measurement *m) {
    if (is(s->family, "spsc") || is(s->family, "mpmc"))
        return streams<Queue>(s, m);
    if (is(s->family, "memory"))
        return memory<Queue>(s, m);
    if constexpr (with_backoff::supports<Queue>) {
        if (is(s->family, "pingpong") && is(s->mode, "spin"))
            return ping_pong<spinning, Queue>(s, m);
        if (is(s->family, "fairness"))
            return fairness<Queue>(s, m);
    }
    if constexpr (blocking::supports<Queue>) {
        if (is(s->family, "pingpong") && is(s->mode, "blocking"))
            return ping_pong<blocking, Queue>(s, m);
        if (is(s->family, "latency"))
            return latency<Queue>(s, m);
    }
    return false;
}

// All workloads for words, and streams for blobs.
template <template <class> class Queue> bool any_payload(const case_spec *s, measurement *m) {
    switch (s->item_size) {
    case 0:
        return fifo<Queue<void *>>(s, m);
    case 8:
        return streams<Queue<blob<8>>>(s, m);
    case 16:
        return streams<Queue<blob<16>>>(s, m);
    case 64:
        return streams<Queue<blob<64>>>(s, m);
    case 256:
        return streams<Queue<blob<256>>>(s, m);
    case 1024:
        return streams<Queue<blob<1024>>>(s, m);
    }
    return false;
}

// --- priority: the queue is filled to the capacity of the case, then each thread puts an item of
// random priority and gets the lowest, in turn. The adapter: put(double, std::uint64_t), and
// get(std::uint64_t &), which returns false if the queue is empty

template <class Queue> bool priority(const case_spec *s, measurement *m) {
    const auto queue = std::make_unique<Queue>(s->capacity + s->threads);
    std::uint64_t state = 1;
    for (std::uint64_t i = 1; i <= s->capacity; i++)
        queue->put(random_priority(&state), i);
    std::uint64_t put = sum_up_to(s->capacity);
    std::atomic<std::uint64_t> got{0};
    m->seconds = warmed_up(s->items, [&](std::uint64_t items) {
        const std::uint64_t each = items / s->threads / 2;
        put += s->threads * sum_up_to(each);
        m->items = each * s->threads * 2;
        return timed(s->threads, [&](unsigned thread) {
            std::uint64_t mine = thread, sum = 0, word;
            for (std::uint64_t i = 1; i <= each; i++) {
                queue->put(random_priority(&mine), i);
                verify(queue->get(word), "empty although each get follows a put");
                sum += word;
            }
            got += sum;
        });
    });
    std::size_t left = 0;
    for (std::uint64_t word; queue->get(word); left++)
        got += word;
    verify(left == s->capacity, "the number of items left is not the capacity");
    verify_sum(got, put);
    return true;
}

// --- deque: alone, the owner pushes and pops in turn. With thieves it pops after every second push
// and when the deque is full, and what is left at the end. The adapter: push(void *), false if
// full; pop(void *&), false if empty; steal(void *&), false if empty or if another thread won the
// race

template <class Deque> bool deque(const case_spec *s, measurement *m) {
    const auto ends = std::make_unique<Deque>(s->capacity);
    std::atomic<std::uint64_t> taken{0};
    std::atomic<bool> finished{false};

    const auto pop = [&](std::uint64_t &sum) {
        void *item;
        const bool found = ends->pop(item);
        sum += found ? number_of(item) : 0;
        return found;
    };
    const auto alone = [&](std::uint64_t items) {
        std::uint64_t sum = 0;
        void *item;
        for (std::uint64_t i = 1; i <= items; i++) {
            set_number(item, i);
            ends->push(item);
            pop(sum);
        }
        taken += sum;
    };
    const auto own = [&](std::uint64_t items) {
        std::uint64_t sum = 0;
        void *item;
        for (std::uint64_t i = 1; i <= items; i++) {
            set_number(item, i);
            while (!ends->push(item))
                pop(sum);
            if (i % 2 == 0)
                pop(sum);
        }
        while (pop(sum)) {
        }
        finished = true;
        taken += sum;
    };
    const auto steal = [&] {
        std::uint64_t sum = 0;
        void *item;
        for (;;) {
            // Loaded before the steal: if the owner had finished by then, an empty deque stays
            // empty.
            const bool last = finished;
            if (ends->steal(item))
                sum += number_of(item);
            else if (last)
                break;
            else
                relax();
        }
        taken += sum;
    };

    m->items = s->items;
    m->seconds = warmed_up(s->items, [&](std::uint64_t items) {
        taken = 0;
        finished = false;
        const double seconds = timed(s->threads, [&](unsigned thread) {
            if (s->threads == 1)
                alone(items);
            else if (thread == 0)
                own(items);
            else
                steal();
        });
        verify_sum(taken, sum_up_to(items));
        return seconds;
    });
    return true;
}

// --- batch: the adapter is constructed with a capacity and a timeout in nanoseconds. put(void *)
// blocks while the queue is full; get_batch(void **) blocks until a batch is due, which it is with
// BATCH_SIZE items or when its oldest has waited for the timeout, and returns its size

template <class Queue> bool batch_stream(const case_spec *s, measurement *m) {
    const auto queue = std::make_unique<Queue>(s->capacity, BATCH_TIMEOUT_NS);
    m->seconds = warmed_up(s->items, [&](std::uint64_t items) {
        const std::uint64_t each = items / s->producers;
        std::atomic<std::uint64_t> left{each * s->producers}, sum{0};
        const double seconds = timed(s->threads, [&](unsigned thread) {
            void *batch[BATCH_SIZE];
            if (thread < s->producers) {
                for (std::uint64_t i = 1; i <= each; i++) {
                    set_number(batch[0], i);
                    queue->put(batch[0]);
                }
                return;
            }
            std::uint64_t mine = 0;
            while (left.load(std::memory_order_relaxed) > 0) {
                std::uint64_t zeros = 0;
                const auto count = queue->get_batch(batch);
                for (std::size_t i = 0; i < count; i++) {
                    mine += number_of(batch[i]);
                    zeros += number_of(batch[i]) == 0;
                }
                left.fetch_sub(count - zeros, std::memory_order_relaxed);
            }
            sum.fetch_add(mine, std::memory_order_relaxed);
            // Another consumer that waits gets a batch of zeros, and ends.
            set_number(batch[0], 0);
            for (int i = 0; s->consumers > 1 && i < BATCH_SIZE; i++)
                queue->put(batch[0]);
        });
        verify_sum(sum, s->producers * sum_up_to(each));
        m->items = s->producers * each;
        return seconds;
    });
    return true;
}

// The time from when a batch of one item became due by its timeout until the consumer had it.
template <class Queue> bool batch_lateness(const case_spec *s, measurement *m) {
    static histogram late;
    const auto queue = std::make_unique<Queue>(s->capacity, LATENESS_TIMEOUT_NS);
    std::uint64_t arrival = 0; // written before the put, read after the get
    std::binary_semaphore taken{0};
    const std::uint64_t start = now();
    std::thread producer([&] {
        void *item;
        for (std::uint64_t i = 1; i <= s->items; i++) {
            // After 300 us the consumer is most likely asleep.
            sleep_for(300000);
            set_number(item, i);
            arrival = now();
            queue->put(item);
            taken.acquire();
        }
    });
    for (std::uint64_t i = 1; i <= s->items; i++) {
        void *batch[BATCH_SIZE];
        const auto count = queue->get_batch(batch);
        const std::uint64_t time = now(), due = arrival + LATENESS_TIMEOUT_NS;
        verify(count == 1 && number_of(batch[0]) == i,
               "a batch with other items than the one that was put");
        record(&late, time > due ? time - due : 0);
        taken.release();
    }
    producer.join();
    m->seconds = static_cast<double>(now() - start) / 1e9;
    m->items = s->items;
    m->latency = &late;
    return true;
}

template <class Queue> bool batch(const case_spec *s, measurement *m) {
    return is(s->shape, "lateness") ? batch_lateness<Queue>(s, m) : batch_stream<Queue>(s, m);
}

} // namespace versus

#endif
