// The scenarios, each once for all queues of C++.
//
// A queue is an adapter: a class that is made with a capacity, has a type `item`, and as many of
//   try_put(const item &), try_get(item &)     does not wait; false: full, empty
//   put(const item &), get(item &)             waits as the queue itself does
//   put_many(const item *, n), get_many(item *, n)   does not wait; how many
//   end()                                      what a thread uses in the queue's place
// as the queue offers. What a scenario needs and the adapter lacks makes it answer false.
#ifndef SCENARIOS_HPP
#define SCENARIOS_HPP

#include "harness.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace versus {

template <class Work> double timed(unsigned threads, Work &&work) {
    const auto call = [](void *context, unsigned thread) {
        (*static_cast<std::remove_reference_t<Work> *>(context))(thread);
    };
    return ::timed(threads, call, std::addressof(work));
}

// --- items: a pointer, or a blob; each carries a number

template <std::size_t Size> struct blob { std::uint64_t words[Size / 8]; };

inline void stamp(void *&item, std::uint64_t number) { item = reinterpret_cast<void *>(number); }
inline std::uint64_t number(void *item) { return reinterpret_cast<std::uint64_t>(item); }

// At both ends, so that half an item is found out.
template <std::size_t Size> void stamp(blob<Size> &item, std::uint64_t number) {
    item.words[0] = number;
    item.words[Size / 8 - 1] = number;
}
template <std::size_t Size> std::uint64_t number(const blob<Size> &item) {
    return item.words[0] == item.words[Size / 8 - 1] ? item.words[0] : 0;
}

// --- ways to put and get

template <class Queue> decltype(auto) end_of(Queue &queue) {
    if constexpr (requires { queue.end(); })
        return queue.end();
    else
        return (queue);
}

template <class Queue> using item_of = typename Queue::item;

// Tries until it is done, backing off as a program would: the same way for all.
struct polling {
    template <class Queue> static constexpr bool suits = requires(Queue q, item_of<Queue> i) {
        end_of(q).try_put(i);
    };

    template <class End, class Item> static void put(End &end, const Item &item) {
        backoff b{};
        while (!end.try_put(item))
            snooze(&b);
    }
    template <class End, class Item> static void get(End &end, Item &item) {
        backoff b{};
        while (!end.try_get(item))
            snooze(&b);
    }
};

struct waiting {
    template <class Queue> static constexpr bool suits = requires(Queue q, item_of<Queue> i) {
        end_of(q).put(i);
    };

    template <class End, class Item> static void put(End &end, const Item &item) { end.put(item); }
    template <class End, class Item> static void get(End &end, Item &item) { end.get(item); }
};

template <class Queue> constexpr bool has_many = requires(Queue q, item_of<Queue> i) {
    end_of(q).put_many(&i, std::size_t{1});
};

template <class End, class Item> void put_all(End &end, const Item *items, std::size_t count) {
    backoff b{};
    for (std::size_t done = 0; done < count;) {
        const auto more = end.put_many(items + done, count - done);
        done += more;
        if (more == 0)
            snooze(&b);
    }
}
template <class End, class Item> std::size_t get_some(End &end, Item *items, std::size_t count) {
    backoff b{};
    for (;;) {
        if (const auto done = end.get_many(items, count))
            return done;
        snooze(&b);
    }
}

// --- streams: numbers from 1 on go through a queue

// One at a time.
template <class Way> struct singly {
    template <class Item> static void produce(auto &&end, std::uint64_t count) {
        Item item{};
        for (std::uint64_t i = 1; i <= count; i++) {
            stamp(item, i);
            Way::put(end, item);
        }
    }
    template <class Item> static std::uint64_t consume(auto &&end, std::uint64_t count) {
        Item item{};
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < count; i++) {
            Way::get(end, item);
            sum += number(item);
        }
        return sum;
    }
    template <class Item> static std::uint64_t both(auto &&end, std::uint64_t count) {
        Item item{};
        std::uint64_t sum = 0;
        for (std::uint64_t i = 1; i <= count; i++) {
            stamp(item, i);
            Way::put(end, item);
            Way::get(end, item);
            sum += number(item);
        }
        return sum;
    }
};

