// Functions of the C++17 file that the C++23 file calls with its queues.
#ifndef SHARED_HPP
#define SHARED_HPP

#include <queues_fwd.hpp>

#include <string>

using result = queues::expected<std::string, queues::conqueue_status>;

struct seventeen {
    static void fill(queues::mpmc<std::string> &, queues::spsc<std::string> &,
                     queues::priority<std::string> &, queues::batcher<std::string> &,
                     queues::deque<std::string> &, queues::mpmc_bytes &);
    static result take(queues::mpmc<std::string> &);
    static std::string text_of(const result &);
    static long standard();
};

#endif
