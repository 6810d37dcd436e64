// SPDX-License-Identifier: MIT OR Apache-2.0
// How the library throws. In files that are compiled with -fno-exceptions it prints the message of
// the exception and ends the program instead.
#ifndef QUEUES_DETAIL_THROW_HPP
#define QUEUES_DETAIL_THROW_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include <cstdio>
#include <cstdlib>

namespace queues {

namespace detail {

template <class Exception> [[noreturn]] void throw_or_abort(const Exception &exception) {
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
    throw exception;
#else
    std::fprintf(stderr, "%s\n", exception.what());
    std::abort();
#endif
}

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
