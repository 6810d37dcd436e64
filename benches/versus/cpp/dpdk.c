// Adapter for the rings of DPDK, in memory from malloc or shared by processes, since no environment
// (EAL) is set up. In the default ring for many threads a thread that is suspended in a call blocks
// the others. Relaxed tail sync (RTS) and head/tail sync (HTS) are the modes that DPDK has for more
// threads than processors.
#if __has_include(<rte_ring.h>)

#include "harness.h"

#include <rte_ring.h>
#include <stdlib.h>

// RING_F_EXACT_SZ: the ring holds `capacity` items. The number of slots is a power of two, and one
// slot stays empty.
static size_t dpdk_bytes(size_t capacity, size_t size) {
    const unsigned slots = rte_align32pow2((uint32_t)capacity + 1);
    return (size_t)rte_ring_get_memsize_elem(size == 0 ? sizeof(void *) : size, slots);
}
static struct rte_ring *dpdk_init(void *memory, size_t capacity, unsigned flags) {
    struct rte_ring *ring = memory;
    if (rte_ring_init(ring, "versus", (unsigned)capacity, flags | RING_F_EXACT_SZ) != 0)
        fail(1, "rte_ring_init failed");
    return ring;
}
static struct rte_ring *dpdk_create(size_t capacity, size_t size, unsigned flags) {
    const size_t bytes = RTE_CACHE_LINE_ROUNDUP(dpdk_bytes(capacity, size));
    return dpdk_init(aligned_alloc(RTE_CACHE_LINE_SIZE, bytes), capacity, flags);
}

#define ADAPTER(kind, flags)                                                                       \
    static struct rte_ring *kind##_create(size_t capacity, size_t size) {                          \
        return dpdk_create(capacity, size, flags);                                                 \
    }                                                                                              \
    static void kind##_release(struct rte_ring *ring) { free(ring); }                              \
    CALLS(kind)
#define SHARED_ADAPTER(kind, flags)                                                                \
    static struct rte_ring *kind##_create(size_t capacity, size_t size) {                          \
        return dpdk_init(shared_memory(dpdk_bytes(capacity, size)), capacity, flags);              \
    }                                                                                              \
    static struct rte_ring *kind##_attach(struct rte_ring *ring, size_t capacity, size_t size) {   \
        (void)capacity;                                                                            \
        (void)size;                                                                                \
        return ring;                                                                               \
    }                                                                                              \
    static void kind##_detach(struct rte_ring *ring) { (void)ring; }                               \
    static void kind##_release(struct rte_ring *ring) { (void)ring; /* until the process ends */ } \
    CALLS(kind)

#define CALLS(kind)                                                                                \
    static inline bool kind##_try_put(struct rte_ring *ring, const void *item, size_t size) {      \
        return rte_ring_enqueue_elem(ring, (void *)item, size == 0 ? sizeof(void *) : size) == 0;  \
    }                                                                                              \
    static inline bool kind##_try_get(struct rte_ring *ring, void *item, size_t size) {            \
        return rte_ring_dequeue_elem(ring, item, size == 0 ? sizeof(void *) : size) == 0;          \
    }                                                                                              \
    static inline size_t kind##_put_bulk(struct rte_ring *ring, const void *items, size_t count,   \
                                         size_t size) {                                            \
        return rte_ring_enqueue_burst_elem(ring, items, size == 0 ? sizeof(void *) : size,         \
                                           (unsigned)count, NULL);                                 \
    }                                                                                              \
    static inline size_t kind##_get_bulk(struct rte_ring *ring, void *items, size_t count,         \
                                         size_t size) {                                            \
        return rte_ring_dequeue_burst_elem(ring, items, size == 0 ? sizeof(void *) : size,         \
                                           (unsigned)count, NULL);                                 \
    }

ADAPTER(spsc, RING_F_SP_ENQ | RING_F_SC_DEQ)
#define QUEUE spsc
#define HANDLE struct rte_ring
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 1
#include "workloads.h"

ADAPTER(mpmc, 0)
#define QUEUE mpmc
#define HANDLE struct rte_ring
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 1
#include "workloads.h"

ADAPTER(rts, RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ)
#define QUEUE rts
#define HANDLE struct rte_ring
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 1
#include "workloads.h"

