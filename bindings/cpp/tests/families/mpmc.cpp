// queues/mpmc.hpp is the only header of the library that this program includes.
#include <queues/mpmc.hpp>

#include <cstdio>
#include <string>

int main() {
    queues::mpmc<std::string> texts(2);
    queues::mpmc_bytes bytes(2, 8);
    if (!texts.push("text") || texts.pop() != "text" || texts.stats().dequeued != 1)
        return 1;
    auto room = bytes.reserve();
    room->data()[0] = std::byte{7};
    if (room->commit(1) != queues::conqueue_status::success)
        return 1;
    const auto item = bytes.lease();
    if (!item || item->size() != 1 || item->data()[0] != std::byte{7})
        return 1;
    std::puts("families: mpmc");
}
