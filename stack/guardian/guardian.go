// Package guardian is the dead man of the pause window: a small process that lives only while a run
// has the stack paused, and lets it go on if the panel dies inside that window.
//
// The panel starts it before the first pause (Start) and tells it after the last unpause that all is
// well (release). The two are joined by a pipe that the kernel closes when the panel dies, however it
// dies. A pipe that closes without the word is the panel's death. Only then does it act, or if neither
// has come long after the pause should have been over: a panel can hang instead of dying.
package guardian

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"pitstop/stack"
)

// Options describe one guardian. Instances and State are required.
type Options struct {
	Executable string   // empty: this very program, also if its file has been replaced since it began
	Args       []string // such as "guardian"; it must end up in Main
	Instances  []stack.Instance
	// State is the panel's state folder. A guardian that is still trying when the next run of a new
	// panel starts a guardian there stands down, so that it never unpauses what that run paused.
	State string
	// Reach is what attach of Main needs to reach the instances, as JSON keeps it. Not where to read that:
	// it might have been changed since.
	Reach any
	// FreeAfter is the time after which a panel that neither releases the guardian nor dies is taken to
	// hang: longer than it would itself let a pause last. 0: never.
	FreeAfter time.Duration
	Log       *slog.Logger // nil: none
}

// What the two say to each other, a line each: the panel its order and, when all is well, done; the
// guardian that it is ready, and at its end, to done, whether it has freed anybody: kept, or freed with
// how long after it was ready.
const (
	readyWord = "ready"
	doneWord  = "done"
	keptWord  = "kept"
	freedWord = "freed"
)

// order is what a guardian has to do, should the panel die or hang.
type order struct {
	Instances []stack.Instance `json:"instances"`
	Watch     string           `json:"watch"` // the file that says who is on watch
	Name      string           `json:"name"`  // this guardian's, in that file
	Reach     json.RawMessage  `json:"reach"`
	FreeAfter time.Duration    `json:"free_after"`
}

// exitTimeout is how long a guardian that was told that all is well may take to end.
const exitTimeout = 2 * time.Second

// Start starts a guardian and returns when it is ready to act. The context bounds the start only.
// Release tells the guardian that all is unpaused, and waits for it to end; it may be called more
// than once. It returns a time before which the guardian has freed nobody, or zero if it has freed
// nobody at all. A guardian that died meanwhile does no harm, and has freed nobody that is known of.
func Start(ctx context.Context, options Options) (release func() (freed time.Time), err error) {
	log := options.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	release, err = start(ctx, options, log)
	if err != nil {
		return nil, fmt.Errorf("could not start the guardian that would unpause the stack if this process died: %w", err)
	}
	return release, nil
}

func start(ctx context.Context, options Options, log *slog.Logger) (release func() (freed time.Time), err error) {
	if options.Executable == "" {
		options.Executable = "/proc/self/exe"
	}
	o := order{Instances: options.Instances, Watch: watchPath(options.State), FreeAfter: options.FreeAfter}
	if o.Reach, err = json.Marshal(options.Reach); err != nil {
		return nil, err
	}
	if o.Name, err = takeWatch(ctx, o.Watch); err != nil {
		return nil, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	command := exec.Command(options.Executable, options.Args...)
	// A session of its own, so that what ends the panel's group or terminal spares it.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	command.Stderr = os.Stderr // as it is: a pipe to this process would die with it
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := command.Start(); err != nil {
		return nil, err
	}
	heard := bufio.NewReader(stdout)
	ready := make(chan error, 1)
	go func() {
		if _, err := stdin.Write(append(text, '\n')); err != nil {
			ready <- err
			return
		}
		word, err := heard.ReadString('\n')
		if strings.TrimSpace(word) != readyWord {
			err = errors.Join(fmt.Errorf("it said %q where it should have said that it is ready", word), err)
		} else {
			err = nil
		}
		ready <- err
	}()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = command.Process.Kill() // first, so that it does not take the closing pipe for a death
		return nil, errors.Join(err, command.Wait())
	}
	ended := make(chan struct{})
	var answer string
	go func() {
		defer close(ended)
		answer, _ = heard.ReadString('\n') // or the end of a guardian that said nothing
		if err := command.Wait(); err != nil {
			log.Warn("the guardian ended badly", "error", err)
		}
	}()
	var once sync.Once
	return func() (freed time.Time) {
		once.Do(func() {
			// In one write, and before the pipe closes: whenever the guardian reads, it reads the word.
			if _, err := io.WriteString(stdin, doneWord+"\n"); err != nil {
				log.Warn("the guardian was gone before the run ended", "error", err)
			}
			_ = stdin.Close()
			select {
			case <-ended:
			case <-time.After(exitTimeout):
				log.Warn("the guardian does not end and is killed", "pid", command.Process.Pid)
				_ = command.Process.Kill()
				<-ended
			}
		})
		return freedAfter(begun, answer)
	}, nil
}

// freedAfter reads the guardian's answer. It began to count a moment after begun.
func freedAfter(begun time.Time, answer string) (freed time.Time) {
	how, long, _ := strings.Cut(strings.TrimSpace(answer), " ")
	if after, err := time.ParseDuration(long); how == freedWord && err == nil {
		return begun.Add(after)
	}
	return freed
}
