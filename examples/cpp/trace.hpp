// A trace of LLM requests: what is recorded in its file, and what becomes of each request.
#ifndef TRACE_HPP
#define TRACE_HPP

#include "serving.hpp"
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>

constexpr auto trace_header = "TIMESTAMP,ContextTokens,GeneratedTokens";

// Where a request can be, one after the other. A request is stamped when it is offered to a stage,
// so that a push that blocks counts as time spent in the stage that is full.
namespace stage {
enum id { frontends, intake, priority, batch, deques, work, results, count };
}

struct request {
    nanoseconds recorded{}; // its arrival, since 1970
    int context_tokens = 0, generated_tokens = 0;
    // All of these belong to whoever holds the request.
    std::array<nanoseconds, stage::count + 1> at{}; // when it came to each stage, on the steady
                                                    // clock; the first is when it was due, the
                                                    // last when it was collected
    std::size_t batch = 0;                          // the number of its batch
    int owner = 0, worker = 0; // who took that batch, and who served the request

    std::int64_t tokens() const { return std::int64_t{context_tokens} + generated_tokens; }
};

// A line looks like this: 2023-11-16 18:15:46.6805900,374,44
inline bool read_request(const std::string &line, request &r) {
    std::tm date{};
    double seconds;
    int end = 0;
    if (std::sscanf(line.c_str(), "%4d-%2d-%2d %2d:%2d:%lf,%9d,%9d%n", &date.tm_year, &date.tm_mon,
                    &date.tm_mday, &date.tm_hour, &date.tm_min, &seconds, &r.context_tokens,
                    &r.generated_tokens, &end) != 8)
        return false;
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    const std::tm given = date;
    r.recorded = std::chrono::seconds(timegm(&date)) + nanoseconds(std::llround(seconds * 1e9));
    return static_cast<std::size_t>(end) == line.size() && seconds >= 0 && seconds < 60 &&
           r.context_tokens >= 0 && r.generated_tokens >= 0 && date.tm_year == given.tm_year &&
           date.tm_mday == given.tm_mday && date.tm_hour == given.tm_hour &&
           date.tm_min == given.tm_min; // timegm makes 1 March of 30 February
}

// Ends the program with a message when there is something wrong.
inline std::vector<request> read_trace(const char *path) {
    std::ifstream file(path);
    std::vector<request> trace;
    std::string line;
    std::size_t number = 0;
    for (; std::getline(file, line); ++number) {
        if (!line.empty() && line.back() == '\r')
            line.pop_back();
        if (number == 0) {
            if (line != trace_header)
                fail(bad_input, path, ":1: expected ", trace_header, ", found: ", line);
            continue;
        }
        request r;
        if (!read_request(line, r))
            fail(bad_input, path, ":", number + 1,
                 ": expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, found: ", line);
        if (!trace.empty() && r.recorded < trace.back().recorded)
            fail(bad_input, path, ":", number + 1, ": earlier than the line before: ", line);
        trace.push_back(r);
    }
    if (!file.eof())
        fail(bad_input, path, ": ", std::strerror(errno));
    if (trace.empty())
        fail(bad_input, path, ":", number + 1, ": expected ", number ? "a request" : trace_header);
    return trace;
}

#endif
