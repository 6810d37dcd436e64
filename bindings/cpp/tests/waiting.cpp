// Events, polls of several queues, and descriptors.
#include "check.hpp"
#include "stops.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <poll.h>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

using namespace std::chrono_literals;
using queues::conqueue_status;

namespace {

using clock_type = std::chrono::steady_clock;

bool is_readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    const int count = ::poll(&entry, 1, 0);
    CHECK(count >= 0);
    return count == 1;
}

queues::batch_limits two_items() {
    queues::batch_limits limits;
    limits.size = limits.max_pending = 2;
    limits.age = 300ms;
    return limits;
}

} // namespace

TEST(an_event_is_set_until_it_is_reset) {
    queues::event event;
    CHECK(!event.is_set() && !event.wait_for(0s) && !event.wait_for(1ms));
    CHECK(!event.wait_until(clock_type::now() + 1ms));
    const queues::event copy = event; // the same event
    copy.set();
    CHECK(event.is_set() && event.wait_for(0s) && event.wait_until(clock_type::now()));
    event.wait();
    event.reset();
    CHECK(!copy.is_set());
    queues::event other;
    other.set();
    other = event;
    CHECK(!other.is_set());
    std::thread setter([copy] {
        std::this_thread::sleep_for(1ms);
        copy.set();
    });
    event.wait();
    setter.join();
    CHECK(other.is_set());
    stops::source stop;
    CHECK(event.wait(stops::token{&stop}) && event.wait(stops::token{}));
    stop.request_stop();
    CHECK(!event.wait(stops::token{&stop})); // requested before the call
}

TEST(an_event_wakes_all_its_waiters) {
    const queues::event event;
    int seen = 0;
    std::atomic<int> woken{0};
    std::vector<std::thread> waiters;
    for (int i = 0; i < 4; ++i)
        waiters.emplace_back([&, event] {
            event.wait();
            CHECK(seen == 1);
            ++woken;
        });
    std::this_thread::sleep_for(1ms);
    seen = 1;
    event.set();
    for (auto &waiter : waiters)
        waiter.join();
    CHECK(woken == 4);
}

TEST(wait_any_returns_the_index_of_a_source_that_is_ready) {
    queues::mpmc<std::string> mpmc(2);
    queues::spsc<int> spsc(2);
    queues::priority_bytes priority(2, 8);
    queues::batcher<int> batcher(two_items());
    queues::deque<int> deque(4);
    const auto stealer = deque.get_stealer();
    queues::event event;
    CHECK(!queues::wait_any_for(0s, mpmc, spsc, priority, batcher, deque, stealer, event));
    const auto begin = clock_type::now();
    CHECK(!queues::wait_any_for(5ms, mpmc, spsc, priority, batcher, deque, event));
    CHECK(!queues::wait_any_until(begin + 10ms, mpmc, event));
    CHECK(clock_type::now() - begin >= 10ms);
    const auto index = [&] {
        return queues::wait_any(mpmc, spsc, priority, batcher, stealer, event);
    };
    CHECK(mpmc.push("item") && index() == 0 && mpmc.pop());
    CHECK(spsc.push(1) && index() == 1 && spsc.pop());
    CHECK(priority.push("item", 1) && index() == 2 && priority.pop());
    CHECK(batcher.push(1) && !queues::wait_any_for(0s, batcher)); // not due yet
    CHECK(*batcher.next_due() > 0s && *batcher.next_due() <= 300ms);
    CHECK(index() == 3 && *batcher.next_due() == 0s); // by its age
    CHECK(batcher.try_pop_batch() && !batcher.next_due());
    CHECK(deque.push(1) && index() == 4 && queues::wait_any(spsc, deque) == 1);
    CHECK(stealer.steal());
    event.set();
    CHECK(index() == 5);
    spsc.close();
    CHECK(queues::wait_any(mpmc, spsc) == 1); // closed is ready
}

TEST(wait_any_waits_for_room_too) {
    queues::mpmc<int> queue(1);
    queues::spsc<std::string> other(1);
    CHECK(queues::wait_any(other, queues::writable(queue)) == 1);
    CHECK(queue.push(1));
    CHECK(!queues::wait_any_for(0s, queues::writable(queue)));
    std::thread consumer([&] {
        std::this_thread::sleep_for(1ms);
        CHECK(queue.pop());
    });
    CHECK(queues::wait_any(other, queues::writable(queue)) == 1);
    consumer.join();
}

