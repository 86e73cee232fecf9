package handlers

import "sync"

// changes tells any number of readers that something is new, without ever waiting for one of them:
// a reader that is slow finds, when it comes back, one change in place of many.
type changes struct {
	mu   sync.Mutex
	next chan struct{} // closed and replaced at every change
}

func newChanges() *changes { return &changes{next: make(chan struct{})} }

// happened wakes every reader.
func (c *changes) happened() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.next)
	c.next = make(chan struct{})
}

// watch returns a channel that is closed at the first change from now on. Ask for it before looking
// at what may change.
func (c *changes) watch() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}
