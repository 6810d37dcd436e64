// Each case must be refused by the compiler, with the message that stands beside it.
#include <queues.hpp>

#include <string>

#if CASE == 1 // T must be trivially copyable to be looked at
auto peek(queues::mpmc<std::string> &queue) { return queue.peek(); }
#elif CASE == 2 // use emplace
struct fixed {
    fixed(fixed &&);
    ~fixed();
};
bool push(queues::mpmc<fixed> &queue, fixed &value) { return queue.push(std::move(value)); }
#elif CASE == 3 // T is not copyable: push std::move
struct ticket {
    ticket(ticket &&) = default;
    int number;
};
bool push(queues::spsc<ticket> &queue, const ticket &value) { return queue.push(value); }
#elif CASE == 4 // T is not copyable: use std::make_move_iterator
auto push(queues::mpmc<std::unique_ptr<int>> &queue, std::unique_ptr<int> *items) {
    return queue.push_many(items, items + 1);
}
#elif CASE == 5 // ~T must not throw
struct bomb {
    ~bomb() noexcept(false);
};
queues::mpmc<bomb> queue;
#elif CASE == 6 // T must be an object type without const
queues::spsc<const int> queue;
#elif CASE == 7 // a pop returns a T
struct rock {
    rock(const rock &) = delete;
};
queues::mpmc<rock> queue;
#endif
