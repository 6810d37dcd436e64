// A stream from one thread to the next: samples are made, smoothed and printed, each step on a
// thread of its own, with a queue for one producer and one consumer between them.
#include <iostream>
#include <queues.hpp>
#include <thread>

int main() {
    queues::spsc<double> raw(16), smooth(16);

    std::thread sampler([&raw] {
        for (int i = 0; i < 10; i++)
            if (!raw.push(i * i)) // waits for room; false: the queue is closed
                break;
        raw.close(); // what is inside can still be popped
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
