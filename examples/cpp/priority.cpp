// Requests to a model are served shortest first: three clients push them, the main thread serves
// them.
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
                // The priority is any double except NaN, the lowest first; equal ones leave in
                // order.
                if (!queue.push(prompts[i], static_cast<double>(prompts[i].size())))
                    break; // closed
        });
    for (auto &client : clients)
        client.join();
    queue.close(); // no more pushes; pops return what is left

    while (auto next = queue.pop())
        std::cout << next->priority << ": " << next->value << '\n';
}
