// The work-stealing deques: both ends, every kind of storage, and an owner with thieves.
#include "items.hpp"

#include <cstring>
#include <iterator>
#include <thread>
#if __has_include(<span>)
#include <span>
#endif

using queues::conqueue_status;

namespace {

template <class T>
constexpr bool is_fixed = !std::is_copy_constructible_v<T> && !std::is_move_constructible_v<T> &&
                          !std::is_copy_assignable_v<T> && !std::is_move_assignable_v<T>;
static_assert(is_fixed<queues::deque<int>> && is_fixed<queues::deque_bytes>);
static_assert(std::is_nothrow_copy_constructible_v<queues::deque<std::string>::stealer>);
static_assert(std::is_nothrow_copy_assignable_v<queues::deque_bytes::stealer>);
static_assert(!std::is_default_constructible_v<queues::deque<int>::stealer>);

template <class T> void both_ends() {
    queues::deque<T> deque(4);
    const auto stealer = deque.get_stealer();
    CHECK(deque.capacity() == 4 && deque.is_empty() && stealer.is_empty());
    CHECK(!deque.pop());
    CHECK(stealer.steal().error() == conqueue_status::empty);
    CHECK(deque.push(make<T>(1)) && deque.emplace(make<T>(2)));
    CHECK(deque.try_push(make<T>(3)) == conqueue_status::success);
    CHECK(deque.try_emplace(make<T>(4)) == conqueue_status::success);
    T more = make<T>(5);
    CHECK(deque.try_push(std::move(more)) == conqueue_status::full && number(more) == 5);
    CHECK(!deque.push(std::move(more)) && number(more) == 5);
    if constexpr (std::is_copy_constructible_v<T>)
        CHECK(!deque.push(more) && deque.try_push(more) == conqueue_status::full);
    CHECK(!deque.emplace(make<T>(6)));
    CHECK(deque.size() == 4 && stealer.size() == 4 && !deque.is_empty() && !stealer.is_empty());
    const auto last = deque.pop();
    CHECK(last && number(*last) == 4);
    const auto first = stealer.steal();
    CHECK(first && number(*first) == 1);
    CHECK(number(*deque.pop()) == 3 && number(*stealer.steal()) == 2);
    CHECK(!deque.pop() && !stealer.steal() && deque.size() == 0);
    const auto stats = stealer.stats();
    CHECK(stats.enqueued == 4 && stats.dequeued == 4 && stats.stolen == 2 && stats.peak_size == 4);
    CHECK(stats.failed_dequeue == 4 && stats.capacity == 4 && stats.current_size == 0);
    CHECK(stats.failed_enqueue == (std::is_copy_constructible_v<T> ? 5 : 3));
}

template <class T> void grows() {
    constexpr std::uint64_t count = 3000;
    queues::deque<T> deque(1, queues::growable);
    const auto stealer = deque.get_stealer();
    for (std::uint64_t i = 0; i < count; i++)
        CHECK(deque.push(make<T>(i + 1)));
    CHECK(deque.size() == count && deque.capacity() == 4096);
    for (std::uint64_t i = 0; i < count / 2; i++)
        CHECK(number(*stealer.steal()) == i + 1);
    for (std::uint64_t i = count; i > count / 2; i--)
        CHECK(number(*deque.pop()) == i);
    CHECK(deque.is_empty());
}

template <class T> void many() {
    constexpr std::uint64_t count = 200; // more than one chunk
    queues::deque<T> deque(count);
    const auto stealer = deque.get_stealer();
    std::vector<T> got;
    auto result = stealer.steal_many(std::back_inserter(got), 5);
    CHECK(result.count == 0 && result.status == conqueue_status::empty);
    for (std::uint64_t i = 0; i < count; i++)
        CHECK(deque.push(make<T>(i + 1)));
    result = stealer.steal_many(std::back_inserter(got), 0);
    CHECK(result.count == 0 && result.status == conqueue_status::success);
    result = stealer.steal_many(std::back_inserter(got), 150);
    CHECK(result.count == 150 && result.status == conqueue_status::success);
    for (int i = 0; i < 60; i++)
        got.push_back(make<T>(0));
    result = stealer.steal_many(got.begin() + 150, 60);
    CHECK(result.count == 50 && result.status == conqueue_status::success);
    for (std::uint64_t i = 0; i < count; i++)
        CHECK(number(got[i]) == i + 1);
    CHECK(number(got[count]) == 0 && deque.is_empty());
#ifdef __cpp_lib_span
    CHECK(deque.push(make<T>(7)));
    result = stealer.steal_many(std::span<T>(got));
    CHECK(result.count == 1 && number(got[0]) == 7);
#endif
}

// An owner and some thieves: every item is taken once, by each thief in order.
template <class T> void every_item_once(std::size_t capacity, bool grow) {
    constexpr std::uint64_t count = 20000;
    constexpr std::size_t thieves = 3;
    std::optional<queues::deque<T>> made;
    if (grow)
        made.emplace(capacity, queues::growable, queues::checked);
    else
        made.emplace(capacity);
    auto &deque = *made;
    std::vector<std::atomic<int>> times(count + 1);
    std::atomic<bool> is_over{false};
    std::atomic<std::uint64_t> stolen{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < thieves; i++)
        threads.emplace_back([&, stealer = deque.get_stealer(), by_one = i > 0] {
            std::uint64_t last = 0, taken = 0;
            const auto take = [&](const T &item) {
                CHECK(number(item) > last);
                last = number(item);
                times[last]++;
                taken++;
            };
            for (;;) {
                const bool ends = is_over;
                auto status = conqueue_status::success;
                if (by_one) {
                    if (const auto item = stealer.steal())
                        take(*item);
                    else
                        status = item.error();
                } else {
                    std::vector<T> items;
                    status = stealer.steal_many(std::back_inserter(items), 4).status;
                    for (const auto &item : items)
                        take(item);
                }
                if (status == conqueue_status::empty) {
                    if (ends)
                        break;
                    std::this_thread::yield();
                } else {
                    CHECK(status == conqueue_status::success || status == conqueue_status::retry);
                }
            }
            stolen += taken;
        });
    std::uint64_t popped = 0;
    const auto pop = [&] {
        if (const auto item = deque.pop()) {
            times[number(*item)]++;
            popped++;
        }
    };
    for (std::uint64_t i = 1; i <= count; i++) {
        T item = make<T>(i);
        while (!deque.push(std::move(item)))
            pop();
        if (i % 3 == 0)
            pop();
    }
    is_over = true;
    for (auto &thread : threads)
        thread.join();
    for (std::uint64_t i = 1; i <= count; i++)
        CHECK(times[i] == 1);
    const auto stats = deque.stats();
    CHECK(popped + stolen == count && stats.dequeued == count && stats.stolen == stolen);
}

// Copies and moves throw while `breaks` is set.
struct brittle {
    static inline bool breaks = false;
    std::uint64_t number;
    explicit brittle(std::uint64_t n) : number(n) {}
    brittle(const brittle &other) : number(other.number) {
        if (breaks)
            throw std::runtime_error("brittle");
    }
    brittle(brittle &&other) : brittle(std::as_const(other)) {}
};

} // namespace

