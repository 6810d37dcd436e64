//go:build cgo

package queues

// An Error is a status of the C library other than success. Its values are the sentinels of this
// package; compare with == or [errors.Is].
type Error int32

// The errors of the package. A call that gave up because of its context returns the context's error
// instead.
const (
	ErrEmpty    Error = 1  // nothing to get
	ErrFull     Error = 2  // no room to put
	ErrClosed   Error = 3  // put: closed; get: closed and drained; either: released
	ErrRetry    Error = 5  // steal: another thief or the owner took the item; there may be more
	ErrTooSmall Error = 6  // the blob is longer than the buffer; it stays in front
	ErrInvalid  Error = -1 // an argument is out of range; nothing happened
	ErrNoMemory Error = -2 // the queue does not fit into memory
	ErrMisuse   Error = -3 // a second producer or consumer on an SPSC queue, or owner of a deque; or a lease that ended
)

// done is the status of success; as an error it is nil.
const done Error = 0

// Error describes the status in words.
func (e Error) Error() string {
	return "queues: " + statusString(e)
}

func (e Error) orNil() error {
	if e == done {
		return nil
	}
	return e
}