ADAPTER(hts, RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ)
#define QUEUE hts
#define HANDLE struct rte_ring
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 1
#include "workloads.h"

// One consumer, or one producer, and each way of the other side.
ADAPTER(mp_sc, RING_F_SC_DEQ)
#define QUEUE mp_sc
#define HANDLE struct rte_ring
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 1
#include "workloads.h"

ADAPTER(hts_sc, RING_F_MP_HTS_ENQ | RING_F_SC_DEQ)
#define QUEUE hts_sc
#define HANDLE struct rte_ring
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 1
#include "workloads.h"

ADAPTER(sp_mc, RING_F_SP_ENQ)
#define QUEUE sp_mc
#define HANDLE struct rte_ring
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 1
#include "workloads.h"

ADAPTER(sp_hts, RING_F_SP_ENQ | RING_F_MC_HTS_DEQ)
#define QUEUE sp_hts
#define HANDLE struct rte_ring
#define HAS_TRY 1
#define HAS_BLOCKING 0
#define HAS_BULK 1
#include "workloads.h"

// --- between processes

SHARED_ADAPTER(shared_spsc, RING_F_SP_ENQ | RING_F_SC_DEQ)
#define QUEUE shared_spsc
#define SHARED struct rte_ring
#define HANDLE struct rte_ring
#define HAS_BLOCKING 0
#define THREADS 0
#include "processes.h"

SHARED_ADAPTER(shared_mpmc, 0)
#define QUEUE shared_mpmc
#define SHARED struct rte_ring
#define HANDLE struct rte_ring
#define HAS_BLOCKING 0
#define THREADS 0
#include "processes.h"

SHARED_ADAPTER(shared_hts, RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ)
#define QUEUE shared_hts
#define SHARED struct rte_ring
#define HANDLE struct rte_ring
#define HAS_BLOCKING 0
#define THREADS 0
#include "processes.h"

static const char *const spsc_cases[] = {SPSC_TRY("*"), SPSC_BULK("*"), NULL};
static const char *const mpmc_cases[] = {MPMC_TRY, MPMC_BULK, NULL};
static const char *const mp_sc_cases[] = {MPSC_TRY, NULL};
static const char *const sp_mc_cases[] = {SPMC_TRY, NULL};
static const char *const shared_spsc_cases[] = {PROCESS_1P1C, NULL};
static const char *const shared_mpmc_cases[] = {PROCESS, PROCESS_KILL, NULL};

const struct contestant dpdk_rings[] = {
    {"DPDK rte_ring, SPSC", VERSION_DPDK, NULL, spsc_cases, spsc_run, false},
    {"DPDK rte_ring", VERSION_DPDK, NULL, mpmc_cases, mpmc_run, false},
    {"DPDK rte_ring, RTS", VERSION_DPDK, NULL, mpmc_cases, rts_run, false},
    {"DPDK rte_ring, HTS", VERSION_DPDK, NULL, mpmc_cases, hts_run, false},
    {"DPDK rte_ring, MP/SC", VERSION_DPDK, NULL, mp_sc_cases, mp_sc_run, false},
    {"DPDK rte_ring, HTS/SC", VERSION_DPDK, NULL, mp_sc_cases, hts_sc_run, false},
    {"DPDK rte_ring, SP/MC", VERSION_DPDK, NULL, sp_mc_cases, sp_mc_run, false},
    {"DPDK rte_ring, SP/HTS", VERSION_DPDK, NULL, sp_mc_cases, sp_hts_run, false},
    {"DPDK rte_ring, SPSC, polled", VERSION_DPDK, NULL, shared_spsc_cases, shared_spsc_process,
     false},
    {"DPDK rte_ring, polled", VERSION_DPDK, NULL, shared_mpmc_cases, shared_mpmc_process, false},
    {"DPDK rte_ring, HTS, polled", VERSION_DPDK, NULL, shared_mpmc_cases, shared_hts_process,
     false},
    {.name = NULL},
};

#else

#include "harness.h"
const struct contestant dpdk_rings[] = {MISSING("DPDK rte_ring", "libdpdk-dev"), {.name = NULL}};

#endif
