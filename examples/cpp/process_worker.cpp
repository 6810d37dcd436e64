// A worker process of the demo in examples/go/processes. It leases a request, works, puts the
// answer and settles the lease. It may be killed at any moment: a request without an answer is
// redelivered to another worker.
//
//     process_worker SPEED    the queues lie in the files of descriptors 3 and 4
#include <queues.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <thread>

#include <unistd.h>

namespace {

// The frontend has the same structures.
struct request {
    std::uint32_t number, context, generated; // tokens
    std::uint32_t attempts;                   // leases so far
};
struct answer {
    std::uint32_t number, attempts, worker;
};
enum { requests_fd = 3, answers_fd = 4 };

using namespace std::chrono_literals;

void serve(double speed) {
    queues::shared_options options;
    options.redeliver = true;
    auto requests = queues::mpmc_bytes::open_shared(requests_fd, options);
    auto answers = queues::mpmc<answer>::open_shared(answers_fd);
    const auto pid = static_cast<std::uint32_t>(getpid());
    while (auto lease = requests.lease()) { // until the queue is closed
        request r;
        std::memcpy(&r, lease->data(), sizeof r);
        r.attempts++;
        std::memcpy(lease->data(), &r, sizeof r); // stays in the cell if this process dies
        std::this_thread::sleep_for((r.context * 20us + r.generated * 500us) / speed);
        if (!answers.push({r.number, r.attempts, pid}))
            return;       // closed: all requests are answered
        lease->consume(); // killed before this line: a second answer will come
    }
}

} // namespace

int main(int argc, char **argv) try {
    if (argc != 2)
        return EXIT_FAILURE;
    serve(std::atof(argv[1]));
} catch (const std::exception &error) {
    std::cerr << "worker: " << error.what() << '\n';
    return EXIT_FAILURE;
}
