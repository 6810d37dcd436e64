// Runs a server of examples/cpp with real clients: clients SERVER... Each client sends many
// requests before it reads an answer, so the pool runs out of room. One reads its answers only when
// the server is ending. Fails if an answer is wrong or missing, if there was always room, or if the
// server does not end on SIGTERM.
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using number = std::uint32_t;
constexpr int clients = 4, requests = 2000;

// The first requests of each client take the workers far longer than the loop takes to read them,
// so that the pool runs out of room however the threads are scheduled.
constexpr number slow = 200, large_prime = 4'294'967'291;

[[noreturn]] void fail(const char *what) {
    std::fprintf(stderr, "loops: %s\n", what);
    std::exit(1);
}
void must(bool good, const char *what) {
    if (!good)
        fail(what);
}

number smallest_factor(number of) {
    for (number factor = 2; factor <= of / factor; ++factor)
        if (of % factor == 0)
            return factor;
    return of;
}

// Returns a connection, or -1 if no server listens yet.
int try_connect(const std::string &path) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

void write_all(int fd, const char *data, std::size_t size) {
    for (std::size_t done = 0; done < size;) {
        const auto count = send(fd, data + done, size - done, MSG_NOSIGNAL);
        must(count > 0, "a request could not be written");
        done += static_cast<std::size_t>(count);
    }
}

// Sends all requests while another thread reads the answers, in any order.
void use(int fd, number first) {
    std::vector<number> asked;
    std::map<number, int> open;
    for (number i = 0; i < requests; ++i) {
        asked.push_back(i < slow ? large_prime : first + i * i);
        ++open[asked.back()];
    }
    std::thread writer([&] {
        const auto bytes = reinterpret_cast<const char *>(asked.data());
        const std::size_t size = asked.size() * sizeof(number), part = 1021; // ends inside of one
        for (std::size_t done = 0; done < size; done += part)
            write_all(fd, bytes + done, size - done < part ? size - done : part);
    });
    for (int i = 0; i < requests; ++i) {
        std::array<number, 2> answer;
        must(recv(fd, answer.data(), sizeof answer, MSG_WAITALL) == sizeof answer,
             "an answer is missing");
        must(answer[1] == smallest_factor(answer[0]), "an answer is wrong");
        must(--open[answer[0]] >= 0, "an answer came twice");
    }
    writer.join();
    close(fd);
}

// Sends all requests, and returns when the server has read them.
void ask(int fd) {
    const std::vector<number> asked(requests, 6);
    write_all(fd, reinterpret_cast<const char *>(asked.data()), asked.size() * sizeof(number));
    for (int unread = 1; unread > 0; usleep(1000))
        must(ioctl(fd, TIOCOUTQ, &unread) == 0, "TIOCOUTQ");
}

// Returns the number of answers until the server closes the connection.
int count_answers(int fd) {
    std::array<number, 2> answer;
    int count = 0;
    while (recv(fd, answer.data(), sizeof answer, MSG_WAITALL) == sizeof answer) {
        must(answer[0] == 6 && answer[1] == 2, "an answer is wrong");
        ++count;
    }
    close(fd);
    return count;
}

// Returns what the server printed, and the number of answers.
std::pair<std::string, int> serve(const char *program) {
    char folder[] = "/tmp/queues-loops-XXXXXX"; // the path of a socket is short
    must(mkdtemp(folder) != nullptr, "mkdtemp");
    const std::string path = std::string(folder) + "/socket";
    int ends[2];
    must(pipe(ends) == 0, "pipe");
    const pid_t server = fork();
    if (server == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(program, program, path.c_str(), nullptr);
        _exit(127);
    }
    close(ends[1]);
    int fd = -1;
    while ((fd = try_connect(path)) < 0) {
        must(waitpid(server, nullptr, WNOHANG) == 0, "the server ended");
        usleep(5000);
    }
    close(fd); // without a request
    fd = try_connect(path);
    write_all(fd, "x", 1);
    close(fd); // within a request
    const int idle = try_connect(path);
    std::vector<std::thread> threads;
    for (number i = 0; i < clients; ++i)
        threads.emplace_back([&, i] { use(try_connect(path), 2 + i); });
    for (auto &thread : threads)
        thread.join();
    const int late = try_connect(path);
    ask(late);
    kill(server, SIGTERM);
    while ((fd = try_connect(path)) >= 0) { // from then on no request is taken
        close(fd);
        usleep(5000);
    }
    send(idle, "many requests", 12, MSG_NOSIGNAL); // not to be answered
    usleep(50000); // a server that does not wait for the late client ends now
    const int answers = clients * requests + count_answers(late);
    char byte;
    must(recv(idle, &byte, 1, 0) <= 0, "the idle client got an answer");
    std::string printed;
    char buffer[256];
    for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;)
        printed.append(buffer, static_cast<std::size_t>(count));
    int status = 0;
    waitpid(server, &status, 0);
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the server failed");
    unlink(path.c_str());
    rmdir(folder);
    return {printed, answers};
}

} // namespace

int main(int argc, char **argv) {
    alarm(120); // a server that hangs ends the test
    for (int i = 1; i < argc; ++i) {
        const auto [printed, answers] = serve(argv[i]);
        int served = 0, pauses = 0;
        must(std::sscanf(printed.c_str(), "%d requests, %d", &served, &pauses) == 2,
             printed.c_str());
        // The last one of the late client may have found no room.
        must(served >= (clients + 1) * requests - 1, "requests are missing");
        must(answers == served, "a request that was taken has no answer");
        must(pauses > 0, "there was always room");
        std::printf("loops: %s: %s", argv[i], printed.c_str());
    }
    return argc < 2;
}
