package configfile

// This file finds how one list becomes another.

// pair is an old element and the new one for it; of an insertion: the place and the new one.
type pair struct{ old, new int }

// alignLimit bounds the table that align fills.
const alignLimit = 1 << 20

// align finds how a list becomes another with its elements kept: pairs to replace one by the other,
// indices that go, and what comes before which old index.
func align(old, new []any) (pairs []pair, gone []int, come []pair) {
	start := 0
	for start < len(old) && start < len(new) && equal(old[start], new[start]) {
		start++
	}
	endOld, endNew := len(old), len(new)
	for endOld > start && endNew > start && equal(old[endOld-1], new[endNew-1]) {
		endOld, endNew = endOld-1, endNew-1
	}
	i, j := start, start
	gap := func(toOld, toNew int) {
		for ; i < toOld && j < toNew; i, j = i+1, j+1 {
			pairs = append(pairs, pair{i, j})
		}
		for ; i < toOld; i++ {
			gone = append(gone, i)
		}
		for ; j < toNew; j++ {
			come = append(come, pair{toOld, j})
		}
	}
	for _, same := range commonElements(old[start:endOld], new[start:endNew]) {
		gap(start+same.old, start+same.new)
		i, j = start+same.old+1, start+same.new+1
	}
	gap(endOld, endNew)
	return pairs, gone, come
}

// commonElements is a longest common subsequence, or nothing where that would cost too much.
func commonElements(a, b []any) []pair {
	if len(a) == 0 || len(b) == 0 || len(a) > alignLimit/len(b) {
		return nil
	}
	return longestCommon(len(a), len(b), func(i, j int) bool { return equal(a[i], b[j]) })
}

// longestCommon is a longest common subsequence of two lists. It takes n × m time and memory.
func longestCommon(n, m int, same func(i, j int) bool) []pair {
	length := make([][]int32, n+1)
	for i := range length {
		length[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if same(i, j) {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var out []pair
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case same(i, j):
			out = append(out, pair{i, j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return out
}
