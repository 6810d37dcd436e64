// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build !cgo

package queues

// Without cgo this is the only code of the package, and the only error of the build.
var _ struct{} = "package queues needs cgo for its C library: set CGO_ENABLED=1 and install a C compiler"
