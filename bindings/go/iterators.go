// SPDX-License-Identifier: MIT OR Apache-2.0

//go:build cgo

package queues

import (
	"context"
	"iter"
)

// all iterates over what get returns, until get returns an error.
func all[V any](ctx context.Context, get func(context.Context) (V, error)) iter.Seq[V] {
	return func(yield func(V) bool) {
		for {
			v, err := get(ctx)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// allErr iterates over what get returns, including the error, unless that is ErrClosed.
func allErr[V any](ctx context.Context, get func(context.Context) (V, error)) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for {
			v, err := get(ctx)
			if err == ErrClosed || !yield(v, err) || err != nil {
				return
			}
		}
	}
}
