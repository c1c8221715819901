package sandbox

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// TestArrived reads a pipe only after its deadline, as a busy machine does.
func TestArrived(t *testing.T) {
	whole := bytes.Repeat([]byte("0123456789abcdef"), 2048)
	for name, end := range map[string]struct {
		closed bool
		want   error
	}{
		"the writer is gone":        {true, nil},
		"the writer is still there": {false, os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			if _, err := w.Write(whole); err != nil {
				t.Fatal(err)
			}
			if end.closed {
				_ = w.Close()
			}
			if err := r.SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(&arrived{file: r})
			if !bytes.Equal(got, whole) || !errors.Is(err, end.want) {
				t.Errorf("got %d of %d bytes, %v; want %v", len(got), len(whole), err, end.want)
			}
		})
	}
}
