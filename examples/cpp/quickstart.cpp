// One thread pushes words and closes the queue; the other pops words until the queue is closed and
// empty.
#include <iostream>
#include <queues.hpp>
#include <string>
#include <thread>

int main() {
    queues::mpmc<std::string> queue(2); // room for 2 words; any number of threads may push and pop

    std::thread producer([&queue] {
        for (const char *word : {"queues", "carry", "things", "between", "threads"}) {
            if (!queue.push(word)) // waits for room; false: the queue is closed
                break;
        }
        queue.close(); // no more pushes; pops return what is left
    });

    while (auto word = queue.pop()) // waits for a word; nullopt: closed and empty
        std::cout << *word << '\n';
    producer.join();
}
