package guardian

import (
	"io"
	"log/slog"

	"pitstop/stack/patient"
)

// patientLog is a log that nobody waits for. The guardian shares its standard error with the panel,
// and a reader of it that stands still may be the very reason why the panel hangs.
func patientLog(w io.Writer) (log *slog.Logger, flush func()) {
	lines := patient.New(w)
	return slog.New(slog.NewTextHandler(lines, nil)), lines.Close
}
