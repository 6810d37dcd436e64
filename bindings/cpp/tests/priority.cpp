// The priority queues: order, ties, and every push and pop.
#include "items.hpp"

#include <cmath>
#include <limits>
#include <thread>

using queues::conqueue_status;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan = std::nan("");

template <class T> void lowest_first() {
    queues::priority<T> queue(8);
    CHECK(queue.capacity() == 8 && queue.size() == 0);
    const double priorities[] = {2, -infinity, 0.0, infinity, -0.0, 2, -1, 0.0};
    for (std::uint64_t i = 0; i < 8; i++)
        CHECK(queue.push(make<T>(i + 1), priorities[i]));
    T more = make<T>(9);
    CHECK(queue.try_push(std::move(more), 1) == conqueue_status::full);
    CHECK(queue.push_for(std::move(more), 1, std::chrono::milliseconds(1)) ==
          conqueue_status::timeout);
    CHECK(number(more) == 9);
    CHECK_THROWS(std::invalid_argument, queue.push(std::move(more), nan));
    CHECK_THROWS(std::invalid_argument, static_cast<void>(queue.try_push(std::move(more), -nan)));
    CHECK(number(more) == 9);
    const std::uint64_t order[] = {2, 7, 3, 5, 8, 1, 6, 4};
    for (int i = 0; i < 4; i++) {
        const auto item = queue.pop();
        CHECK(item && number(item->value) == order[i]);
        CHECK(item->priority == priorities[order[i] - 1] &&
              !(i > 1 && std::signbit(item->priority)));
    }
    CHECK(queue.size() == 4);
    queue.close();
    CHECK(!queue.push(std::move(more), 1) && number(more) == 9);
    for (int i = 4; i < 8; i++) {
        const auto item = queue.try_pop();
        CHECK(item && number(item->value) == order[i]);
    }
    CHECK(!queue.pop());
    CHECK(queue.try_pop().error() == conqueue_status::closed);
    CHECK(queue.stats().failed_enqueue == 2 && queue.stats().peak_size == 8);
}

} // namespace

TEST(priority_pops_the_lowest_first_and_ties_in_order) {
    lowest_first<std::uint64_t>();
    lowest_first<record>();
    lowest_first<std::unique_ptr<std::uint64_t>>();
    lowest_first<std::string>();
    lowest_first<counted>();
    CHECK(counted::alive == 0);
}

TEST(priority_peek_copies_the_lowest) {
    queues::priority<std::uint32_t> queue(2);
    CHECK(queue.peek().error() == conqueue_status::empty);
    CHECK(queue.push(5, 1.5) && queue.push(6, 0.5));
    CHECK(queue.peek()->value == 6 && queue.peek()->priority == 0.5 && queue.size() == 2);
    queues::priority<record> records(2);
    CHECK(records.push(record(7), -3) && records.push(record(8), -2));
    const auto seen = records.peek();
    CHECK(seen->value == 7 && seen->priority == -3);
}

TEST(priority_leftovers_are_destroyed_once) {
    {
        queues::priority<counted> queue(10);
        for (std::uint64_t i = 0; i < 6; i++)
            CHECK(queue.push(counted(i), static_cast<double>(i % 2)));
        CHECK(counted::alive == 6);
        CHECK(queue.clear() == 6 && counted::alive == 0);
        for (std::uint64_t i = 0; i < 4; i++)
            CHECK(queue.push(counted(i), static_cast<double>(i % 2)));
    }
    CHECK(counted::alive == 0);
}

