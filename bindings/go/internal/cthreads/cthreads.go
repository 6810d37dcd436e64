// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

// Package cthreads calls the C library as a program in C would, for tests: from threads that wait in C.
package cthreads

/*
#cgo pkg-config: queues

#include <queues.h>
#include <stdlib.h>
#include <unistd.h>

static void rest(unsigned *seed, unsigned pause_us) {
    if (pause_us > 0 && rand_r(seed) % 4 == 0)
        usleep(rand_r(seed) % pause_us);
}

#define FIFO(family)                                                                               \
    static queues_status_t put_##family(void *queue, size_t n, unsigned seed, unsigned pause_us) { \
        queues_status_t status = QUEUES_OK;                                                        \
        for (size_t i = 0; i < n && status == QUEUES_OK; i++) {                                    \
            rest(&seed, pause_us);                                                                 \
            status = queues_##family##_put_bytes(queue, &i, sizeof i, -1);                         \
        }                                                                                          \
        return status;                                                                             \
    }                                                                                              \
    static queues_status_t get_##family(void *queue, size_t n, unsigned seed, unsigned pause_us) { \
        queues_status_t status = QUEUES_OK;                                                        \
        for (size_t i = 0; i < n && status == QUEUES_OK; i++) {                                    \
            size_t item, len;                                                                      \
            rest(&seed, pause_us);                                                                 \
            status = queues_##family##_get_bytes(queue, &item, sizeof item, &len, -1);             \
        }                                                                                          \
        return status;                                                                             \
    }
FIFO(mpmc)
FIFO(spsc)

static queues_status_t put_priority(void *queue, size_t n, unsigned seed, unsigned pause_us) {
    queues_status_t status = QUEUES_OK;
    for (size_t i = 0; i < n && status == QUEUES_OK; i++) {
        rest(&seed, pause_us);
        status = queues_priority_put_bytes(queue, &i, sizeof i, rand_r(&seed) % 8, -1);
    }
    return status;
}

static queues_status_t get_priority(void *queue, size_t n, unsigned seed, unsigned pause_us) {
    queues_status_t status = QUEUES_OK;
    for (size_t i = 0; i < n && status == QUEUES_OK; i++) {
        size_t item, len;
        double priority;
        rest(&seed, pause_us);
        status = queues_priority_get_bytes(queue, &item, sizeof item, &len, &priority, -1);
    }
    return status;
}

static queues_status_t put_batch(void *queue, size_t n, unsigned seed, unsigned pause_us) {
    queues_status_t status = QUEUES_OK;
    for (size_t i = 0; i < n && status == QUEUES_OK; i++) {
        rest(&seed, pause_us);
        status = queues_batch_put_bytes(queue, &i, sizeof i, -1);
    }
    return status;
}

// Gets batches of one blob.
static queues_status_t get_batch(void *queue, size_t n, unsigned seed, unsigned pause_us) {
    queues_status_t status = QUEUES_OK;
    for (size_t i = 0; i < n && status == QUEUES_OK; i++) {
        size_t item, len, count;
        queues_batch_blob_t blob;
        rest(&seed, pause_us);
        status = queues_batch_get_batch_bytes(queue, &item, sizeof item, &len, &blob, 1, &count, -1);
    }
    return status;
}

static queues_status_t put_words(void *queue, size_t n, unsigned seed, unsigned pause_us) {
    queues_status_t status = QUEUES_OK;
    for (size_t i = 0; i < n && status == QUEUES_OK; i++) {
        rest(&seed, pause_us);
        status = queues_mpmc_put(queue, (void *)i, -1);
    }
    return status;
}

static queues_status_t push_deque(void *deque, size_t n) {
    queues_status_t status = QUEUES_OK;
    for (size_t i = 0; i < n && status == QUEUES_OK; i++)
        status = queues_deque_push_bytes(deque, &i, sizeof i);
    return status;
}

static void *new_mpmc(size_t capacity, size_t item_size) {
    queues_mpmc_options_t options = {
        .struct_size = sizeof options, .capacity = capacity, .item_size = item_size};
    queues_mpmc_t *queue = NULL;
    return queues_mpmc_create(&options, &queue) == QUEUES_OK ? queue : NULL;
}
*/
import "C"