TEST(deque_pops_the_newest_and_steals_the_oldest) {
    both_ends<std::uint64_t>();
    both_ends<record>();
    both_ends<std::unique_ptr<std::uint64_t>>();
    both_ends<std::string>();
    both_ends<counted>();
    CHECK(counted::alive == 0);
}

TEST(deque_grows_when_full) {
    grows<std::uint64_t>();
    grows<record>();
    grows<std::unique_ptr<std::uint64_t>>();
    grows<std::string>();
    grows<counted>();
    CHECK(counted::alive == 0);
}

TEST(deque_steal_many_takes_the_oldest_in_order) {
    many<std::uint64_t>();
    many<record>();
    many<std::unique_ptr<std::uint64_t>>();
    many<std::string>();
    many<counted>();
    CHECK(counted::alive == 0);
}

TEST(deque_gives_every_item_once) {
    for (const std::size_t capacity : {std::size_t{1}, std::size_t{2}, std::size_t{7}})
        for (const bool grow : {false, true}) {
            every_item_once<std::uint64_t>(capacity, grow);
            every_item_once<record>(capacity, grow);
            every_item_once<std::unique_ptr<std::uint64_t>>(capacity, grow);
            every_item_once<std::string>(capacity, grow);
            every_item_once<counted>(capacity, grow);
        }
    CHECK(counted::alive == 0);
}

TEST(deque_leftovers_are_destroyed_once) {
    {
        queues::deque<counted> deque(3, queues::growable);
        for (std::uint64_t i = 0; i < 10; i++)
            CHECK(deque.push(counted(i)));
        static_cast<void>(deque.pop());
        static_cast<void>(deque.get_stealer().steal());
        CHECK(counted::alive == 8);
    }
    CHECK(counted::alive == 0);
}

TEST(deque_lives_until_its_last_stealer) {
    using stealer = queues::deque<counted>::stealer;
    const auto make_one = [](std::uint64_t n) {
        queues::deque<counted> deque(3);
        CHECK(deque.push(counted(n)) && deque.push(counted(n + 1)) && deque.push(counted(n + 2)));
        return deque.get_stealer();
    };
    {
        stealer first = make_one(10), second = make_one(20);
        CHECK(counted::alive == 6);
        const stealer copy(first);
        CHECK(copy.steal()->number == 10);
        first = second; // the copy still refers to the first deque
        CHECK(counted::alive == 5);
        const stealer &self = first;
        first = self;
        CHECK(first.steal()->number == 20 && second.steal()->number == 21);
        CHECK(copy.steal()->number == 11);
        second = copy;
        first = copy; // nothing refers to the second deque any more
        CHECK(counted::alive == 1);
        CHECK(second.size() == 1 && first.steal()->number == 12);
    }
    CHECK(counted::alive == 0);
}

