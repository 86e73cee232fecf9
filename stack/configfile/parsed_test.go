package configfile

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestTheSameBytesAreParsedOnce(t *testing.T) {
	src := []byte("a = 1 # parsed once\nb = { c = 2 }\n")
	first, second := mustParse(t, src), mustParse(t, src)
	if reflect.ValueOf(first.Value()).Pointer() != reflect.ValueOf(second.Value()).Pointer() {
		t.Error("they are decoded again")
	}
	if line, _ := first.Position("/b/c"); line != 2 || first.index != second.located() {
		t.Error("their places are found again")
	}
	t.Run("and an edit of one document is none of another", func(t *testing.T) {
		src[4] = '7' // the caller's bytes are not ours
		if err := first.Set("/a", int64(9)); err != nil {
			t.Fatal(err)
		}
		if v, _ := second.Get("/a"); v != int64(1) || string(second.Bytes()) != "a = 1 # parsed once\nb = { c = 2 }\n" {
			t.Errorf("the other is\n%s", second.Bytes())
		}
		if v, _ := mustParse(t, []byte("a = 1 # parsed once\nb = { c = 2 }\n")).Get("/a"); v != int64(1) {
			t.Errorf("a later one has a = %v", v)
		}
	})
	t.Run("and so is what is wrong with them", func(t *testing.T) {
		_, first := Parse([]byte("a = = 1"))
		_, second := Parse([]byte("a = = 1"))
		if first.Error() != second.Error() || first == second {
			t.Errorf("got %v and %v", first, second)
		}
	})
	t.Run("and few of them are kept", func(t *testing.T) {
		for _, size := range []int{10, maxParsedBytes / 4} {
			for i := range maxParsed {
				mustParse(t, fmt.Appendf(nil, "n = %d # %s\n", i, strings.Repeat("x", size)))
			}
			kept := 0
			for _, p := range parsed.list {
				kept += len(p.of.src)
			}
			if len(parsed.list) > maxParsed || kept > maxParsedBytes {
				t.Errorf("%d texts of %d bytes are kept", len(parsed.list), kept)
			}
		}
	})
}
