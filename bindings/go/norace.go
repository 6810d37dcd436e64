// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo && !race

package queues

import "unsafe"

const underRaceDetector = false

func took(unsafe.Pointer)  {}
func gives(unsafe.Pointer) {}
