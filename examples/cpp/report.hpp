// The output of the demo: progress, a table, and JSON for the tool `report`, which draws a page.
// The JSON is described in examples/report/src/run.rs.
#ifndef REPORT_HPP
#define REPORT_HPP

#include "trace.hpp"
#include <algorithm>
#include <cinttypes>
#include <ctime>
#include <fstream>
#include <map>
#include <queues.hpp>
#include <spawn.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

using sorted = std::vector<std::int64_t>; // a sample, in ascending order

// --- how deep the queues were

struct sample {
    nanoseconds at{};
    std::array<std::size_t, stage::count> depth{};
};

// When there are 2048 samples, every other one is dropped and the interval doubles.
struct samples {
    static constexpr std::size_t most = 2048;
    std::vector<sample> taken;
    nanoseconds interval = 1ms;

    void add(const sample &next) {
        if (taken.size() == most) {
            for (std::size_t i = 0; i < most / 2; ++i)
                taken[i] = taken[2 * i];
            taken.resize(most / 2);
            interval *= 2;
        }
        taken.push_back(next);
    }
};

inline void show_progress(bool tty, std::size_t served, std::size_t requests, const sample &s) {
    std::cerr << (tty ? "\r" : "") << served << " of " << requests << " served; waiting in intake "
              << s.depth[stage::intake] << ", priority " << s.depth[stage::priority] << ", batch "
              << s.depth[stage::batch] << ", deques " << s.depth[stage::deques] << ", results "
              << s.depth[stage::results] << (tty ? "\033[K" : "\n");
}

// --- the figures of a run

// Of all queues of a stage, which have the same capacity.
struct stage_statistics {
    std::size_t queues = 0; // the rest is their sum, but capacity and peak are of one queue
    std::uint64_t in = 0, out = 0, failed_enqueue = 0, failed_dequeue = 0, stolen = 0;
    std::uint64_t capacity = 0, peak = 0;
    nanoseconds room{}, items{}; // how long pushes waited for room, and pops for items

    void add(const queues::statistics &s) {
        ++queues;
        in += s.enqueued;
        out += s.dequeued;
        failed_enqueue += s.failed_enqueue;
        failed_dequeue += s.failed_dequeue;
        stolen += s.stolen;
        capacity = s.capacity;
        peak = std::max(peak, s.peak_size);
    }
};

// What a run costs the machine.
struct cost {
    nanoseconds cpu{};
    long switches = 0; // times that a thread gave up its processor to wait

    static cost now() {
        rusage u;
        getrusage(RUSAGE_SELF, &u);
        return {std::chrono::seconds(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                    std::chrono::microseconds(u.ru_utime.tv_usec + u.ru_stime.tv_usec),
                u.ru_nvcsw};
    }
    static cost since(const cost &before) {
        const cost after = now();
        return {after.cpu - before.cpu, after.switches - before.switches};
    }
};

struct run {
    const struct options &options;
    const std::vector<request> &trace;
    nanoseconds start{}, end{};
    std::size_t served = 0, batches = 0;
    struct cost cost {};
    struct samples samples {};
    std::array<stage_statistics, stage::count> statistics{};

    double seconds() const { return std::chrono::duration<double>(end - start).count(); }

    // Every request passed every stage.
    bool nothing_lost() const {
        return served == trace.size() &&
               std::all_of(statistics.begin(), statistics.end(), [this](const auto &s) {
                   return s.in == trace.size() && s.out == trace.size();
               });
    }

    // How long the requests took from one stage to another.
    sorted times(std::size_t from, std::size_t to) const {
        sorted result;
        for (const request &r : trace) {
            if (r.at[to] != 0ns)
                result.push_back((r.at[to] - r.at[from]).count());
        }
        std::sort(result.begin(), result.end());
        return result;
    }

