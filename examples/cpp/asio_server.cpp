// A server in one thread: asio waits for clients and for the results of a pool of workers. The loop
// never waits in a queue: while the pool has no room, it does not read from clients that want some.
// A request is a number; the answer is the number and its smallest prime factor. On SIGTERM the
// loop takes no more requests, and ends after the last answer; a second SIGTERM ends the process.
#include <asio.hpp>
#include <deque>
#include <iostream>
#include <memory>
#include <queues.hpp>
#include <thread>

using asio::awaitable, asio::detached, asio::use_awaitable;
using asio::local::stream_protocol;
using queues::conqueue_status;

struct client {
    stream_protocol::socket socket;
    std::deque<std::array<std::uint32_t, 2>> answers = {}; // each a number and its factor
};
struct job {
    std::shared_ptr<client> from;
    std::array<std::uint32_t, 2> answer;
};

asio::io_context loop;
queues::mpmc<job> jobs(64), results(64);
asio::posix::stream_descriptor room(loop, jobs.writable_fd()), ready(loop, results.readable_fd());
std::atomic<int> working{2};
int requests = 0, pauses = 0, answering = 1; // send_results, and the writes in progress

awaitable<void> read(std::shared_ptr<client> from) {
    for (std::uint32_t number;; ++requests) {
        co_await asio::async_read(from->socket, asio::buffer(&number, sizeof number),
                                  use_awaitable); // throws when the client leaves, which ends this
        job next{from, {number, 0}};
        conqueue_status status;
        // A push that returns full makes the descriptor unreadable until there is room.
        for (; (status = jobs.try_push(std::move(next))) == conqueue_status::full; ++pauses)
            co_await room.async_wait(room.wait_read, use_awaitable);
        if (status == conqueue_status::closed)
            break;
    }
}

void stop_after_last(std::exception_ptr) { // of those that answer; a write fails if its client left
    if (--answering == 0)
        loop.stop();
}

awaitable<void> write(std::shared_ptr<client> to) {
    for (; !to->answers.empty(); to->answers.pop_front())
        co_await asio::async_write(to->socket, asio::buffer(to->answers.front()), use_awaitable);
}

awaitable<void> send_results() {
    for (;;) {
        auto next = results.try_pop();
        for (; next; next = results.try_pop()) {
            next->from->answers.push_back(next->answer);
            if (next->from->answers.size() == 1) // else a write is in progress
                ++answering, co_spawn(loop, write(next->from), stop_after_last);
        }
        if (next.error() == conqueue_status::closed)
            break;
        // A pop that returns empty makes the descriptor unreadable until there is a result.
        co_await ready.async_wait(ready.wait_read, use_awaitable);
    }
}

awaitable<void> accept(stream_protocol::acceptor &acceptor) {
    for (;;) {
        auto socket = co_await acceptor.async_accept(use_awaitable); // throws when it is closed
        co_spawn(loop, read(std::make_shared<client>(client{std::move(socket)})), detached);
    }
}

void work() {
    while (auto next = jobs.pop()) {
        auto &[number, factor] = next->answer;
        for (factor = 2; factor <= number / factor && number % factor != 0;)
            ++factor;
        factor = number % factor == 0 ? factor : number;
        results.push(*std::move(next));
    }
    if (--working == 0)
        results.close();
}

int main(int, char **argv) {
    stream_protocol::acceptor acceptor(loop, stream_protocol::endpoint(argv[1]));
    asio::signal_set signals(loop, SIGTERM);
    signals.async_wait([&](auto...) { acceptor.close(), jobs.close(), signals.clear(); });
    const std::jthread first(work), second(work);
    co_spawn(loop, accept(acceptor), detached);
    co_spawn(loop, send_results(), stop_after_last);
    loop.run();
    room.release(), ready.release(); // the queues close them
    std::cout << requests << " requests, " << pauses << " waits for room\n";
}