TEST(deque_exceptions_lose_at_most_one_item) {
    CHECK_THROWS(std::invalid_argument, queues::deque<int>(0));
    CHECK_THROWS(std::invalid_argument, queues::deque<int>(SIZE_MAX));
    CHECK_THROWS(std::bad_alloc, queues::deque<int>(SIZE_MAX >> 14));
    CHECK_THROWS(std::invalid_argument, queues::deque_bytes(1, 0));
    CHECK_THROWS(std::invalid_argument, queues::deque_bytes(0, 1, queues::growable));
    queues::deque<brittle> deque(4);
    const auto stealer = deque.get_stealer();
    for (std::uint64_t i = 0; i < 3; i++)
        CHECK(deque.emplace(i));
    brittle value(7);
    brittle::breaks = true;
    CHECK_THROWS(std::runtime_error, deque.push(std::move(value)));
    CHECK(deque.size() == 3); // the push had no effect
    CHECK_THROWS(std::runtime_error, stealer.steal());
    CHECK_THROWS(std::runtime_error, deque.pop());
    brittle::breaks = false;
    CHECK(deque.size() == 1 && deque.pop()->number == 1); // only the items that threw are lost
}

TEST(checked_deque_detects_two_owners) {
    constexpr std::size_t size = 1 << 20;
    queues::deque_bytes deque(2, size, queues::checked);
    const std::vector<char> blob(size);
    std::atomic<bool> is_detected{false};
    std::atomic<std::uint64_t> pushed{0}, popped{0};
    const auto own = [&] {
        std::vector<char> buffer(size);
        while (!is_detected)
            try {
                pushed += deque.push(blob);
                popped += deque.pop_into(buffer.data(), size).has_value();
            } catch (const queues::misuse &) {
                is_detected = true;
            }
    };
    std::thread other(own);
    own();
    other.join();
    CHECK(deque.size() == pushed - popped && deque.stats().dequeued == popped);
}

TEST(deque_of_byte_strings_keeps_their_lengths) {
    for (const std::size_t longest :
         {std::size_t{1}, std::size_t{64}, std::size_t{65}, std::size_t{1000}}) {
        queues::deque_bytes deque(2, longest, queues::growable);
        const auto stealer = deque.get_stealer();
        CHECK(deque.item_size() == longest && stealer.item_size() == longest);
        const std::string whole(longest, 'x');
        std::string buffer(longest, '-');
        CHECK(deque.push(whole) && deque.push("") && deque.emplace("y", 1U));
        CHECK(deque.try_push(whole) == conqueue_status::success && deque.size() == 4);
        CHECK_THROWS(std::invalid_argument, deque.push(whole + "x"));
        CHECK(stealer.steal_into(buffer.data(), longest - 1).error() == conqueue_status::too_small);
        CHECK(stealer.steal_into(buffer.data(), longest).value() == longest && buffer == whole);
        CHECK(deque.pop_into(buffer.data(), longest - 1).error() == conqueue_status::too_small);
        CHECK(deque.pop()->size() == longest);
        CHECK(stealer.steal()->empty());
        CHECK(deque.pop_into(buffer.data(), longest).value() == 1 && buffer[0] == 'y');
        CHECK(deque.pop_into(buffer.data(), longest).error() == conqueue_status::empty);
        CHECK(stealer.steal_into(buffer.data(), longest).error() == conqueue_status::empty);
        std::vector<std::vector<std::byte>> blobs;
        CHECK(deque.push("y") && deque.push("") &&
              stealer.steal_many(std::back_inserter(blobs), 9).count == 2);
        CHECK(blobs[0].size() == 1 && blobs[0][0] == std::byte{'y'} && blobs[1].empty());
    }
    queues::deque_bytes fixed(1, 1);
    CHECK(fixed.push("a") && !fixed.push("b") && fixed.try_push("b") == conqueue_status::full);
}

TEST(deque_statistics_count_steals) {
    queues::deque<int> deque;
    CHECK(deque.capacity() == 1024 && deque.push(1) && deque.push(2));
    CHECK(deque.get_stealer().steal() &&
          !std::strcmp(to_string(conqueue_status::retry), queues_status_string(QUEUES_RETRY)));
    CHECK(deque.stats_json().find("\"stolen\":1") != std::string::npos);
    CHECK(deque.get_stealer().stats_json() == deque.stats_json());
    CHECK(queues::to_prometheus({{"tasks", deque.stats()}})
              .find("queues_stolen_total{queue=\"tasks\"} 1\n") != std::string::npos);
}
