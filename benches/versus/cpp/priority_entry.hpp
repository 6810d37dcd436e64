// For priority queues without an order among equals: a ticket makes them first in, first out, as
// ours are.
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
