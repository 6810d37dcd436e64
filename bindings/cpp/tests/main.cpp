#include "check.hpp"

#include <csignal>
#include <cstring>
#include <unistd.h>

static constexpr unsigned watchdog_seconds = 120;

// Read by the sanitizers: their allocators return null, as malloc does, if there is no memory.
extern "C" const char *__asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char *__tsan_default_options() { return "allocator_may_return_null=1"; }

extern "C" void watchdog(int) {
    for (const char *text : {"watchdog: ", check::running, ": hangs\n"}) {
        if (write(STDERR_FILENO, text, std::strlen(text)) < 0)
            break;
    }
    _exit(3);
}

// Runs the tests whose name contains the argument, or all.
int main(int argc, char **argv) {
    std::signal(SIGALRM, watchdog);
    int count = 0;
    for (const check::test &test : check::all_tests()) {
        if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr)
            continue;
        check::running = test.name;
        alarm(watchdog_seconds);
        try {
            test.run();
        } catch (const std::exception &error) {
            check::failed(__FILE__, __LINE__, error.what());
        }
        ++count;
    }
    std::printf("%d tests passed\n", count);
    return count > 0 ? 0 : 1;
}
