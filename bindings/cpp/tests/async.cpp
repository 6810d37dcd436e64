// Coroutines that wait: for items, room, batches and events, with executors, tokens and reactors.
#include "check.hpp"
#include "stops.hpp"

#include <queues/async.hpp>

#ifdef __cpp_lib_coroutine

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using queues::conqueue_status;

namespace {

// A coroutine that starts at once. No thread waits for its end.
struct task {
    struct promise_type {
        task get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

// A coroutine that its owner destroys.
struct owned_task {
    struct promise_type {
        owned_task get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> coroutine;
};

// Threads that resume coroutines.
class pool {
  public:
    explicit pool(int threads) {
        for (int i = 0; i < threads; ++i)
            threads_.emplace_back([this] {
                while (const auto next = work_.pop())
                    std::coroutine_handle<>::from_address(*next).resume();
            });
    }
    ~pool() {
        work_.close();
        for (auto &thread : threads_)
            thread.join();
    }
    void execute(std::coroutine_handle<> coroutine) { CHECK(work_.push(coroutine.address())); }

  private:
    queues::mpmc<void *> work_{100000};
    std::vector<std::thread> threads_;
};

// Counts down; the test waits for the end.
class countdown {
  public:
    explicit countdown(int count) : left_(count) {}
    void done() {
        const queues::event end = end_; // the waiter may destroy this object while `set` runs
        if (--left_ == 0)
            end.set();
    }
    void wait() { end_.wait(); }

