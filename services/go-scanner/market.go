package main

import (
	"hash/fnv"
	"math"
)

// Market is a synthetic market: every price follows from the symbol and the number of the scan alone,
// so that two runs, or a run and its test, see the same.
type Market struct{ Swing float64 }

// Price is the symbol's price at this scan: a base of its own, a slow and a fast wave, and noise.
func (m Market) Price(symbol string, scan int64) float64 {
	seed := hash(symbol, 0)
	base := 20 + float64(seed%48_000)/100
	slow := math.Sin(float64(scan)/97 + float64(seed%628)/100)
	fast := math.Sin(float64(scan)/11 + float64(seed%314)/50)
	price := base * (1 + m.Swing*(6*slow+2*fast+m.noise(symbol, scan)))
	return math.Round(price*100) / 100
}

// Score says from 0 to 1 how much the symbol's last move makes it a candidate.
func (m Market) Score(symbol string, scan int64) float64 {
	score := (1 + m.noise(symbol, scan*31+7)) / 2
	return math.Round(score*1000) / 1000
}

// noise is between -1 and 1.
func (m Market) noise(symbol string, scan int64) float64 {
	return float64(hash(symbol, scan+1)%2_000_001)/1_000_000 - 1
}

func hash(symbol string, n int64) uint64 {
	h := fnv.New64a()
	h.Write([]byte(symbol))
	for range 8 {
		h.Write([]byte{byte(n)})
		n >>= 8
	}
	// FNV leaves neighbours alike in the low digits; this finisher of MurmurHash3 does not.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}
