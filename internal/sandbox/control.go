package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// The gateway and a supervisor talk over one socket pair. The gateway sends
// one order; later it may send stopByte, and the end of its stream means: kill
// everything now. The supervisor sends one report, when nothing is left of the
// job, and ends.

const (
	stopByte = 's'
	maxFrame = 16 << 20
)

// order is the job as the supervisor gets it. The strings are bytes, because
// JSON strings would not keep what is not valid UTF-8.
type order struct {
	Argv  [][]byte      `json:"argv"`
	Env   [][]byte      `json:"env"`
	Dir   []byte        `json:"dir"`
	Grace time.Duration `json:"grace"`
}

// report is how the job ended.
type report struct {
	Errno  int `json:"errno,omitempty"` // why it could not be started; 0: it was
	Code   int `json:"code"`
	Signal int `json:"signal,omitempty"`
}

func newOrder(job *Job, grace time.Duration) order {
	return order{Argv: toBytes(job.Argv), Env: toBytes(job.Env), Dir: []byte(job.Dir), Grace: grace}
}

func toBytes(list []string) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = []byte(s)
	}
	return out
}

func toStrings(list [][]byte) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = string(b)
	}
	return out
}

// writeFrame writes v as JSON behind its length in four bytes, big endian.
func writeFrame(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(body) > maxFrame {
		return errors.New("the command is too long")
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body)))
	_, err = w.Write(append(frame, body...))
	return err
}

// readFrame reads what writeFrame wrote. A stream that ends before the first
// byte is io.EOF.
func readFrame(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > maxFrame {
		return fmt.Errorf("frame of %d bytes, the limit is %d", size, maxFrame)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return fmt.Errorf("frame cut short: %w", err)
	}
	return json.Unmarshal(body, v)
}
