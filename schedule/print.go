package schedule

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Listing is the answer of GET /api/v1/windows and of pitstop windows --json.
type Listing struct {
	Timezone string   `json:"timezone"` // the schedule's zone; the instants are in UTC
	Windows  []Window `json:"windows"`
}

// WriteText writes one window a line: open, close, and the note if there is one.
func (l Listing) WriteText(w io.Writer) error {
	lines := bufio.NewWriter(w)
	for _, window := range l.Windows {
		line := window.Open.UTC().Format(time.RFC3339) + "  " + window.Close.UTC().Format(time.RFC3339)
		if window.Note != "" {
			line += "  " + window.Note
		}
		if _, err := fmt.Fprintln(lines, line); err != nil {
			return err
		}
	}
	return lines.Flush()
}

// WriteJSON writes the listing as one JSON object.
func (l Listing) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(l)
}
