// With -fno-exceptions, an error ends the program with the message of its exception on stderr.
#include <queues.hpp>
#include <queues/async.hpp>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __cpp_exceptions
#error "this file is to be compiled with -fno-exceptions"
#endif

// Whether `action` aborts in a child process with `message` on stderr.
template <class Action> static bool ends(const char *message, Action action) {
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        action();
        _exit(0);
    }
    close(ends[1]);
    std::string text;
    char buffer[256];
    for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(count));
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    const bool is_right = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
                          text.find(message) != std::string::npos;
    if (!is_right)
        std::fprintf(stderr, "expected SIGABRT and '%s', found status %d and '%s'\n", message,
                     status, text.c_str());
    return is_right;
}

#ifdef __cpp_lib_coroutine
struct task {
    struct promise_type {
        task get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() {}
    };
};
static task receive(queues::spsc<std::string> &from, queues::event done) {
    while (const auto next = co_await from.pop_async())
        if (*next != "item")
            co_return;
    done.set();
}
static bool has_received() {
    queues::spsc<std::string> queue(2);
    const queues::event done;
    receive(queue, done);
    queue.push("item");
    queue.close();
    return done.wait_for(std::chrono::seconds(60));
}
#else
static bool has_received() { return true; }
#endif

int main() {
    queues::mpmc<int> numbers(4);
    queues::spsc<std::string> texts(4);
    queues::priority<std::unique_ptr<int>> owners(4);
    queues::batcher<std::string> batches;
    queues::deque<std::string> tasks(4, queues::growable);
    bool good = numbers.push(1) && texts.push("one") && owners.push(std::make_unique<int>(1), 1.0);
    good = good && batches.emplace(3U, 'x') && tasks.emplace("task");
    const auto number = numbers.pop();
    const auto text = texts.pop();
    batches.close();
    const auto batch = batches.pop_batch();
    good = good && number && *number == 1 && text && *text == "one" && owners.pop();
    good = good && batch && batch->front() == "xxx" && tasks.pop() == "task";
    good = good && !numbers.try_pop() && texts.try_pop().error() == queues::conqueue_status::empty;
    good = good && has_received();
    good = good && ends("capacity 0: ", [] { queues::mpmc<int> queue(0); });
    good = good && ends("priority NaN: ",
                        [&] { static_cast<void>(owners.push(nullptr, static_cast<double>(NAN))); });
    good = good &&
           ends("bad access to an expected", [&] { static_cast<void>(numbers.try_pop().value()); });
    good = good && ends("push: ", [] {
               queues::mpmc_bytes queue(1, 1);
               queue.push("too long");
           });
    const auto shared = queues::mpmc<int>::share(numbers.native_handle());
    good = good && numbers.push(2) && shared.size() == 1;
    good = good && ends("adopt: ", [] { const auto queue = queues::spsc<int>::adopt(nullptr); });
    good = good && ends("share: ", [] { const auto copy = queues::event::share(nullptr); });
    std::puts(good ? "no_exceptions: aborts with the message" : "no_exceptions: failed");
    return !good;
}
