// Requests to a model, served in batches: of four at most, of 1024 tokens at most, and so that none
// waits for others for longer than 2 ms.
#include <chrono>
#include <iostream>
#include <numeric>
#include <queues.hpp>
#include <vector>

int main() {
    const std::vector<unsigned> requests = {512, 16, 2048, 16, 64, 1024, 64, 128, 32};
    queues::batch_limits limits; // in C++20: {.size = 4, .age = 2ms, .weight = 1024}
    limits.size = 4;
    limits.age = std::chrono::milliseconds(2);
    limits.weight = 1024;
    queues::batcher<unsigned> queue(limits);

    for (const auto tokens : requests) // any thread; waits for room
        queue.push(tokens, queues::weight(tokens));

    for (std::size_t served = 0; served < requests.size();) {
        // Waits until a batch is due: the last one, which is not full, until it is old enough.
        const auto batch = queue.pop_batch();
        std::cout << "batch of " << batch->size() << ": "
                  << std::accumulate(batch->begin(), batch->end(), 0U) << " tokens\n";
        served += batch->size();
    }
    queue.close(); // no more pushes; a pop_batch would drain the rest, then give nullopt
}
