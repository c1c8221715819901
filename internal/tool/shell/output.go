package shell

import "sync"

// output takes what one command prints and gives it out as text, each part
// once.
type output struct {
	limit    int
	terminal bool          // lines are ended and overwritten as on one
	more     chan struct{} // something has come since

	mu    sync.Mutex
	shown *capture // what has not been given out
	whole *spool   // all of it; nil: it is not kept
}

func newOutput(limit int, terminal bool, whole *spool) *output {
	return &output{limit: limit, terminal: terminal, more: make(chan struct{}, 1), shown: newCapture(limit), whole: whole}
}

// Write implements io.Writer; it never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.whole.write(p)
	n, _ := o.shown.Write(p)
	select {
	case o.more <- struct{}{}:
	default:
	}
	return n, nil
}

// waiting says whether there is something to give out.
func (o *output) waiting() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.shown.total > 0
}

// finish ends the file of the command, if it has one.
func (o *output) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.whole.finish()
}

// take gives out what has come since the last time. Unless last, the beginning
// of what is not complete yet, such as a character, stays for the next time.
func (o *output) take(last bool) (text string, truncated bool, size int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var held []byte
	if !last {
		held = o.shown.withhold()
	}
	text, truncated = o.shown.result()
	if o.terminal {
		text = lines(text)
	}
	size = o.shown.total
	if note := o.whole.note(); note != "" && (truncated || last) {
		text = addNote(text, "["+note+"]")
	}
	o.shown = newCapture(o.limit)
	_, _ = o.shown.Write(held)
	return text, truncated, size
}
