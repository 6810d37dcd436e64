// Every call that waits with a stop token: stopped before and during the wait, ended by an item or
// room, ended by close. A wait costs no processor time, and a stop ends it at once.
#include "check.hpp"
#include "stops.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using queues::conqueue_status;

namespace {

constexpr double rank = 2.5;
const std::string text = "an item that is too long to be in the string itself";

// A pop or push with a stop token, beside a queue in which it must wait. `unblock` lets it succeed.
struct waiting_call {
    std::function<bool(stops::token)> call;
    std::function<void()> unblock, close;
    std::function<std::uint64_t()> failures;
};

// The calls of a queue with room for one item. `push` and `pop` do not wait.
template <class Queue, class Push, class Pop, class Call>
waiting_call pop_of(std::shared_ptr<Queue> queue, Push push, Pop, Call call) {
    return {[=](stops::token token) { return call(*queue, token); }, [=] { CHECK(push(*queue)); },
            [=] { queue->close(); }, [=] { return queue->stats().failed_dequeue; }};
}
template <class Queue, class Push, class Pop, class Call>
waiting_call push_of(std::shared_ptr<Queue> queue, Push push, Pop pop, Call call) {
    CHECK(push(*queue));
    return {[=](stops::token token) { return call(*queue, token); }, [=] { CHECK(pop(*queue)); },
            [=] { queue->close(); }, [=] { return queue->stats().failed_enqueue; }};
}

using call_maker = std::function<waiting_call()>;

template <class Make, class Item> void add_fifo(std::vector<call_maker> &to, Make make, Item item) {
    const auto push = [=](auto &queue) {
        return queue.try_push(item()) == conqueue_status::success;
    };
    const auto pop = [](auto &queue) { return queue.try_pop().has_value(); };
    to.push_back([=] {
        return pop_of(make(), push, pop,
                      [](auto &queue, stops::token token) { return queue.pop(token).has_value(); });
    });
    to.push_back([=] {
        return push_of(make(), push, pop, [=](auto &queue, stops::token token) {
            auto value = item();
            return queue.push(std::move(value), token);
        });
    });
    to.push_back([=] {
        return push_of(make(), push, pop, [=](auto &queue, stops::token token) {
            const auto value = item();
            return queue.push(value, token);
        });
    });
}

template <class Make, class Item>
void add_priority(std::vector<call_maker> &to, Make make, Item item) {
    const auto push = [=](auto &queue) {
        return queue.try_push(item(), rank) == conqueue_status::success;
    };
    const auto pop = [](auto &queue) { return queue.try_pop().has_value(); };
    to.push_back([=] {
        return pop_of(make(), push, pop, [](auto &queue, stops::token token) {
            const auto next = queue.pop(token);
            return next && next->priority == rank;
        });
    });
    to.push_back([=] {
        return push_of(make(), push, pop, [=](auto &queue, stops::token token) {
            return queue.push(item(), rank, token);
        });
    });
}

template <class Make, class Item>
void add_batcher(std::vector<call_maker> &to, Make make, Item item) {
    const auto push = [=](auto &queue) {
        return queue.try_push(item()) == conqueue_status::success;
    };
    const auto pop = [](auto &queue) { return queue.try_pop_batch().has_value(); };
    to.push_back([=] {
        return pop_of(make(), push, pop, [](auto &queue, stops::token token) {
            const auto batch = queue.pop_batch(token);
            return batch && batch->size() == 1;
        });
    });
    to.push_back([=] {
        return push_of(make(), push, pop,
                       [=](auto &queue, stops::token token) { return queue.push(item(), token); });
    });
    to.push_back([=] {
        return push_of(make(), push, pop, [=](auto &queue, stops::token token) {
            return queue.push(item(), queues::weight(3), token);
        });
    });
}

queues::batch_limits one_item() {
    queues::batch_limits limits;
    limits.size = limits.max_pending = 1;
    return limits;
}

template <class Queue> auto with_room_for_one() {
    return [] { return std::make_shared<Queue>(1); };
}
template <class Queue> auto bytes_with_room_for_one() {
    return [] { return std::make_shared<Queue>(1, 100); };
}

std::vector<call_maker> all_calls() {
    std::vector<call_maker> calls;
    const auto number = [] { return 7; };
    const auto string = [] { return text; };
    const auto bytes = [] { return queues::bytes_view(text); };
    struct point {
        double x[3];
    };
    const auto record = [] { return point{}; };
    add_fifo(calls, with_room_for_one<queues::mpmc<int>>(), number);
    add_fifo(calls, with_room_for_one<queues::spsc<int>>(), number);
    add_fifo(calls, with_room_for_one<queues::mpmc<point>>(), record);
    add_fifo(calls, with_room_for_one<queues::mpmc<std::string>>(), string);
    add_fifo(calls, with_room_for_one<queues::spsc<std::string>>(), string);
    add_fifo(calls, bytes_with_room_for_one<queues::mpmc_bytes>(), bytes);
    add_fifo(calls, bytes_with_room_for_one<queues::spsc_bytes>(), bytes);
    add_priority(calls, with_room_for_one<queues::priority<int>>(), number);
    add_priority(calls, with_room_for_one<queues::priority<std::string>>(), string);
    add_priority(calls, bytes_with_room_for_one<queues::priority_bytes>(), bytes);
    add_batcher(
        calls, [] { return std::make_shared<queues::batcher<int>>(one_item()); }, number);
    add_batcher(
        calls, [] { return std::make_shared<queues::batcher<std::string>>(one_item()); }, string);
    add_batcher(
        calls, [] { return std::make_shared<queues::batcher_bytes>(100, one_item()); }, bytes);
    calls.push_back([] {
        const queues::event latch;
        return waiting_call{[=](stops::token token) { return latch.wait(token); },
                            [=] { latch.set(); }, [] {}, [] { return std::uint64_t{0}; }};
    });
    return calls;
}

// Until a call has registered its callback: then it waits, or is about to.
void until_waiting(stops::source &stop) {
    while (stop.callbacks() == 0)
        std::this_thread::yield();
}

double processor_ms() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

} // namespace

