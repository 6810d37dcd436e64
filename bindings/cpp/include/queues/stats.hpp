/// \file
/// The statistics of queues.
#ifndef QUEUES_STATS_HPP
#define QUEUES_STATS_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include "detail/status_of.hpp"

#include <queues.h>

#include <string>
#include <utility>
#include <vector>

namespace queues {

/// The counters of a queue; see queues.h.
using statistics = queues_stats_t;

/// The statistics of several queues in Prometheus' text exposition format, each with its name
/// (UTF-8) as the label `queue`. All queues of a page belong into one call: a metric may be
/// described only once on it. Throws std::invalid_argument for a name that is no UTF-8.
inline std::string
to_prometheus(const std::vector<std::pair<std::string, statistics>> &named_queues) {
    std::vector<statistics> counters;
    std::vector<const char *> names;
    for (const auto &[name, queue] : named_queues) {
        names.push_back(name.c_str());
        counters.push_back(queue);
    }
    return detail::text("to_prometheus", [&](char *to, std::size_t room, std::size_t *length) {
        return queues_stats_prometheus(counters.data(), names.data(), names.size(), to, room,
                                       length);
    });
}

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
