// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo && race

package queues

import (
	"runtime"
	"unsafe"
)

// The race detector sees neither the atomic operations of C nor those on C memory, so this file states what
// they order.

const underRaceDetector = true

// took states that this goroutine received the cell at p from the goroutine that gave it.
func took(p unsafe.Pointer) { runtime.RaceAcquire(p) }

// gives states that this goroutine is about to pass on the cell at p.
func gives(p unsafe.Pointer) { runtime.RaceRelease(p) }
