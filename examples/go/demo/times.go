package demo

import (
	"math"
	"slices"
)

// Times are how long the requests took.
type Times struct {
	Mean      int      `json:"mean_ns"`
	P50       int      `json:"p50_ns"`
	P99       int      `json:"p99_ns"`
	Max       int      `json:"max_ns"`
	Histogram [][2]int `json:"histogram"`
}

// TimesOf summarizes times in nanoseconds. It sorts them.
func TimesOf(sample []int) Times {
	slices.Sort(sample)
	return Times{
		mean(sample), Percentile(sample, 50), Percentile(sample, 99), Percentile(sample, 100),
		Histogram(sample, 1000, FourthOfAnOctave),
	}
}

func mean(sample []int) int {
	sum := 0.0
	for _, value := range sample {
		sum += float64(value)
	}
	return int(sum / float64(max(len(sample), 1)))
}

// Percentile returns the value that percent of the values are not above; 0 if there are none.
func Percentile(sorted []int, percent int) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}

// FourthOfAnOctave is the width of the buckets in a histogram of times.
const FourthOfAnOctave = 1 / 4.

// Histogram counts values in buckets. It returns the upper bound and the count of each bucket that is not
// empty. The first bound is first, and each further one is larger by a factor of 2^octaves, or by 1 if octaves
// is 0.
func Histogram(sorted []int, first, octaves float64) [][2]int {
	pairs := [][2]int{}
	upper, last := first, 0
	for _, value := range sorted {
		for value > int(upper) {
			if upper *= math.Exp2(octaves); octaves == 0 {
				upper++
			}
		}
		if int(upper) != last {
			last = int(upper)
			pairs = append(pairs, [2]int{last, 0})
		}
		pairs[len(pairs)-1][1]++
	}
	return pairs
}
