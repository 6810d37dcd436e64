//go:build !cgo

package queues

// Where cgo is off, this is the only file, and the only error of the build.
var _ struct{} = "package queues needs cgo for its C library: set CGO_ENABLED=1 and install a C compiler"
