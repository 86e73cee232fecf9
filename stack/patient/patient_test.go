package patient

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func TestNobodyWaitsForAReaderThatStandsStill(t *testing.T) {
	read, write := io.Pipe() // holds nothing: the first write waits
	w := New(write)
	const lines = 3 * unwritten
	for n := range lines {
		if _, err := fmt.Fprintf(w, "line %d\n", n); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now()
	w.Close()
	if took := time.Since(before); took > 10*lastWords {
		t.Errorf("Close waited for %s", took)
	}
	// The reader goes on.
	got := bufio.NewScanner(read)
	seen, dropped := 0, 0
	for seen+dropped < lines && got.Scan() {
		if strings.Contains(got.Text(), "were dropped") {
			if _, err := fmt.Sscanf(got.Text()[strings.Index(got.Text(), "dropped="):], "dropped=%d", &dropped); err != nil {
				t.Fatalf("%q: %v", got.Text(), err)
			}
		} else if want := fmt.Sprintf("line %d", seen+dropped); got.Text() != want {
			t.Fatalf("got %q, want %q", got.Text(), want)
		} else {
			seen++
		}
	}
	if seen < unwritten || dropped == 0 || seen+dropped != lines {
		t.Errorf("of %d lines %d were written, and %d are said to have been dropped", lines, seen, dropped)
	}
}

func TestWhatWasDroppedIsToldWhereItWouldHaveBeen(t *testing.T) {
	read, write := io.Pipe()
	w := New(write)
	for range 2 * unwritten {
		_, _ = io.WriteString(w, "early\n")
	}
	got := bufio.NewScanner(read)
	for range unwritten / 2 { // there is room again
		got.Scan()
	}
	_, _ = io.WriteString(w, "late\n")
	var last [2]string
	for last[1] != "late" && got.Scan() {
		last[0], last[1] = last[1], got.Text()
	}
	if !strings.Contains(last[0], "were dropped") {
		t.Errorf("before the first line after the gap there is %q", last[0])
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	w.Close()
}

func TestEverythingIsWrittenBeforeCloseReturns(t *testing.T) {
	var b strings.Builder
	w := New(&b)
	for n := range 100 {
		fmt.Fprintln(w, n)
	}
	w.Close()
	w.Close()
	if n := strings.Count(b.String(), "\n"); n != 100 {
		t.Errorf("%d lines were written, want 100", n)
	}
}
