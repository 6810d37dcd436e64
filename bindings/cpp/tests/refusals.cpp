// A push or emplace that is refused, or that throws, leaves its arguments unchanged.
#include "check.hpp"

#include <chrono>
#include <deque>
#include <thread>

using namespace std::chrono_literals;
using queues::conqueue_status;

namespace {

const std::string text = "a text that is too long to be in the string itself";

// Movable, not copyable.
struct move_only {
    explicit move_only(std::string text_, int number_ = 0)
        : text(std::move(text_)), number(number_) {}
    move_only(move_only &&) = default;
    move_only &operator=(move_only &&) = default;
    std::string text;
    int number;
};

// Its move constructor may throw in libstdc++, its move assignment does not.
struct deque_inside {
    std::deque<int> numbers;
};
static_assert(std::is_copy_constructible_v<deque_inside>);

// Counts its copies and moves. Its constructor moves from its argument.
struct tracked {
    static inline int copies = 0, moves = 0, made = 0, alive = 0;
    std::string text;
    explicit tracked(std::string &&from) : text(std::move(from)) { ++made, ++alive; }
    tracked(const tracked &other) : text(other.text) { ++copies, ++alive; }
    tracked(tracked &&other) noexcept(false) : text(std::move(other.text)) { ++moves, ++alive; }
    tracked &operator=(const tracked &) = default;
    tracked &operator=(tracked &&) noexcept = default;
    ~tracked() { --alive; }
};

// The calls of a family, without what is passed beside an item.
template <class Queue> struct plain_access {
    template <class... Args> static bool emplace(Queue &queue, Args &&...args) {
        return queue.emplace(std::forward<Args>(args)...);
    }
    template <class... Args> static conqueue_status try_emplace(Queue &queue, Args &&...args) {
        return queue.try_emplace(std::forward<Args>(args)...);
    }
    template <class Value> static bool push(Queue &queue, Value &&value) {
        return queue.push(std::forward<Value>(value));
    }
    template <class Value> static conqueue_status try_push(Queue &queue, Value &&value) {
        return queue.try_push(std::forward<Value>(value));
    }
    static auto pop(Queue &queue) { return *queue.pop(); }
};
template <class Queue> struct access : plain_access<Queue> {};
template <class T> struct access<queues::priority<T>> {
    using queue_type = queues::priority<T>;
    template <class... Args> static bool emplace(queue_type &queue, Args &&...args) {
        return queue.emplace(1, std::forward<Args>(args)...);
    }
    template <class... Args> static conqueue_status try_emplace(queue_type &queue, Args &&...args) {
        return queue.try_emplace(1, std::forward<Args>(args)...);
    }
    template <class Value> static bool push(queue_type &queue, Value &&value) {
        return queue.push(std::forward<Value>(value), 1);
    }
    template <class Value> static conqueue_status try_push(queue_type &queue, Value &&value) {
        return queue.try_push(std::forward<Value>(value), 1);
    }
    static T pop(queue_type &queue) { return std::move(queue.pop()->value); }
};
template <class T> struct access<queues::batcher<T>> : plain_access<queues::batcher<T>> {
    using queue_type = queues::batcher<T>;
    template <class... Args> static conqueue_status try_emplace(queue_type &queue, Args &&...args) {
        return queue.try_emplace(queues::weight(2), std::forward<Args>(args)...);
    }
    static T pop(queue_type &queue) { return std::move(queue.pop_batch()->front()); }
};
template <class Queue> constexpr bool closes = true;
template <class T> constexpr bool closes<queues::deque<T>> = false;

template <template <class> class Queue, class T> struct queue_of_one : Queue<T> {
    queue_of_one() : Queue<T>(1) {}
};
template <class T> struct queue_of_one<queues::batcher, T> : queues::batcher<T> {
    queue_of_one() : queues::batcher<T>(limits()) {}
    static queues::batch_limits limits() {
        queues::batch_limits limits;
        limits.size = limits.max_pending = 1;
        return limits;
    }
};

// Runs `refused` with a full queue, and with a closed one.
template <template <class> class Queue, class T, class First, class Refused>
void full_then_closed(First first, Refused refused) {
    using io = access<Queue<T>>;
    queue_of_one<Queue, T> queue;
    CHECK(io::push(queue, first()));
    CHECK(refused(queue) == conqueue_status::full);
    static_cast<void>(io::pop(queue));
    if constexpr (closes<Queue<T>>) {
        queue.close();
        CHECK(refused(queue) == conqueue_status::closed);
    }
}

template <template <class> class Queue> void arguments_are_unchanged() {
    full_then_closed<Queue, move_only>(
        [] { return move_only("first"); },
        [](auto &queue) {
            using io = access<Queue<move_only>>;
            std::string argument = text;
            const auto status = io::try_emplace(queue, std::move(argument), 5);
            CHECK(argument == text);
            if (status == conqueue_status::closed || !closes<Queue<move_only>>) {
                CHECK(!io::emplace(queue, std::move(argument), 5));
                CHECK(argument == text);
            }
            move_only item(text, 7);
            CHECK(io::try_push(queue, std::move(item)) == status);
            CHECK(item.text == text && item.number == 7);
            CHECK(io::try_emplace(queue, std::move(item)) == status); // a single T is pushed
            CHECK(item.text == text && item.number == 7);
            return status;
        });
    full_then_closed<Queue, deque_inside>(
        [] {
            return deque_inside{{1, 2}};
        },
        [](auto &queue) {
            using io = access<Queue<deque_inside>>;
            deque_inside item{{1, 2, 3}};
            const int *const place = &item.numbers.front();
            const auto status = io::try_push(queue, std::move(item));
            CHECK(item.numbers.size() == 3);
            CHECK(&item.numbers.front() == place); // not a copy
            return status;
        });
    full_then_closed<Queue, std::unique_ptr<int>>(
        [] { return std::make_unique<int>(1); },
        [](auto &queue) {
            using io = access<Queue<std::unique_ptr<int>>>;
            std::unique_ptr<int, std::default_delete<int>> item(new int(3));
            const auto status = io::try_emplace(queue, std::move(item));
            CHECK(item && *item == 3);
            int *const bare = item.release();
            CHECK(io::try_emplace(queue, bare) == status && *bare == 3); // still the caller's
            CHECK(io::try_emplace(queue, bare, std::default_delete<int>()) == status && *bare == 3);
            delete bare;
            CHECK(io::try_emplace(queue, nullptr) == status && io::try_emplace(queue) == status);
            return status;
        });
    // Trivially copyable, but its constructor moves from its argument.
    struct length {
        std::size_t count;
        explicit length(std::string &&from) : count(from.size()) { std::string(std::move(from)); }
    };
    full_then_closed<Queue, length>([] { return length("first"); },
                                    [](auto &queue) {
                                        using io = access<Queue<length>>;
                                        std::string argument = text;
                                        const auto status =
                                            io::try_emplace(queue, std::move(argument));
                                        CHECK(argument == text);
                                        return status;
                                    });
}

template <template <class> class Queue> void pushes_move() {
    using io = access<Queue<tracked>>;
    queue_of_one<Queue, tracked> queue;
    tracked::copies = tracked::moves = tracked::made = 0;
    tracked item{std::string(text)};
    CHECK(io::push(queue, std::move(item)));
    CHECK(tracked::copies == 0 && tracked::moves == 1); // although the move may throw
    CHECK(io::try_push(queue, std::move(item)) == conqueue_status::full);
    CHECK(tracked::copies == 0);
    std::string argument = text;
    CHECK(io::try_emplace(queue, std::move(argument)) == conqueue_status::full);
    CHECK(tracked::made == 1 && argument == text); // no item was constructed
    CHECK(io::pop(queue).text == text && tracked::copies == 0);
    CHECK(io::emplace(queue, std::move(argument)) && argument.empty() && tracked::made == 2);
    CHECK(io::pop(queue).text == text);

    using numbers = access<Queue<deque_inside>>;
    queue_of_one<Queue, deque_inside> deques;
    deque_inside numbered{{1, 2, 3}};
    const int *const place = &numbered.numbers.front();
    CHECK(numbers::push(deques, std::move(numbered)) && numbered.numbers.empty());
    const deque_inside popped = numbers::pop(deques);
    CHECK(&popped.numbers.front() == place); // moved in and out, never copied
}

// Its constructor uses the queue that it is emplaced into, as another thread might do then.
template <class Queue> struct meddler {
    static inline int alive = 0;
    using deed = void (*)(Queue &);
    std::string text;
    meddler(Queue &queue, deed what, std::string &&from) : text(std::move(from)) {
        ++alive;
        what(queue);
    }
    explicit meddler(std::string text_) : text(std::move(text_)) { ++alive; }
    meddler(meddler &&other) noexcept : text(std::move(other.text)) { ++alive; }
    meddler &operator=(meddler &&) noexcept = default;
    ~meddler() { --alive; }
};

struct meddled_mpmc : queues::mpmc<meddler<meddled_mpmc>> {
    meddled_mpmc() : mpmc(1) {}
    template <class... Args> auto take_in(Args &&...args) {
        return try_emplace(*this, std::forward<Args>(args)...);
    }
    template <class... Args> bool wait_in(Args &&...args) {
        return emplace(*this, std::forward<Args>(args)...);
    }
    auto put_in(std::string item) { return try_push(meddler<meddled_mpmc>(std::move(item))); }
    std::string take_out() { return pop()->text; }
};
struct meddled_priority : queues::priority<meddler<meddled_priority>> {
    meddled_priority() : priority(1) {}
    template <class... Args> auto take_in(Args &&...args) {
        return try_emplace(1, *this, std::forward<Args>(args)...);
    }
    template <class... Args> bool wait_in(Args &&...args) {
        return emplace(1, *this, std::forward<Args>(args)...);
    }
    auto put_in(std::string item) {
        return try_push(meddler<meddled_priority>(std::move(item)), 1);
    }
    std::string take_out() { return pop()->value.text; }
};

template <class Queue> void others_fill_the_queue() {
    using item = meddler<Queue>;
    {
        Queue queue;
        std::string argument = text;
        const auto fill = [](Queue &of) { CHECK(of.put_in("other") == conqueue_status::success); };
        // There is room before the constructor runs, and none after it.
        CHECK(queue.take_in(fill, std::move(argument)) == conqueue_status::retry);
        CHECK(item::alive == 1 && queue.size() == 1);
        argument = text; // the constructor moved from the former text
        CHECK(queue.take_in(fill, std::move(argument)) == conqueue_status::full);
        CHECK(argument == text && queue.take_out() == "other");
        CHECK(queue.stats().failed_enqueue == 2);
        // An emplace that waits keeps its item until there is room.
        std::thread consumer([&] {
            while (queue.size() == 0)
                std::this_thread::yield();
            CHECK(queue.take_out() == "other" && queue.take_out() == text);
        });
        CHECK(queue.wait_in(fill, std::move(argument)));
        consumer.join();
        CHECK(item::alive == 0);
        CHECK(queue.stats().failed_enqueue == 2);
        argument = text;
        CHECK(!queue.wait_in([](Queue &of) { of.close(); }, std::move(argument)));
        CHECK(item::alive == 0);
        argument = text;
        CHECK(!queue.wait_in([](Queue &of) { of.close(); }, std::move(argument)));
        CHECK(argument == text); // closed before the call
    }
    CHECK(item::alive == 0);
}

// Its move into the queue is overtaken by another push.
struct overtaken {
    static inline queues::mpmc<overtaken> *queue = nullptr;
    std::string text;
    explicit overtaken(std::string text_) : text(std::move(text_)) {}
    overtaken(overtaken &&other) noexcept : text(std::move(other.text)) {
        if (auto *const of = std::exchange(queue, nullptr))
            CHECK(of->emplace("other"));
    }
    overtaken &operator=(overtaken &&other) noexcept {
        text = std::move(other.text);
        return *this;
    }
};

struct burnt {};
// Its constructor and its move throw while `burns` is set.
struct explosive {
    static inline bool burns = false;
    static inline int alive = 0;
    std::string text;
    explicit explosive(const std::string &from) : text(from) {
        if (burns)
            throw burnt();
        ++alive;
    }
    explosive(explosive &&other) : explosive(std::as_const(other.text)) { other.text.clear(); }
    explosive &operator=(explosive &&) = default;
    ~explosive() { --alive; }
};

template <template <class> class Queue> void constructors_throw() {
    using io = access<Queue<explosive>>;
    {
        queue_of_one<Queue, explosive> queue;
        explosive item(text);
        explosive::burns = true;
        CHECK_THROWS(burnt, io::emplace(queue, text));
        CHECK_THROWS(burnt, io::try_emplace(queue, text));
        CHECK_THROWS(burnt, io::push(queue, std::move(item)));
        CHECK(item.text == text && queue.size() == 0 && queue.is_empty());
        explosive::burns = false;
        for (int i = 0; i < 200; i++) { // no cell and no position was lost
            CHECK(io::emplace(queue, text) && !queue.is_empty());
            CHECK(io::try_push(queue, std::move(item)) == conqueue_status::full);
            CHECK(io::pop(queue).text == text);
            explosive::burns = true;
            CHECK_THROWS(burnt, io::emplace(queue, text));
            explosive::burns = false;
        }
        CHECK(io::push(queue, std::move(item)));
        explosive::burns = true;
        CHECK_THROWS(burnt, io::pop(queue)); // lost
        explosive::burns = false;
        CHECK(queue.size() == 0);
        CHECK(io::emplace(queue, text)); // left for the destructor
    }
    CHECK(explosive::alive == 0);
}

template <class T>
constexpr bool
    pushes_surely = noexcept(std::declval<queues::mpmc<T> &>().try_push(std::declval<T>()));
template <class T>
constexpr bool pops_surely = noexcept(std::declval<queues::mpmc<T> &>().try_pop());
static_assert(pushes_surely<int> && pushes_surely<std::string> && pushes_surely<move_only>);
static_assert(pushes_surely<std::unique_ptr<int>> && pushes_surely<std::vector<int>>);
static_assert(!pushes_surely<explosive> && !pushes_surely<tracked>);
static_assert(pops_surely<int> && pops_surely<std::string> && !pops_surely<explosive>);
template <class T>
constexpr bool
    assigns_surely = noexcept(std::declval<queues::mpmc<T> &>().try_pop(std::declval<T &>()));
static_assert(assigns_surely<int> && assigns_surely<std::string> && assigns_surely<move_only>);
static_assert(assigns_surely<std::unique_ptr<int>> && !assigns_surely<explosive>);
template <class T>
constexpr bool pops_by_priority_surely = noexcept(std::declval<queues::priority<T> &>().try_pop())
    &&noexcept(std::declval<queues::priority<T> &>().try_pop(std::declval<T &>(),
                                                             std::declval<double &>()));
static_assert(pops_by_priority_surely<int> && pops_by_priority_surely<std::string>);
static_assert(!pops_by_priority_surely<explosive>);
// They throw if another process has damaged a shared queue.
static_assert(!noexcept(std::declval<queues::mpmc_bytes &>().try_reserve()));
static_assert(!noexcept(std::declval<queues::mpmc_bytes &>().try_lease()));
static_assert(!noexcept(std::declval<queues::mpmc_bytes &>().try_pop())); // it allocates
static_assert(!noexcept(
    std::declval<queues::mpmc<std::string> &>().try_push(std::declval<const std::string &>())));
static_assert(noexcept(std::declval<queues::mpmc<std::string> &>().try_emplace()));
static_assert(!noexcept(std::declval<queues::mpmc<std::string> &>().try_emplace("text")));
static_assert(noexcept(std::declval<queues::batcher<std::string> &>().try_push(std::string(),
                                                                               queues::weight(1))));
// These throw for misuse, or for a priority that is NaN.
static_assert(!noexcept(std::declval<queues::spsc<int> &>().try_push(1)));
static_assert(!noexcept(std::declval<queues::priority<int> &>().try_push(1, 1)));
static_assert(!noexcept(std::declval<queues::spsc<int> &>().try_pop()));

} // namespace

