// The compiler must reject each case, with the message in the comment beside it.
#include <queues.hpp>

#include <memory>
#include <string>

#if CASE == 1 // T must be trivially copyable to be looked at
auto peek(queues::mpmc<std::string> &queue) { return queue.peek(); }
#elif CASE == 2  // use emplace
struct fixed {
    fixed(fixed &&);
    ~fixed();
};
bool push(queues::mpmc<fixed> &queue, fixed &value) { return queue.push(std::move(value)); }
#elif CASE == 3  // T is not copyable: push std::move
struct ticket {
    ticket(ticket &&) = default;
    int number;
};
bool push(queues::spsc<ticket> &queue, const ticket &value) { return queue.push(value); }
#elif CASE == 4  // T is not copyable: use std::make_move_iterator
auto push(queues::mpmc<std::unique_ptr<int>> &queue, std::unique_ptr<int> *items) {
    return queue.push_many(items, items + 1);
}
#elif CASE == 5  // ~T must not throw
struct bomb {
    ~bomb() noexcept(false);
};
queues::mpmc<bomb> queue;
#elif CASE == 6  // T must not be const or volatile: an item is moved out of its queue
queues::spsc<const int> queue;
#elif CASE == 7  // a pop returns a T
struct rock {
    rock(const rock &) = delete;
};
queues::mpmc<rock> queue;
#elif CASE == 8  // T must not be a reference: use T * or std::reference_wrapper<T>
queues::mpmc<int &> queue;
#elif CASE == 9  // T must not be a reference
queues::batcher<std::string &&> queue;
#elif CASE == 10 // T must not be an array: use std::array
queues::priority<int[3]> queue;
#elif CASE == 11 // T must not be void
queues::spsc<void> queue;
#elif CASE == 12 // T must not be a function: use a pointer to it
queues::deque<int(int)> queue;
#elif CASE == 13 // T must be destructible
class eternal {
    ~eternal() = default;
};
queues::mpmc<eternal> queue;
#elif CASE == 14 // T must not be abstract: use a queue of std::unique_ptr<T>
struct shape {
    virtual ~shape() = default;
    virtual void draw() = 0;
};
queues::mpmc<shape> queue;
#elif CASE == 15 // T must not be const or volatile
queues::deque<const std::string> queue(4);
#elif CASE == 16 // queues::expected<int, queues::conqueue_status>
int taken = queues::mpmc<int>(1).try_pop(); // the message uses the public name of the class
#elif CASE == 17 // the modes of a deque are queues::growable and queues::checked
queues::deque<int> queue(4, true);
#elif CASE == 18 // a stop token needs the member callback_type
struct flag_token {
    bool stop_possible() const;
    bool stop_requested() const;
};
bool popped = queues::mpmc<int>(1).pop(flag_token()).has_value();
#elif CASE == 19 // incomplete type
auto wait = queues::mpmc<int>(1).pop_async(); // without queues/async.hpp
#elif CASE == 20 // no matching function for call to
queues::deque<int> deque(4);
auto entry = queues::writable(deque); // a deque has no such end
#elif CASE == 21 // T must be trivially copyable in a queue that other languages use
queues::mpmc<std::string> queue(1);
auto handle = queue.native_handle();
#elif CASE == 22 // T must be trivially copyable in a queue that other languages use
auto queue = queues::spsc<std::string>::adopt(nullptr);
#elif CASE == 23 // T must be trivially copyable in a queue that other languages use
auto queue = queues::deque<std::unique_ptr<int>>::share(nullptr);
#elif CASE == 24 // in a batcher of up to inline_limit bytes
struct large {
    char bytes[queues::inline_limit + 1];
};
auto queue = queues::batcher<large>::share(nullptr);
#elif CASE == 25 // T must be trivially copyable in a queue that processes share
auto queue = queues::mpmc<std::string>::open_shared(0);
#elif CASE == 26 // T must be trivially copyable in a queue that processes share
auto queue = queues::spsc<std::unique_ptr<int>>::open_shared(0);
#endif
