// The results of the calls, for every kind of storage.
#include "check.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <list>
#include <numeric>
#include <sstream>

using namespace std::chrono_literals;
using queues::conqueue_status;

namespace {

// A type for each kind of storage, with conversions from a number and back.

struct word {
    std::uint8_t a;
    std::uint32_t b;
};
struct no_default {
    explicit no_default(std::uint64_t n) : number(n) {}
    const std::uint64_t number;
};
struct record {
    std::uint64_t number;
    char padding[100];
};
struct alignas(128) aligned {
    std::uint64_t number;
};
struct alignas(128) aligned_box {
    std::uint64_t number = 0;
    std::string text;
};
struct large {
    std::array<std::uint64_t, queues::inline_limit> numbers;
};
struct move_only {
    explicit move_only(std::uint64_t n) : number(n) {}
    move_only(move_only &&) = default;
    move_only &operator=(move_only &&) = default;
    std::uint64_t number;
};

template <class T> T make(std::uint64_t n);
template <> int make(std::uint64_t n) { return static_cast<int>(n); }
template <> bool make(std::uint64_t n) { return n % 2 != 0; }
template <> word make(std::uint64_t n) {
    return {static_cast<std::uint8_t>(n), static_cast<std::uint32_t>(n)};
}
template <> no_default make(std::uint64_t n) { return no_default(n); }
template <> record make(std::uint64_t n) { return {n, {}}; }
template <> aligned make(std::uint64_t n) { return {n}; }
template <> aligned_box make(std::uint64_t n) { return {n, std::to_string(n)}; }
template <> large make(std::uint64_t n) {
    large value;
    value.numbers.fill(n);
    return value;
}
template <> move_only make(std::uint64_t n) { return move_only(n); }
template <> std::string make(std::uint64_t n) { return std::string(40, 'x') + std::to_string(n); }
template <> std::unique_ptr<int> make(std::uint64_t n) {
    return std::make_unique<int>(static_cast<int>(n));
}
template <> std::vector<std::unique_ptr<int>> make(std::uint64_t n) {
    std::vector<std::unique_ptr<int>> value;
    value.push_back(make<std::unique_ptr<int>>(n));
    return value;
}

bool is(int value, std::uint64_t n) { return value == static_cast<int>(n); }
bool is(bool value, std::uint64_t n) { return value == (n % 2 != 0); }
bool is(const word &value, std::uint64_t n) {
    return value.a == static_cast<std::uint8_t>(n) && value.b == n;
}
bool is(const no_default &value, std::uint64_t n) { return value.number == n; }
bool is(const record &value, std::uint64_t n) { return value.number == n; }
bool is(const aligned &value, std::uint64_t n) {
    return value.number == n && reinterpret_cast<std::uintptr_t>(&value) % alignof(aligned) == 0;
}
bool is(const aligned_box &value, std::uint64_t n) {
    return value.number == n && value.text == std::to_string(n) &&
           reinterpret_cast<std::uintptr_t>(&value) % alignof(aligned_box) == 0;
}
bool is(const large &value, std::uint64_t n) {
    return value.numbers.front() == n && value.numbers.back() == n;
}
bool is(const move_only &value, std::uint64_t n) { return value.number == n; }
bool is(const std::string &value, std::uint64_t n) { return value == make<std::string>(n); }
bool is(const std::unique_ptr<int> &value, std::uint64_t n) { return value && is(*value, n); }
bool is(const std::vector<std::unique_ptr<int>> &value, std::uint64_t n) {
    return value.size() == 1 && is(value.front(), n);
}

// Calls `visit` with a null pointer to each type.
template <class Visit> void each_type(Visit visit) {
    visit(static_cast<int *>(nullptr));
    visit(static_cast<bool *>(nullptr));
    visit(static_cast<word *>(nullptr));
    visit(static_cast<no_default *>(nullptr));
    visit(static_cast<record *>(nullptr));
    visit(static_cast<aligned *>(nullptr));
    visit(static_cast<aligned_box *>(nullptr));
    visit(static_cast<large *>(nullptr));
    visit(static_cast<move_only *>(nullptr));
    visit(static_cast<std::string *>(nullptr));
    visit(static_cast<std::unique_ptr<int> *>(nullptr));
    visit(static_cast<std::vector<std::unique_ptr<int>> *>(nullptr));
}

template <class T> using calls = queues::detail::mpmc_calls;
template <class T> constexpr auto kind = queues::detail::payload_of<calls<T>, T>::kind;
using queues::detail::stored_as;
static_assert(kind<word> == stored_as::bits && kind<bool> == stored_as::bits &&
              kind<int *> == stored_as::bits);
static_assert(kind<no_default> == stored_as::bits && kind<move_only> == stored_as::bits);
static_assert(kind<record> == stored_as::bytes && kind<aligned> == stored_as::bytes);
static_assert(kind<std::unique_ptr<int>> == stored_as::unique_ptr);
static_assert(kind<std::unique_ptr<int[]>> == stored_as::cell && kind<large> == stored_as::cell);
static_assert(kind<std::string> == stored_as::cell && kind<aligned_box> == stored_as::cell);

template <class Queue>
constexpr bool is_fixed =
    !std::is_copy_constructible_v<Queue> && !std::is_move_constructible_v<Queue> &&
    !std::is_copy_assignable_v<Queue> && !std::is_move_assignable_v<Queue>;
static_assert(is_fixed<queues::mpmc<int>> && is_fixed<queues::spsc<int>>);
static_assert(is_fixed<queues::mpmc_bytes> && is_fixed<queues::spsc_bytes>);
static_assert(!std::is_convertible_v<std::size_t, queues::mpmc<int>>);

} // namespace