TEST(refused_arguments_are_unchanged) {
    arguments_are_unchanged<queues::mpmc>();
    arguments_are_unchanged<queues::spsc>();
    arguments_are_unchanged<queues::priority>();
    arguments_are_unchanged<queues::batcher>();
    arguments_are_unchanged<queues::deque>();
}

TEST(pushes_move_items_that_can_be_moved_back) {
    pushes_move<queues::mpmc>();
    pushes_move<queues::spsc>();
    pushes_move<queues::priority>();
    pushes_move<queues::batcher>();
    pushes_move<queues::deque>();
    CHECK(tracked::alive == 0);
}

TEST(emplace_when_other_producers_fill_the_queue) {
    others_fill_the_queue<meddled_mpmc>();
    others_fill_the_queue<meddled_priority>();
}

TEST(emplace_of_spsc_closed_by_the_constructor) {
    struct closing {
        closing(queues::spsc<closing> &queue, std::string &&from) : text(std::move(from)) {
            queue.close();
        }
        closing(closing &&) = default;
        closing &operator=(closing &&) = default;
        std::string text;
    };
    queues::spsc<closing> queue(4);
    std::string argument = text;
    CHECK(queue.try_emplace(queue, std::move(argument)) == conqueue_status::closed);
    argument = text;
    CHECK(queue.try_emplace(queue, std::move(argument)) == conqueue_status::closed);
    CHECK(argument == text && !queue.pop());
}

