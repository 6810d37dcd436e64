// Serves a trace of LLM requests in a pipeline that uses every family of queues:
//
//   frontends -> intake -> scheduler -> priority -> dispatcher -> batch -> workers -> collector
// Frontends put the requests when they are due. The scheduler orders them by their number of
// tokens, fewest first, and the dispatcher puts them into batches. A worker moves each batch onto a
// deque of its own, from which idle workers steal, and passes served requests to the collector by
// an SPSC queue. When a stage falls behind, its queue fills and its producers block, back to the
// frontends: no request is lost.
#include "serving.hpp"
#include "report.hpp"
#include "trace.hpp"
#include <atomic>
#include <deque>
#include <queues.hpp>
#include <thread>

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr nanoseconds context_token = 20us,
                      generated_token = 500us; // a worker's time for a token, at speed 1

nanoseconds now() { return steady_clock::now().time_since_epoch(); }

void sleep_until(nanoseconds time) {
    std::this_thread::sleep_until(steady_clock::time_point(time));
}

class pipeline {
  public:
    pipeline(const options &o, std::vector<request> &requests)
        : options_(o), trace_(requests), intake_(count(o.capacity)), priority_(count(o.capacity)),
          batcher_({count(o.batch_size), milliseconds(o.linger_ms), count(o.batch_tokens),
                    count(o.batch_size)}) {
        for (int i = 0; i < o.workers; ++i)
            workers_.emplace_back(i, o);
    }

    // Starts all threads and waits until every request is served.
    void run(nanoseconds start, samples &samples) {
        for (request &r : trace_)
            r.at[stage::frontends] =
                start + at_speed(r.recorded - trace_[0].recorded, options_.speed);
        std::vector<std::thread> frontends, others;
        std::thread watching([&] { watch(samples); });
        others.emplace_back([&] { collect(); });
        for (worker &each : workers_)
            others.emplace_back([&] { work(each); });
        others.emplace_back([&] { dispatch(); });
        others.emplace_back([&] { schedule(); });
        const auto n = std::min(count(options_.frontends), trace_.size());
        for (std::size_t i = 0; i < n; ++i)
            frontends.emplace_back([this, i, n] { submit(i, n); });

        for (std::thread &thread : frontends)
            thread.join();
        intake_.close(); // each stage closes the next one
        for (std::thread &thread : others)
            thread.join();
        finished_ = true;
        watching.join();
    }

    void add_statistics(::run &run) const {
        auto &s = run.statistics;
        s[stage::intake].add(intake_.stats());
        s[stage::priority].add(priority_.stats());
        s[stage::batch].add(batcher_.stats());
        for (const worker &each : workers_) {
            s[stage::deques].add(each.deque.stats());
            s[stage::results].add(each.results.stats());
        }
        for (std::size_t i = 0; i < stage::count; ++i) {
            s[i].room = nanoseconds(room_ns_[i]);
            s[i].items = nanoseconds(items_ns_[i]);
        }
        for (const request &r : trace_) {
            for (const std::size_t i : {stage::frontends, stage::work}) {
                s[i].in += r.at[i] != 0ns;
                s[i].out += r.at[i + 1] != 0ns;
            }
        }
        run.served = served_;
        run.batches = batches_;
    }

  private:
    struct worker {
        worker(int number, const options &o)
            : index(number), deque(count(o.batch_size)), results(count(o.capacity)) {}

        const int index;
        queues::deque<request *> deque;  // the requests of its batches; others steal here
        queues::spsc<request *> results; // to the collector
        std::vector<request *> batch;    // a batch on its way to the deque
    };

    const options &options_;
    std::vector<request> &trace_;
    queues::mpmc<request *> intake_;
    queues::priority<request *> priority_;
    queues::batcher<request *> batcher_;
    std::deque<worker> workers_;
    std::atomic<std::size_t> batches_{0}, served_{0};
    std::atomic<bool> finished_{false};
    // How long pushes into each stage waited for room, and pops for items, summed over all threads.
    using sums = std::array<std::atomic<std::int64_t>, stage::count>;
    sums room_ns_{}, items_ns_{};

    static std::size_t count(int option) { return static_cast<std::size_t>(option); }

    // Calls `wait` and adds its time. The threads try without waiting first, so that nothing else
    // is counted.
    template <class Wait> static auto timed(std::atomic<std::int64_t> &sum_ns, Wait wait) {
        const nanoseconds since = now();
        auto result = wait();
        sum_ns.fetch_add((now() - since).count(), std::memory_order_relaxed);
        return result;
    }

    static void must_be_in(bool in, stage::id stage) {
        if (!in)
            fail(lost, stages[stage].name,
                 " refused a request: it is full or was closed too early");
    }

    // Notes the time and pushes a request: afterwards it belongs to the next stage.
    template <class Queue, class... With>
    void offer(request &r, stage::id stage, Queue &queue, With... with) {
        using status = queues::conqueue_status;
        r.at[stage] = now();
        const status tried = queue.try_push(&r, with...);
        must_be_in(tried == status::success ||
                       (tried == status::full &&
                        timed(room_ns_[stage], [&] { return queue.push(&r, with...); })),
                   stage);
    }

    // The next item, or nothing when the queue is closed and empty.
    template <class Queue> auto next_of(Queue &queue, stage::id stage) {
        const auto tried = queue.try_pop();
        if (tried)
            return std::optional(*tried);
        return timed(items_ns_[stage], [&] { return queue.pop(); });
    }