TEST(a_call_that_was_stopped_before_does_not_try) {
    for (const auto &make : all_calls()) {
        const auto waiting = make();
        stops::source stop;
        stop.request_stop();
        const auto failures = waiting.failures();
        waiting.unblock();
        CHECK(!waiting.call({&stop}));
        CHECK(waiting.failures() == failures);
        CHECK(waiting.call({})); // a token without a source: the item is still there
    }
}

TEST(a_stop_ends_each_wait) {
    for (const auto &make : all_calls()) {
        for (const auto pause : {0us, 300us}) {
            const auto waiting = make();
            stops::source stop;
            std::thread stopper([&] {
                until_waiting(stop);
                std::this_thread::sleep_for(pause);
                stop.request_stop();
            });
            CHECK(!waiting.call({&stop}));
            stopper.join();
            CHECK(stop.callbacks() == 0); // nothing is left behind
            waiting.unblock();
            CHECK(waiting.call({}));
        }
    }
}

TEST(an_item_or_room_ends_each_wait_with_a_token) {
    for (const auto &make : all_calls()) {
        for (const auto pause : {0us, 300us}) {
            const auto waiting = make();
            stops::source stop;
            std::thread helper([&] {
                until_waiting(stop);
                std::this_thread::sleep_for(pause);
                waiting.unblock();
            });
            CHECK(waiting.call({&stop}));
            helper.join();
            CHECK(stop.callbacks() == 0 && waiting.failures() <= 3);
        }
    }
}

TEST(close_ends_each_wait_with_a_token) {
    auto calls = all_calls();
    calls.pop_back(); // an event has no close
    for (const auto &make : calls) {
        const auto waiting = make();
        stops::source stop;
        std::thread closer([&] {
            until_waiting(stop);
            std::this_thread::sleep_for(200us);
            waiting.close();
        });
        CHECK(!waiting.call({&stop}));
        closer.join();
        CHECK(!stop.requested());
    }
}

TEST(a_token_leaves_the_argument_of_a_push_that_fails) {
    const auto check = [](auto &queue, auto... with) {
        std::string kept = text;
        stops::source stop;
        std::thread stopper([&] {
            until_waiting(stop);
            stop.request_stop();
        });
        CHECK(!queue.push(std::move(kept), with..., stops::token{&stop}) && kept == text);
        stopper.join();
        queue.close();
        stops::source other;
        CHECK(!queue.push(std::move(kept), with..., stops::token{&other}) && kept == text);
    };
    queues::mpmc<std::string> mpmc(1);
    queues::spsc<std::string> spsc(1);
    queues::priority<std::string> priority(1);
    queues::batcher<std::string> batcher(one_item());
    CHECK(mpmc.push("in") && spsc.push("in") && priority.push("in", rank) && batcher.push("in"));
    check(mpmc);
    check(spsc);
    check(priority, rank);
    check(batcher);
    queues::batcher<std::string> weighted(one_item());
    CHECK(weighted.push("in"));
    check(weighted, queues::weight(2));
}

