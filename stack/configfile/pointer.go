package configfile

import (
	"fmt"
	"strconv"
	"strings"
)

var (
	pointerEscape   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// JoinPointer is the pointer to a key of the table, or an element of the array, at ptr.
func JoinPointer(ptr, key string) string { return ptr + "/" + pointerEscape.Replace(key) }

// splitPointer is the keys of a pointer, outermost first; none is the document.
func splitPointer(ptr string) ([]string, error) {
	if ptr == "" {
		return nil, nil
	}
	if ptr[0] != '/' {
		return nil, fmt.Errorf("the pointer %q does not start with a slash", ptr)
	}
	keys := strings.Split(ptr[1:], "/")
	if len(keys) > maxDepth {
		return nil, fmt.Errorf("the pointer has %d parts, more than the %d levels that a document may have", len(keys), maxDepth)
	}
	for i, k := range keys {
		keys[i] = pointerUnescape.Replace(k)
	}
	return keys, nil
}

func joinPointer(keys []string) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteByte('/')
		b.WriteString(pointerEscape.Replace(k))
	}
	return b.String()
}

// arrayIndex reads an element's index as RFC 6901 writes it.
func arrayIndex(key string) (int, bool) {
	if key == "" || len(key) > 9 || key[0] == '0' && key != "0" {
		return 0, false
	}
	n, err := strconv.Atoi(key)
	return n, err == nil && key[0] != '+' && n >= 0
}
