// Queues and results pass between files of C++17 and C++23.
#include "../check.hpp"
#include "shared.hpp"

#if __has_include(<expected>)
#include <expected>
#endif

using queues::conqueue_status;

int main() {
    check::running = "standards";
    CHECK(seventeen::standard() == 201703L && __cplusplus > 202002L);
    queues::mpmc<std::string> mpmc(3);
    queues::spsc<std::string> spsc(3);
    queues::priority<std::string> priority(3);
    queues::batch_limits limits;
    limits.size = 2;
    queues::batcher<std::string> batcher(limits);
    queues::deque<std::string> deque(3);
    queues::mpmc_bytes bytes(3, 100);
    seventeen::fill(mpmc, spsc, priority, batcher, deque, bytes);
    const std::string text = *mpmc.try_pop();
    CHECK(text.size() > 40 && *spsc.try_pop() == text && priority.try_pop()->value == text);
    CHECK(batcher.try_pop_batch()->back() == text && *deque.pop() == text);
    CHECK(bytes.try_pop()->size() == text.size());
    CHECK(*seventeen::take(mpmc) == text);
    CHECK(seventeen::take(mpmc).error() == conqueue_status::empty);
    CHECK(seventeen::text_of(spsc.try_pop()) == text);
    CHECK(seventeen::text_of(spsc.try_pop()) == queues::to_string(conqueue_status::empty));
#ifdef __cpp_lib_expected
    using standard = std::expected<std::string, conqueue_status>;
    CHECK(mpmc.push(text));
    standard taken = seventeen::take(mpmc);
    CHECK(*taken == text);
    taken = mpmc.try_pop();
    CHECK(taken.error() == conqueue_status::empty);
    CHECK(seventeen::text_of(standard("text")) == "text");
    const standard none = std::unexpected(conqueue_status::closed);
    CHECK(seventeen::text_of(none) == queues::to_string(conqueue_status::closed));
    std::expected<int, conqueue_status> number = queues::mpmc<int>(1).try_pop();
    CHECK(!number);
    std::expected<bool, conqueue_status> truth = queues::mpmc<bool>(1).try_pop();
    CHECK(!truth);
#endif
#ifdef __cpp_lib_jthread
    std::stop_source stop;
    CHECK(mpmc.push(text, stop.get_token()) && *mpmc.pop(stop.get_token()) == text);
#endif
    std::puts("standards: files of C++17 and C++23 pass queues to each other");
}
