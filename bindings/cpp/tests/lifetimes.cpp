// Nothing leaks, nothing is destroyed twice and nothing that was queued is lost, whatever throws.
#include "check.hpp"

#include <cstddef>
#include <iterator>
#include <string>

using queues::conqueue_status;

namespace {

struct burnt {};

// Counts its instances; copying and moving throw when the fuse, counted down by each, reaches 0.
class counted {
  public:
    static inline int alive = 0;
    static inline int fuse = 0;

    explicit counted(int id_) : id(id_) { ++alive; }
    counted(const counted &other) : id(other.id) {
        burn();
        ++alive;
    }
    counted(counted &&other) : id(other.id) {
        burn();
        ++alive;
        other.id = moved;
    }
    counted &operator=(const counted &other) {
        burn();
        id = other.id;
        return *this;
    }
    counted &operator=(counted &&other) {
        burn();
        id = std::exchange(other.id, moved);
        return *this;
    }
    ~counted() { --alive; }

    static constexpr int moved = -1;
    int id;

  private:
    static void burn() {
        if (fuse > 0 && --fuse == 0)
            throw burnt();
    }
};

struct copyable : counted {
    using counted::counted;
};
struct movable : counted {
    using counted::counted;
    movable(movable &&) = default;
    movable &operator=(movable &&) = default;
};
// Copied into the queue, as it could not be given back.
struct unassignable : counted {
    using counted::counted;
    unassignable(const unassignable &) = default;
    unassignable &operator=(const unassignable &) = delete;
};

template <class T> struct named { using type = T; };

// Runs `scenario` with ever longer fuses until it ends with one that has not burnt down.
template <class Scenario> void with_every_fuse(Scenario scenario) {
    int length = 0;
    do {
        counted::fuse = 0;
        scenario(++length);
        CHECK(counted::alive == 0);
    } while (counted::fuse == 0);
    CHECK(length > 1); // something threw at least once
    counted::fuse = 0;
}

// Copies or moves one value in and all out, with a fuse.
template <class T, class Queue, class Push> void in_and_out(Push push) {
    with_every_fuse([&](int fuse) {
        Queue queue(3);
        CHECK(queue.emplace(0) && queue.emplace(1));
        T value(2);
        counted::fuse = fuse;
        std::size_t size = 2;
        try {
            CHECK(push(queue, value));
            ++size;
        } catch (const burnt &) {
            CHECK(value.id == 2);
        }
        CHECK(queue.size() == size);
        for (int id = 0; size > 0; ++id) {
            --size;
            try {
                CHECK(queue.pop()->id == id);
            } catch (const burnt &) { // the one that was to be moved out
            }
            CHECK(queue.size() == size);
        }
    });
}

} // namespace

TEST_BOTH(a_throwing_type_loses_nothing_that_is_queued) {
    const auto copy = [](auto &queue, const auto &value) { return queue.push(value); };
    const auto move = [](auto &queue, auto &value) { return queue.push(std::move(value)); };
    in_and_out<copyable, Queue<copyable>>(copy);
    in_and_out<copyable, Queue<copyable>>(move);
    in_and_out<movable, Queue<movable>>(move);
    in_and_out<unassignable, Queue<unassignable>>(move);
}

// A full queue constructs nothing, so nothing throws.
TEST_BOTH(a_full_queue_does_not_touch_what_may_throw) {
    const auto refused = [](auto queue_of, auto item) {
        typename decltype(queue_of)::type queue(1);
        CHECK(queue.emplace(1));
        counted::fuse = 1;
        CHECK(queue.try_push(std::move(item)) == conqueue_status::full);
        CHECK(counted::fuse == 1 && item.id == 2 && queue.size() == 1);
        counted::fuse = 0;
    };
    refused(named<Queue<copyable>>(), copyable(2));
    refused(named<Queue<movable>>(), movable(2));
    refused(named<Queue<unassignable>>(), unassignable(2));
    CHECK(counted::alive == 0);
}

// The deque makes a box before it knows, and gives back what was moved into it.
TEST(a_full_deque_gives_back_what_may_throw) {
    with_every_fuse([](int fuse) {
        queues::deque<copyable> queue(1);
        CHECK(queue.emplace(1));
        copyable value(2);
        counted::fuse = fuse;
        try {
            CHECK(queue.try_push(std::move(value)) == conqueue_status::full);
        } catch (const burnt &) {
        }
        CHECK(value.id == 2 && queue.size() == 1);
    });
    with_every_fuse([](int fuse) {
        queues::deque<movable> queue(1);
        CHECK(queue.emplace(1));
        movable value(2);
        counted::fuse = fuse;
        try {
            CHECK(queue.try_push(std::move(value)) == conqueue_status::full);
            CHECK(value.id == 2);
        } catch (const burnt &) { // on the way into the box, or out of it
            CHECK(value.id == 2 || value.id == counted::moved);
        }
        CHECK(queue.size() == 1);
    });
}

