#include "producer.h"

#include <queues.hpp>
#include <thread>
#include <vector>

void produce(queues_mpmc_t *handle, uint32_t sensors, uint64_t readings) {
    auto queue = queues::mpmc<reading_t>::adopt(handle); // throws if it has other items
    std::vector<std::thread> threads;
    for (uint32_t sensor = 0; sensor < sensors; ++sensor)
        threads.emplace_back([&queue, sensor, readings] {
            for (uint64_t i = 0; i < readings; ++i)
                queue.push({i, sensor, static_cast<int32_t>(20000 + 1000 * sensor + i % 100)});
        });
    for (auto &thread : threads)
        thread.join();
    queue.close(); // Go gets the readings that are left, then ErrClosed
} // the reference goes back; Go has another