    // Of n frontends, each pushes one of the first n requests and every n-th after it.
    void submit(std::size_t first, std::size_t n) {
        for (std::size_t i = first; i < trace_.size(); i += n) {
            sleep_until(trace_[i].at[stage::frontends]);
            offer(trace_[i], stage::intake, intake_);
        }
    }

    // Orders the requests, so that short ones do not wait for long ones.
    void schedule() {
        while (const auto next = next_of(intake_, stage::intake))
            offer(**next, stage::priority, priority_, static_cast<double>((*next)->tokens()));
        priority_.close();
    }

    // The batching queue has room for one batch, so that requests wait in the priority queue.
    void dispatch() {
        while (const auto next = next_of(priority_, stage::priority)) {
            const queues::weight tokens(static_cast<std::uint64_t>(next->value->tokens()));
            offer(*next->value, stage::batch, batcher_, tokens);
        }
        batcher_.close();
    }

    // Moves a batch onto the worker's deque, longest request first: the owner pops the shortest,
    // and a thief steals the longest, which is worth a steal.
    void unpack(worker &self) {
        const std::size_t number = batches_++;
        for (auto r = self.batch.rbegin(); r != self.batch.rend(); ++r) {
            (*r)->batch = number;
            (*r)->owner = self.index;
            (*r)->at[stage::deques] = now();
            must_be_in(self.deque.push(*r), stage::deques);
        }
    }

    std::optional<request *> steal(const worker &self) {
        for (std::size_t i = 1; i < workers_.size(); ++i) {
            const auto victim =
                workers_[(count(self.index) + i) % workers_.size()].deque.get_stealer();
            auto stolen = victim.steal();
            while (!stolen && stolen.error() == queues::conqueue_status::retry)
                stolen = victim.steal(); // another thief was faster; there may be more
            if (stolen)
                return *stolen;
        }
        return std::nullopt;
    }

    // A worker's next request: from its own deque, a batch that is due, or another worker's deque.
    // nullopt when the batching queue is closed and empty and there is nothing to steal: what is
    // left is in the deque of a worker that is still working.
    std::optional<request *> next(worker &self) {
        for (;;) {
            if (const auto own = self.deque.pop())
                return own;
            const auto status = batcher_.try_pop_batch_into(self.batch);
            if (status == queues::conqueue_status::success) {
                unpack(self);
                continue;
            }
            if (const auto stolen = steal(self))
                return stolen;
            if (status == queues::conqueue_status::closed)
                return std::nullopt;
            // Waits for a batch, but looks for requests to steal again after linger_ms.
            const milliseconds linger(options_.linger_ms);
            if (timed(items_ns_[stage::batch], [&] {
                    return batcher_.pop_batch_into_for(self.batch, linger);
                }) == queues::conqueue_status::success)
                unpack(self);
        }
    }

    void work(worker &self) {
        while (const auto found = next(self)) {
            request &r = **found;
            const auto work =
                r.context_tokens * context_token + r.generated_tokens * generated_token;
            const nanoseconds until = (r.at[stage::work] = now()) + at_speed(work, options_.speed);
            while (now() < until)
                ;
            r.worker = self.index;
            offer(r, stage::results, self.results);
        }
        self.results.close();
    }

    // Polls the queues of the workers until all are closed and empty.
    void collect() {
        for (std::size_t closed = 0; closed < workers_.size(); std::this_thread::sleep_for(1ms)) {
            closed = 0;
            for (worker &each : workers_) {
                auto r = each.results.try_pop();
                for (; r; r = each.results.try_pop(), ++served_) {
                    if ((*r)->at[stage::count] != 0ns)
                        fail(lost, "request ", *r - trace_.data(), " was served twice");
                    (*r)->at[stage::count] = now();
                }
                closed += r.error() == queues::conqueue_status::closed;
            }
        }
    }

    sample measure() const {
        sample sample;
        sample.at = now();
        sample.depth[stage::intake] = intake_.size();
        sample.depth[stage::priority] = priority_.size();
        sample.depth[stage::batch] = batcher_.pending_count();
        for (const worker &each : workers_) {
            sample.depth[stage::deques] += each.deque.size();
            sample.depth[stage::results] += each.results.size();
        }
        return sample;
    }

    // Records the sizes of the queues, and prints them now and then.
    void watch(samples &samples) {
        const bool tty = isatty(STDERR_FILENO);
        const nanoseconds interval = tty ? 100ms : 1000ms;
        nanoseconds next = now() + interval;
        while (!finished_) {
            const sample sample = measure();
            samples.add(sample);
            if (sample.at >= next) {
                next += interval;
                show_progress(tty, served_, trace_.size(), sample);
            }
            sleep_until(sample.at + samples.interval);
        }
        std::cerr << (tty ? "\r\033[K" : "");
    }
};

int main(int argc, char **argv) {
    const options options = read_options(argc, argv);
    std::vector<request> trace = read_trace(options.path);
    // Before the run, because it may take long.
    if (options.json)
        must_be_writable(options.json);
    if (options.report)
        check_report(options.report);

    pipeline pipeline(options, trace);
    run run{options, trace};
    const cost before = cost::now();
    run.start = now();
    pipeline.run(run.start, run.samples);
    run.end = now();
    run.cost = cost::since(before);
    pipeline.add_statistics(run);

    print_table(run);
    if (options.json || options.report) {
        const std::string json = json_writer().write(run);
        if (options.json)
            write_file(options.json, json);
        if (options.report)
            draw_report(json, options.report);
    }
    if (!run.nothing_lost())
        fail(lost, trace.size(), " requests in the trace, ", run.served,
             " served: the table shows where they are");
    must_be_printed();
}
