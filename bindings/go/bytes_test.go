package queues

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func wantBlob(t testing.TB, q blobs, blob []byte) {
	t.Helper()
	buffer := make([]byte, len(blob)+1)
	for _, read := range []func([]byte) (int, error){q.Peek, q.TryGet} {
		n, err := read(buffer)
		must(t, err)
		if !bytes.Equal(buffer[:n], blob) {
			t.Fatalf("got %x, want %x", buffer[:n], blob)
		}
	}
}

func TestBlobs(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		for _, size := range []int{1, 7, 8, 9, 100, 1 << 16} {
			q := newBlobs(t, f, 3, size)
			data := make([]byte, size+1)
			for i := range data {
				data[i] = byte(rand.Uint32())
			}
			for _, blob := range [][]byte{nil, {}, data[:1], data[:size], data[1:]} {
				must(t, q.TryPut(blob))
				must(t, q.Put(bg, blob))
				wantBlob(t, q, blob)
				wantBlob(t, q, blob)
			}
			wantError(t, q.TryPut(data), ErrInvalid)
			wantError(t, q.Put(bg, data), ErrInvalid)
			for range 3 {
				must(t, q.TryPut(data[:1]))
			}
			wantError(t, q.TryPut(nil), ErrFull)
			wantClear(t, q, 3)
			_, err := q.TryGet(data)
			wantError(t, err, ErrEmpty)
			_, err = q.Peek(data)
			wantError(t, err, ErrEmpty)
			must(t, q.TryPut(data[:1]))
			q.Close()
			wantError(t, q.TryPut(nil), ErrClosed)
			wantBlob(t, q, data[:1])
			for _, read := range []func([]byte) (int, error){q.Peek, q.TryGet} {
				_, err := read(data)
				wantError(t, err, ErrClosed)
			}
		}
	})
}

// A put copies the blob.
func TestBlobIsCopied(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newBlobs(t, f, 1, 3)
		blob := []byte("abc")
		must(t, q.TryPut(blob))
		copy(blob, "xyz")
		wantBlob(t, q, []byte("abc"))
	})
}

func TestBufferTooSmall(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newBlobs(t, f, 2, 5)
		must(t, q.TryPut([]byte("12345")))
		for _, buffer := range [][]byte{nil, {}, make([]byte, 4)} {
			for _, read := range []func([]byte) (int, error){
				q.Peek, q.TryGet, func(b []byte) (int, error) { return q.Get(bg, b) },
			} {
				n, err := read(buffer)
				wantError(t, err, ErrTooSmall)
				want(t, "needed length", n, 5)
				want(t, "Len", q.Len(), 1)
				if !bytes.Equal(buffer, make([]byte, len(buffer))) {
					t.Fatalf("the buffer was written: %x", buffer)
				}
			}
		}
		wantBlob(t, q, []byte("12345"))
	})
}

func TestAllBlobs(t *testing.T) {
	forEachFamily(t, func(t *testing.T, f family) {
		q := newBlobs(t, f, 3, 4)
		sent := []string{"", "four", "1"}
		for _, s := range sent {
			must(t, q.TryPut([]byte(s)))
		}
		q.Close()
		var got []string
		for blob := range q.All(bg) {
			got = append(got, string(blob))
		}
		want(t, "number of blobs", len(got), len(sent))
		for i, s := range sent {
			want(t, "blob", got[i], s)
		}
	})
}
