#include "other.h"

void c_produce(queues_spsc_t *queue, uint64_t n) {
    for (uint64_t i = 1; i <= n; i++) {
        sample_t sample = {i, (double)i / 2};
        if (queues_spsc_put_bytes(queue, &sample, sizeof sample, -1) != QUEUES_OK)
            break;
    }
    queues_spsc_close(queue);
    queues_spsc_release(queue);
}

uint64_t c_consume(queues_spsc_t *queue) {
    uint64_t sum = 0;
    bool is_right = true;
    sample_t sample;
    size_t len;
    while (queues_spsc_get_bytes(queue, &sample, sizeof sample, &len, -1) == QUEUES_OK) {
        is_right = is_right && len == sizeof sample && sample.half == (double)sample.number / 2;
        sum += sample.number;
    }
    queues_spsc_release(queue);
    return is_right ? sum : 0;
}