// Many at once.
template <std::size_t Bulk> struct in_bulk {
    template <class Item> static void fill(std::vector<Item> &items, std::uint64_t from) {
        for (auto &item : items)
            stamp(item, from++);
    }
    template <class Item> static void produce(auto &&end, std::uint64_t count) {
        std::vector<Item> items(Bulk);
        for (std::uint64_t i = 0; i < count; i += Bulk) {
            fill(items, i + 1);
            put_all(end, items.data(), std::min(Bulk, count - i));
        }
    }
    template <class Item> static std::uint64_t consume(auto &&end, std::uint64_t count) {
        std::vector<Item> items(Bulk);
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < count;) {
            const auto done = get_some(end, items.data(), std::min(Bulk, count - i));
            for (std::size_t j = 0; j < done; j++)
                sum += number(items[j]);
            i += done;
        }
        return sum;
    }
    template <class Item> static std::uint64_t both(auto &&end, std::uint64_t count) {
        std::vector<Item> items(Bulk);
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < count; i += Bulk) {
            const auto now = std::min(Bulk, count - i);
            fill(items, i + 1);
            put_all(end, items.data(), now);
            sum += consume<Item>(end, now);
        }
        return sum;
    }
};

// Producers and consumers in pairs, or threads that are both.
template <class Style, class Queue>
double stream_once(Queue &queue, const scenario *s, std::uint64_t each) {
    using item = item_of<Queue>;
    std::atomic<std::uint64_t> sum{0};
    const double seconds = timed(s->threads, [&](unsigned thread) {
        auto &&end = end_of(queue);
        if (s->pair)
            sum += Style::template both<item>(end, each);
        else if (thread % 2 == 0)
            Style::template produce<item>(end, each);
        else
            sum += Style::template consume<item>(end, each);
    });
    const unsigned producers = s->pair ? s->threads : s->threads / 2;
    verify(sum == producers * sum_up_to(each), "items were lost, doubled or damaged");
    return seconds;
}

template <class Style, class Queue> bool stream(const scenario *s, outcome *o) {
    const auto queue = std::make_unique<Queue>(s->capacity);
    const unsigned producers = s->pair ? s->threads : s->threads / 2;
    const std::uint64_t each = std::max<std::uint64_t>(s->items / producers, 1);
    stream_once<Style>(*queue, s, warm_up(each));
    o->seconds = stream_once<Style>(*queue, s, each);
    o->items = each * producers;
    return true;
}

template <class Queue> bool streams(const scenario *s, outcome *o) {
    if constexpr (polling::suits<Queue>) {
        if (is(s->mode, "single"))
            return stream<singly<polling>, Queue>(s, o);
    }
    if constexpr (waiting::suits<Queue>) {
        if (is(s->mode, "blocking"))
            return stream<singly<waiting>, Queue>(s, o);
    }
    if constexpr (has_many<Queue>) {
        switch (s->bulk) {
        case 8:
            return stream<in_bulk<8>, Queue>(s, o);
        case 32:
            return stream<in_bulk<32>, Queue>(s, o);
        case 256:
            return stream<in_bulk<256>, Queue>(s, o);
        }
    }
    return false;
}

// --- two queues, a token there and back

template <class Way, class Queue>
double ping_pong_once(Queue &there, Queue &back, std::uint64_t round_trips) {
    return timed(2, [&](unsigned thread) {
        auto &&out = end_of(thread == 0 ? there : back);
        auto &&in = end_of(thread == 0 ? back : there);
        item_of<Queue> item{};
        for (std::uint64_t i = 1; i <= round_trips; i++) {
            if (thread == 0) {
                stamp(item, i);
                Way::put(out, item);
            }
            Way::get(in, item);
            verify(number(item) == i, "not the token that was sent");
            if (thread == 1)
                Way::put(out, item);
        }
    });
}

template <class Way, class Queue> bool ping_pong(const scenario *s, outcome *o) {
    const auto there = std::make_unique<Queue>(s->capacity);
    const auto back = std::make_unique<Queue>(s->capacity);
    ping_pong_once<Way>(*there, *back, warm_up(s->items));
    o->seconds = ping_pong_once<Way>(*there, *back, s->items);
    o->items = s->items;
    return true;
}

// --- from just before the put to just after the get, at a pace that no queue has trouble with

template <class Queue>
double latency_once(Queue &queue, const scenario *s, std::uint64_t each, histogram &latencies) {
    const unsigned pairs = s->threads / 2;
    std::atomic<std::uint64_t> put{0}, got{0};
    std::mutex merging;
    const double seconds = timed(s->threads, [&](unsigned thread) {
        auto &&end = end_of(queue);
        item_of<Queue> item{};
        std::uint64_t sum = 0;
        if (thread % 2 == 0) {
            const std::uint64_t start = now();
            for (std::uint64_t i = 1; i <= each; i++) {
                wait_until(start + i * PACE * pairs);
                const std::uint64_t time = now();
                sum += time;
                stamp(item, time);
                end.put(item);
            }
            put += sum;
        } else {
            const auto mine = std::make_unique<histogram>();
            for (std::uint64_t i = 0; i < each; i++) {
                end.get(item);
                const std::uint64_t time = now(), then = number(item);
                record(mine.get(), time > then ? time - then : 0);
                sum += then;
            }
            got += sum;
            const std::lock_guard lock(merging);
            merge(&latencies, mine.get());
        }
    });
    verify(put == got, "items were lost, doubled or damaged");
    return seconds;
}