TEST_BOTH(items_of_every_type_are_popped_in_order) {
    each_type([](auto *type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Queue<T> queue(3);
        for (std::uint64_t lap = 0; lap < 5; ++lap) { // at every offset in the ring
            CHECK(queue.push(make<T>(lap)));
            CHECK(queue.try_push(make<T>(lap + 1)) == conqueue_status::success);
            CHECK(queue.push_for(make<T>(lap + 2), 1h) == conqueue_status::success);
            CHECK(is(*queue.pop(), lap));
            CHECK(is(*queue.try_pop(), lap + 1));
            CHECK(is(*queue.pop_for(1h), lap + 2));
        }
        CHECK(queue.try_pop().error() == conqueue_status::empty);
    });
}

TEST_BOTH(a_failed_push_leaves_its_argument_unchanged) {
    each_type([](auto *type) {
        using T = std::remove_pointer_t<decltype(type)>;
        Queue<T> queue(1);
        CHECK(queue.push(make<T>(1)));
        T value = make<T>(2);
        CHECK(queue.try_push(std::move(value)) == conqueue_status::full);
        CHECK(is(value, 2));
        CHECK(queue.push_for(std::move(value), 0s) == conqueue_status::full);
        CHECK(is(value, 2));
        CHECK(queue.push_for(std::move(value), 1ms) == conqueue_status::timeout);
        CHECK(is(value, 2));
        CHECK(queue.push_until(std::move(value), std::chrono::system_clock::now() + 1ms) !=
              conqueue_status::success);
        CHECK(is(value, 2));
        const auto many = queue.try_push_many(std::make_move_iterator(&value),
                                              std::make_move_iterator(&value + 1));
        CHECK(many.count == 0 && many.status == conqueue_status::full);
        CHECK(is(value, 2));
        queue.close();
        CHECK(!queue.push(std::move(value)));
        CHECK(is(value, 2));
        CHECK(queue.try_push(std::move(value)) == conqueue_status::closed);
        CHECK(is(value, 2));
        CHECK(is(*queue.pop(), 1));
        CHECK(!queue.pop());
        CHECK(queue.size() == 0);
    });
}

