// SPDX-License-Identifier: MIT OR Apache-2.0
// Turns the status of a C call into a conqueue_status or an exception. Every result of a C call
// passes through one of these functions, so that none is ignored by accident.
#ifndef QUEUES_DETAIL_STATUS_OF_HPP
#define QUEUES_DETAIL_STATUS_OF_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../status.hpp"
#include "throw.hpp"

#include <queues.h>

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>

namespace queues {

namespace detail {

// Throws the exception for a failure. `call` names the member function in the message.
[[noreturn]] inline void raise(queues_status_t status, const char *call) {
    const std::string text = std::string("queues: ") + call + ": " + queues_status_string(status);
    if (status == QUEUES_NOMEM)
        throw_or_abort(std::bad_alloc());
    if (status == QUEUES_INVALID)
        throw_or_abort(std::invalid_argument(text));
    if (status == QUEUES_MISUSE)
        throw_or_abort(misuse(text));
    if (status == QUEUES_CORRUPT)
        throw_or_abort(corrupt(text));
    throw_or_abort(std::runtime_error(text));
}

// The conqueue_status of an ordinary outcome; a failure throws.
inline conqueue_status status_of(queues_status_t status, const char *call) {
    if (status < 0)
        raise(status, call);
    return static_cast<conqueue_status>(status);
}

// For C calls that cannot fail where they are made, or whose failure changes nothing: the caller
// says in a comment why no item is lost.
inline void ignore(queues_status_t) noexcept {}

// The text that `write(buffer, capacity, &length)` writes, in a string that is grown until the text
// fits.
template <class Write> std::string written_text(const char *call, const Write &write) {
    std::string result;
    std::size_t length = 0;
    queues_status_t status = QUEUES_OK;
    do {
        result.resize(length + 1);
        status = write(result.data(), result.size(), &length);
    } while (status == QUEUES_TOO_SMALL);
    status_of(status, call);
    result.resize(length);
    return result;
}

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
