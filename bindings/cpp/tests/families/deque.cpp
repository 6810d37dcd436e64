// queues/deque.hpp is the only header of the library that this program includes.
#include <queues/deque.hpp>

#include <cstdio>
#include <string>

int main() {
    queues::deque<std::string> texts(1, queues::growable);
    queues::deque_bytes bytes(2, 8);
    const auto stealer = texts.get_stealer();
    if (!texts.push("oldest") || !texts.push("newest") || texts.pop() != "newest" ||
        stealer.steal().value() != "oldest")
        return 1;
    char buffer[8];
    if (!bytes.push("bytes") || bytes.get_stealer().steal_into(buffer, sizeof buffer).value() != 5)
        return 1;
    std::puts("families: deque");
}
