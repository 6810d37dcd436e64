// What stands in the place of a throw.
#ifndef QUEUES_DETAIL_THROW_HPP
#define QUEUES_DETAIL_THROW_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include <cstdio>
#include <cstdlib>

namespace queues {

namespace detail {

// What stands in the place of a throw where there are no exceptions.
[[noreturn]] inline void end_program(const char *message) noexcept {
    std::fprintf(stderr, "%s\n", message);
    std::abort();
}

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
