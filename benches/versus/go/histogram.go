package main

import "math/bits"

// A histogram counts by value in linear steps, as many for each power of two: within 1/128 of the truth, exact
// below 256.
type histogram struct {
	counts [58 * steps]int
	total  int
	max    int
}

const steps = 128

func (h *histogram) record(value int) {
	shift := 0
	if value >= steps {
		shift = bits.Len64(uint64(value)) - 8
	}
	h.counts[shift*steps+value>>shift]++
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

// quantile returns the upper bound of the bucket that so large a fraction of the values does not exceed.
func (h *histogram) quantile(fraction float64) int {
	seen := 0
	for i, n := range h.counts {
		if seen += n; seen > 0 && float64(seen) >= fraction*float64(h.total) {
			shift := max(i/steps-1, 0)
			return min((i-shift*steps+1)<<shift-1, h.max)
		}
	}
	return h.max
}

func (h *histogram) percentiles() map[string]int {
	return map[string]int{
		"p50": h.quantile(0.5), "p99": h.quantile(0.99), "p99.9": h.quantile(0.999), "max": h.max,
	}
}
