// Queues that processes share. A test starts this program again, as a child that runs the function
// below named `child`, with the file of the queue as an inherited descriptor.
#include "check.hpp"
#include "stops.hpp"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

#include <csignal>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using queues::conqueue_status;
using queues::shared_options;

namespace {

struct sample {
    std::uint64_t number;
    double value;
    friend bool operator==(const sample &a, const sample &b) {
        return a.number == b.number && a.value == b.value;
    }
};
// A cell is aligned for 8 bytes only, so an item is copied.
struct alignas(64) aligned {
    std::uint64_t number;
};
struct large {
    std::uint64_t numbers[200];
};
static_assert(sizeof(large) > queues::inline_limit);

class file {
  public:
    file() : fd_(static_cast<int>(syscall(SYS_memfd_create, "queue", 0))) { CHECK(fd_ >= 0); }
    ~file() { close(fd_); }
    file(const file &) = delete;
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] std::size_t size() const {
        return static_cast<std::size_t>(lseek(fd_, 0, SEEK_END));
    }

  private:
    int fd_;
};

// A child process that does `task` with the files.
class process {
  public:
    process(const char *task, const file &first, const file &second) {
        char path[4096];
        const auto length = readlink("/proc/self/exe", path, sizeof path - 1);
        CHECK(length > 0);
        path[length] = 0;
        const std::string role = std::string("QUEUES_CHILD=") + task + " " +
                                 std::to_string(first.fd()) + " " + std::to_string(second.fd());
        char name[] = "a_child_does_its_task";
        char *const arguments[] = {path, name, nullptr};
        std::vector<char *> environment;
        for (auto variable = environ; *variable != nullptr; ++variable)
            environment.push_back(*variable);
        environment.push_back(const_cast<char *>(role.c_str()));
        environment.push_back(nullptr);
        CHECK(posix_spawn(&id_, path, nullptr, nullptr, arguments, environment.data()) == 0);
    }
    process(const process &) = delete;
    ~process() { CHECK(id_ == 0); }

    void succeeds() {
        int status = -1;
        CHECK(waitpid(id_, &status, 0) == id_);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        id_ = 0;
    }
    void kill() {
        CHECK(::kill(id_, SIGKILL) == 0 && waitpid(id_, nullptr, 0) == id_);
        id_ = 0;
    }

  private:
    pid_t id_ = 0;
};

constexpr std::uint64_t count = 2000;

template <class T> T item(std::uint64_t number) {
    T value{};
    std::memcpy(&value, &number, sizeof number);
    return value;
}

shared_options blobs(std::size_t capacity, std::size_t item_size) {
    shared_options options;
    options.capacity = capacity;
    options.item_size = item_size;
    return options;
}

// Sends back what it gets, until the queue is closed.
template <template <class> class Queue, class T> void echo(int in, int out) {
    auto from = Queue<T>::open_shared(in);
    auto to = Queue<T>::open_shared(out);
    while (const auto value = from.pop())
        CHECK(to.push(*value));
    to.close();
}

void child(const std::string &task, int first, int second) {
    if (task == "echo mpmc of numbers")
        return echo<queues::mpmc, std::uint64_t>(first, second);
    if (task == "echo mpmc of samples")
        return echo<queues::mpmc, sample>(first, second);
    if (task == "echo mpmc of aligned")
        return echo<queues::mpmc, aligned>(first, second);
    if (task == "echo mpmc of large")
        return echo<queues::mpmc, large>(first, second);
    if (task == "echo spsc of numbers")
        return echo<queues::spsc, std::uint64_t>(first, second);
    if (task == "echo spsc of aligned")
        return echo<queues::spsc, aligned>(first, second);
    if (task == "front") { // reads blobs in place, and writes longer ones in place
        auto from = queues::spsc_bytes::open_shared(first);
        auto to = queues::spsc_bytes::open_shared(second);
        while (auto front = from.front()) {
            auto room = to.reserve();
            CHECK(room && front->size() < room->size());
            std::memcpy(room->data(), front->data(), front->size());
            room->data()[front->size()] = std::byte{'!'};
            CHECK(room->commit(front->size() + 1) == conqueue_status::success);
            CHECK(front->consume() == conqueue_status::success);
        }
        return to.close();
    }
    if (task == "lease") { // leases blobs, and reserves cells for longer ones
        auto from = queues::mpmc_bytes::open_shared(first);
        auto to = queues::mpmc_bytes::open_shared(second);
        while (auto leased = from.lease()) {
            auto room = to.reserve();
            CHECK(room && room->size() == to.item_size() && leased->size() < room->size());
            std::memcpy(room->data(), leased->data(), leased->size());
            room->data()[leased->size()] = std::byte{'!'};
            const auto length = leased->size() + 1;
            leased->consume();
            CHECK(room->commit(length) == conqueue_status::success);
        }
        return to.close();
    }
    CHECK(task == "hold"); // holds an item and a cell until it is killed
    auto from = queues::mpmc_bytes::open_shared(first);
    auto to = queues::mpmc_bytes::open_shared(second);
    const auto leased = from.lease();
    const auto room = from.reserve();
    CHECK(leased && room && to.push("holds"));
    for (;;)
        pause();
}

