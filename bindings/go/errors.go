// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

// An Error is a status of the C library other than success. The constants from [ErrEmpty] to
// [ErrCorrupt] are the only values that calls of this package return; compare with == or [errors.Is].
type Error int32

// The errors of the package. Calls that wait can also return the error of their context.
const (
	ErrEmpty    Error = 1  // there is no item to get, or no batch is due; later there may be
	ErrFull     Error = 2  // there is no room to put; later there may be
	ErrClosed   Error = 3  // a put: the queue is closed; a get: it is closed and drained; any call: it was released
	ErrRetry    Error = 5  // a steal: another goroutine took the item; there may be more
	ErrTooSmall Error = 6  // the blob is longer than the buffer and stays where it is
	ErrInvalid  Error = -1 // an argument is out of range; nothing happened
	ErrNoMemory Error = -2 // there is no memory for the queue, or for a deque that has to grow
	ErrMisuse   Error = -3 // another goroutine is in a call of the same role (SPSC, Deque), or a Lease or Reservation has ended
	ErrCorrupt  Error = -5 // another process has damaged the file of a shared queue
)

// statusOK is the status of success; as an error it is nil.
const statusOK Error = 0

// Error returns the C library's description of the status.
func (e Error) Error() string { return "queues: " + statusString(e) }

func (e Error) orNil() error {
	if e == statusOK {
		return nil
	}
	return e
}

// nilOnError returns p, or nil and the error.
func nilOnError[T any](p *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}
