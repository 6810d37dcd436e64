// queues/batcher.hpp is the only header of the library that this program includes.
#include <queues/batcher.hpp>

#include <cstdio>
#include <string>

int main() {
    queues::batch_limits limits;
    limits.size = 2;
    queues::batcher<std::string> texts(limits);
    queues::batcher_bytes bytes(8, limits);
    if (!texts.push("one") || !texts.push("two", queues::weight(5)) ||
        texts.pop_batch()->size() != 2)
        return 1;
    if (!bytes.push("ab") || !bytes.push("cde") || bytes.pop_batch()->bytes().size() != 5)
        return 1;
    std::puts("families: batcher");
}
