// Every item is destroyed once, and no queued item is lost, whichever copy or move throws.
#include "check.hpp"

#include <cstddef>
#include <iterator>
#include <string>

using queues::conqueue_status;

namespace {

struct burnt {};

// Counts its instances. Each copy and move decrements `fuse`; the one that makes it 0 throws.
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
// A push copies it, because it could not be moved back.
struct unassignable : counted {
    using counted::counted;
    unassignable(const unassignable &) = default;
    unassignable &operator=(const unassignable &) = delete;
};

template <class T> struct named { using type = T; };

// Runs `scenario` with longer and longer fuses, until nothing throws.
template <class Scenario> void with_every_fuse(Scenario scenario) {
    int length = 0;
    do {
        counted::fuse = 0;
        scenario(++length);
        CHECK(counted::alive == 0);
    } while (counted::fuse == 0);
    CHECK(length > 1); // at least one run threw
    counted::fuse = 0;
}

// Pushes one value, by copy or move, and pops all, with every fuse.
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
            } catch (const burnt &) { // the item that was being moved out is lost
            }
            CHECK(queue.size() == size);
        }
    });
}

} // namespace

TEST_BOTH(a_copy_that_throws_loses_no_queued_item) {
    const auto copy = [](auto &queue, const auto &value) { return queue.push(value); };
    const auto move = [](auto &queue, auto &value) { return queue.push(std::move(value)); };
    in_and_out<copyable, Queue<copyable>>(copy);
    in_and_out<copyable, Queue<copyable>>(move);
    in_and_out<movable, Queue<movable>>(move);
    in_and_out<unassignable, Queue<unassignable>>(move);
}

// A full queue constructs nothing, so nothing throws.
TEST_BOTH(a_full_queue_does_not_construct_an_item) {
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

// A deque allocates the box before it knows of room, and moves the item back from it.
TEST(a_full_deque_moves_the_item_back) {
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
        } catch (const burnt &) { // moving into the box, or back
            CHECK(value.id == 2 || value.id == counted::moved);
        }
        CHECK(queue.size() == 1);
    });
}

TEST_BOTH(bulk_calls_that_throw_lose_no_queued_item) {
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

TEST_BOTH(clear_destroys_the_items) {
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
// Its destructor uses another queue, as a drop callback may.
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
// Its operator new fails while `starved` is set. A deque uses it for the box.
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

TEST(a_failed_allocation_has_no_effect) {
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

// The items before the one that throws are in the batch, the later ones are destroyed.
TEST(a_batch_keeps_the_items_before_the_one_that_throws) {
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
