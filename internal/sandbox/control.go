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

	Terminal bool      `json:"terminal,omitempty"`
	WantDir  bool      `json:"want_dir,omitempty"`
	Temp     []byte    `json:"temp,omitempty"`
	Cell     *cellSent `json:"cell,omitempty"` // nil: not confined
}

// cellSent is a cell on its way to the supervisor.
type cellSent struct {
	Layer   Layer    `json:"layer"`
	Paths   [][]byte `json:"paths"`
	Reaches []reach  `json:"reaches"` // of Paths, one by one
	Network bool     `json:"network,omitempty"`
	Port    int      `json:"port,omitempty"`
	Most    int      `json:"most"`
	Mounts  []mount  `json:"mounts,omitempty"`
}

// mount is something that bwrap was told to mount at Path.
type mount struct {
	Path []byte `json:"path"`
	Hide bool   `json:"hide,omitempty"` // File is not to be seen there any more; else it is
	File fileID `json:"file"`           // what stood there
}

// fileID tells files of one system apart.
type fileID struct{ Dev, Ino uint64 }

// report is how the job ended.
type report struct {
	Errno int `json:"errno,omitempty"` // why it could not be started; 0: it was
	// Exchanged says that it was not started, since its directory is not where it
	// was.
	Exchanged bool `json:"exchanged,omitempty"`

	Code   int `json:"code"`
	Signal int `json:"signal,omitempty"`

	// Unconfined is why it could not be confined and so was not started; "": it
	// was.
	Unconfined     string `json:"unconfined,omitempty"`
	NetworkRefused bool   `json:"network_refused,omitempty"`
	TooMany        bool   `json:"too_many,omitempty"`
	Dir            []byte `json:"dir,omitempty"`
}

func newOrder(job *Job, grace time.Duration, c *cell) order {
	return order{
		Argv: toBytes(job.Argv), Env: toBytes(job.Env), Dir: []byte(job.Dir), Grace: grace,
		Terminal: job.Terminal, WantDir: job.WantDir, Temp: []byte(job.temp), Cell: c.send(),
	}
}

func (c *cell) send() *cellSent {
	if c == nil {
		return nil
	}
	s := &cellSent{Layer: c.layer, Network: c.network, Port: c.port, Most: c.most, Mounts: c.mounts}
	for _, p := range c.places {
		s.Paths, s.Reaches = append(s.Paths, []byte(p.path)), append(s.Reaches, p.reach)
	}
	return s
}

func (s *cellSent) receive() (*cell, error) {
	if s == nil {
		return nil, nil
	}
	if len(s.Paths) != len(s.Reaches) {
		return nil, errors.New("paths without their reach")
	}
	c := &cell{layer: s.Layer, network: s.Network, port: s.Port, most: s.Most, mounts: s.Mounts}
	for i, p := range s.Paths {
		c.places = append(c.places, place{path: string(p), reach: s.Reaches[i]})
	}
	return c, nil
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
