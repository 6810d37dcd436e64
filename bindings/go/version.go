//go:build cgo

package queues

import "strings"

// Version tells the version of the C library that the program runs with.
func Version() string { return libraryVersion() }

func init() {
	if why := mismatch(headerVersion, Version()); why != "" {
		panic(why)
	}
}

// mismatch returns a message if the library may have another ABI than the header, else "". It happens when
// a new version was installed, because Go's cache does not see that a header has changed.
func mismatch(header, library string) string {
	abi := func(version string) string { return version[:max(strings.LastIndexByte(version, '.'), 0)] }
	if abi(header) == abi(library) {
		return ""
	}
	return "queues: built with the header of version " + header + ", but runs with the library of version " +
		library + ": build anew with go build -a"
}
