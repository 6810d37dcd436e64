// From a C status to an answer or an exception.
#ifndef QUEUES_DETAIL_STATUS_OF_HPP
#define QUEUES_DETAIL_STATUS_OF_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../status.hpp"
#include "throw.hpp"

#include <queues.h>

#include <new>
#include <stdexcept>
#include <string>

namespace queues {

namespace detail {

// The exception that stands for a status.
[[noreturn]] inline void raise(queues_status_t status, const char *call) {
    const std::string text = std::string("queues: ") + call + ": " + queues_status_string(status);
    if (status == QUEUES_NOMEM)
        QUEUES_THROW(std::bad_alloc());
    if (status == QUEUES_INVALID)
        QUEUES_THROW(std::invalid_argument(text));
    if (status == QUEUES_MISUSE)
        QUEUES_THROW(misuse(text));
    QUEUES_THROW(std::runtime_error(text));
}

// The one way from a C status to an answer or an exception.
inline conqueue_status answer(queues_status_t status, const char *call) {
    if (status < 0)
        raise(status, call);
    return static_cast<conqueue_status>(status);
}

// The text that `write(buffer, capacity, &length)` writes.
template <class Write> std::string text(const char *call, const Write &write) {
    std::string result;
    std::size_t length = 0;
    queues_status_t status;
    do {
        result.resize(length + 1);
        status = write(result.data(), result.size(), &length);
    } while (status == QUEUES_TOO_SMALL);
    answer(status, call);
    result.resize(length);
    return result;
}

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
