// A histogram of latencies with small, fixed memory, which consumers fill without a lock and merge
// at the end.

package main

import "math/bits"

// A histogram counts by value. Each power of two has 128 buckets of equal width, so a value is
// known to within 1/128; values below 256 are exact.
type histogram struct {
	counts [58 * bucketsPerOctave]int
	total  int
	max    int
}

const bucketsPerOctave = 128

func (h *histogram) record(value int) {
	shift := 0
	if value >= bucketsPerOctave {
		shift = bits.Len64(uint64(value)) - 8
	}
	h.counts[shift*bucketsPerOctave+value>>shift]++
	h.total++
	h.max = max(h.max, value)
}

func (h *histogram) merge(from *histogram) {
	for i, n := range from.counts {
		h.counts[i] += n
	}
	h.total += from.total
	h.max = max(h.max, from.max)
}

// quantile returns the upper bound of the first bucket up to which fraction of the values lie.
func (h *histogram) quantile(fraction float64) int {
	seen := 0
	for i, n := range h.counts {
		if seen += n; seen > 0 && float64(seen) >= fraction*float64(h.total) {
			shift := max(i/bucketsPerOctave-1, 0)
			return min((i-shift*bucketsPerOctave+1)<<shift-1, h.max)
		}
	}
	return h.max
}

func (h *histogram) percentiles() map[string]int {
	return map[string]int{
		"p50": h.quantile(0.5), "p99": h.quantile(0.99), "p99.9": h.quantile(0.999), "max": h.max,
	}
}