TEST_BOTH(lvalues_are_copied) {
    Queue<std::string> strings(4);
    const std::string value = make<std::string>(7);
    CHECK(strings.push(value) && strings.try_push(value) == conqueue_status::success);
    CHECK(strings.push_for(value, 1s) == conqueue_status::success);
    CHECK(strings.push_until(value, std::chrono::steady_clock::now() + 1h) ==
          conqueue_status::success);
    CHECK(strings.try_push(value) == conqueue_status::full);
    for (int i = 0; i < 4; ++i)
        CHECK(*strings.pop() == value);
}

TEST_BOTH(emplace_constructs_the_item) {
    Queue<std::pair<std::string, int>> boxes(2);
    CHECK(boxes.emplace("a", 1));
    CHECK(boxes.try_emplace("b", 2) == conqueue_status::success);
    CHECK(boxes.try_emplace("c", 3) == conqueue_status::full);
    CHECK(boxes.pop() == std::pair(std::string("a"), 1));
    Queue<no_default> bits(1);
    CHECK(bits.emplace(5U));
    CHECK(bits.pop()->number == 5);
    bits.close();
    CHECK(!bits.emplace(6U));
}

TEST_BOTH(capacity_is_exact) {
    for (std::size_t capacity : {1U, 2U, 3U, 10U, 17U}) {
        Queue<int> queue(capacity);
        CHECK(queue.capacity() == capacity);
        for (std::size_t i = 0; i < capacity; ++i) {
            CHECK(queue.size() == i);
            CHECK(queue.try_push(static_cast<int>(i)) == conqueue_status::success);
        }
        CHECK(queue.try_push(0) == conqueue_status::full);
        CHECK(queue.size() == capacity);
    }
    CHECK(Queue<int>().capacity() > 1);
}

TEST_BOTH(impossible_capacities_throw) {
    constexpr auto huge = std::numeric_limits<std::size_t>::max();
    CHECK_THROWS(std::invalid_argument, Queue<int>(0));
    CHECK_THROWS(std::invalid_argument, Queue<record>(0));
    CHECK_THROWS(std::invalid_argument, Queue<record>(huge / 2));
}

TEST_BOTH(pops_drain_a_closed_queue) {
    Queue<std::string> queue(4);
    CHECK(queue.push("a") && queue.push("b"));
    CHECK(!queue.is_closed());
    queue.close();
    queue.close();
    CHECK(queue.is_closed());
    CHECK(!queue.push("c"));
    CHECK(queue.push_for("c", 1h) == conqueue_status::closed);
    CHECK(queue.pop() == "a");
    CHECK(*queue.try_pop() == "b");
    CHECK(!queue.pop());
    CHECK(queue.try_pop().error() == conqueue_status::closed);
    CHECK(queue.pop_for(1h).error() == conqueue_status::closed);
    CHECK(queue.pop_until(std::chrono::steady_clock::now()).error() == conqueue_status::closed);
}

TEST_BOTH(durations_of_every_size_are_accepted) {
    Queue<int> queue(1);
    CHECK(queue.pop_for(0s).error() == conqueue_status::empty);
    CHECK(queue.pop_for(-1h).error() == conqueue_status::empty);
    CHECK(queue.pop_for(std::chrono::hours::min()).error() == conqueue_status::empty);
    CHECK(queue.pop_for(std::chrono::nanoseconds(1)).error() == conqueue_status::timeout);
    CHECK(queue.pop_for(std::chrono::duration<double>(1e-3)).error() == conqueue_status::timeout);
    const std::chrono::duration<double> not_a_number(std::numeric_limits<double>::quiet_NaN());
    CHECK(queue.pop_for(not_a_number).error() == conqueue_status::empty);

    const auto start = std::chrono::steady_clock::now();
    CHECK(queue.pop_for(3ms).error() == conqueue_status::timeout);
    CHECK(std::chrono::steady_clock::now() - start >= 3ms);

    CHECK(queue.push_for(1, std::chrono::hours::max()) == conqueue_status::success);
    CHECK(*queue.pop_for(std::chrono::hours::max()) == 1);
    CHECK(queue.push_for(2, std::chrono::duration<double>(1e300)) == conqueue_status::success);
    CHECK(*queue.pop_for(std::chrono::duration<float>(1e30F)) == 2);
}