TEST(wait_any_sleeps_until_a_source_is_ready) {
    queues::mpmc<int> numbers(1), more(1);
    queues::deque<int> deque(2);
    queues::event done;
    int received = 0;
    std::thread producer([&] {
        for (int i = 0; i < 300; ++i) {
            if (i % 3 == 2)
                static_cast<void>(deque.push(i) || deque.pop()); // a thief may be faster
            else
                CHECK((i % 3 == 0 ? numbers : more).push(i));
        }
        numbers.close();
        done.set();
    });
    const auto stealer = deque.get_stealer();
    bool open = true;
    while (open) {
        switch (queues::wait_any(more, stealer, numbers)) {
        case 0:
            received += more.try_pop().has_value();
            break;
        case 1:
            static_cast<void>(stealer.steal());
            break;
        case 2:
            if (const auto next = numbers.try_pop())
                ++received;
            else
                open = next.error() != conqueue_status::closed;
        }
    }
    producer.join();
    while (more.try_pop())
        ++received;
    CHECK(received == 200 && queues::wait_any(done) == 0);
}

TEST(wait_any_gives_each_ready_source_its_turn) {
    queues::mpmc<int> a(1), b(1), c(1), empty(1);
    CHECK(a.push(1) && b.push(1) && c.push(1));
    std::array<int, 4> turns{}, pairs{};
    for (int i = 0; i < 3000; ++i) {
        ++turns[queues::wait_any(a, empty, b, c)];
        ++pairs[queues::wait_any(a, b)]; // beside calls for other sources
    }
    for (const std::size_t i : {0U, 2U, 3U})
        CHECK(turns[i] > 900 && turns[i] < 1100);
    CHECK(turns[1] == 0 && pairs[0] > 1400 && pairs[1] > 1400);
    int last = -1, in_a_row = 0, longest = 0;
    for (int i = 0; i < 1000; ++i) {
        const int now = static_cast<int>(queues::wait_any(a, b));
        in_a_row = now == last ? in_a_row + 1 : 1;
        longest = in_a_row > longest ? in_a_row : longest;
        last = now;
    }
    CHECK(longest <= 3);
}

TEST(a_stop_ends_wait_any) {
    queues::mpmc<int> queue(1);
    queues::event event;
    stops::source stop;
    const stops::token token{&stop};
    event.set();
    CHECK(queues::wait_any(token, queue, event) == 1U);
    CHECK(queues::wait_any(stops::token{}, queue, event) == 1U); // a token without a source
    event.reset();
    std::thread stopper([&] {
        while (stop.callbacks() == 0)
            std::this_thread::yield();
        stop.request_stop();
    });
    CHECK(!queues::wait_any(token, queue, event));
    stopper.join();
    event.set();
    CHECK(!queues::wait_any(token, queue, event)); // requested before the call
    CHECK(stop.callbacks() == 0);
}

TEST(a_poll_marks_all_entries_that_are_ready) {
    for (const std::size_t count : {1U, 128U, 129U, 300U}) {
        std::vector<std::unique_ptr<queues::mpmc<int>>> of;
        std::vector<queues::poll_entry> entries;
        for (std::size_t i = 0; i < count; ++i) {
            of.push_back(std::make_unique<queues::mpmc<int>>(1));
            entries.emplace_back(*of.back());
        }
        CHECK(queues::try_poll(entries) == 0 && queues::poll_for(entries, 1ms) == 0);
        CHECK(queues::poll_until(entries, clock_type::now() + 1ms) == 0);
        CHECK(of.front()->push(1) && of.back()->try_push(1) != conqueue_status::closed);
        CHECK(queues::poll(entries) == (count == 1 ? 1 : 2));
        for (std::size_t i = 0; i < count; ++i)
            CHECK(entries[i].is_ready() == (i == 0 || i + 1 == count));
        CHECK(of.front()->pop() && (count == 1 || of.back()->pop()));
        std::thread closer([&] {
            std::this_thread::sleep_for(500us);
            of[count / 2]->close();
        });
        CHECK(queues::poll(entries) == 1 && entries[count / 2].is_ready());
        closer.join();
    }
    std::vector<queues::poll_entry> none;
    CHECK(queues::try_poll(none) == 0 && queues::poll_for(none, 1ms) == 0);
    CHECK_THROWS(std::invalid_argument, queues::poll(none));
    queues::event event;
    event.set();
    queues::poll_entry one[] = {event};
    CHECK(queues::poll(one) == 1 && one[0].is_ready());
}

