// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// The counters of a queue, and their export to Prometheus. Counters are snapshots: while other
/// threads work, they need not fit each other.
#ifndef QUEUES_STATS_HPP
#define QUEUES_STATS_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/status_of.hpp"

#include <queues.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace queues {

/// The counters of a queue; queues.h documents each.
using statistics = queues_stats_t;

/// Returns the counters of several queues in Prometheus' text exposition format, each with the
/// queue's name (UTF-8) as the label `queue`. Pass all queues of a page in one call: the format
/// allows only one description of a metric on a page. Never waits. Any thread. O(number of queues).
/// Throws std::invalid_argument for a name that is not UTF-8, and std::bad_alloc.
inline std::string
to_prometheus(const std::vector<std::pair<std::string, statistics>> &named_queues) {
    std::vector<statistics> counters;
    std::vector<const char *> names;
    for (const auto &[name, queue] : named_queues) {
        names.push_back(name.c_str());
        counters.push_back(queue);
    }
    return detail::written_text(
        "to_prometheus", [&](char *buffer, std::size_t capacity, std::size_t *length) {
            return queues_stats_prometheus(counters.data(), names.data(), names.size(), buffer,
                                           capacity, length);
        });
}

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