template <class Queue> bool latency(const scenario *s, outcome *o) {
    static histogram warm, latencies;
    const auto queue = std::make_unique<Queue>(s->capacity);
    const unsigned pairs = s->threads / 2;
    const std::uint64_t each = std::max<std::uint64_t>(s->items / pairs, 1);
    latency_once(*queue, s, warm_up(each), warm);
    o->seconds = latency_once(*queue, s, each, latencies);
    o->items = each * pairs;
    o->latency = &latencies;
    return true;
}

// --- for so many seconds, who gets to put and get how often

template <class Queue> bool fairness(const scenario *s, outcome *o) {
    const auto queue = std::make_unique<Queue>(s->capacity);
    std::atomic<std::uint64_t> put{0}, got{0}, starvation{0};
    std::atomic<bool> stop{false};
    o->seconds = timed(s->threads, [&](unsigned thread) {
        auto &&end = end_of(*queue);
        item_of<Queue> item{};
        std::uint64_t sum = 0, done = 0, longest = 0;
        const std::uint64_t start = now();
        const auto seconds = static_cast<std::uint64_t>(s->seconds * 1e9);
        std::uint64_t last = start;
        while (!stop.load(std::memory_order_relaxed)) {
            stamp(item, done + 1);
            backoff b{};
            while (!(thread % 2 == 0 ? end.try_put(item) : end.try_get(item))) {
                if (stop.load(std::memory_order_relaxed))
                    goto stopped;
                snooze(&b);
                // Nobody may be left to notice the time.
                if (now() - start > seconds)
                    stop = true;
            }
            sum += number(item);
            done++;
            const std::uint64_t time = now();
            longest = std::max(longest, time - last);
            last = time;
            if (time - start > seconds)
                stop = true;
        }
    stopped:
        longest = std::max(longest, now() - last);
        (thread % 2 == 0 ? put : got) += sum;
        o->shares[thread] = done;
        auto known = starvation.load();
        while (known < longest && !starvation.compare_exchange_weak(known, longest)) {
        }
    });
    auto &&end = end_of(*queue);
    item_of<Queue> item{};
    while (end.try_get(item))
        got += number(item);
    verify(put == got, "items were lost, doubled or damaged");
    o->threads = s->threads;
    for (unsigned thread = 1; thread < s->threads; thread += 2)
        o->items += o->shares[thread];
    o->longest_starvation = starvation;
    return true;
}

// --- what a queue takes, full

template <class Queue> bool memory(const scenario *s, outcome *o) {
    const std::size_t before = allocated();
    const auto queue = std::make_unique<Queue>(s->capacity);
    auto &&end = end_of(*queue);
    item_of<Queue> item{};
    for (std::size_t i = 1; i <= s->capacity; i++) {
        stamp(item, i);
        verify(end.try_put(item), "full, with fewer items than its capacity");
    }
    o->bytes = allocated() - before;
    return true;
}

// --- who runs what

// All that first-in-first-out queues do.
template <class Queue> bool fifo(const scenario *s, outcome *o) {
    if (is(s->family, "spsc") || is(s->family, "mpmc"))
        return streams<Queue>(s, o);
    if constexpr (polling::suits<Queue>) {
        if (is(s->family, "pingpong") && is(s->mode, "spin"))
            return ping_pong<polling, Queue>(s, o);
        if (is(s->family, "fairness"))
            return fairness<Queue>(s, o);
        if (is(s->family, "memory"))
            return memory<Queue>(s, o);
    }
    if constexpr (waiting::suits<Queue>) {
        if (is(s->family, "pingpong") && is(s->mode, "blocking"))
            return ping_pong<waiting, Queue>(s, o);
        if (is(s->family, "latency"))
            return latency<Queue>(s, o);
    }
    return false;
}

// The same for pointers, and streams for blobs.
template <template <class> class Queue> bool any_payload(const scenario *s, outcome *o) {
    switch (s->item_size) {
    case 0:
        return fifo<Queue<void *>>(s, o);
    case 8:
        return streams<Queue<blob<8>>>(s, o);
    case 16:
        return streams<Queue<blob<16>>>(s, o);
    case 64:
        return streams<Queue<blob<64>>>(s, o);
    case 256:
        return streams<Queue<blob<256>>>(s, o);
    case 1024:
        return streams<Queue<blob<1024>>>(s, o);
    }
    return false;
}