    // How many requests or tokens were in a batch.
    template <class Weight> sorted batch_sums(Weight weight) const {
        sorted result(batches);
        for (const request &r : trace) {
            if (r.at[stage::deques] != 0ns)
                result[r.batch] += weight(r);
        }
        std::sort(result.begin(), result.end());
        return result;
    }
    sorted batch_sizes() const {
        return batch_sums([](const request &) { return 1; });
    }
    sorted batch_tokens() const {
        return batch_sums([](const request &r) { return r.tokens(); });
    }
};

constexpr struct {
    const char *name, *kind;
} stages[stage::count] = {{"frontends", "threads"}, {"intake", "mpmc"},  {"priority", "priority"},
                          {"batch", "batch"},       {"deques", "deque"}, {"work", "threads"},
                          {"results", "spsc"}};

inline std::int64_t mean(const sorted &sample) {
    double sum = 0;
    for (const std::int64_t value : sample)
        sum += static_cast<double>(value);
    return sample.empty() ? 0 : static_cast<std::int64_t>(sum / static_cast<double>(sample.size()));
}

inline std::int64_t percentile(const sorted &sample, std::size_t percent) {
    return sample.empty() ? 0 : sample[(sample.size() * percent + 99) / 100 - 1];
}

// --- the table

inline void print_times(const sorted &times) {
    for (const std::size_t percent : {50u, 99u, 100u})
        std::printf("%11.3f", static_cast<double>(percentile(times, percent)) / 1e6);
    std::puts("");
}

inline void print_batches(const char *unit, const sorted &sums) {
    std::printf("; %s p50 %" PRId64 ", p99 %" PRId64 ", max %" PRId64, unit, percentile(sums, 50),
                percentile(sums, 99), percentile(sums, 100));
}

inline void print_table(const run &run) {
    std::puts("stage      kind      queues capacity       in      out     peak    full s   empty s"
              "     p50 ms     p99 ms     max ms");
    for (std::size_t i = 0; i < stage::count; ++i) {
        const stage_statistics &s = run.statistics[i];
        std::printf("%-10s %-9s", stages[i].name, stages[i].kind);
        if (s.queues)
            std::printf("%7zu%9" PRIu64 "%9" PRIu64 "%9" PRIu64 "%9" PRIu64 "%10.3f%10.3f",
                        s.queues, s.capacity, s.in, s.out, s.peak,
                        std::chrono::duration<double>(s.room).count(),
                        std::chrono::duration<double>(s.items).count());
        else
            std::printf("%25" PRIu64 "%9" PRIu64 "%29s", s.in, s.out, "");
        print_times(run.times(i, i + 1));
    }
    std::printf("%-74s", "total");
    print_times(run.times(stage::frontends, stage::count));
    std::printf("batches   %zu", run.batches);
    print_batches("requests", run.batch_sizes());
    print_batches("tokens", run.batch_tokens());
    std::printf("\nsteals    %" PRIu64 "\n", run.statistics[stage::deques].stolen);
    std::printf("requests  %" PRIu64 " in, %zu out, in %.2f s: %.1f a second\n",
                run.statistics[stage::intake].in, run.served, run.seconds(),
                static_cast<double>(run.served) / run.seconds());
    std::fflush(stdout); // --json may be the same file
}

// --- the JSON

class json_writer {
  public:
    std::string write(const run &run) {
        const options &o = run.options;
        out.precision(15);
        out << R"({"format":2,)" << '\n'
            << R"("program":"Serving demo, in C++",)" << '\n'
            << R"("queues":"libqueues",)"
            << "\n\"library\":\"" << queues_version() << '"';
        machine();
        date();
        out << ",\n\"trace\":";
        string(o.path);
        out << ",\n\"parameters\":{\"speed\":" << o.speed << ",\"frontends\":" << o.frontends
            << ",\"workers\":" << o.workers << ",\"capacity\":" << o.capacity
            << ",\"batch_size\":" << o.batch_size << ",\"batch_tokens\":" << o.batch_tokens
            << ",\"linger_ms\":" << o.linger_ms << "},\n\"requests\":" << run.trace.size()
            << ",\"served\":" << run.served << ",\"seconds\":" << run.seconds()
            << ",\n\"cost\":{\"cpu_ns\":" << run.cost.cpu.count()
            << ",\"switches\":" << run.cost.switches << '}';
        stages_of(run);
        depths(run);
        batches(run);
        workers(run);
        out << "}\n";
        return out.str();
    }

  private:
    std::ostringstream out;

    void string(const char *text) {
        out << '"';
        for (; *text; ++text) {
            if (*text == '"' || *text == '\\')
                out << '\\' << *text;
            else if (static_cast<unsigned char>(*text) < ' ')
                out << "\\u00"
                    << "0123456789abcdef"[*text / 16] << "0123456789abcdef"[*text % 16];
            else
                out << *text;
        }
        out << '"';
    }

    // The first processor's name in /proc/cpuinfo, or the architecture.
    void machine() {
        utsname system;
        uname(&system);
        std::string processor = system.machine, line;
        for (std::ifstream info("/proc/cpuinfo"); std::getline(info, line);) {
            const std::size_t colon = line.find(": ");
            if (line.rfind("model name", 0) == 0 && colon != line.npos) {
                processor = line.substr(colon + 2);
                break;
            }
        }
        out << ",\n\"machine\":{\"processor\":";
        string(processor.c_str());
        out << ",\"processors\":" << sysconf(_SC_NPROCESSORS_ONLN) << ",\"kernel\":";
        string((std::string(system.sysname) + ' ' + system.release).c_str());
        out << '}';
    }

    void date() {
        char text[sizeof "2026-01-01 00:00 UTC"];
        const std::time_t now = std::time(nullptr);
        std::tm utc;
        std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
        out << ",\n\"date\":\"" << text << '"';
    }

    template <class List, class Write> void list(const List &items, Write write) {
        const char *comma = "[";
        for (const auto &item : items) {
            out << comma;
            write(item);
            comma = ",";
        }
        out << (items.empty() ? "[]" : "]");
    }

    // Pairs of a bound or value and its count.
    void pairs(const std::map<std::int64_t, std::size_t> &counts) {
        list(counts,
             [&](const auto &pair) { out << '[' << pair.first << ',' << pair.second << ']'; });
    }