TEST(a_descriptor_is_readable_while_there_is_an_item) {
    const auto check = [](auto &queue, auto push, auto pop) {
        const int fd = queue.readable_fd();
        CHECK(fd >= 0 && queue.readable_fd() == fd && queue.writable_fd() != fd);
        for (int i = 0; i < 3; ++i) {
            CHECK(!pop(queue) && !is_readable(fd));
            CHECK(push(queue) && is_readable(fd));
            CHECK(pop(queue));
        }
        CHECK(is_readable(queue.writable_fd()));
        while (push(queue)) {
        }
        CHECK(!is_readable(queue.writable_fd()));
        CHECK(pop(queue) && is_readable(queue.writable_fd()));
        while (push(queue)) {
        }
        CHECK(!is_readable(queue.writable_fd()));
        while (pop(queue)) {
        }
        CHECK(!is_readable(fd));
        queue.close();
        CHECK(is_readable(fd) && is_readable(queue.writable_fd()));
        CHECK(!pop(queue) && is_readable(fd)); // for good
    };
    const auto push = [](auto &queue) { return queue.try_push("x") == conqueue_status::success; };
    const auto push_number = [](auto &queue) {
        return queue.try_push(1) == conqueue_status::success;
    };
    const auto pop = [](auto &queue) { return queue.try_pop().has_value(); };
    queues::mpmc<std::string> mpmc(2);
    queues::mpmc<int> numbers(3);
    queues::spsc<std::string> spsc(2);
    queues::spsc<int> few(3);
    queues::mpmc_bytes bytes(2, 8);
    queues::priority<std::string> priority(2);
    queues::batcher<std::string> batcher(two_items());
    check(mpmc, push, pop);
    check(numbers, push_number, pop);
    check(spsc, push, pop);
    check(few, push_number, pop);
    check(bytes, push, pop);
    check(
        priority, [](auto &queue) { return queue.try_push("x", 1.0) == conqueue_status::success; },
        pop);
    const auto fill = [&](auto &queue) { return push(queue) && (queue.flush(), true); };
    check(batcher, fill, [](auto &queue) { return queue.try_pop_batch().has_value(); });
}

TEST(a_descriptor_of_a_batcher_follows_the_age) {
    queues::batcher<int> queue(two_items());
    const int fd = queue.readable_fd();
    CHECK(!queue.try_pop_batch() && queue.push(1) && !is_readable(fd));
    pollfd entry{fd, POLLIN, 0};
    CHECK(::poll(&entry, 1, 10000) == 1 && *queue.next_due() == 0s);
    CHECK(queue.try_pop_batch()->size() == 1);
}

TEST(a_descriptor_of_a_deque_is_readable_while_there_is_something_to_steal) {
    queues::deque<std::string> deque(4, queues::growable);
    const auto stealer = deque.get_stealer();
    const int fd = deque.stealable_fd();
    CHECK(stealer.stealable_fd() == fd);
    for (int i = 0; i < 3; ++i) {
        CHECK(!stealer.steal() && !is_readable(fd));
        CHECK(deque.push("task") && is_readable(fd));
        CHECK(stealer.steal());
    }
    queues::event event;
    CHECK(!is_readable(event.readable_fd()));
    event.set();
    CHECK(is_readable(event.readable_fd()));
    event.reset();
    CHECK(!is_readable(event.readable_fd()));
}

TEST(a_consumer_that_waits_for_a_descriptor_misses_nothing) {
    constexpr int items = 20000;
    queues::mpmc<int> queue(8);
    const int fd = queue.readable_fd();
    std::thread producer([&] {
        for (int i = 0; i < items; ++i)
            CHECK(queue.push(i));
        queue.close();
    });
    int next = 0;
    for (bool open = true; open;) {
        pollfd entry{fd, POLLIN, 0};
        CHECK(::poll(&entry, 1, -1) == 1);
        auto item = queue.try_pop();
        for (; item; item = queue.try_pop())
            CHECK(*item == next++);
        open = item.error() != conqueue_status::closed;
    }
    producer.join();
    CHECK(next == items);
}

TEST(a_queue_without_a_descriptor_left_is_unharmed) {
    queues::spsc<int> queue(1);
    queues::event event;
    rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const rlimit none{0, limit.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_THROWS(std::bad_alloc, queue.readable_fd());
    CHECK_THROWS(std::bad_alloc, queue.writable_fd());
    CHECK_THROWS(std::bad_alloc, event.readable_fd());
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(queue.push(1) && *queue.pop() == 1 && !is_readable(event.readable_fd()));
    CHECK(!queue.try_pop() && !is_readable(queue.readable_fd()));
}
