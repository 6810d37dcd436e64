// For priority queues without an order among equals: a ticket makes them first in, first out, as
// ours are.
#ifndef RANKED_HPP
#define RANKED_HPP

#include <cstdint>

struct ranked_entry {
    double priority;
    std::uint64_t ticket;
    std::uint64_t word;
};

struct is_later {
    bool operator()(const ranked_entry &a, const ranked_entry &b) const {
        return a.priority > b.priority || (a.priority == b.priority && a.ticket > b.ticket);
    }
};

#endif
