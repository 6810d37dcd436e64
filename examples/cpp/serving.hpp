// The parts of the demo that have nothing to do with queues: its options, output files and errors.
#ifndef SERVING_HPP
#define SERVING_HPP

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

enum exit_code { lost = 1, bad_input = 2 };

// Ends the program with one line that states the reason.
template <class... Parts> [[noreturn]] void fail(exit_code code, const Parts &...parts) {
    ((std::cerr << "serving: ") << ... << parts) << std::endl;
    std::exit(code);
}

// Ends the program if something that was printed is lost, as on a full disk.
inline void must_be_printed() {
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
        fail(bad_input, "standard output cannot be written");
}

// The part of a message that quotes what was found. Control characters, as in a binary file, are
// escaped because they would change the terminal, and a long text is cut off.
inline std::string found(std::string_view text) {
    constexpr std::size_t most = 60;
    if (text.empty())
        return "found nothing";
    std::string result = "found: ";
    for (const char c : text.substr(0, most)) {
        if (c < ' ' || c > '~') {
            char escaped[sizeof "\\x00"];
            std::snprintf(escaped, sizeof escaped, "\\x%02x",
                          static_cast<unsigned>(static_cast<unsigned char>(c)));
            result += escaped;
        } else {
            result += c;
        }
    }
    return text.size() > most ? result + "..." : result;
}

struct options {
    double speed = 4;
    int frontends = 2, workers = 2, capacity = 256, batch_size = 8, batch_tokens = 8192,
        linger_ms = 20;
    const char *json = nullptr, *report = nullptr, *path = nullptr;
};

// Any number above 0, as in 4, 0.5 or 1e3.
inline bool read_speed(const char *text, double &speed) {
    char *end;
    speed = std::strtod(text, &end);
    // strtod also accepts hexadecimal numbers, leading spaces and infinity.
    return *text && !text[std::strspn(text, "0123456789.eE+-")] && !*end && speed > 0 &&
           std::isfinite(speed);
}

inline bool read_number(const char *text, int largest, int &number) {
    char *end;
    const long value = std::strtol(text, &end, 10);
    number = static_cast<int>(std::min<long>(value, largest));
    return *text && !text[std::strspn(text, "0123456789")] && !*end && value >= 1 &&
           value <= largest;
}

// Ends the program with a message if an argument is bad.
inline options read_options(int argc, char **argv) {
    options result;
    const struct {
        const char *name, *meaning;
        int *value, largest;
    } numbers[] = {
        {"--frontends", "threads that bring requests", &result.frontends, 1000},
        {"--workers", "threads that serve them", &result.workers, 1000},
        {"--capacity", "requests that fit into intake, priority, and each result queue",
         &result.capacity, 1000000},
        {"--batch-size", "requests that make a batch due", &result.batch_size, 1000},
        {"--batch-tokens", "tokens that make a batch due", &result.batch_tokens, 1000000000},
        {"--linger-ms", "milliseconds after which a request makes its batch due", &result.linger_ms,
         60000},
    };
    int paths = 0;
    bool only_paths = false;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (only_paths || argument.size() < 2 || argument[0] != '-') {
            result.path = argv[i];
            ++paths;
            continue;
        }
        if (argument == "--") {
            only_paths = true;
            continue;
        }
        if (argument == "--help") {
            std::puts(
                "usage: serving [OPTION...] TRACE.csv\n"
                "Replays a trace of LLM requests through a pipeline of queues.\n\n"
                "  --speed         times faster than recorded: any number above 0, default 4");
            for (const auto &[name, meaning, value, largest] : numbers)
                std::printf("  %-15s %s: 1 to %d, default %d\n", name, meaning, largest, *value);
            std::puts("  --json          a file for the figures of the run\n"
                      "  --report        a file for a page with plots of it; needs `make report`");
            must_be_printed();
            std::exit(0);
        }
        // --name=value or --name value
        const std::size_t equals = argument.find('=');
        const std::string_view name = argument.substr(0, equals);
        const char *value = equals != argument.npos ? argv[i] + equals + 1
                            : i + 1 < argc          ? argv[i + 1]
                                                    : "";
        const auto number = std::find_if(std::begin(numbers), std::end(numbers),
                                         [&](const auto &each) { return each.name == name; });
        if (number != std::end(numbers)) {
            if (!read_number(value, number->largest, *number->value))
                fail(bad_input, name, ": expected a number from 1 to ", number->largest, ", ",
                     found(value));
        } else if (name == "--speed") {
            if (!read_speed(value, result.speed))
                fail(bad_input, name, ": expected a number above 0, ", found(value));
        } else if (name == "--json") {
            result.json = value;
        } else if (name == "--report") {
            result.report = value;
        } else {
            fail(bad_input, "unknown option, ", found(name), "; try --help");
        }
        if (!*value)
            fail(bad_input, name, ": expected a file, found nothing");
        i += equals == argument.npos;
    }
    if (paths != 1)
        fail(bad_input, "expected one trace file, found ", paths, "; try --help");
    return result;
}

// --- files that are written at the end

// Whether the path is a regular file or a new one: that is written under another name and renamed
// when it is complete. A device or a pipe is written directly.
inline bool is_replaced(const char *path) {
    struct stat s;
    return lstat(path, &s) != 0 || S_ISREG(s.st_mode);
}

// Ends the program now if the file could not be written after the run. Changes nothing.
inline void must_be_writable(const std::string &path) {
    const auto refuse = [&](int error) { fail(bad_input, path, ": ", std::strerror(error)); };
    struct stat s;
    if (stat(path.c_str(), &s) == 0) {
        if (S_ISDIR(s.st_mode))
            refuse(EISDIR);
        if (faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0)
            refuse(errno);
    } else if (errno != ENOENT || path.back() == '/') {
        refuse(errno);
    }
    if (is_replaced(path.c_str())) {
        const std::size_t slash = path.rfind('/');
        const std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
        if (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
            refuse(errno);
    }
}

inline void write_file(const char *path, const std::string &text) {
    const bool replaced = is_replaced(path);
    const std::string name = path + std::string(replaced ? ".new" : "");
    std::FILE *const file = std::fopen(name.c_str(), "w");
    bool written = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    int error = errno;
    if (file && std::fclose(file) != 0 && written)
        written = false, error = errno;
    if (written && replaced && std::rename(name.c_str(), path) != 0)
        written = false, error = errno;
    if (!written && replaced)
        unlink(name.c_str());
    if (!written)
        fail(bad_input, path, ": ", std::strerror(error));
}

// --- time

// How long a recorded time takes at this speed, at most 30 years.
inline nanoseconds at_speed(nanoseconds recorded, double speed) {
    return nanoseconds(
        static_cast<std::int64_t>(std::min(static_cast<double>(recorded.count()) / speed, 1e18)));
}

#endif