TEST(priority_push_and_pop_wait) {
    queues::priority<int> queue(1);
    CHECK(queue.pop_for(std::chrono::milliseconds(1)).error() == conqueue_status::timeout);
    CHECK(queue.pop_for(std::chrono::seconds(0)).error() == conqueue_status::empty);
    CHECK(queue.pop_until(std::chrono::system_clock::now()).error() == conqueue_status::empty);
    std::thread consumer([&] { CHECK(queue.pop()->value == 1 && queue.pop()->value == 2); });
    CHECK(queue.push(1, 1) && queue.push(2, 1));
    consumer.join();
    CHECK(queue.push_until(3, 1, std::chrono::steady_clock::now() + std::chrono::seconds(9)) ==
          conqueue_status::success);
    std::thread producer([&] { CHECK(!queue.push(4, 1)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    queue.close();
    producer.join();
}

TEST(priority_gives_every_item_once_and_ties_in_order) {
    constexpr std::uint64_t each = 20000, producers = 3, ranks = 4;
    queues::priority<std::uint64_t> queue(64);
    std::vector<std::thread> threads;
    for (std::uint64_t p = 0; p < producers; p++)
        threads.emplace_back([&, p] {
            for (std::uint64_t i = 0; i < each; i++)
                CHECK(queue.push(p << 32 | i, static_cast<double>(i % ranks)));
        });
    std::array<std::array<std::uint64_t, ranks>, producers> next{};
    for (auto &of : next)
        for (std::uint64_t rank = 0; rank < ranks; rank++)
            of[rank] = rank;
    for (std::uint64_t n = 0; n < each * producers; n++) {
        const auto item = queue.pop();
        auto &expected = next[item->value >> 32][static_cast<std::size_t>(item->priority)];
        CHECK((item->value & 0xFFFFFFFF) == expected);
        expected += ranks;
    }
    for (auto &thread : threads)
        thread.join();
    CHECK(queue.size() == 0 && queue.stats().dequeued == each * producers);
}

TEST(priority_of_byte_strings_keeps_their_lengths) {
    for (const std::size_t longest :
         {std::size_t{1}, std::size_t{64}, std::size_t{65}, std::size_t{1000}}) {
        queues::priority_bytes queue(3, longest);
        CHECK(queue.item_size() == longest);
        const std::string whole(longest, 'x');
        CHECK(queue.push(whole, 2) && queue.push("", 1) && queue.push("y", 1));
        CHECK(queue.try_push("z", 0) == conqueue_status::full);
        CHECK_THROWS(std::invalid_argument, queue.push(whole + "x", 1));
        CHECK(queue.peek()->value.empty());
        CHECK(queue.pop()->value.empty());
        const auto y = queue.pop();
        CHECK(y->value.size() == 1 && y->value[0] == std::byte{'y'} && y->priority == 1);
        const auto x = queue.try_pop();
        CHECK(x->value.size() == longest && x->value.back() == std::byte{'x'} && x->priority == 2);
    }
}

TEST(priority_emplace_and_push_many) {
    queues::priority<std::string> queue(4);
    CHECK(queue.is_empty() && queue.emplace(2, 3U, 'x') && !queue.is_empty());
    CHECK(queue.try_emplace(1, "one") == conqueue_status::success);
    std::vector<std::string> many{"a", "b", "c"};
    const auto pushed = queue.try_push_many(std::make_move_iterator(many.begin()),
                                            std::make_move_iterator(many.end()), 0.5);
    CHECK(pushed.count == 2 && pushed.status == conqueue_status::full && many[2] == "c");
    CHECK(queue.try_emplace(1, "two") == conqueue_status::full);
    CHECK(queue.stats().failed_enqueue == 2);
    CHECK(queue.stats_json().find("\"failed_enqueue\":2") != std::string::npos);
    CHECK_THROWS(std::invalid_argument, queue.emplace(std::nan(""), "text"));
    CHECK_THROWS(std::invalid_argument, queue.push_many(many, std::nan("")));
    std::string item;
    double rank = 0;
    CHECK(queue.pop(item, rank) && item == "a" && rank == 0.5);
    CHECK(queue.try_pop(item, rank) == conqueue_status::success && item == "b");
    CHECK(queue.pop_for(item, rank, std::chrono::hours(1)) == conqueue_status::success);
    CHECK(item == "one" && queue.pop()->value == "xxx");
    CHECK(queue.try_pop(item, rank) == conqueue_status::empty && item == "one");
    // An emplace that waits notices the room that a pop makes.
    queues::priority<std::string> narrow(1);
    CHECK(narrow.push("first", 0));
    std::thread consumer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        CHECK(narrow.pop()->value == "first" && narrow.pop()->value == "second");
    });
    CHECK(narrow.emplace(1, "second"));
    consumer.join();
    std::thread closer([&] {
        CHECK(narrow.push("third", 1));
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        narrow.close();
    });
    while (narrow.is_empty())
        std::this_thread::yield();
    item = "kept";
    CHECK(!narrow.emplace(1, std::move(item)) && item == "kept");
    closer.join();
}
