#include "shared.hpp"

#include <queues.hpp>

static const std::string text = "a text that is too long to be in the string itself";

void seventeen::fill(queues::mpmc<std::string> &mpmc, queues::spsc<std::string> &spsc,
                     queues::priority<std::string> &priority, queues::batcher<std::string> &batcher,
                     queues::deque<std::string> &deque, queues::mpmc_bytes &bytes) {
    for (int i = 0; i < 2; i++) {
        mpmc.push(text);
        spsc.push(text);
        priority.push(text, i);
        batcher.push(text, queues::weight(2));
        deque.push(text);
        bytes.push(text);
    }
}

result seventeen::take(queues::mpmc<std::string> &queue) { return queue.try_pop(); }

std::string seventeen::text_of(const result &of) {
    return of ? *of : std::string(to_string(of.error()));
}

long seventeen::standard() { return __cplusplus; }