TEST_BOTH(bulk_calls_lose_nothing_that_is_queued) {
    with_every_fuse([](int fuse) {
        Queue<copyable> queue(8);
        std::vector<copyable> in;
        in.reserve(6);
        for (int id = 0; id < 6; ++id)
            in.emplace_back(id);
        std::vector<copyable> out;
        out.reserve(8);
        counted::fuse = fuse;
        try {
            CHECK(queue.push_many(in.begin(), in.end()).count == 6);
        } catch (const burnt &) {
        }
        for (int id = 0; id < 6; ++id)
            CHECK(in[static_cast<std::size_t>(id)].id == id);
        const std::size_t pushed = queue.size();
        try {
            CHECK(queue.try_pop_many(std::back_inserter(out), 8).count == pushed || pushed == 0);
        } catch (const burnt &) {
            CHECK(out.size() + 1 + queue.size() == pushed);
        }
        for (std::size_t i = 0; i < out.size(); ++i)
            CHECK(out[i].id == static_cast<int>(i));
    });
}

TEST_BOTH(leftovers_are_destroyed_once) {
    {
        Queue<copyable> boxes(5);
        Queue<std::unique_ptr<counted>> owners(5);
        for (int id = 0; id < 5; ++id) {
            CHECK(boxes.emplace(id));
            CHECK(owners.push(std::make_unique<counted>(id)));
        }
        CHECK(boxes.pop()->id == 0 && (*owners.pop())->id == 0);
        CHECK(boxes.emplace(5) && counted::alive == 5 + 4);
        owners.close();
    }
    CHECK(counted::alive == 0);
}

TEST_BOTH(clear_destroys_what_is_inside) {
    Queue<copyable> boxes(5);
    Queue<std::unique_ptr<const counted>> owners(5);
    for (int id = 0; id < 5; ++id) {
        CHECK(boxes.emplace(id));
        CHECK(owners.push(std::make_unique<const counted>(id)));
    }
    CHECK(counted::alive == 10);
    CHECK(boxes.clear() == 5 && owners.clear() == 5);
    CHECK(counted::alive == 0 && boxes.size() == 0 && owners.size() == 0);
    CHECK(boxes.clear() == 0 && boxes.emplace(7) && boxes.pop()->id == 7);
}

namespace {
// Its destructor uses a queue: what a drop callback may do.
struct nested {
    explicit nested(queues::mpmc<int> &log) : log_(&log) {}
    nested(nested &&other) noexcept : log_(std::exchange(other.log_, nullptr)) {}
    nested &operator=(nested &&other) noexcept {
        std::swap(log_, other.log_);
        return *this;
    }
    ~nested() {
        if (log_ != nullptr)
            log_->push(1);
    }

  private:
    queues::mpmc<int> *log_;
};
} // namespace

TEST_BOTH(destructors_may_use_queues) {
    queues::mpmc<int> log(8);
    {
        Queue<nested> queue(4);
        for (int i = 0; i < 4; ++i)
            CHECK(queue.emplace(log));
        CHECK(queue.pop());
        CHECK(log.size() == 1);
    }
    CHECK(log.size() == 4);
}

namespace {
// A box for it cannot be had while `starved`: in a deque.
struct hungry {
    static inline bool starved = false;
    std::string text;
    static void *operator new(std::size_t size) {
        if (starved)
            throw std::bad_alloc();
        return ::operator new(size);
    }
    static void operator delete(void *memory) { ::operator delete(memory); }
};
} // namespace

TEST(want_of_memory_changes_nothing) {
    queues::deque<hungry> queue(2);
    CHECK(queue.push(hungry{"first"}));
    hungry value{"second"};
    hungry::starved = true;
    CHECK_THROWS(std::bad_alloc, queue.push(value));
    CHECK_THROWS(std::bad_alloc, queue.try_push(std::move(value)));
    hungry::starved = false;
    CHECK(value.text == "second" && queue.size() == 1);
    CHECK(queue.push(std::move(value)));
    CHECK(queue.pop()->text == "second" && queue.pop()->text == "first");
}

// Those before the one that throws are the caller's, those behind it are destroyed.
TEST(a_batch_may_throw_in_its_midst) {
    with_every_fuse([](int length) {
        constexpr std::size_t size = 4;
        queues::batch_limits limits;
        limits.size = size;
        queues::batcher<movable> queue(limits);
        for (int i = 0; i < 6; i++)
            CHECK(queue.push(movable(i)));
        std::vector<movable> batch;
        counted::fuse = length;
        try {
            CHECK(queue.pop_batch_into(batch) == conqueue_status::success && batch.size() == size);
        } catch (const burnt &) {
            CHECK(batch.size() == static_cast<std::size_t>(length) - 1);
        }
        for (std::size_t i = 0; i < batch.size(); i++)
            CHECK(batch[i].id == static_cast<int>(i));
        CHECK(counted::alive == static_cast<int>(batch.size()) + 2 && queue.size() == 2);
    });
}
