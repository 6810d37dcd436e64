// The program versus-c++, with all contestants in C++.
#include "harness.h"

const char *const language = "C++";

extern const contestant ours[], atomic_queues[], moodycamels[], boost_queues[], tbb_queues[],
    xenium_queues[], std_queues[], interprocess_queues[], faster_fifos[];

const contestant *const contestants[] = {
    ours,          atomic_queues, moodycamels,         boost_queues, tbb_queues,
    xenium_queues, std_queues,    interprocess_queues, faster_fifos, nullptr,
};