template <template <class> class Queue, class T>
void echoes(const char *task, bool is_equal(const T &, const T &)) {
    const file in, out;
    auto to = Queue<T>::open_shared(in.fd(), 7);
    auto from = Queue<T>::open_shared(out.fd(), 3);
    static_assert(!noexcept(to.try_push(std::declval<T>())) && !noexcept(to.try_pop()));
    CHECK(to.capacity() == 7 && to.stats().attached == 1 && to.stats().recovered == 0);
    process other(task, in, out);
    std::thread producer([&] {
        for (std::uint64_t i = 0; i < count; ++i)
            CHECK(to.push(item<T>(i)));
        to.close();
    });
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto got = from.pop();
        CHECK(got && is_equal(*got, item<T>(i)));
    }
    CHECK(!from.pop()); // closed by the other process
    producer.join();
    other.succeeds();
    CHECK(to.is_closed() && to.stats().enqueued == count && to.stats().dequeued == count);
    CHECK(from.try_push(item<T>(0)) == conqueue_status::closed);
}

template <class T> bool equal_bytes(const T &a, const T &b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

} // namespace

TEST(a_child_does_its_task) {
    const char *const role = std::getenv("QUEUES_CHILD");
    if (role == nullptr)
        return;
    const std::string text = role;
    const auto last = text.rfind(' '), middle = text.rfind(' ', last - 1);
    child(text.substr(0, middle), std::stoi(text.substr(middle)), std::stoi(text.substr(last)));
}

TEST(items_go_to_another_process_and_back) {
    const auto equal_numbers = [](const aligned &a, const aligned &b) {
        return a.number == b.number;
    };
    echoes<queues::mpmc, std::uint64_t>("echo mpmc of numbers", equal_bytes);
    echoes<queues::mpmc, sample>("echo mpmc of samples", equal_bytes);
    echoes<queues::mpmc, aligned>("echo mpmc of aligned", equal_numbers);
    echoes<queues::mpmc, large>("echo mpmc of large", equal_bytes);
    echoes<queues::spsc, std::uint64_t>("echo spsc of numbers", equal_bytes);
    echoes<queues::spsc, aligned>("echo spsc of aligned", equal_numbers);
}

TEST(blobs_are_leased_and_reserved_in_two_processes) {
    const file in, out;
    auto to = queues::mpmc_bytes::open_shared(in.fd(), blobs(4, 20));
    auto from = queues::mpmc_bytes::open_shared(out.fd(), blobs(4, 30));
    CHECK(to.item_size() == 20 && from.item_size() == 30);
    process other("lease", in, out);
    for (int round = 0; round < 300; ++round) {
        auto room = to.reserve();
        CHECK(room && room->size() == 20);
        std::memcpy(room->data(), "a blob", 6);
        CHECK(room->commit(6) == conqueue_status::success);
        {
            auto leased = from.lease();
            CHECK(leased && leased->size() == 7 && std::memcmp(leased->data(), "a blob!", 7) == 0);
            if (round % 2 == 0)
                leased->consume();
        } // otherwise the destructor puts the blob back
        CHECK(from.try_pop().has_value() == (round % 2 == 1));
    }
    to.close();
    CHECK(!from.lease());
    other.succeeds();
}

