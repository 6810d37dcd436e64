// Eight queens by fork and join: a worker splits a board into those with one queen more, which it
// pushes onto its own deque; when that is empty it steals from the others.
#include <array>
#include <atomic>
#include <functional>
#include <iostream>
#include <optional>
#include <queues.hpp>
#include <thread>
#include <vector>

// What a board forbids in the next row: columns and both diagonals, a bit for each square.
struct board {
    unsigned columns = 0, left = 0, right = 0;
};
constexpr unsigned row = 0xFF;

struct worker {
    queues::deque<board> boards{64, queues::growable};
    std::vector<queues::deque<board>::stealer> others;

    // EMPTY or RETRY: the next one.
    std::optional<board> find() {
        auto found = boards.pop();
        for (std::size_t i = 0; i < others.size() && !found; i++)
            if (auto stolen = others[i].steal())
                found = *stolen;
        return found;
    }
};

int main() {
    std::array<worker, 4> workers;
    for (auto &mine : workers)
        for (auto &other : workers)
            if (&mine != &other)
                mine.others.push_back(other.boards.get_stealer());

    std::atomic<int> left_to_split{1}, solutions{0};
    const auto work = [&](worker &me) {
        while (left_to_split > 0) {
            const auto next = me.find();
            if (!next) {
                std::this_thread::yield();
                continue;
            }
            const auto [columns, left, right] = *next;
            if (columns == row)
                ++solutions;
            for (unsigned free = ~(columns | left | right) & row; free; free &= free - 1) {
                const unsigned queen = free & -free;
                ++left_to_split;
                me.boards.push({columns | queen, (left | queen) << 1, (right | queen) >> 1});
            }
            --left_to_split; // after its own boards were counted: 0 is the end
        }
    };
    workers[0].boards.push({}); // the thread that starts below owns it from then on
    std::vector<std::thread> threads;
    for (auto &worker : workers)
        threads.emplace_back(work, std::ref(worker));
    for (auto &thread : threads)
        thread.join();
    std::cout << solutions << " solutions\n";
}
