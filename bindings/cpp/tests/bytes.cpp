// The queues of blobs, and their items that are written and read in place.
#include "check.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>

using namespace std::chrono_literals;
using queues::conqueue_status;

namespace {
std::string text(const std::vector<std::byte> &bytes) {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}
std::string text(const queues::spsc_bytes::front_item &item) {
    return {reinterpret_cast<const char *>(item.data()), item.size()};
}
} // namespace

TEST_BOTH_BYTES(all_kinds_of_bytes_can_be_pushed) {
    Queue queue(8, 16);
    CHECK(queue.item_size() == 16 && queue.capacity() == 8);
    CHECK(queue.push("literal"));
    CHECK(queue.push(std::string("string")));
    CHECK(queue.push(std::string_view("view")));
    CHECK(queue.push(std::vector<char>{'a', 'b'}));
    CHECK(queue.push(std::array<std::uint16_t, 2>{0x4141, 0x4242}));
    CHECK(queue.emplace("pointer", 3U));
    CHECK(queue.push({nullptr, 0}));
    CHECK(queue.try_push(std::string(16, 'x')) == conqueue_status::success);
    CHECK(queue.try_push("more") == conqueue_status::full);
    for (const char *expected : {"literal", "string", "view", "ab", "AABB", "poi", ""})
        CHECK(text(*queue.pop()) == expected);
    CHECK(text(*queue.try_pop()) == std::string(16, 'x'));
    CHECK(queue.try_pop().error() == conqueue_status::empty);
}

TEST_BOTH_BYTES(byte_strings_that_are_too_long_throw) {
    Queue queue(2, 4);
    CHECK_THROWS(std::invalid_argument, queue.push("12345"));
    CHECK_THROWS(std::invalid_argument, queue.try_push({nullptr, 1}));
    CHECK_THROWS(std::invalid_argument, queue.emplace("12345"));
    CHECK_THROWS(std::invalid_argument, queue.try_emplace("12345"));
    CHECK_THROWS(std::invalid_argument, queue.try_emplace(std::string("12345")));
    CHECK(queue.size() == 0);
}

TEST(byte_strings_that_are_too_long_throw_by_batchers) {
    queues::batcher_bytes queue(4);
    CHECK_THROWS(std::invalid_argument, queue.try_push("12345"));
    CHECK_THROWS(std::invalid_argument, queue.try_emplace("12345"));
    CHECK_THROWS(std::invalid_argument, queue.try_emplace(queues::weight(2), "12345"));
    CHECK(queue.size() == 0);
}

// Constructing a view leaves its argument as it is, so emplace does not check for room first.
TEST(strings_are_emplaced) {
    const auto emplaced = [](auto &queue, auto... with) {
        CHECK(queue.emplace(with..., std::string("string")));
        CHECK(queue.try_emplace(with..., std::string("more")) == conqueue_status::full);
        CHECK(queue.stats().failed_enqueue == 1);
    };
    queues::mpmc_bytes mpmc(1, 8);
    emplaced(mpmc);
    queues::spsc_bytes spsc(1, 8);
    emplaced(spsc);
    queues::priority_bytes priority(1, 8);
    emplaced(priority, 1.5);
    CHECK(text(priority.pop()->value) == "string");
    queues::deque_bytes deque(1, 8);
    emplaced(deque);
    CHECK(text(*deque.pop()) == "string");
    queues::batch_limits limits;
    limits.size = limits.max_pending = 1;
    queues::batcher_bytes batcher(8, limits);
    emplaced(batcher);
}

TEST_BOTH_BYTES(impossible_sizes_throw) {
    CHECK_THROWS(std::invalid_argument, Queue(0, 8));
    CHECK_THROWS(std::invalid_argument, Queue(8, 0));
    CHECK_THROWS(std::invalid_argument, Queue(8, SIZE_MAX));
    CHECK_THROWS(std::bad_alloc, Queue(1 << 20, std::size_t{1} << 40));
}

