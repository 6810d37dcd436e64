// A small test framework. A test is a function that returns on success; a failed check and the
// watchdog of a test that hangs end the program with the name of the test.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <queues.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

namespace check {

struct test {
    const char *name;
    void (*run)();
};

inline std::vector<test> &all_tests() {
    static std::vector<test> tests;
    return tests;
}

inline const char *running = "";

struct registration {
    registration(const char *name, void (*run)()) { all_tests().push_back({name, run}); }
};

[[noreturn]] inline void failed(const char *file, int line, const char *text) {
    std::fprintf(stderr, "%s:%d: %s: failed: %s\n", file, line, running, text);
    std::_Exit(1);
}

} // namespace check

#define CHECK(...) ((__VA_ARGS__) ? void() : check::failed(__FILE__, __LINE__, #__VA_ARGS__))

#define CHECK_THROWS(exception, ...)                                                               \
    do {                                                                                           \
        bool thrown_ = false;                                                                      \
        try {                                                                                      \
            static_cast<void>(__VA_ARGS__);                                                        \
        } catch (const exception &) {                                                              \
            thrown_ = true;                                                                        \
        }                                                                                          \
        if (!thrown_)                                                                              \
            check::failed(__FILE__, __LINE__, #__VA_ARGS__ " throws " #exception);                 \
    } while (false)

#define TEST(name)                                                                                 \
    static void name();                                                                            \
    static const check::registration name##_registration(#name, name);                             \
    static void name()

// A test that runs for mpmc and for spsc: `Queue` is the class template.
#define TEST_BOTH(name)                                                                            \
    template <template <class> class Queue> static void name();                                    \
    static const check::registration name##_mpmc(#name " of mpmc", name<queues::mpmc>);            \
    static const check::registration name##_spsc(#name " of spsc", name<queues::spsc>);            \
    template <template <class> class Queue> static void name()

// A test that runs for mpmc_bytes and for spsc_bytes: `Queue` is the class.
#define TEST_BOTH_BYTES(name)                                                                      \
    template <class Queue> static void name();                                                     \
    static const check::registration name##_mpmc(#name " of mpmc_bytes",                           \
                                                 name<queues::mpmc_bytes>);                        \
    static const check::registration name##_spsc(#name " of spsc_bytes",                           \
                                                 name<queues::spsc_bytes>);                        \
    template <class Queue> static void name()

#endif