TEST(a_push_that_is_overtaken_moves_its_item_back) {
    queues::mpmc<overtaken> queue(1);
    overtaken item(text);
    overtaken::queue = &queue;
    CHECK(queue.try_push(std::move(item)) == conqueue_status::full && item.text == text);
    CHECK(queue.pop()->text == "other");
    overtaken::queue = &queue;
    CHECK(queue.push_for(std::move(item), 2ms) == conqueue_status::timeout && item.text == text);
    CHECK(queue.pop()->text == "other");
    overtaken::queue = &queue;
    std::thread consumer([&] { CHECK(queue.pop()->text == "other" && queue.pop()->text == text); });
    CHECK(queue.push(std::move(item)));
    consumer.join();
    CHECK(queue.stats().failed_enqueue == 2); // one push found it full, one timed out
}

TEST(constructors_that_throw_have_no_effect) {
    constructors_throw<queues::mpmc>();
    constructors_throw<queues::spsc>();
    constructors_throw<queues::priority>();
    constructors_throw<queues::batcher>();
    constructors_throw<queues::deque>();
}

// More waiting pushes than spare cells: close ends them all.
TEST(close_ends_waits_for_a_cell) {
    queues::priority<std::string> queue(1);
    CHECK(queue.push(text, 1));
    std::vector<std::thread> threads;
    for (int i = 0; i < 80; i++)
        threads.emplace_back([&, i] {
            std::string item = text;
            if (!queue.push(std::move(item), i))
                CHECK(item == text);
        });
    std::string popped;
    double rank = 0;
    for (int i = 0; i < 70; i++)
        CHECK(queue.pop(popped, rank) && popped == text);
    queue.close();
    for (auto &thread : threads)
        thread.join();
    while (queue.pop(popped, rank))
        CHECK(popped == text);
}

// A push or pop in a cell is several C calls, which another must not interrupt.
TEST(a_checked_queue_detects_misuse_in_cells) {
    struct nested {
        nested(queues::spsc<nested> &queue, int depth) {
            if (depth > 0)
                queue.emplace(queue, depth - 1);
        }
        nested(nested &&) = default;
        nested &operator=(nested &&) = default;
        std::string text;
    };
    queues::spsc<nested> queue(4, queues::checked);
    CHECK_THROWS(queues::misuse, queue.emplace(queue, 1));
    CHECK(queue.is_empty() && queue.emplace(queue, 0) && queue.size() == 1);
    CHECK_THROWS(queues::misuse,
                 queue.peek([&](const nested &) { static_cast<void>(queue.pop()); }));
    CHECK_THROWS(queues::misuse, queue.peek([&](const nested &) { queue.clear(); }));
    CHECK(queue.size() == 1 && queue.pop() && queue.is_empty());
}