TEST_BOTH_BYTES(pop_into_writes_to_the_callers_buffer) {
    Queue queue(2, 8);
    char buffer[8] = "";
    CHECK(queue.try_pop_into(buffer, sizeof buffer).error() == conqueue_status::empty);
    CHECK(queue.pop_into_for(buffer, sizeof buffer, 1ms).error() == conqueue_status::timeout);
    CHECK(queue.push("12345"));
    CHECK(queue.pop_into(buffer, 4).error() == conqueue_status::too_small);
    CHECK(queue.size() == 1);
    CHECK(*queue.pop_into(buffer, 5) == 5 && std::memcmp(buffer, "12345", 5) == 0);
    queue.close();
    CHECK(queue.pop_into(buffer, sizeof buffer).error() == conqueue_status::closed);
}

TEST_BOTH_BYTES(peek_copies_the_front) {
    Queue queue(2, 8);
    CHECK(queue.peek().error() == conqueue_status::empty);
    CHECK(queue.push("front") && queue.push("next"));
    CHECK(text(*queue.peek()) == "front" && queue.size() == 2);
    CHECK(queue.clear() == 2);
}

TEST_BOTH_BYTES(bulk_calls_of_byte_strings) {
    Queue queue(4, 8);
    const std::vector<std::string> in{"a", "bc", "", "def", "ghij"};
    const auto pushed = queue.try_push_many(in.begin(), in.end());
    CHECK(pushed.count == 4 && pushed.status == conqueue_status::full);
    std::vector<std::vector<std::byte>> out;
    CHECK(queue.pop_many(std::back_inserter(out), 9).count == 4);
    for (std::size_t i = 0; i < out.size(); ++i)
        CHECK(text(out[i]) == in[i]);
}

TEST(items_are_written_in_place) {
    queues::spsc_bytes queue(1, 16);
    {
        auto room = queue.reserve();
        CHECK(room->size() == 16 && reinterpret_cast<std::uintptr_t>(room->data()) % 8 == 0);
        std::memcpy(room->data(), "hello", 5);
        CHECK(queue.size() == 0); // not before the commit
        CHECK_THROWS(std::invalid_argument, room->commit(17));
        CHECK(room->commit(5) == conqueue_status::success);
        CHECK_THROWS(queues::misuse, room->commit(5)); // the reservation has ended
    }
    CHECK(queue.try_reserve().error() == conqueue_status::full);
    CHECK(queue.reserve_for(1ms).error() == conqueue_status::timeout);
    CHECK(text(*queue.pop()) == "hello");
    CHECK(queue.reserve().has_value() && queue.size() == 0); // destroyed without a commit
    CHECK(queue.push("other") && text(*queue.pop()) == "other");
    auto room = queue.try_reserve();
    queue.close();
    CHECK(room->commit(1) == conqueue_status::closed);
    CHECK(queue.reserve().error() == conqueue_status::closed);
}

TEST(items_are_read_in_place) {
    queues::spsc_bytes queue(2, 16);
    CHECK(queue.try_front().error() == conqueue_status::empty);
    CHECK(queue.front_for(1ms).error() == conqueue_status::timeout);
    CHECK(queue.push("one") && queue.push("two"));
    {
        const auto front = queue.front();
        CHECK(text(*front) == "one" && reinterpret_cast<std::uintptr_t>(front->data()) % 8 == 0);
    }
    CHECK(queue.size() == 2); // destroyed without consume
    auto front = queue.front();
    CHECK(text(*front) == "one" && front->consume() == conqueue_status::success);
    queue.close();
    front = queue.try_front();
    CHECK(text(*front) == "two" && front->consume() == conqueue_status::success);
    CHECK(front->consume() == conqueue_status::closed);
    CHECK(queue.front().error() == conqueue_status::closed);
}

namespace {
std::string text(const queues::mpmc_bytes::leased_item &item) {
    return {reinterpret_cast<const char *>(item.data()), item.size()};
}
} // namespace