TEST_BOTH(deadlines_of_every_size_are_accepted) {
    using std::chrono::steady_clock;
    using std::chrono::system_clock;
    using system_hours = std::chrono::time_point<system_clock, std::chrono::hours>;
    Queue<int> queue(1);
    CHECK(queue.pop_until(steady_clock::now() - 1s).error() == conqueue_status::empty);
    CHECK(queue.pop_until(steady_clock::time_point::min()).error() == conqueue_status::empty);
    CHECK(queue.pop_until(system_hours::min()).error() == conqueue_status::empty);
    CHECK(queue.push_until(1, system_hours::max()) == conqueue_status::success);
    CHECK(queue.push_until(2, system_clock::now() - 1s) == conqueue_status::full);
    CHECK(*queue.pop_until(steady_clock::time_point::max()) == 1);

    const auto deadline = system_clock::now() + 3ms;
    CHECK(queue.pop_until(deadline).error() == conqueue_status::timeout);
    CHECK(system_clock::now() >= deadline);
}

namespace {
// Much slower than the clock of the C calls: only `now` advances it.
struct slow_clock {
    using duration = std::chrono::milliseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<slow_clock>;
    static time_point now() { return time_point(duration(++readings / 8)); }
    static inline rep readings = 0;
};
} // namespace

TEST_BOTH(the_clock_of_the_deadline_decides) {
    Queue<int> queue(1);
    const auto deadline = slow_clock::now() + 3ms;
    CHECK(queue.pop_until(deadline).error() == conqueue_status::timeout);
    CHECK(slow_clock::now() >= deadline);
}

TEST_BOTH(bulk_calls_move_many_items) {
    Queue<int> queue(1000);
    std::vector<int> numbers(500);
    std::iota(numbers.begin(), numbers.end(), 0);
    auto pushed = queue.push_many(numbers.begin(), numbers.end());
    CHECK(pushed.count == 500 && pushed.status == conqueue_status::success);
    const std::list<short> more(600, 7); // no random access, and another type
    pushed = queue.try_push_many(more.begin(), more.end());
    CHECK(pushed.count == 500 && pushed.status == conqueue_status::full);
    pushed = queue.push_many_for(more.begin(), more.end(), 1ms);
    CHECK(pushed.count == 0 && pushed.status == conqueue_status::timeout);

    std::vector<int> out(300, -1);
    auto popped = queue.pop_many(out.begin(), out.size());
    CHECK(popped.count == 300 && popped.status == conqueue_status::success);
    for (int i = 0; i < 300; ++i)
        CHECK(out[static_cast<std::size_t>(i)] == i);
    out.clear();
    popped = queue.try_pop_many(std::back_inserter(out),
                                5000); // one item at a time, because assigning may throw
    CHECK(popped.count == 700 && popped.status == conqueue_status::success && out.size() == 700);
    CHECK(out.front() == 300 && out[199] == 499 && out.back() == 7);

    popped = queue.try_pop_many(out.begin(), 1);
    CHECK(popped.count == 0 && popped.status == conqueue_status::empty);
    popped = queue.pop_many_for(out.begin(), 1, 1ms);
    CHECK(popped.count == 0 && popped.status == conqueue_status::timeout);
    popped = queue.pop_many(out.begin(), 0);
    CHECK(popped.count == 0 && popped.status == conqueue_status::success);
    pushed = queue.push_many(out.begin(), out.begin());
    CHECK(pushed.count == 0 && pushed.status == conqueue_status::success);

    std::istringstream text("1 2 3"); // an input iterator
    pushed = queue.push_many(std::istream_iterator<int>(text), std::istream_iterator<int>());
    CHECK(pushed.count == 3);
    queue.close();
    popped = queue.pop_many(out.begin(), out.size());
    CHECK(popped.count == 3 && out[2] == 3);
    popped = queue.pop_many(out.begin(), out.size());
    CHECK(popped.count == 0 && popped.status == conqueue_status::closed);
    pushed = queue.push_many(out.begin(), out.end());
    CHECK(pushed.count == 0 && pushed.status == conqueue_status::closed);
}

