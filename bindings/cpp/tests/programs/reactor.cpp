// The thread of a reactor: it allocates nothing, and a coroutine may end the program on it. A
// separate program, because it replaces operator new and ends by std::exit.
#include "../check.hpp"

#include <queues/async.hpp>

#ifdef __cpp_lib_coroutine

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>
#include <unistd.h>

namespace {

const std::thread::id main_thread = std::this_thread::get_id();
std::atomic<int> allocations{0}; // on other threads

void *allocate(std::size_t size) {
    if (std::this_thread::get_id() != main_thread)
        ++allocations;
    if (void *const memory = std::malloc(size))
        return memory;
    std::abort();
}

struct task {
    struct promise_type {
        task get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

task receive(queues::mpmc<int> &from, queues::reactor &by, queues::event end) {
    CHECK(co_await from.pop_async(queues::via(by)) == 1);
    end.set();
}
void a_reactor_allocates_nothing() {
    queues::mpmc<int> queue(1);
    const queues::event end;
    queues::reactor reactor;
    receive(queue, reactor, end);
    CHECK(queue.push(1));
    end.wait();
    CHECK(allocations == 0);
}

task exit_after_wait(queues::mpmc<int> &from) {
    CHECK(co_await from.pop_async());
    CHECK(std::this_thread::get_id() != main_thread);
    std::puts("reactor: allocates nothing; std::exit on its thread");
    std::exit(0);
}
[[noreturn]] void a_coroutine_may_exit_on_the_reactor() {
    static queues::mpmc<int> queue(1);
    exit_after_wait(queue);
    CHECK(queue.push(1));
    while (true)
        pause();
}

} // namespace

void *operator new(std::size_t size) { return allocate(size); }
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

int main() {
    check::running = "reactor";
    alarm(120); // a test that hangs ends
    a_reactor_allocates_nothing();
    a_coroutine_may_exit_on_the_reactor();
}

#else

int main() { std::puts("reactor: skipped: no coroutines"); }

#endif
