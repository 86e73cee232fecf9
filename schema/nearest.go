package schema

import (
	"strings"
	"unicode/utf8"
)

// nearest finds the word that was meant; "" if none is near enough.
func nearest(key string, words []string) string {
	best, bestDistance := "", max(2, len(key)/3)+1
	for _, w := range words {
		if d := editDistance(strings.ToLower(key), strings.ToLower(w)); d < bestDistance {
			best, bestDistance = w, d
		}
	}
	if utf8.RuneCountInString(key) <= bestDistance {
		return ""
	}
	return best
}

func editDistance(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
