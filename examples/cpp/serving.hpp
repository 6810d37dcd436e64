// What the demo needs and is not about queues: its options, and the way to end it.
#ifndef SERVING_HPP
#define SERVING_HPP

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <getopt.h>
#include <iostream>
#include <string>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

enum exit_code { lost = 1, bad_input = 2 };

template <class... Parts> [[noreturn]] void fail(exit_code code, const Parts &...parts) {
    ((std::cerr << "serving: ") << ... << parts) << std::endl;
    std::exit(code);
}

struct options {
    int speed = 4, frontends = 2, workers = 2, capacity = 256;
    int batch_size = 8, batch_tokens = 8192, linger_ms = 20;
    const char *json = nullptr, *report = nullptr, *path = nullptr;
};

// Ends the program with a message when there is something wrong.
inline options read_options(int argc, char **argv) {
    options result;
    const struct {
        const char *name, *meaning;
        int *value, largest;
    } numbers[] = {
        {"speed", "times faster than recorded", &result.speed, 1000000000},
        {"frontends", "threads that bring requests", &result.frontends, 1000},
        {"workers", "threads that serve them", &result.workers, 1000},
        {"capacity", "requests that fit into intake, priority, and each result queue",
         &result.capacity, 1000000},
        {"batch-size", "requests that make a batch due", &result.batch_size, 1000},
        {"batch-tokens", "tokens that make a batch due", &result.batch_tokens, 1000000000},
        {"linger-ms", "milliseconds after which a request makes its batch due", &result.linger_ms,
         60000},
    };
    constexpr int json = std::extent_v<decltype(numbers)>, report = json + 1, help = json + 2;
    std::vector<option> names;
    for (const auto &number : numbers)
        names.push_back({number.name, required_argument, nullptr, static_cast<int>(names.size())});
    names.push_back({"json", required_argument, nullptr, json});
    names.push_back({"report", required_argument, nullptr, report});
    names.push_back({"help", no_argument, nullptr, help});
    names.push_back({});

    for (int i; (i = getopt_long(argc, argv, "", names.data(), nullptr)) != -1;) {
        switch (i) {
        case '?': // getopt_long has said what
            fail(bad_input, "try --help");
        case json:
            result.json = optarg;
            break;
        case report:
            result.report = optarg;
            break;
        case help:
            std::cout << "usage: serving [OPTION...] TRACE.csv\n"
                         "Replays a trace of LLM requests through a pipeline of queues.\n\n";
            for (const auto &[name, meaning, value, largest] : numbers) {
                const std::string padding(14 - std::strlen(name), ' ');
                std::cout << "  --" << name << padding << meaning << ": 1 to " << largest
                          << ", default " << *value << '\n';
            }
            std::cout << "  --json          a file for the figures of the run\n"
                         "  --report        a file for a page with plots of it; needs `make "
                         "report`\n";
            std::exit(0);
        default: {
            const auto &[name, meaning, value, largest] = numbers[i];
            const char *const end = optarg + std::strlen(optarg);
            const auto [rest, error] = std::from_chars(optarg, end, *value);
            if (error != std::errc() || rest != end || *value < 1 || *value > largest)
                fail(bad_input, "--", name, ": expected a number from 1 to ", largest,
                     ", found: ", optarg);
        }
        }
    }
    if (argc - optind != 1)
        fail(bad_input, "expected one trace file, found ", argc - optind, "; try --help");
    result.path = argv[optind];
    return result;
}

#endif
