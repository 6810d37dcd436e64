// What the demo needs and is not about queues: its options and the trace.
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <getopt.h>
#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto usage = "usage: serving [--speed N] [--frontends N] [--workers N] TRACE.csv\n"
                       "Replays a trace of LLM requests N times faster than it was recorded: "
                       "frontends put\n"
                       "them into a queue when they are due, workers take them and burn time.\n";
constexpr auto trace_header = "TIMESTAMP,ContextTokens,GeneratedTokens";
enum exit_code { lost = 1, bad_input = 2 };

struct options {
    int speed = 20, frontends = 2, workers = 4;
    const char *path = nullptr;
};
struct request {
    std::size_t index;
    nanoseconds arrival; // since 1970, then on the steady clock
    int context_tokens, generated_tokens;
    nanoseconds waited; // below 0 until it was served
};

template <class... Parts> [[noreturn]] void fail(exit_code code, const Parts &...parts) {
    ((std::cerr << "serving: ") << ... << parts) << std::endl;
    std::exit(code);
}

options read_options(int argc, char **argv) {
    options result;
    int *const values[] = {&result.speed, &result.frontends, &result.workers};
    const int largest[] = {1000000000, 1000, 1000};
    const option names[] = {{"speed", required_argument, nullptr, 0},
                            {"frontends", required_argument, nullptr, 1},
                            {"workers", required_argument, nullptr, 2},
                            {"help", no_argument, nullptr, 3},
                            {}};
    for (int i; (i = getopt_long(argc, argv, "", names, nullptr)) != -1;) {
        if (i == 3) {
            std::cout << usage;
            std::exit(0);
        }
        if (i == '?') // getopt_long has said what
            fail(bad_input, "try --help");
        const char *const end = optarg + std::strlen(optarg);
        const auto [rest, error] = std::from_chars(optarg, end, *values[i]);
        if (error != std::errc() || rest != end || *values[i] < 1 || *values[i] > largest[i])
            fail(bad_input, "--", names[i].name, ": expected a number from 1 to ", largest[i],
                 ", found: ", optarg);
    }
    if (argc - optind != 1)
        fail(bad_input, "expected one trace file, found ", argc - optind, "; try --help");
    result.path = argv[optind];
    return result;
}

// A line looks like this: 2023-11-16 18:15:46.6805900,374,44
bool read_request(const std::string &line, request &r) {
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
    r.arrival = std::chrono::seconds(timegm(&date)) + nanoseconds(std::llround(seconds * 1e9));
    return static_cast<std::size_t>(end) == line.size() && seconds >= 0 && seconds < 60 &&
           r.context_tokens >= 0 && r.generated_tokens >= 0 && date.tm_year == given.tm_year &&
           date.tm_mday == given.tm_mday && date.tm_hour == given.tm_hour &&
           date.tm_min == given.tm_min; // timegm makes 1 March of 30 February
}

std::vector<request> read_trace(const char *path) {
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
        request r{trace.size(), {}, 0, 0, -1ns};
        if (!read_request(line, r))
            fail(bad_input, path, ":", number + 1,
                 ": expected YYYY-MM-DD hh:mm:ss.fraction,tokens,tokens, found: ", line);
        if (!trace.empty() && r.arrival < trace.back().arrival)
            fail(bad_input, path, ":", number + 1, ": earlier than the line before: ", line);
        trace.push_back(r);
    }
    if (!file.eof())
        fail(bad_input, path, ": ", std::strerror(errno));
    if (trace.empty())
        fail(bad_input, path, ":", number + 1, ": expected ", number ? "a request" : trace_header);
    return trace;
}
