// Requests to a model, the shortest first: three clients push them, one worker serves them.
#include <iostream>
#include <queues.hpp>
#include <string>
#include <thread>
#include <vector>

int main() {
    const std::vector<std::string> prompts = {"Write a poem about the sea", "Hello", "Why?",
                                              "Translate this letter", "Thanks"};
    queues::priority<std::string> queue(100);

    std::vector<std::thread> clients;
    for (std::size_t first = 0; first < 3; first++)
        clients.emplace_back([&, first] {
            for (auto i = first; i < prompts.size(); i += 3)
                // The priority is any double but NaN; equal ones stay in order.
                queue.push(prompts[i], static_cast<double>(prompts[i].size()));
        });
    for (auto &client : clients)
        client.join();
    queue.close(); // what is inside can still be popped

    while (auto next = queue.pop())
        std::cout << next->priority << ": " << next->value << '\n';
}
