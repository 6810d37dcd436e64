// Two threads and a queue: one pushes and closes, the other pops until it is closed and empty.
#include <iostream>
#include <queues.hpp>
#include <string>
#include <thread>

int main() {
    queues::mpmc<std::string> queue(2); // room for 2; any number of threads at both ends

    std::thread producer([&queue] {
        for (const char *word : {"queues", "carry", "things", "between", "threads"}) {
            if (!queue.push(word)) // waits for room; false: the queue is closed
                break;
        }
        queue.close(); // no more pushes; what is inside can still be popped
    });

    while (auto word = queue.pop()) // waits for an item; nullopt: closed and empty
        std::cout << *word << '\n';
    producer.join();
}
