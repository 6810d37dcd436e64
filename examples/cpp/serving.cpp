// Frontends replay a trace of LLM requests into one MPMC queue; workers take them, burn time in
// proportion to the tokens, and hand them on to a collector over an SPSC queue each.
#include "serving.hpp"
#include <algorithm>
#include <cinttypes>
#include <deque>
#include <queues.hpp>
#include <thread>
#include <unistd.h>

using std::chrono::steady_clock;
using result_queue = queues::spsc<request>;

constexpr nanoseconds context_token = 20us, generated_token = 500us; // a worker's time at speed 1

// The requests are dealt to the frontends in turn: one puts the first and every n-th after it.
void frontend(const std::vector<request> &trace, std::size_t first, std::size_t n,
              queues::mpmc<request> &requests) {
    for (std::size_t i = first; i < trace.size(); i += n) {
        std::this_thread::sleep_until(steady_clock::time_point(trace[i].arrival));
        requests.push(trace[i]);
    }
}

void worker(int speed, queues::mpmc<request> &requests, result_queue &results) {
    while (auto r = requests.pop()) {
        const auto taken = steady_clock::now();
        const auto work = r->context_tokens * context_token + r->generated_tokens * generated_token;
        while (steady_clock::now() - taken < work / speed)
            ;
        r->waited = taken.time_since_epoch() - r->arrival;
        results.push(*r);
    }
    results.close();
}

// Polls the workers' queues until all are closed and empty, and shows how far things are.
std::size_t collect(std::vector<request> &trace, const queues::mpmc<request> &requests,
                    std::deque<result_queue> &results) {
    const bool tty = isatty(STDERR_FILENO);
    const auto interval = tty ? 100ms : 1000ms;
    auto next = steady_clock::now() + interval;
    std::size_t served = 0;
    for (std::size_t closed = 0; closed < results.size(); std::this_thread::sleep_for(1ms)) {
        closed = 0;
        for (result_queue &queue : results) {
            auto r = queue.try_pop();
            for (; r; r = queue.try_pop(), ++served) {
                if (trace[r->index].waited >= 0ns)
                    fail(lost, "request ", r->index, " was served twice");
                trace[r->index].waited = r->waited;
            }
            closed += r.error() == queues::conqueue_status::closed;
        }
        if (steady_clock::now() >= next) {
            next += interval;
            std::cerr << (tty ? "\r" : "") << served << " of " << trace.size() << " served, "
                      << requests.size() << " waiting" << (tty ? "\033[K" : "\n");
        }
    }
    std::cerr << (tty ? "\r\033[K" : "");
    return served;
}

void print(const std::string &name, const queues::statistics &s) {
    std::printf("%-10s%9" PRIu64 "%9" PRIu64 "%9" PRIu64 "%11" PRIu64 "%12" PRIu64 "%9" PRIu64 "\n",
                name.c_str(), s.capacity, s.enqueued, s.dequeued, s.failed_enqueue,
                s.failed_dequeue, s.peak_size);
}

int main(int argc, char **argv) {
    const auto options = read_options(argc, argv);
    std::vector<request> trace = read_trace(options.path);
    const auto frontends = std::min<std::size_t>(options.frontends, trace.size());

    queues::mpmc<request> requests;
    std::deque<result_queue> results; // one a worker
    std::vector<std::thread> putting, taking;
    for (int i = 0; i < options.workers; ++i)
        taking.emplace_back(worker, options.speed, std::ref(requests),
                            std::ref(results.emplace_back()));
    const auto start = steady_clock::now();
    const auto recorded = trace.front().arrival;
    for (request &r : trace)
        r.arrival = start.time_since_epoch() + (r.arrival - recorded) / options.speed;
    for (std::size_t i = 0; i < frontends; ++i)
        putting.emplace_back(frontend, std::cref(trace), i, frontends, std::ref(requests));
    std::size_t served = 0;
    std::thread collecting([&] { served = collect(trace, requests, results); });

    for (std::thread &thread : putting)
        thread.join();
    requests.close();
    for (std::thread &thread : taking)
        thread.join();
    collecting.join();
    const double seconds = std::chrono::duration<double>(steady_clock::now() - start).count();

    const std::size_t in = requests.stats().enqueued;
    std::puts("queue      capacity enqueued dequeued found full found empty     peak");
    print("requests", requests.stats());
    for (std::size_t i = 0; i < results.size(); ++i)
        print("result " + std::to_string(i), results[i].stats());
    std::printf("requests  %zu in, %zu out, in %.2f s: %.1f a second\n", in, served, seconds,
                static_cast<double>(served) / seconds);
    if (in != trace.size() || served != trace.size())
        fail(lost, trace.size(), " requests of the trace, ", in, " put, ", served, " served");

    std::sort(trace.begin(), trace.end(),
              [](const request &a, const request &b) { return a.waited < b.waited; });
    const auto wait_ms = [&](std::size_t percent) {
        const request &r = trace[(trace.size() * percent + 99) / 100 - 1];
        return std::chrono::duration<double, std::milli>(r.waited).count();
    };
    std::printf("waiting   p50 %.3f ms, p99 %.3f ms, max %.3f ms\n", wait_ms(50), wait_ms(99),
                wait_ms(100));
}
