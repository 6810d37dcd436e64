#include "other.h"

#include <memory>
#include <queues.hpp>
#include <stdexcept>

using queue_type = queues::mpmc<sample_t>;

void cpp_produce(queues_mpmc_t *handle, uint64_t n) {
    auto queue = queue_type::adopt(handle);
    for (uint64_t i = 1; i <= n; ++i)
        queue.emplace(sample_t{i, static_cast<double>(i) / 2});
    queue.close();
}

uint64_t cpp_consume(queues_mpmc_t *handle) {
    auto queue = queue_type::adopt(handle);
    uint64_t sum = 0;
    bool is_right = true;
    while (const auto sample = queue.pop()) {
        is_right = is_right && sample->half == static_cast<double>(sample->number) / 2;
        sum += sample->number;
    }
    return is_right ? sum : 0;
}

void *cpp_create(uint64_t number, queues_mpmc_t **handle) {
    auto queue = std::make_unique<queue_type>(8);
    queue->emplace(sample_t{number, static_cast<double>(number) / 2});
    *handle = queue->native_handle();
    return queue.release();
}

void cpp_destroy(void *queue) { delete static_cast<queue_type *>(queue); }

bool cpp_refuses(queues_mpmc_t *handle) {
    try {
        static_cast<void>(queue_type::adopt(handle));
    } catch (const std::invalid_argument &) {
        return true;
    }
    return false;
}
