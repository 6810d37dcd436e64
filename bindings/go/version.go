// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import "strings"

// Version returns the version of the C library that the program runs with, such as "0.1.0". Any
// goroutine may call it at any time.
func Version() string { return libraryVersion() }

func init() {
	if message := mismatch(headerVersion, Version()); message != "" {
		panic(message)
	}
}

// mismatch returns a message if the ABI of the library may differ from that of the header, else "".
// They differ after another version was installed, because Go's cache does not notice a new header.
func mismatch(header, library string) string {
	abi := func(version string) string { return version[:max(strings.LastIndexByte(version, '.'), 0)] }
	if abi(header) == abi(library) {
		return ""
	}
	return "queues: built with the header of version " + header + ", but runs with the library of version " +
		library + ": build anew with go build -a"
}