TEST(blobs_of_spsc_are_read_and_written_in_place_in_two_processes) {
    const file in, out;
    auto to = queues::spsc_bytes::open_shared(in.fd(), blobs(4, 20));
    auto from = queues::spsc_bytes::open_shared(out.fd(), blobs(4, 30));
    process other("front", in, out);
    for (int round = 0; round < 300; ++round) {
        auto room = to.reserve();
        CHECK(room && room->size() == 20);
        std::memcpy(room->data(), "a blob", 6);
        CHECK(room->commit(6) == conqueue_status::success);
        auto front = from.front();
        CHECK(front && front->size() == 7 && std::memcmp(front->data(), "a blob!", 7) == 0);
        CHECK(front->consume() == conqueue_status::success);
    }
    to.close();
    CHECK(!from.front());
    other.succeeds();
}

TEST(a_side_of_spsc_belongs_to_one_object) {
    const file shared;
    auto queue = queues::spsc<sample>::open_shared(shared.fd(), 2);
    CHECK(queue.push(sample{1, 2}));
    {
        auto consumer = queues::spsc<sample>::open_shared(shared.fd());
        CHECK_THROWS(queues::misuse, consumer.push(sample{3, 4}));
        CHECK(consumer.peek() == sample{1, 2});
        CHECK_THROWS(queues::misuse, queue.try_pop());
    }
    CHECK(queue.try_pop() == sample{1, 2});
    shared_options options;
    options.redeliver = true;
    CHECK_THROWS(std::invalid_argument, queues::spsc<sample>::open_shared(shared.fd(), options));
    CHECK_THROWS(std::invalid_argument, queues::mpmc<sample>::open_shared(shared.fd()));
    CHECK_THROWS(std::invalid_argument, queues::spsc<sample>::share(queue.native_handle()));
}

TEST(what_a_killed_process_held_comes_back) {
    for (const bool redeliver : {false, true}) {
        const file in, out;
        auto options = blobs(2, 16);
        options.spare = 1;
        options.redeliver = redeliver;
        auto to = queues::mpmc_bytes::open_shared(in.fd(), options);
        auto from = queues::mpmc_bytes::open_shared(out.fd(), blobs(4, 16));
        CHECK(to.push("held"));
        process other("hold", in, out);
        CHECK(from.pop().has_value());
        CHECK(to.stats().attached == 2 && to.is_empty());
        other.kill();
        // Two of three cells belong to the dead process, until a push needs one.
        CHECK(to.push("first"));
        CHECK(to.try_push("second") ==
              (redeliver ? conqueue_status::full : conqueue_status::success));
        std::string got;
        while (const auto blob = to.try_pop())
            got.append(reinterpret_cast<const char *>(blob->data()), blob->size()).append(" ");
        CHECK(got == (redeliver ? "first held " : "first second "));
        CHECK(to.stats().attached == 1 && to.stats().recovered == 2);
    }
}

TEST(polls_and_waits_with_a_stop_token_see_calls_of_other_processes) {
    const file in, out;
    auto to = queues::mpmc<sample>::open_shared(in.fd(), 1);
    auto from = queues::mpmc<sample>::open_shared(out.fd(), 1);
    process other("echo mpmc of samples", in, out);
    stops::source source;
    const stops::token token{&source};
    for (std::uint64_t i = 0; i < 50; ++i) {
        CHECK(to.push(sample{i, 0.5}));
        if (i % 2 == 0)
            CHECK(queues::wait_any(from) == 0 && from.try_pop() == sample{i, 0.5});
        else
            CHECK(from.pop(token) == sample{i, 0.5});
    }
    to.close();
    CHECK(!from.pop());
    other.succeeds();
}