// Arrays of items that are a word are passed to the C calls without conversion.
template <class Queue, class Make> static void word_arrays(Make make) {
    using T = typename Queue::value_type;
    Queue queue(100);
    std::vector<T> in;
    for (int i = 0; i < 150; ++i)
        in.push_back(make(i));
    const T *const first = in.data();
    auto pushed = queue.try_push_many(first, first + 150); // more than there is room for
    CHECK(pushed.count == 100 && pushed.status == conqueue_status::full);
    pushed = queue.push_many_for(first + 100, first + 150, 1ms);
    CHECK(pushed.count == 0 && pushed.status == conqueue_status::timeout);

    std::vector<T> out(200, make(-1));
    auto popped = queue.try_pop_many(out.data(), 70);
    CHECK(popped.count == 70 && popped.status == conqueue_status::success);
    pushed = queue.push_many(in.begin() + 100, in.end()); // by iterators of a vector
    CHECK(pushed.count == 50 && pushed.status == conqueue_status::success);
    popped = queue.pop_many(out.begin() + 70, std::size_t{PTRDIFF_MAX});
    CHECK(popped.count == 80 && popped.status == conqueue_status::success);
    CHECK(std::equal(in.begin(), in.end(), out.begin()));
    CHECK(out[150] == make(-1));
    popped = queue.try_pop_many(out.data(), SIZE_MAX);
    CHECK(popped.count == 0 && popped.status == conqueue_status::empty);

    queue.close();
    pushed = queue.push_many(first, first + 1);
    CHECK(pushed.count == 0 && pushed.status == conqueue_status::closed);
    popped = queue.pop_many(out.data(), 1);
    CHECK(popped.count == 0 && popped.status == conqueue_status::closed);
}

struct two_halves {
    std::int32_t left, right;
    bool operator==(const two_halves &other) const {
        return left == other.left && right == other.right;
    }
};

TEST_BOTH(word_arrays_are_passed_whole) {
    static int places[151];
    word_arrays<Queue<int *>>([](int i) { return places + i + 1; });
    word_arrays<Queue<std::uint64_t>>([](int i) { return static_cast<std::uint64_t>(i); });
    word_arrays<Queue<double>>([](int i) { return i / 3.0; });
    word_arrays<Queue<two_halves>>([](int i) { return two_halves{i, -i}; });
}

TEST_BOTH(bulk_calls_of_every_type) {
    each_type([](auto *type) {
        using T = std::remove_pointer_t<decltype(type)>;
        constexpr std::uint64_t capacity = 70; // more than one chunk
        Queue<T> queue(capacity);
        std::vector<T> in;
        for (std::uint64_t i = 0; i < capacity + 5; ++i)
            in.push_back(make<T>(i));
        const auto pushed = queue.try_push_many(std::make_move_iterator(in.begin()),
                                                std::make_move_iterator(in.end()));
        CHECK(pushed.count == capacity && pushed.status == conqueue_status::full);
        for (std::uint64_t i = capacity; i < in.size(); ++i)
            CHECK(is(in[i], i));
        std::vector<T> out;
        const auto popped = queue.pop_many(std::back_inserter(out), capacity);
        CHECK(popped.count == capacity && popped.status == conqueue_status::success);
        for (std::uint64_t i = 0; i < capacity; ++i)
            CHECK(is(out[i], i));
    });
    std::vector<std::unique_ptr<int>> owners(3);
    Queue<std::unique_ptr<int>> queue(3);
    CHECK(queue.push(nullptr) && queue.push(std::make_unique<int>(5)));
    CHECK(queue.pop_many(owners.data(), owners.size()).count == 2);
    CHECK(!owners[0] && *owners[1] == 5);
}

#ifdef __cpp_lib_span
TEST_BOTH(spans_are_accepted) {
    Queue<std::string> queue(4);
    std::vector<std::string> words{"a", "b", "c"};
    CHECK(queue.push_many(words).count == 3 && words[0] == "a");
    std::array<std::string, 4> out;
    CHECK(queue.pop_many(out).count == 3 && out[2] == "c");
}
#endif

