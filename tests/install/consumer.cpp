// consumer.c by the C++ header.
#include <cstdio>
#include <queues.hpp>

int main() {
    queues::mpmc<int> queue(1);
    if (!queue.push(1) || queue.pop() != 1) {
        std::fputs("the item that was popped is not the item that was pushed\n", stderr);
        return 1;
    }
    std::puts(queues_version());
}
