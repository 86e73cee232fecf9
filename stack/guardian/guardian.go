// Package guardian is the dead man of the pause window: a small process that lives only while a run
// has the stack paused, and lets it go on if the panel dies inside that window.
//
// The panel starts it before the first pause (Start) and tells it after the last unpause that all is
// well (release). The two are joined by a pipe that the kernel closes when the panel dies, however it
// dies. A pipe that closes without the word is the panel's death, and only then does it act.
package guardian

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"pitstop/stack"
)

// Options describe one guardian. Executable and Instances are required.
type Options struct {
	Executable string   // the panel's own binary: os.Executable()
	Args       []string // such as "guardian", "--settings", FILE; it must end up in Main
	Instances  []stack.Instance
	// State is the panel's state folder. A guardian that is still trying when the next run of a new
	// panel starts a guardian there stands down, so that it never unpauses what that run paused.
	State string
	Log   *slog.Logger
}

// Start starts a guardian and returns when it is ready to act. The context bounds the start only.
// Release tells the guardian that all is unpaused, and waits for it to end; it may be called more
// than once.
func Start(ctx context.Context, options Options) (release func(), err error) {
	return nil, errors.New("unfinished")
}

// Main is the guardian's own program: what the hidden command `pitstop guardian` calls with its
// standard input and output. It returns nil if it was not needed, had to stand down, or has let all
// instances go on. The context should end with nothing but the process: above all not with SIGTERM,
// which a service manager sends to the panel and the guardian at once.
func Main(ctx context.Context, stdin io.Reader, stdout io.Writer, attach func() (stack.Backend, error), log *slog.Logger) error {
	return errors.New("unfinished")
}