TEST(mpmc_peek_returns_a_copy) {
    queues::mpmc<word> bits(2);
    CHECK(bits.peek().error() == conqueue_status::empty);
    CHECK(bits.push({1, 2}) && bits.push({3, 4}));
    CHECK(bits.peek()->b == 2 && bits.size() == 2);
    queues::mpmc<record> bytes(2);
    CHECK(bytes.push(make<record>(9)));
    CHECK(bytes.peek()->number == 9 && bytes.pop()->number == 9);
    bytes.close();
    CHECK(bytes.peek().error() == conqueue_status::closed);
}

TEST(spsc_peek_visits_items_of_every_type) {
    each_type([](auto *type) {
        using T = std::remove_pointer_t<decltype(type)>;
        queues::spsc<T> queue(2);
        bool seen = false;
        const auto look = [&](const T &front) { seen = is(front, 3); };
        CHECK(queue.peek(look) == conqueue_status::empty && !seen);
        CHECK(queue.push(make<T>(3)));
        CHECK(queue.peek(look) == conqueue_status::success && seen);
        if constexpr (std::is_copy_constructible_v<T> &&
                      !std::is_same_v<T, std::vector<std::unique_ptr<int>>>)
            CHECK(is(*queue.peek(), 3));
        struct refusal {};
        CHECK_THROWS(refusal, queue.peek([](const T &) { throw refusal(); }));
        CHECK(is(*queue.pop(), 3));
        queue.close();
        CHECK(queue.peek(look) == conqueue_status::closed);
    });
}

TEST(spsc_reports_empty_and_full) {
    queues::spsc<std::string> queue(1);
    CHECK(queue.is_empty() && !queue.is_full());
    CHECK(queue.push("a"));
    CHECK(!queue.is_empty() && queue.is_full());
}

TEST_BOTH(statistics_count_the_calls) {
    Queue<int> queue(2);
    CHECK(queue.push(1) && queue.push(2));
    CHECK(queue.try_push(3) == conqueue_status::full);
    CHECK(queue.pop() == 1);
    const queues::statistics counters = queue.stats();
    CHECK(counters.enqueued == 2 && counters.dequeued == 1 && counters.failed_enqueue == 1);
    CHECK(counters.failed_dequeue == 0 && counters.current_size == 1 && counters.capacity == 2);
    CHECK(counters.peak_size == 2);
    const std::string json = queue.stats_json();
    CHECK(json.front() == '{' && json.back() == '}' && json.size() == std::strlen(json.c_str()));
    CHECK(json.find("enqueued") != std::string::npos);
    const std::string page =
        queues::to_prometheus({{"one \"queue\"", counters}, {"two", counters}});
    CHECK(
        page.find(
            "queues_capacity{queue=\"one \\\"queue\\\"\"} 2\nqueues_capacity{queue=\"two\"} 2\n") !=
        std::string::npos);
    CHECK(queues::to_prometheus({}).empty());
    CHECK_THROWS(std::invalid_argument, queues::to_prometheus({{"\xFF", counters}}));
    CHECK(queue.clear() == 1 && queue.size() == 0);
}

TEST(statuses_have_texts) {
    for (auto status : {conqueue_status::success, conqueue_status::empty, conqueue_status::full,
                        conqueue_status::closed, conqueue_status::timeout})
        CHECK(std::strlen(queues::to_string(status)) > 0);
}

TEST(expected_holds_a_value_or_an_error) {
    using outcome = queues::expected<std::string, conqueue_status>;
    const outcome value("text");
    CHECK(value && value.has_value() && *value == "text" && value->size() == 4);
    CHECK(value.value() == "text" && value.value_or("other") == "text");
    outcome error = queues::unexpected<conqueue_status>(conqueue_status::empty);
    CHECK(!error && error.error() == conqueue_status::empty && error.value_or("other") == "other");
    CHECK_THROWS(queues::bad_expected_access<conqueue_status>, error.value());
    error = outcome("moved");
    CHECK(std::move(error).value() == "moved");
    using same = queues::expected<conqueue_status, conqueue_status>;
    CHECK(*same(conqueue_status::full) == conqueue_status::full);
    CHECK(!same(queues::unexpected<conqueue_status>(conqueue_status::full)));
}