// Every thread puts an item of random priority and gets the lowest, in turn, in a queue that holds
// so many all the time. The adapter: put(double, std::uint64_t), get(std::uint64_t &).
template <class Queue> bool priority(const scenario *s, outcome *o) {
    const auto queue = std::make_unique<Queue>(s->capacity + s->threads);
    std::uint64_t state = 1;
    for (std::uint64_t i = 1; i <= s->capacity; i++)
        queue->put(random_priority(&state), i);
    std::uint64_t put = sum_up_to(s->capacity);
    std::atomic<std::uint64_t> got{0};
    const auto once = [&](std::uint64_t each) {
        put += s->threads * sum_up_to(each);
        return timed(s->threads, [&](unsigned thread) {
            std::uint64_t mine = thread, sum = 0, word;
            for (std::uint64_t i = 1; i <= each; i++) {
                queue->put(random_priority(&mine), i);
                verify(queue->get(word), "empty, after as many puts as gets");
                sum += word;
            }
            got += sum;
        });
    };
    const std::uint64_t each = std::max<std::uint64_t>(s->items / s->threads / 2, 1);
    once(warm_up(each));
    o->seconds = once(each);
    o->items = each * s->threads * 2;
    std::size_t left = 0;
    for (std::uint64_t word; queue->get(word); left++)
        got += word;
    verify(left == s->capacity && put == got, "items were lost, doubled or damaged");
    return true;
}

// The owner pushes and pops in turn; with a thief it pushes 32 and pops what the thief leaves. The
// adapter: push(void *), pop(void *&), steal(void *&), false: full, none, none or a lost race.
template <class Deque> bool deque(const scenario *s, outcome *o) {
    constexpr std::uint64_t burst = 32;
    const auto ends = std::make_unique<Deque>(s->capacity);
    const auto alone = [&](std::uint64_t items) {
        return timed(1, [&](unsigned) {
            void *item;
            for (std::uint64_t i = 1; i <= items; i++) {
                stamp(item, i);
                verify(ends->push(item) && ends->pop(item) && number(item) == i,
                       "not the item that was pushed last");
            }
        });
    };
    const auto with_thief = [&](std::uint64_t items) {
        std::atomic<bool> done{false};
        std::atomic<std::uint64_t> sum{0};
        const double seconds = timed(2, [&](unsigned thread) {
            std::uint64_t mine = 0;
            void *item;
            if (thread == 0) {
                for (std::uint64_t i = 1; i <= items;) {
                    const std::uint64_t until = std::min(i + burst, items + 1);
                    for (; i < until; i++) {
                        stamp(item, i);
                        verify(ends->push(item), "full, with fewer items than its capacity");
                    }
                    while (ends->pop(item))
                        mine += number(item);
                }
                done.store(true, std::memory_order_release);
            } else {
                backoff b{};
                while (!done.load(std::memory_order_acquire)) {
                    if (ends->steal(item)) {
                        mine += number(item);
                        b = {};
                    } else {
                        snooze(&b);
                    }
                }
            }
            sum += mine;
        });
        verify(sum == sum_up_to(items), "items were lost, doubled or damaged");
        return seconds;
    };
    const bool thief = s->threads == 2;
    thief ? with_thief(warm_up(s->items)) : alone(warm_up(s->items));
    o->seconds = thief ? with_thief(s->items) : alone(s->items);
    o->items = s->items;
    return true;
}

// Two producers put, waiting for room; a consumer takes 32 at a time, or fewer when the oldest has
// waited for 10 ms. The adapter: put(void *), get_batch(void **, n).
template <class Queue> bool batch(const scenario *s, outcome *o) {
    const auto queue = std::make_unique<Queue>(s->capacity);
    const auto once = [&](std::uint64_t each) {
        std::uint64_t sum = 0;
        const double seconds = timed(3, [&](unsigned thread) {
            if (thread == 1) {
                std::vector<void *> items(s->bulk);
                for (std::uint64_t got = 0; got < 2 * each;) {
                    const auto done = queue->get_batch(items.data(), s->bulk);
                    for (std::size_t i = 0; i < done; i++)
                        sum += number(items[i]);
                    got += done;
                }
            } else {
                void *item;
                for (std::uint64_t i = 1; i <= each; i++) {
                    stamp(item, i);
                    queue->put(item);
                }
            }
        });
        verify(sum == 2 * sum_up_to(each), "items were lost, doubled or damaged");
        return seconds;
    };
    const std::uint64_t each = std::max<std::uint64_t>(s->items / 2, 1);
    once(warm_up(each));
    o->seconds = once(each);
    o->items = 2 * each;
    return true;
}

} // namespace versus

#endif
