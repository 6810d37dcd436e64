// The senders async_pop and async_push with NVIDIA's stdexec.
#include "../check.hpp"

#include <queues/sender.hpp>

#include <atomic>
#include <chrono>
#include <exec/async_scope.hpp>
#include <exec/task.hpp>
#include <exec/when_any.hpp>
#include <stdexec/execution.hpp>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using queues::conqueue_status;

namespace {

const std::string text = "an item that is too long to be in the string itself";

struct throwing {
    throwing() = default;
    throwing(const throwing &other) : throws(other.throws) {
        if (throws)
            throw std::runtime_error("copy");
    }
    throwing &operator=(const throwing &) = default;
    bool throws = false;
};

// Waits for the sender; nullopt if it was stopped.
template <class Sender> auto wait_for(Sender &&sender) {
    return stdexec::sync_wait(std::forward<Sender>(sender));
}

// The status with which a sender completes: success for a value, timeout for a stop.
template <class Sender> conqueue_status status_of(Sender &&sender) {
    auto status = std::forward<Sender>(sender) |
                  stdexec::then([](auto &&...) { return conqueue_status::success; }) |
                  stdexec::upon_error([](auto error) {
                      if constexpr (std::is_same_v<decltype(error), conqueue_status>)
                          return error;
                      else
                          return conqueue_status::retry; // an exception
                  }) |
                  stdexec::upon_stopped([] { return conqueue_status::timeout; });
    return std::get<0>(*wait_for(std::move(status)));
}

template <class Sender> auto with_token(Sender &&sender, stdexec::inplace_stop_token token) {
    return stdexec::write_env(std::forward<Sender>(sender),
                              stdexec::prop{stdexec::get_stop_token, token});
}

} // namespace

TEST(async_pop_completes_with_an_item) {
    queues::mpmc<std::string> queue(1);
    CHECK(queue.push(text));
    CHECK(std::get<0>(*wait_for(queue.async_pop())) == text); // without a wait
    std::thread producer([&] {
        std::this_thread::sleep_for(1ms);
        CHECK(queue.push(text));
    });
    CHECK(std::get<0>(*wait_for(queue.async_pop())) == text);
    producer.join();
    queue.close();
    CHECK(status_of(queue.async_pop()) == conqueue_status::closed);
}

TEST(async_push_completes_when_there_is_room) {
    queues::spsc<std::string> queue(1);
    CHECK(wait_for(queue.async_push(text)).has_value());
    std::thread consumer([&] {
        std::this_thread::sleep_for(1ms);
        CHECK(queue.pop() == text);
    });
    CHECK(wait_for(queue.async_push(std::string("second"))).has_value());
    consumer.join();
    CHECK(queue.pop() == "second");
    queue.close();
    CHECK(status_of(queue.async_push(text)) == conqueue_status::closed);
}

TEST(close_completes_senders_that_wait) {
    queues::mpmc<int> empty(1), full(1);
    CHECK(full.push(1));
    std::thread closer([&] {
        std::this_thread::sleep_for(2ms);
        empty.close();
        full.close();
    });
    CHECK(status_of(empty.async_pop()) == conqueue_status::closed);
    CHECK(status_of(full.async_push(2)) == conqueue_status::closed && full.size() == 1);
    closer.join();
}

TEST(senders_of_the_other_families) {
    queues::priority<std::string> ranked(1);
    CHECK(wait_for(ranked.async_push(text, 2.5)));
    const auto [first] = *wait_for(ranked.async_pop());
    CHECK(first.value == text && first.priority == 2.5);
    queues::mpmc_bytes bytes(1, 8);
    CHECK(wait_for(bytes.async_push(queues::bytes_view("four"))));
    CHECK(std::get<0>(*wait_for(bytes.async_pop())).size() == 4);
    queues::batch_limits limits;
    limits.size = limits.max_pending = 2;
    queues::batcher<int> batches(limits);
    CHECK(wait_for(batches.async_push(1)) && wait_for(batches.async_push(2, queues::weight(3))));
    CHECK(batches.try_pop_batch()->size() == 2);
}