TEST_BOTH(pops_assign_to_an_existing_item) {
    each_type([](auto *type) {
        using T = std::remove_pointer_t<decltype(type)>;
        if constexpr (std::is_move_assignable_v<T>) {
            Queue<T> queue(4);
            for (std::uint64_t n = 0; n < 4; ++n)
                CHECK(queue.push(make<T>(n)));
            T item = make<T>(9);
            CHECK(queue.pop(item) && is(item, 0));
            CHECK(queue.try_pop(item) == conqueue_status::success && is(item, 1));
            CHECK(queue.pop_for(item, 1h) == conqueue_status::success && is(item, 2));
            CHECK(queue.pop_until(item, std::chrono::steady_clock::now()) ==
                  conqueue_status::success);
            CHECK(is(item, 3) && queue.is_empty());
            CHECK(queue.try_pop(item) == conqueue_status::empty && is(item, 3));
            CHECK(queue.pop_for(item, 1ms) == conqueue_status::timeout && is(item, 3));
            queue.close();
            CHECK(!queue.pop(item) && is(item, 3));
        }
    });
}

namespace {
// A member of a derived class may be in its padding.
struct padded {
    padded(std::uint64_t n, char c) : number(n), letter(c) {}
    std::uint64_t number;
    char letter;
};
struct tail : padded {
    using padded::padded;
    char own = 'o';
};
} // namespace

TEST_BOTH(popping_into_a_base_leaves_the_derived_part) {
    Queue<padded> queue(1);
    CHECK(queue.push(padded(5, 'x')));
    tail item(1, 'y');
    CHECK(queue.pop(item) && item.number == 5 && item.letter == 'x' && item.own == 'o');
}

TEST_BOTH(ranges_are_accepted) {
    Queue<std::string> strings(4);
    const std::vector<std::string> words{"a", "b", "c"};
    CHECK(strings.push_many(words).count == 3 && words[0] == "a");
    std::array<std::string, 4> out;
    CHECK(strings.pop_many(out).count == 3 && out[2] == "c");
    Queue<std::uint64_t> numbers(4);
    const std::uint64_t in[] = {1, 2, 3};
    CHECK(numbers.push_many(in).count == 3);
    std::vector<std::uint64_t> all(4);
    CHECK(numbers.pop_many(all).count == 3 && all[2] == 3);
}

TEST(peek_copies_large_items) {
    queues::mpmc<large> queue(2);
    CHECK(queue.peek().error() == conqueue_status::empty);
    CHECK(queue.push(make<large>(9)) && is(*queue.peek(), 9) && is(*queue.pop(), 9));
    queues::priority<large> ranked(2);
    CHECK(ranked.push(make<large>(8), 1) && is(ranked.peek()->value, 8));
}

TEST(expected_has_the_monadic_members) {
    using outcome = queues::expected<std::string, conqueue_status>;
    const outcome value("text");
    const outcome error = queues::unexpected<conqueue_status>(conqueue_status::empty);
    const auto length = [](const std::string &text) { return text.size(); };
    CHECK(*value.transform(length) == 4 &&
          error.transform(length).error() == conqueue_status::empty);
    CHECK(*outcome("moved").transform(length) == 5);
    const auto twice = [](const std::string &text) { return outcome(text + text); };
    CHECK(*value.and_then(twice) == "texttext" && !error.and_then(twice));
    const auto other = [](conqueue_status) { return outcome("other"); };
    CHECK(*value.or_else(other) == "text" && *error.or_else(other) == "other");
    CHECK(error.error_or(conqueue_status::full) == conqueue_status::empty);
    CHECK(value.error_or(conqueue_status::full) == conqueue_status::full);
    CHECK(value == outcome("text") && value != error && error == outcome(error));
}
