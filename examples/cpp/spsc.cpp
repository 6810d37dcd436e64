// A pipeline of three threads: one makes samples, one smooths them, one prints them. Between two
// threads there is a queue for one producer and one consumer.
#include <iostream>
#include <queues.hpp>
#include <thread>

int main() {
    queues::spsc<double> raw(16), smooth(16);

    std::thread sampler([&raw] {
        for (int i = 0; i < 10; i++)
            if (!raw.push(i * i)) // waits for room; false: the queue is closed
                break;
        raw.close(); // no more pushes; pops return what is left
    });
    std::thread smoother([&raw, &smooth] {
        double last = 0;
        while (const auto sample = raw.pop()) {
            if (!smooth.push((last + *sample) / 2))
                break;
            last = *sample;
        }
        smooth.close();
    });
    while (const auto mean = smooth.pop())
        std::cout << *mean << '\n';
    sampler.join();
    smoother.join();
}
