// Requests to a model are served in batches of at most four requests and 1024 tokens. No request
// waits longer than 2 ms for others to join its batch.
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

    for (const auto tokens : requests)
        if (!queue.push(tokens, queues::weight(tokens))) // any thread; waits for room
            return 1;                                    // closed

    for (std::size_t served = 0; served < requests.size();) {
        // Waits until a batch is due. The last one is not full: it is due after 2 ms.
        const auto batch = queue.pop_batch();
        if (!batch)
            return 1; // closed
        std::cout << "batch of " << batch->size() << ": "
                  << std::accumulate(batch->begin(), batch->end(), 0U) << " tokens\n";
        served += batch->size();
    }
    queue.close(); // no more pushes; pop_batch would return nullopt now
}