TEST(reservations_of_mpmc_bytes) {
    queues::mpmc_bytes queue(2, 16);
    auto first = queue.reserve();
    auto second = queue.try_reserve(); // several at once
    auto third = queue.reserve_for(1ms);
    CHECK(first->size() == 16 && reinterpret_cast<std::uintptr_t>(first->data()) % 8 == 0);
    for (auto *const room : {&*first, &*second, &*third})
        std::memcpy(room->data(), "hello", 5);
    CHECK(queue.size() == 0); // not before the commit
    CHECK_THROWS(std::invalid_argument, first->commit(17));
    CHECK(second->commit(5) == conqueue_status::success && second->data() == nullptr);
    CHECK_THROWS(std::invalid_argument, second->commit(5)); // the reservation has ended
    CHECK(first->commit(4) == conqueue_status::success);
    CHECK(third->commit(3) == conqueue_status::full && third->data() != nullptr); // still reserved
    CHECK(queue.try_reserve().error() == conqueue_status::full);
    CHECK(queue.reserve_for(1ms).error() == conqueue_status::timeout);
    CHECK(text(*queue.pop()) == "hello");
    CHECK(third->commit(3) == conqueue_status::success);
    CHECK(text(*queue.pop()) == "hell" && text(*queue.pop()) == "hel");
    for (int i = 0; i < 1000; ++i) // the destructor cancels
        CHECK(queue.reserve().has_value() && queue.size() == 0);
    auto room = queue.reserve();
    std::byte *const place = room->data();
    auto moved = std::move(*room);
    CHECK(moved.data() == place && room->data() == nullptr);
    *room = std::move(moved);
    CHECK(room->data() == place && moved.data() == nullptr);
    room->cancel();
    room->cancel();
    CHECK(room->data() == nullptr);
    room = queue.reserve();
    queue.close();
    CHECK(room->commit(1) == conqueue_status::closed && room->data() != nullptr);
    CHECK(queue.reserve().error() == conqueue_status::closed);
}

TEST(leases_of_mpmc_bytes) {
    queues::mpmc_bytes queue(3, 16);
    CHECK(queue.try_lease().error() == conqueue_status::empty);
    CHECK(queue.lease_for(1ms).error() == conqueue_status::timeout);
    CHECK(queue.push("one") && queue.push("two") && queue.push("three"));
    {
        auto item = queue.lease();
        CHECK(text(*item) == "one" && queue.size() == 2);
        CHECK(reinterpret_cast<std::uintptr_t>(item->data()) % 8 == 0);
    } // put at the back of the queue
    CHECK(queue.size() == 3);
    auto item = queue.try_lease();
    CHECK(text(*item) == "two");
    auto next = queue.lease_for(1ms);
    CHECK(text(*next) == "three");
    item->consume();
    CHECK(item->data() == nullptr && queue.size() == 1);
    CHECK_THROWS(std::invalid_argument, item->consume());
    CHECK_THROWS(std::invalid_argument, item->put_back());
    next->data()[0] = std::byte{'T'};
    CHECK(next->put_back() == conqueue_status::success && next->data() == nullptr);
    CHECK(text(*queue.pop()) == "one" && text(*queue.pop()) == "Three");
    // An item that cannot be put back is destroyed, and its cell is freed.
    for (int i = 0; i < 200; ++i) {
        CHECK(queue.push("gone"));
        {
            auto lent = queue.lease();
            CHECK(queue.push("a") && queue.push("b") && queue.push("c"));
            CHECK(lent->put_back() == conqueue_status::full && text(*lent) == "gone");
        }
        CHECK(queue.size() == 3 && text(*queue.pop()) == "a" && queue.clear() == 2);
    }
    CHECK(queue.push("last"));
    auto last = queue.lease();
    queue.close();
    CHECK(last->put_back() == conqueue_status::closed && text(*last) == "last");
    CHECK(queue.lease().error() == conqueue_status::closed);
}
