package process

import (
	"errors"
	"fmt"

	"pitstop/stack/durable"
)

// takeLock makes this the only panel that supervises in this folder.
func takeLock(folder string) (unlock func(), err error) {
	unlock, err = durable.Lock(folder)
	if errors.Is(err, durable.ErrLocked) {
		err = fmt.Errorf("another Pitstop supervises the services of this state folder: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("the process backend cannot start: %w", err)
	}
	return unlock, nil
}
