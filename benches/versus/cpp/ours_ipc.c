// Ours between processes, each of which opens the queue in a memory file; and the same calls
// between threads of one process, for comparison.
#define _GNU_SOURCE
#include "harness.h"

#include <queues.h>
#include <sys/mman.h>
#include <unistd.h>

static void expect_ok(queues_status_t status) {
    if (status != QUEUES_OK)
        fail(1, queues_status_string(status));
}

#define CALLS(prefix, family)                                                                      \
    static inline void prefix##_put(queues_##family##_t *q, const void *item, size_t size) {       \
        expect_ok(queues_##family##_put_bytes(q, item, size, -1));                                 \
    }                                                                                              \
    static inline void prefix##_get(queues_##family##_t *q, void *item, size_t size) {             \
        size_t length;                                                                             \
        expect_ok(queues_##family##_get_bytes(q, item, size, &length, -1));                        \
    }
#define OPTIONS(family)                                                                            \
    { .struct_size = sizeof(queues_##family##_options_t), .capacity = capacity, .item_size = size }

// --- between threads

#define BETWEEN_THREADS(family)                                                                    \
    static queues_##family##_t *family##_create(size_t capacity, size_t size) {                    \
        const queues_##family##_options_t options = OPTIONS(family);                               \
        queues_##family##_t *q;                                                                    \
        expect_ok(queues_##family##_create(&options, &q));                                         \
        return q;                                                                                  \
    }                                                                                              \
    static queues_##family##_t *family##_attach(queues_##family##_t *q, size_t capacity,           \
                                                size_t size) {                                     \
        (void)capacity;                                                                            \
        (void)size;                                                                                \
        return q;                                                                                  \
    }                                                                                              \
    static void family##_detach(queues_##family##_t *q) { (void)q; }                               \
    static void family##_release(queues_##family##_t *q) { queues_##family##_release(q); }         \
    CALLS(family, family)

BETWEEN_THREADS(mpmc)
#define QUEUE mpmc
#define SHARED queues_mpmc_t
#define HANDLE queues_mpmc_t
#define HAS_BLOCKING 1
#define THREADS 1
#include "processes.h"

BETWEEN_THREADS(spsc)
#define QUEUE spsc
#define SHARED queues_spsc_t
#define HANDLE queues_spsc_t
#define HAS_BLOCKING 1
#define THREADS 1
#include "processes.h"

// --- between processes

#if defined(HAS_SHARED_mpmc) || defined(HAS_SHARED_spsc)

// A memory file, which the processes inherit.
struct file {
    int descriptor;
};

static struct file *new_file(void) {
    struct file *file = shared_memory(sizeof *file);
    file->descriptor = memfd_create("versus", MFD_CLOEXEC);
    if (file->descriptor < 0)
        fail(1, "no memory file");
    return file;
}
static void close_file(struct file *file) {
    close(file->descriptor);
    munmap(file, sizeof *file);
}

#define BETWEEN_PROCESSES(family)                                                                  \
    static struct file *shared_##family##_create(size_t capacity, size_t size) {                   \
        (void)capacity;                                                                            \
        (void)size;                                                                                \
        return new_file();                                                                         \
    }                                                                                              \
    static queues_##family##_t *shared_##family##_attach(struct file *file, size_t capacity,       \
                                                         size_t size) {                            \
        const queues_##family##_options_t options = OPTIONS(family);                               \
        queues_##family##_t *q;                                                                    \
        expect_ok(queues_##family##_open_shared(&options, file->descriptor, &q));                  \
        return q;                                                                                  \
    }                                                                                              \
    static void shared_##family##_detach(queues_##family##_t *q) { queues_##family##_release(q); } \
    static void shared_##family##_release(struct file *file) { close_file(file); }                 \
    CALLS(shared_##family, family)

#define SHARED_CONTESTANT(family, cases)                                                           \
    {                                                                                              \
        "queues_" #family " between processes", QUEUES_VERSION, NULL, cases,                       \
            shared_##family##_process, true                                                        \
    }

#endif

#define NOT_YET(family)                                                                            \
    {                                                                                              \
        .name = "queues_" #family " between processes",                                            \
        .missing = "this version has no queues_" #family "_open_shared"                            \
    }

#ifdef HAS_SHARED_mpmc
BETWEEN_PROCESSES(mpmc)
#define QUEUE shared_mpmc
#define SHARED struct file
#define HANDLE queues_mpmc_t
#define HAS_BLOCKING 1
#define THREADS 0
#include "processes.h"
#define SHARED_MPMC SHARED_CONTESTANT(mpmc, shared_mpmc_cases)
#else
#define SHARED_MPMC NOT_YET(mpmc)
#endif

#ifdef HAS_SHARED_spsc
BETWEEN_PROCESSES(spsc)
#define QUEUE shared_spsc
#define SHARED struct file
#define HANDLE queues_spsc_t
#define HAS_BLOCKING 1
#define THREADS 0
#include "processes.h"
#define SHARED_SPSC SHARED_CONTESTANT(spsc, spsc_cases)
#else
#define SHARED_SPSC NOT_YET(spsc)
#endif

static const char *const mpmc_cases[] = {PROCESS, NULL};
#ifdef HAS_SHARED_mpmc
static const char *const shared_mpmc_cases[] = {PROCESS, PROCESS_KILL, NULL};
#endif
static const char *const spsc_cases[] = {PROCESS_1P1C, NULL};

const struct contestant ours_ipc[] = {
    SHARED_MPMC,
    SHARED_SPSC,
    {"queues_mpmc between threads", QUEUES_VERSION, NULL, mpmc_cases, mpmc_process, true},
    {"queues_spsc between threads", QUEUES_VERSION, NULL, spsc_cases, spsc_process, true},
    {.name = NULL},
};
