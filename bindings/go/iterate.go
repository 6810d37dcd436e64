//go:build cgo

package queues

import (
	"context"
	"iter"
)

// each ranges over what get returns until it fails.
func each[V any](ctx context.Context, get func(context.Context) (V, error)) iter.Seq[V] {
	return func(yield func(V) bool) {
		for {
			v, err := get(ctx)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// eachErr does the same and ends with the error, but for ErrClosed.
func eachErr[V any](ctx context.Context, get func(context.Context) (V, error)) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for {
			v, err := get(ctx)
			if err == ErrClosed || !yield(v, err) || err != nil {
				return
			}
		}
	}
}