import "unsafe"

// A Call moves n blobs of 8 bytes, or words, with pauses of up to pauseUs microseconds before some of them. It
// waits in C and returns the last status.
type Call func(queue unsafe.Pointer, n int, seed, pauseUs uint) int

// The calls that put and get, by the type of the queue in Go.
var (
	Puts = map[string]Call{
		"MPMCBytes": func(q unsafe.Pointer, n int, seed, pauseUs uint) int {
			return int(C.put_mpmc(q, C.size_t(n), C.uint(seed), C.uint(pauseUs)))
		},
		"SPSCBytes": func(q unsafe.Pointer, n int, seed, pauseUs uint) int {
			return int(C.put_spsc(q, C.size_t(n), C.uint(seed), C.uint(pauseUs)))
		},
		"PriorityBytes": func(q unsafe.Pointer, n int, seed, pauseUs uint) int {
			return int(C.put_priority(q, C.size_t(n), C.uint(seed), C.uint(pauseUs)))
		},
		"BatchBytes": func(q unsafe.Pointer, n int, seed, pauseUs uint) int {
			return int(C.put_batch(q, C.size_t(n), C.uint(seed), C.uint(pauseUs)))
		},
		"MPMCWords": func(q unsafe.Pointer, n int, seed, pauseUs uint) int {
			return int(C.put_words(q, C.size_t(n), C.uint(seed), C.uint(pauseUs)))
		},
		"DequeBytes": func(q unsafe.Pointer, n int, _, _ uint) int {
			return int(C.push_deque(q, C.size_t(n)))
		},
	}
	Gets = map[string]Call{
		"MPMCBytes": func(q unsafe.Pointer, n int, seed, pauseUs uint) int {
			return int(C.get_mpmc(q, C.size_t(n), C.uint(seed), C.uint(pauseUs)))
		},
		"SPSCBytes": func(q unsafe.Pointer, n int, seed, pauseUs uint) int {
			return int(C.get_spsc(q, C.size_t(n), C.uint(seed), C.uint(pauseUs)))
		},
		"PriorityBytes": func(q unsafe.Pointer, n int, seed, pauseUs uint) int {
			return int(C.get_priority(q, C.size_t(n), C.uint(seed), C.uint(pauseUs)))
		},
		"BatchBytes": func(q unsafe.Pointer, n int, seed, pauseUs uint) int {
			return int(C.get_batch(q, C.size_t(n), C.uint(seed), C.uint(pauseUs)))
		},
	}
)

// NewMPMC creates a queue of blobs, or of pointers if itemSize is 0, with one reference.
func NewMPMC(capacity, itemSize int) unsafe.Pointer {
	return C.new_mpmc(C.size_t(capacity), C.size_t(itemSize))
}

// CloseMPMC closes an MPMC queue.
func CloseMPMC(q unsafe.Pointer) { C.queues_mpmc_close((*C.queues_mpmc_t)(q)) }

// IsClosedMPMC reports whether an MPMC queue is closed.
func IsClosedMPMC(q unsafe.Pointer) bool { return bool(C.queues_mpmc_is_closed((*C.queues_mpmc_t)(q))) }

// ReleaseMPMC gives a reference back.
func ReleaseMPMC(q unsafe.Pointer) { C.queues_mpmc_release((*C.queues_mpmc_t)(q)) }

// SizeMPMC returns the number of items in an MPMC queue.
func SizeMPMC(q unsafe.Pointer) int { return int(C.queues_mpmc_size((*C.queues_mpmc_t)(q))) }