TEST(what_cannot_be_opened_throws) {
    using numbers = queues::mpmc<std::uint64_t>;
    const file good;
    CHECK_THROWS(std::invalid_argument, numbers::open_shared(-1));
    CHECK_THROWS(std::invalid_argument, queues::mpmc_bytes::open_shared(good.fd()));
    CHECK_THROWS(std::invalid_argument, numbers::open_shared(good.fd(), blobs(1, 4)));
    CHECK(good.size() == 0);
    {
        auto options = blobs(5, 0);
        options.attachments = 1;
        auto queue = numbers::open_shared(good.fd(), options);
        CHECK_THROWS(std::bad_alloc, numbers::open_shared(good.fd()));
        CHECK(queue.push(7));
    }
    auto queue = numbers::open_shared(good.fd()); // the item was left in the file
    CHECK(queue.capacity() == 5 && queue.try_pop() == 7U);
    CHECK_THROWS(std::invalid_argument, numbers::open_shared(good.fd(), 4));
    CHECK_THROWS(std::invalid_argument, queues::mpmc<sample>::open_shared(good.fd()));
    CHECK_THROWS(std::invalid_argument, queues::mpmc_bytes::open_shared(good.fd(), blobs(5, 9)));

    const file other;
    CHECK(write(other.fd(), "some text", 9) == 9);
    CHECK_THROWS(std::invalid_argument, numbers::open_shared(other.fd()));
    CHECK(other.size() == 9);
}

TEST(handles_of_shared_queues_cross_languages) {
    const file of_numbers;
    auto queue = queues::mpmc<std::uint64_t>::open_shared(of_numbers.fd(), 3);
    auto again = queues::shared_mpmc<std::uint64_t>::share(queue.native_handle());
    auto bytes = queues::mpmc_bytes::share(queue.native_handle());
    CHECK(queue.push(5) && again.pop() == 5U);
    const std::uint64_t number = 6;
    CHECK(bytes.push(queues::bytes_view(&number, sizeof number)) && queue.pop() == 6U);
    CHECK(bytes.push("abc")); // a shorter blob is filled up with zeros
    std::uint64_t text = 0;
    std::memcpy(&text, "abc", 3);
    CHECK(queue.pop() == text);
    // Of the classes whose calls do not throw none takes a shared queue.
    const file of_samples;
    auto samples = queues::mpmc<sample>::open_shared(of_samples.fd(), 3);
    CHECK_THROWS(std::invalid_argument, queues::mpmc<sample>::share(samples.native_handle()));
    CHECK_THROWS(std::invalid_argument, queues::mpmc<std::uint64_t>::share(queue.native_handle()));
    CHECK_THROWS(std::invalid_argument, queues::shared_mpmc<sample>::share(queue.native_handle()));
}

TEST(a_forked_child_may_not_use_the_queue_and_opens_it_itself) {
    const file shared;
    auto queue = queues::mpmc<std::uint64_t>::open_shared(shared.fd(), 3);
    const auto id = fork();
    CHECK(id >= 0);
    if (id == 0) {
        bool is_refused = false;
        try {
            is_refused = !queue.push(1);
        } catch (const std::invalid_argument &) {
            is_refused = queue.size() == 0;
        }
        auto own = queues::mpmc<std::uint64_t>::open_shared(shared.fd());
        // An exit would let valgrind look for leaks: of threads that the child does not have.
        if (is_refused && own.push(2))
            execl("/bin/true", "true", nullptr);
        _exit(1);
    }
    int status = -1;
    CHECK(waitpid(id, &status, 0) == id && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(queue.pop() == 2U && queue.is_empty());
}

// Overwrites one word of the file after the other: a call may return or throw anything, but it
// ends, and touches no other memory. Some words make it throw `corrupt`.
TEST(a_damaged_queue_throws) {
    const file shared;
    auto queue = queues::mpmc<std::uint64_t>::open_shared(shared.fd(), 2);
    CHECK(queue.push(1) && queue.push(2) && queue.pop() == 1U);
    const auto memory =
        mmap(nullptr, shared.size(), PROT_READ | PROT_WRITE, MAP_SHARED, shared.fd(), 0);
    CHECK(memory != MAP_FAILED);
    const auto words = static_cast<std::uint64_t *>(memory);
    int corrupt = 0;
    for (std::size_t i = 4096 / 8; i < shared.size() / 8; ++i) {
        const auto before = words[i];
        if (before == 0)
            continue;
        words[i] |= 0xFE; // the index of a cell is in the lower bits of a slot
        try {
            static_cast<void>(queue.try_pop());
            static_cast<void>(queue.try_push(3));
        } catch (const queues::corrupt &error) {
            CHECK(std::strstr(error.what(), "damaged") != nullptr);
            ++corrupt;
        }
        words[i] = before;
    }
    CHECK(corrupt > 0);
    munmap(memory, shared.size());
}
