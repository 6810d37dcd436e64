// The entry of priority queues that leave the order of equal priorities open. A ticket makes equals
// first in, first out, as in our queue.
#ifndef PRIORITY_ENTRY_HPP
#define PRIORITY_ENTRY_HPP

#include <cstdint>

struct priority_entry {
    double priority;
    std::uint64_t ticket;
    std::uint64_t word;
};

struct is_later {
    bool operator()(const priority_entry &a, const priority_entry &b) const {
        return a.priority > b.priority || (a.priority == b.priority && a.ticket > b.ticket);
    }
};

#endif
