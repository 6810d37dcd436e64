// Eight queens by fork and join. A worker splits a board into the boards with one more queen and
// pushes them onto its own deque; when its deque is empty it steals a board from another worker.
#include <array>
#include <atomic>
#include <functional>
#include <iostream>
#include <optional>
#include <queues.hpp>
#include <thread>
#include <vector>

// The squares that the queens on a board attack in the next row, a bit for each: by column and by
// both diagonals.
struct board {
    unsigned columns = 0, left = 0, right = 0;
};
constexpr unsigned row = 0xFF;

struct worker {
    queues::deque<board> boards{64, queues::growable};
    std::vector<queues::deque<board>::stealer> others;

    // The next board to split. A steal that fails found no board, or another thief was faster.
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
            const auto found = me.find();
            if (!found) {
                std::this_thread::yield();
                continue;
            }
            const auto [columns, left, right] = *found;
            if (columns == row)
                ++solutions;
            for (unsigned free = ~(columns | left | right) & row; free; free &= free - 1) {
                const unsigned queen = free & -free;
                ++left_to_split;
                const board next{columns | queen, (left | queen) << 1, (right | queen) >> 1};
                me.boards.push(next); // grows when full; without memory it throws
            }
            --left_to_split; // after its successors were added, so that 0 means the end
        }
    };
    workers[0].boards.push({}); // this thread is the owner until the worker starts
    std::vector<std::thread> threads;
    for (auto &worker : workers)
        threads.emplace_back(work, std::ref(worker));
    for (auto &thread : threads)
        thread.join();
    std::cout << solutions << " solutions\n";
}
