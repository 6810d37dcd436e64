// As consumer.c, through the C++ header.
#include <cstdio>
#include <queues.hpp>

int main() {
    queues::mpmc<int> queue(1);
    if (!queue.push(1) || queue.pop() != 1) {
        std::fputs("an item did not come through\n", stderr);
        return 1;
    }
    std::puts(queues_version());
}
