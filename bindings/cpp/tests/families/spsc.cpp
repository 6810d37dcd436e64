// queues/spsc.hpp is the only header of the library that this program includes.
#include <queues/spsc.hpp>

#include <cstdio>
#include <string>

int main() {
    queues::spsc<std::string> texts(2, queues::checked);
    queues::spsc_bytes bytes(2, 8);
    if (!texts.push("text") || texts.pop() != "text" || texts.stats().dequeued != 1)
        return 1;
    if (!bytes.push("bytes") || bytes.front()->consume() != queues::conqueue_status::success)
        return 1;
    std::puts("families: spsc");
}
