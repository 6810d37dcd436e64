// queues/priority.hpp is the only header of the library that this program includes.
#include <queues/priority.hpp>

#include <chrono>
#include <cstdio>
#include <string>

int main() {
    queues::priority<std::string> texts(2);
    queues::priority_bytes bytes(2, 8);
    std::string text;
    double priority = 0;
    if (!texts.push("later", 2) || !texts.push("first", 1) || texts.pop()->value != "first")
        return 1;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    if (texts.pop_until(text, priority, deadline) != queues::conqueue_status::success ||
        text != "later" || priority != 2)
        return 1;
    if (!bytes.push("bytes", 1) || bytes.pop()->value.size() != 5)
        return 1;
    std::puts("families: priority");
}