    // Pairs of an upper bound and a count of the values up to it and above the bound before. The
    // first bound is `first`; each is the fourth root of 2 times the one before. Empty buckets are
    // omitted.
    void histogram(const sorted &sample, double first) {
        const double growth = std::pow(2, 0.25);
        std::map<std::int64_t, std::size_t> counts;
        double upper = first;
        for (const std::int64_t value : sample) {
            while (value > static_cast<std::int64_t>(upper))
                upper *= growth;
            ++counts[static_cast<std::int64_t>(upper)];
        }
        pairs(counts);
    }

    void times(const sorted &sample) {
        out << "{\"mean_ns\":" << mean(sample) << ",\"p50_ns\":" << percentile(sample, 50)
            << ",\"p99_ns\":" << percentile(sample, 99) << ",\"max_ns\":" << percentile(sample, 100)
            << ",\"histogram\":";
        histogram(sample, 1000);
        out << '}';
    }

    void stages_of(const run &run) {
        for (std::size_t i = 0; i < stage::count; ++i) {
            const stage_statistics &s = run.statistics[i];
            out << (i ? ",\n" : ",\n\"stages\":[\n") << "{\"name\":\"" << stages[i].name
                << "\",\"kind\":\"" << stages[i].kind << "\",\"in\":" << s.in
                << ",\"out\":" << s.out;
            if (s.queues)
                out << ",\"queue\":{\"queues\":" << s.queues << ",\"capacity\":" << s.capacity
                    << ",\"peak\":" << s.peak << ",\"failed_enqueue\":" << s.failed_enqueue
                    << ",\"failed_dequeue\":" << s.failed_dequeue << ",\"stolen\":" << s.stolen
                    << ",\"room_ns\":" << s.room.count() << ",\"items_ns\":" << s.items.count()
                    << '}';
            out << ",\"wait\":";
            times(run.times(i, i + 1));
            out << '}';
        }
        out << "],\n\"total\":";
        times(run.times(stage::frontends, stage::count));
    }

    void depths(const run &run) {
        const auto &taken = run.samples.taken;
        out << ",\n\"depth\":{\"t_ms\":";
        list(taken, [&](const sample &s) {
            out << std::chrono::duration<double, std::milli>(s.at - run.start).count();
        });
        const char *before = ",\"stages\":[\n";
        for (std::size_t i = 0; i < stage::count; ++i) {
            if (!run.statistics[i].queues)
                continue;
            out << before << "{\"name\":\"" << stages[i].name << "\",\"items\":";
            list(taken, [&](const sample &s) { out << s.depth[i]; });
            out << '}';
            before = ",\n";
        }
        out << "]}";
    }

    void batches(const run &run) {
        std::map<std::int64_t, std::size_t> sizes;
        for (const std::int64_t size : run.batch_sizes())
            ++sizes[size];
        out << ",\n\"batches\":{\"sizes\":";
        pairs(sizes);
        out << ",\"tokens\":";
        histogram(run.batch_tokens(), 16);
        out << '}';
    }

    void workers(const run &run) {
        struct work {
            std::size_t served = 0, stolen = 0;
        };
        std::vector<work> workers(static_cast<std::size_t>(run.options.workers));
        for (const request &r : run.trace) {
            if (r.at[stage::results] == 0ns)
                continue;
            work &by = workers[static_cast<std::size_t>(r.worker)];
            ++by.served;
            by.stolen += r.owner != r.worker;
        }
        out << ",\n\"workers\":";
        list(workers, [&](const work &w) {
            out << "{\"served\":" << w.served << ",\"stolen\":" << w.stolen << '}';
        });
    }
};

// --- the page

// Runs `report`, which prints its own messages about bad input.
inline void run_report(std::vector<const char *> arguments, std::FILE *json) {
    const char *tool = std::getenv("QUEUES_REPORT");
    if (!tool || !*tool)
        tool = "report";
    arguments.insert(arguments.begin(), tool);
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (json)
        posix_spawn_file_actions_adddup2(&actions, fileno(json), STDIN_FILENO);
    pid_t child;
    int status;
    if (const int error = posix_spawnp(&child, tool, &actions, nullptr,
                                       const_cast<char *const *>(arguments.data()), environ))
        fail(bad_input, "no page: ", tool, ": ", std::strerror(error),
             "; `make report` builds the tool, and QUEUES_REPORT says where it is");
    posix_spawn_file_actions_destroy(&actions);
    if (waitpid(child, &status, 0) == child && status == 0)
        return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == bad_input)
        std::exit(bad_input);
    fail(bad_input, "no page: ", tool, " failed");
}

// Ends the program now if the page could not be written after the run.
inline void check_report(const char *page) { run_report({"--check", "--", page}, nullptr); }

// `report` reads the JSON from a file without a name, which needs no removal.
inline void draw_report(const std::string &json, const char *page) {
    std::FILE *const file = std::tmpfile();
    if (!file || std::fwrite(json.data(), 1, json.size(), file) != json.size() ||
        std::fflush(file) != 0 || std::fseek(file, 0, SEEK_SET) != 0)
        fail(bad_input, "no page: a temporary file: ", std::strerror(errno));
    run_report({"--", "-", page}, file);
    std::fclose(file);
}

#endif