TEST(a_stop_request_stops_a_sender_that_waits) {
    queues::mpmc<std::string> queue(1), full(1);
    CHECK(full.push(text));
    for (int round = 0; round < 300; ++round) {
        stdexec::inplace_stop_source stop;
        std::thread stopper([&] {
            if (round % 2 == 0)
                std::this_thread::sleep_for(100us);
            stop.request_stop();
        });
        CHECK(!wait_for(with_token(queue.async_pop(), stop.get_token())));
        stopper.join();
        CHECK(!wait_for(with_token(queue.async_pop(), stop.get_token()))); // requested before
        CHECK(!wait_for(with_token(full.async_push(text), stop.get_token())));
    }
    CHECK(queue.is_empty() && full.size() == 1 && queues::reactor::instance().pending() == 0);
}

TEST(an_operation_completes_on_the_scheduler_of_its_receiver) {
    queues::mpmc<int> queue(1);
    std::thread::id id;
    const auto pop = [&] {
        return queue.async_pop() | stdexec::then([&](int) { id = std::this_thread::get_id(); });
    };
    std::thread producer([&] {
        std::this_thread::sleep_for(1ms);
        CHECK(queue.push(1));
    });
    CHECK(wait_for(pop()) && id == std::this_thread::get_id()); // sync_wait has a scheduler
    producer.join();
    exec::async_scope scope; // its receivers have none
    scope.spawn(pop() | stdexec::upon_error([](auto) {}));
    while (queues::reactor::instance().pending() == 0)
        std::this_thread::yield();
    CHECK(queue.push(2));
    CHECK(wait_for(scope.on_empty()) && id != std::this_thread::get_id());
}

TEST(an_exception_of_an_item_reaches_the_receiver) {
    queues::mpmc<throwing> queue(1);
    throwing item;
    auto push = queue.async_push(item);
    CHECK(wait_for(push) && queue.size() == 1); // a sender may be connected again
    item.throws = true;
    CHECK_THROWS(std::runtime_error, queue.async_push(item));
    queues::priority<int> ranked(1);
    CHECK(status_of(ranked.async_push(1, static_cast<double>(NAN))) == conqueue_status::retry);
    queues::mpmc_bytes bytes(1, 2);
    CHECK_THROWS(std::invalid_argument, wait_for(bytes.async_push(queues::bytes_view("long"))));
}

TEST(a_pop_that_is_stopped_takes_no_item) {
    queues::mpmc<std::string> queue(4);
    int received = 0, stopped = 0;
    for (int round = 0; round < 2000; ++round) {
        stdexec::inplace_stop_source stop;
        std::thread stopper([&] {
            for (int spins = round * 7 % 300; spins > 0; --spins)
                std::atomic_signal_fence(std::memory_order_seq_cst);
            stop.request_stop();
        });
        std::thread producer([&] { CHECK(queue.push(text)); });
        const bool popped = wait_for(with_token(queue.async_pop(), stop.get_token())).has_value();
        ++(popped ? received : stopped);
        producer.join();
        stopper.join();
        CHECK(queue.clear() == (popped ? 0 : 1));
    }
    std::fprintf(stderr, "%d pops got their item, %d were stopped\n", received, stopped);
    CHECK(received > 0 && stopped > 0);
}

namespace {
exec::task<void> produce(queues::mpmc<std::string> &queue, int items, std::atomic<int> &left) {
    for (int i = 0; i < items; ++i) {
        const bool pushed = co_await queue.async_push(text);
        CHECK(pushed);
    }
    if (--left == 0) {
        queue.close();
        const bool pushed = co_await queue.async_push(text);
        CHECK(!pushed);
    }
}
exec::task<void> consume(queues::mpmc<std::string> &queue, std::atomic<int> &received) {
    while (const auto next = co_await queue.async_pop())
        received += *next == text;
}
} // namespace

TEST(coroutines_await_senders) {
    constexpr int items = 5000;
    queues::mpmc<std::string> queue(2);
    std::atomic<int> left{3}, received{0};
    std::thread producers([&] {
        CHECK(wait_for(stdexec::when_all(produce(queue, items, left), produce(queue, items, left),
                                         produce(queue, items, left))));
    });
    CHECK(wait_for(stdexec::when_all(consume(queue, received), consume(queue, received))));
    producers.join();
    CHECK(received == 3 * items);
}