  private:
    std::atomic<int> left_;
    const queues::event end_;
};

const std::string text = "an item that is too long to be in the string itself";

struct throwing {
    throwing() = default;
    throwing(const throwing &other) : throws(other.throws) {
        if (throws)
            throw std::runtime_error("copy");
    }
    bool throws = false;
};

} // namespace

TEST(a_coroutine_waits_for_an_item) {
    queues::mpmc<std::string> queue(2);
    countdown end(1);
    std::thread::id resumed_on;
    [](auto &from, auto &to, auto &on) -> task {
        CHECK(co_await from.pop_async() == text);
        on = std::this_thread::get_id();
        CHECK(co_await from.pop_async() == "second"); // without a wait
        CHECK(!co_await from.pop_async());
        to.done();
    }(queue, end, resumed_on);
    CHECK(queues::reactor::instance().pending() == 1);
    CHECK(queue.push(text) && queue.push("second"));
    queue.close();
    end.wait();
    CHECK(resumed_on != std::this_thread::get_id() && queue.stats().dequeued == 2);
}

TEST(an_executor_resumes_the_coroutine) {
    struct on_call {
        std::atomic<int> *calls;
        void operator()(std::coroutine_handle<> coroutine) const {
            ++*calls;
            coroutine.resume();
        }
    };
    struct with_post {
        std::atomic<int> *calls;
        void post(std::function<void()> function) {
            ++*calls;
            function();
        }
    };
    std::atomic<int> calls{0};
    queues::spsc<int> queue(1);
    countdown end(1);
    with_post poster{&calls};
    [](auto &from, auto &to, auto call, auto &post) -> task {
        CHECK(co_await from.pop_async(call) == 1);
        CHECK(co_await from.pop_async(post) == 2);
        CHECK(co_await from.pop_async(&post) == 3);
        CHECK(co_await from.pop_async(std::ref(call)) == 4);
        to.done();
    }(queue, end, on_call{&calls}, poster);
    for (int i = 1; i <= 4; ++i) { // each when the coroutine waits again
        while (calls != i - 1 || queues::reactor::instance().pending() == 0)
            std::this_thread::yield();
        CHECK(queue.push(i));
    }
    end.wait();
    CHECK(calls == 4);
}

TEST(coroutines_wait_in_every_family) {
    pool threads(2);
    queues::mpmc<int> numbers(1);
    queues::spsc<std::string> texts(1);
    queues::priority<std::string> ranked(1);
    queues::mpmc_bytes blobs(1, 100);
    queues::batch_limits limits;
    limits.size = limits.max_pending = 2;
    limits.age = -1ns; // due by the number alone
    queues::batcher<int> batches(limits);
    queues::event event;
    countdown end(12);
    const auto pop = [](auto &from, auto &by, auto &to, auto expected) -> task {
        for (int i = 0; i < 10; ++i)
            CHECK(expected(co_await from.pop_async(&by)));
        CHECK(!co_await from.pop_async(&by));
        to.done();
    };
    const auto push = [](auto &to, auto &by, auto &when, auto value, auto... with) -> task {
        const auto copy = value;
        for (int i = 0; i < 5; ++i) {
            CHECK(co_await to.push_async(copy, with..., &by));
            CHECK(co_await to.push_async(std::move(value), with..., &by));
            value = copy;
        }
        to.close();
        CHECK(!co_await to.push_async(std::move(value), with..., &by) && value == copy);
        when.done();
    };
    pop(numbers, threads, end, [](auto next) { return next == 7; });
    pop(texts, threads, end, [](auto next) { return next == text; });
    pop(ranked, threads, end, [](auto next) { return next->value == text && next->priority == 2; });
    pop(blobs, threads, end, [](auto next) { return next->size() == text.size(); });
    push(numbers, threads, end, 7);
    push(texts, threads, end, text);
    push(ranked, threads, end, text, 2.0);
    [](auto &to, auto &by, auto &when) -> task {
        for (int i = 0; i < 10; ++i)
            CHECK(co_await to.push_async(text, &by));
        to.close();
        when.done();
    }(blobs, threads, end);
    [](auto &from, auto &by, auto &to) -> task {
        for (int i = 0; i < 10; ++i)
            CHECK((co_await from.pop_batch_async(&by))->size() == 2);
        CHECK(!co_await from.pop_batch_async(&by));
        to.done();
    }(batches, threads, end);
    [](auto &to, auto &by, auto &when) -> task {
        for (int i = 0; i < 10; ++i) {
            CHECK(co_await to.push_async(i, &by));
            CHECK(co_await to.push_async(i, queues::weight(2), &by));
        }
        to.close();
        when.done();
    }(batches, threads, end);
    for (int i = 0; i < 2; ++i)
        [](auto latch, auto &by, auto &to) -> task {
            CHECK(co_await latch.wait_async(&by) && latch.is_set());
            to.done();
        }(event, threads, end);
    event.set();
    end.wait();
}

// The producers and consumers suspend all the time, and each hands over to the next.
TEST(no_handover_between_coroutines_is_lost) {
    constexpr int items = 100000, ends = 4;
    pool threads(2);
    queues::mpmc<int> queue(1), back(1);
    countdown end(2 * ends);
    std::atomic<std::int64_t> sum{0};
    for (int i = 0; i < ends; ++i) {
        [](auto &from, auto &to, auto &by, auto &total, auto &when) -> task {
            while (const auto next = co_await from.pop_async(&by)) {
                total += *next;
                CHECK(co_await to.push_async(*next, &by));
            }
            when.done();
        }(queue, back, threads, sum, end);
        [](auto &to, auto &from, auto &by, auto &when, int first) -> task {
            for (int item = first; item < items; item += ends) {
                CHECK(co_await to.push_async(item, &by));
                CHECK(co_await from.pop_async(&by));
            }
            when.done();
            static std::atomic<int> finished{0};
            if (++finished == ends) {
                finished = 0;
                to.close();
            }
        }(queue, back, threads, end, i);
    }
    end.wait();
    CHECK(sum == std::int64_t{items} * (items - 1) / 2 && queue.stats().dequeued == items);
}

TEST(a_stop_request_ends_the_wait_of_a_coroutine) {
    queues::mpmc<std::string> empty(1), full(1);
    const queues::event event;
    CHECK(full.push("in"));
    pool threads(1);
    for (int round = 0; round < 300; ++round) {
        stops::source stop;
        countdown end(4);
        [](auto &from, auto &by, auto &to, stops::token token) -> task {
            CHECK(!co_await from.pop_async(&by, token));
            CHECK(!co_await from.pop_async(&by, token)); // requested before the call
            to.done();
        }(empty, threads, end, {&stop});
        [](auto &to, auto &when, stops::token token) -> task {
            std::string value = text;
            CHECK(!co_await to.push_async(std::move(value), queues::detail::on_reactor(), token));
            CHECK(value == text);
            when.done();
        }(full, end, {&stop});
        [](auto latch, auto &by, auto &to, stops::token token) -> task {
            CHECK(!co_await latch.wait_async(&by, token));
            to.done();
        }(event, threads, end, {&stop});
        std::thread stopper([&] {
            stop.request_stop();
            end.done();
        });
        end.wait();
        stopper.join();
        CHECK(stop.callbacks() == 0);
    }
    CHECK(full.size() == 1 && queues::reactor::instance().pending() == 0);
}

// Items, stops and closes meet at random: each item is received once, each coroutine ends.
TEST(a_storm_of_stops_loses_no_item) {
    constexpr int waits = 6000;
    pool threads(2);
    queues::mpmc<std::string> queue(4);
    countdown end(2 * waits);
    std::atomic<int> pushed{0}, popped{0}, stopped{0};
    std::vector<stops::source> sources(50);
    for (int i = 0; i < waits; ++i) {
        stops::source *const source = &sources[static_cast<std::size_t>(i) % sources.size()];
        [](auto &from, auto &by, auto &to, auto &in, auto &out, stops::token token) -> task {
            if (const auto next = co_await from.pop_async(&by, token))
                in += *next == text;
            else
                ++out;
            to.done();
        }(queue, threads, end, popped, stopped, {source});
        [](auto &to, auto &by, auto &when, auto &in, auto &out, stops::token token) -> task {
            std::string item = text;
            if (co_await to.push_async(std::move(item), &by, token))
                ++in;
            else
                out += item == text;
            when.done();
        }(queue, threads, end, pushed, stopped, {source});
        if (i % 7 == 0)
            source->request_stop();
        if (i % 64 == 0)
            std::this_thread::sleep_for(20us);
    }
    for (auto &source : sources)
        source.request_stop();
    end.wait();
    const int left = static_cast<int>(queue.clear());
    CHECK(popped + left == pushed && pushed + popped + stopped == 2 * waits);
    CHECK(stopped > 0 && popped > 0);
}

TEST(coroutines_are_served_in_the_order_in_which_they_wait) {
    queues::mpmc<int> queue(8);
    countdown end(100);
    std::vector<int> order;
    for (int i = 0; i < 100; ++i)
        [](auto &from, auto &to, auto &in, int number) -> task {
            CHECK(co_await from.pop_async() == number);
            in.push_back(number); // on the reactor's thread, so one at a time
            to.done();
        }(queue, end, order, i);
    for (int i = 0; i < 100; ++i)
        CHECK(queue.push(i));
    end.wait();
    CHECK(order.size() == 100);
}

TEST(an_exception_of_an_item_reaches_the_coroutine) {
    queues::mpmc<throwing> queue(1);
    queues::priority<int> ranked(1);
    queues::mpmc_bytes blobs(1, 4);
    countdown end(1);
    CHECK(queue.emplace());
    [](auto &to, auto &other, auto &third, auto &when) -> task {
        throwing item;
        item.throws = true;
        bool caught = false;
        try {
            static_cast<void>(co_await to.push_async(item));
        } catch (const std::runtime_error &error) {
            caught = std::strcmp(error.what(), "copy") == 0;
        }
        CHECK(caught);
        caught = false;
        try {
            static_cast<void>(co_await other.push_async(1, static_cast<double>(NAN)));
        } catch (const std::invalid_argument &) {
            caught = true;
        }
        CHECK(caught);
        caught = false;
        try {
            static_cast<void>(co_await third.push_async("too long"));
        } catch (const std::invalid_argument &) {
            caught = true;
        }
        CHECK(caught);
        when.done();
    }(queue, ranked, blobs, end);
    CHECK(queue.pop()); // now there is room, and the copy throws on the reactor's thread
    end.wait();
    CHECK(queue.is_empty());
}

TEST(a_reactor_that_ends_completes_its_waits) {
    queues::mpmc<int> queue(1);
    queues::spsc<std::string> other(1);
    countdown end(20);
    {
        queues::reactor reactor;
        for (int i = 0; i < 20; ++i)
            [](auto &a, auto &b, auto &by, auto &to, bool first) -> task {
                if (first)
                    CHECK(co_await a.pop_async(queues::via(by)) == 1);
                CHECK(!co_await b.pop_async(
                    queues::via(by, queues::detail::on_reactor()))); // not closed: the reactor ends
                CHECK(!co_await b.pop_async(queues::via(by, queues::detail::on_reactor())));
                to.done();
            }(queue, other, reactor, end, i == 0);
        CHECK(queue.push(1));
        while (!queue.is_empty() || reactor.pending() != 20)
            std::this_thread::yield();
    }
    end.wait();
    for (int i = 0; i < 50; ++i)
        const queues::reactor unused;
}

// The executor has the coroutines when the reactor ends, and resumes them later.
TEST(a_completed_coroutine_no_longer_uses_its_reactor) {
    const auto wait = [](auto &from, auto by, stops::token token, int &resumed) -> owned_task {
        CHECK(!co_await from.pop_async(by, token));
        ++resumed;
    };
    queues::mpmc<int> queue(1);
    stops::source stop;
    std::vector<std::coroutine_handle<>> ready;
    const auto executor = [&](std::coroutine_handle<> coroutine) { ready.push_back(coroutine); };
    alignas(queues::reactor) std::array<unsigned char, sizeof(queues::reactor)> memory;
    auto *const reactor = new (memory.data()) queues::reactor;
    int resumed = 0;
    const auto first = wait(queue, queues::via(*reactor, executor), {&stop}, resumed);
    const auto second = wait(queue, queues::via(*reactor, executor), {&stop}, resumed);
    reactor->~reactor();
    memory.fill(0xff); // a call of the reactor would fail
    CHECK(ready.size() == 2 && stop.callbacks() == 0);
    stop.request_stop();
    first.coroutine.destroy();
    second.coroutine.resume();
    CHECK(resumed == 1);
    second.coroutine.destroy();
}

// A stop request runs on another thread just when the reactor completes the wait or ends.
TEST(stop_requests_meet_the_end_of_a_reactor) {
    for (int round = 0; round < 500; ++round) {
        queues::mpmc<int> queue(1);
        stops::source stop;
        countdown end(3);
        std::thread stopper;
        {
            queues::reactor reactor;
            for (int i = 0; i < 3; ++i)
                [](auto &from, auto &by, auto &to, stops::token token) -> task {
                    static_cast<void>(co_await from.pop_async(
                        queues::via(by, queues::detail::on_reactor()), token));
                    to.done();
                }(queue, reactor, end, {&stop});
            stopper = std::thread([&] { stop.request_stop(); });
            CHECK(queue.push(1));
            if (round % 2 == 0)
                std::this_thread::yield();
        }
        end.wait();
        stopper.join();
        CHECK(stop.callbacks() == 0);
    }
}

TEST(a_coroutine_may_be_destroyed_while_it_waits) {
    for (int round = 0; round < 200; ++round) {
        auto queue = std::make_unique<queues::mpmc<std::string>>(1);
        const auto wait = [](auto &from) -> owned_task {
            const auto next = co_await from.pop_async();
            CHECK(!next && "never resumed");
        };
        const auto first = wait(*queue), second = wait(*queue);
        if (round % 2 == 0)
            std::this_thread::sleep_for(50us); // now the reactor sleeps
        first.coroutine.destroy();
        CHECK(queues::reactor::instance().pending() == 1);
        second.coroutine.destroy();
        queue.reset(); // the reactor no longer uses it
    }
    CHECK(queues::reactor::instance().pending() == 0);
}

TEST(a_reactor_waits_for_many_queues) {
    constexpr int count = 300; // more than one futex_waitv takes
    std::vector<std::unique_ptr<queues::mpmc<int>>> of;
    countdown end(count);
    for (int i = 0; i < count; ++i) {
        of.push_back(std::make_unique<queues::mpmc<int>>(1));
        [](auto &from, auto &to, int number) -> task {
            CHECK(co_await from.pop_async() == number);
            CHECK(!co_await from.pop_async());
            to.done();
        }(*of.back(), end, i);
    }
    for (int i = 0; i < count; ++i) {
        CHECK(of[static_cast<std::size_t>(i)]->push(i));
        of[static_cast<std::size_t>(i)]->close();
    }
    end.wait();
}

#ifdef __cpp_lib_jthread
TEST(a_std_stop_token_ends_the_wait_of_a_coroutine) {
    queues::mpmc<int> queue(1);
    std::stop_source stop;
    countdown end(1);
    [](auto &from, auto &to, std::stop_token token) -> task {
        CHECK(!co_await from.pop_async(queues::detail::on_reactor(), token));
        to.done();
    }(queue, end, stop.get_token());
    CHECK(stop.request_stop());
    end.wait();
}
#endif

#endif