TEST(waits_with_a_token_cost_no_processor_time_and_stop_at_once) {
    constexpr int threads = 100;
    queues::mpmc<int> numbers(4);
    queues::spsc<std::string> texts(4);
    queues::batcher<int> batches;
    stops::source stop;
    std::vector<std::thread> idle;
    for (int i = 0; i < threads; ++i)
        idle.emplace_back([&, i] {
            if (i == 0)
                CHECK(!texts.pop(stops::token{&stop}));
            else if (i % 3 == 0)
                CHECK(!batches.pop_batch(stops::token{&stop}));
            else
                CHECK(!numbers.pop(stops::token{&stop}));
        });
    while (stop.callbacks() < threads)
        std::this_thread::yield();
    std::this_thread::sleep_for(100ms); // until all sleep
    const double before = processor_ms();
    std::this_thread::sleep_for(300ms);
    const double used = processor_ms() - before;
    std::fprintf(stderr, "100 idle waits: %.2f ms of processor time in 300 ms\n", used);
    CHECK(used < 30); // slices of 5 ms took 94
    stop.request_stop();
    for (auto &thread : idle)
        thread.join();
}

// Looks at the clock often, so another program may disturb a round, but not ten in a row.
TEST(a_stop_ends_a_wait_within_a_millisecond) {
    using clock = std::chrono::steady_clock;
    queues::mpmc<int> queue(1);
    std::chrono::nanoseconds median = 1s;
    for (int round = 0; round < 10 && median > 1ms; ++round) {
        std::vector<std::chrono::nanoseconds> times;
        for (int i = 0; i < 41; ++i) {
            stops::source stop;
            std::atomic<clock::rep> returned{0};
            std::thread waiter([&] {
                CHECK(!queue.pop(stops::token{&stop}));
                returned = clock::now().time_since_epoch().count();
            });
            until_waiting(stop);
            std::this_thread::sleep_for(1ms);
            const auto begin = clock::now();
            stop.request_stop();
            waiter.join();
            times.push_back(clock::duration(returned) - begin.time_since_epoch());
        }
        std::nth_element(times.begin(), times.begin() + 20, times.end());
        median = times[20];
    }
    std::fprintf(stderr, "a stop ends a wait after %.1f us\n",
                 static_cast<double>(median.count()) / 1e3);
    CHECK(median <= 1ms);
}

// Stops at random moments of pops and pushes: each item that was pushed is popped once.
TEST(items_are_not_lost_to_stops) {
    constexpr std::size_t stops_of_each = 400;
    queues::mpmc<std::string> queue(2);
    std::atomic<std::uint64_t> pushed{0}, popped{0};
    std::array<std::vector<stops::source>, 4> of;
    for (auto &each : of)
        each = std::vector<stops::source>(stops_of_each);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < of.size(); ++i) {
        threads.emplace_back([&, i] { // two producers and two consumers
            std::string item = text;
            for (stops::source &stop : of[i]) {
                const stops::token token{&stop};
                if (i % 2 == 0)
                    for (; queue.push(std::move(item), token); item = text)
                        ++pushed;
                else
                    while (const auto next = queue.pop(token))
                        popped += *next == text;
                CHECK(item == text);
            }
        });
        threads.emplace_back([&, i] {
            unsigned random = static_cast<unsigned>(i);
            for (stops::source &stop : of[i]) {
                random = random * 1664525 + 1013904223;
                std::this_thread::sleep_for(std::chrono::microseconds(random >> 25));
                stop.request_stop();
            }
        });
    }
    for (auto &thread : threads)
        thread.join();
    queue.close();
    while (queue.pop())
        ++popped;
    CHECK(pushed > 0 && popped == pushed);
}

#ifdef __cpp_lib_jthread
TEST(a_jthread_stops_its_wait) {
    queues::mpmc<std::string> queue(1);
    queues::event stopped;
    {
        const std::jthread worker([&](std::stop_token token) {
            CHECK(queue.pop(token) == "item");
            CHECK(!queue.pop(token));
            CHECK(!queue.push("more", token)); // requested before the call
            stopped.set();
        });
        CHECK(queue.push("item"));
        while (!queue.is_empty()) // until the worker has popped it
            std::this_thread::yield();
        std::this_thread::sleep_for(2ms);
    }
    CHECK(stopped.is_set() && queue.is_empty());
    std::stop_source source;
    const std::stop_callback close(source.get_token(), [&] { queue.close(); });
    std::jthread stopper([&] { source.request_stop(); });
    CHECK(!queue.pop(source.get_token()));
}
#endif
