// A trace of LLM requests: how it is read from its file, and what the demo records about each
// request.
#ifndef TRACE_HPP
#define TRACE_HPP

#include "serving.hpp"
#include <array>
#include <ctime>

constexpr auto trace_header = "TIMESTAMP,ContextTokens,GeneratedTokens";

// The stages, in the order in which a request passes them. The time in a stage begins when the
// request is offered to it, so that a push that blocks counts for the stage that is full.
namespace stage {
enum id { frontends, intake, priority, batch, deques, work, results, count };
}

struct request {
    nanoseconds recorded{}; // its arrival, since 1970
    int context_tokens = 0, generated_tokens = 0;
    // Only the thread that holds the request reads or writes these.
    std::array<nanoseconds, stage::count + 1> at{}; // when it entered each stage, on the steady
                                                    // clock; first when it was due, last when it
                                                    // was collected
    std::size_t batch = 0;                          // the number of its batch
    int owner = 0, worker = 0; // the workers that took the batch and that served the request

    std::int64_t tokens() const { return std::int64_t{context_tokens} + generated_tokens; }
};

// Reads the next line without its end; false at the end of the file. A line far longer than a valid
// one is cut off.
inline bool read_line(std::FILE *file, std::string &line) {
    constexpr std::size_t room = 200;
    int c = 0;
    line.clear();
    while (line.size() < room && (c = std::getc(file)) != EOF && c != '\n')
        line.push_back(static_cast<char>(c));
    if (c == '\n' && !line.empty() && line.back() == '\r')
        line.pop_back();
    if (line.size() == room)
        line.push_back('\n'); // so that it is no valid line
    return c != EOF || (!line.empty() && !std::ferror(file));
}

// Removes `least` to `most` digits from the front of a text.
inline bool read_digits(std::string_view &text, std::size_t least, std::size_t most, int &value) {
    const std::size_t n =
        std::min(std::min(text.find_first_not_of("0123456789"), text.size()), most);
    value = 0;
    for (const char digit : text.substr(0, n))
        value = value * 10 + (digit - '0');
    text.remove_prefix(n);
    return n >= least;
}

inline bool read_character(std::string_view &text, char wanted) {
    if (text.empty() || text[0] != wanted)
        return false;
    text.remove_prefix(1);
    return true;
}

// A line looks like this: 2023-11-16 18:15:46.6805900,374,44
inline bool read_request(std::string_view line, request &r) {
    std::tm date{};
    if (!read_digits(line, 4, 4, date.tm_year) || !read_character(line, '-') ||
        !read_digits(line, 2, 2, date.tm_mon) || !read_character(line, '-') ||
        !read_digits(line, 2, 2, date.tm_mday) || !read_character(line, ' ') ||
        !read_digits(line, 2, 2, date.tm_hour) || !read_character(line, ':') ||
        !read_digits(line, 2, 2, date.tm_min) || !read_character(line, ':') ||
        !read_digits(line, 2, 2, date.tm_sec))
        return false;
    std::int64_t fraction = 0;
    if (read_character(line, '.')) {
        std::int64_t unit = 100000000;
        int digit;
        if (!read_digits(line, 1, 1, digit))
            return false;
        do
            fraction += digit * unit;
        while (unit /= 10, read_digits(line, 1, 1, digit));
    }
    if (!read_character(line, ',') || !read_digits(line, 1, 9, r.context_tokens) ||
        !read_character(line, ',') || !read_digits(line, 1, 9, r.generated_tokens) || !line.empty())
        return false;
    if (date.tm_year < 1970 || date.tm_year > 2100)
        return false;
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    const std::tm given = date;
    r.recorded = std::chrono::seconds(timegm(&date)) + nanoseconds(fraction);
    return date.tm_mon == given.tm_mon && date.tm_mday == given.tm_mday &&
           date.tm_hour == given.tm_hour && date.tm_min == given.tm_min &&
           date.tm_sec == given.tm_sec; // timegm turns 30 February into 1 March
}

// Ends the program with a message if the trace is bad.
inline std::vector<request> read_trace(const char *path) {
    std::FILE *const file = std::fopen(path, "r");
    if (!file)
        fail(bad_input, path, ": ", std::strerror(errno));
    std::vector<request> trace;
    std::string line;
    std::size_t number = 1;
    for (; read_line(file, line); ++number) {
        if (number == 1) {
            if (line != trace_header)
                fail(bad_input, path, ":1: expected ", trace_header, ", ", found(line));
            continue;
        }
        request r;
        if (!read_request(line, r))
            fail(bad_input, path, ":", number,
                 ": expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, ", found(line));
        if (!trace.empty() && r.recorded < trace.back().recorded)
            fail(bad_input, path, ":", number, ": earlier than the line before, ", found(line));
        trace.push_back(r);
    }
    if (std::ferror(file))
        fail(bad_input, path, ":", number, ": ", std::strerror(errno));
    if (trace.empty())
        fail(bad_input, path, ":", number, ": expected ", number > 1 ? "a request" : trace_header,
             ", found the end of the file");
    std::fclose(file);
    return trace;
}

#endif
