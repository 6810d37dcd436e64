#include <iostream>
#include <queues.hpp>
#include <string>
#include <thread>

int main() {
    queues::mpmc<std::string> queue(100); // any number of threads may push and pop
    std::thread producer([&queue] {
        if (!queue.push("hello")) // waits for room; false: the queue is closed
            std::cerr << "closed\n";
        queue.close(); // later pushes fail; pops return what is left
    });
    while (auto item = queue.pop()) // waits for an item; empty: closed and drained
        std::cout << *item << '\n';
    producer.join();
}
