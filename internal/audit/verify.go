package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Fault is one thing that is wrong with the record.
type Fault struct {
	File string `json:"file"`
	Line int    `json:"line"` // in the file, from 1; 0: the file as a whole
	What string `json:"what"`
}

// Report is what Verify found.
type Report struct {
	Lines  int64   `json:"lines"`
	First  int64   `json:"first"` // the numbers of the oldest and the newest line
	Last   int64   `json:"last"`
	Faults []Fault `json:"faults"`
	More   int     `json:"more,omitzero"` // faults that are not listed
}

// maxFaults bounds a Report: after a break a whole record may be wrong.
const maxFaults = 100

// Verify reads the whole record, also of a running gateway, and says what is
// wrong with it and where. An error says that it could not be read.
func Verify(ctx context.Context, o Options) (Report, error) {
	v := verifier{report: Report{Faults: []Fault{}}}
	var err error
	if v.key, err = os.ReadFile(o.Key); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return v.report, o.withoutKey()
		}
		return v.report, err
	}
	told := position{First: 1}
	if head, err := os.Open(o.Head); err == nil {
		for range 5 { // a gateway may be writing it just now
			if told, err = readHead(head, v.key); err == nil {
				break
			}
		}
		_ = head.Close()
		if err != nil {
			told = position{First: 1}
			v.fault(o.Head, 0, "the head has been changed, so lines cut from the end would not show")
		}
	} else {
		v.fault(o.Head, 0, "the head is missing, so lines cut from the end would not show")
	}
	files, err := olderFiles(o.Dir)
	if err != nil {
		return v.report, err
	}
	for _, path := range append(files, filepath.Join(o.Dir, current)) {
		if err := v.file(ctx, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return v.report, err
		}
	}
	v.ends(filepath.Join(o.Dir, current), told)
	return v.report, nil
}

// withoutKey says why a record without a key cannot be checked.
func (o Options) withoutKey() error {
	files, err := olderFiles(o.Dir)
	for _, path := range append(files, filepath.Join(o.Dir, current), o.Head) {
		if info, statErr := os.Stat(path); statErr == nil && info.Size() > 0 {
			return fmt.Errorf("%s is there and its key, %s, is not: what was recorded cannot be checked any more", path, o.Key)
		}
	}
	return cmp.Or(err, errors.New("there is no record: no gateway has kept one (logging.audit.enabled)"))
}

type verifier struct {
	key    []byte
	report Report
	before *Line
}

func (v *verifier) fault(file string, line int, what string) {
	if len(v.report.Faults) >= maxFaults {
		v.report.More++
		return
	}
	v.report.Faults = append(v.report.Faults, Fault{File: file, Line: line, What: what})
}

func (v *verifier) file(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for number := 1; ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		data, err := r.ReadBytes('\n')
		switch {
		case err == io.EOF && len(data) == 0:
			return nil
		case err == io.EOF:
			v.fault(path, number, "the line is cut off")
			return nil
		case err != nil:
			return err
		}
		v.line(path, number, bytes.TrimSuffix(data, []byte{'\n'}))
	}
}

func (v *verifier) line(path string, number int, data []byte) {
	l, err := parse(data)
	if err != nil {
		v.fault(path, number, "the line has been changed: it is no entry of this record")
		return
	}
	v.report.Lines++
	if v.report.First == 0 {
		v.report.First = l.N
	}
	v.report.Last = max(v.report.Last, l.N)
	changed := !hmac.Equal([]byte(l.Hash), []byte(l.hash(v.key)))
	switch b := v.before; {
	case changed:
		v.fault(path, number, fmt.Sprintf("line %d has been changed, or written with another key", l.N))
	case b == nil && l.N == 1 && l.Prev != "":
		v.fault(path, number, "the first line refers to one before it")
	case b == nil:
	case l.N > b.N+1:
		v.fault(path, number, fmt.Sprintf("lines %d to %d are missing before this one", b.N+1, l.N-1))
	case l.N <= b.N:
		v.fault(path, number, fmt.Sprintf("line %d stands behind line %d", l.N, b.N))
	case l.Prev != b.Hash:
		v.fault(path, number, fmt.Sprintf("line %d does not go on from line %d, which has been replaced", l.N, b.N))
	}
	if l.Kind == "gap" && !changed {
		v.fault(path, number, "the gateway found the record cut when it started: "+string(l.Detail))
	}
	v.before = l
}

// ends compares what is there with what the head tells. A running gateway may
// have written more since the head was read.
func (v *verifier) ends(path string, told position) {
	switch {
	case v.report.Lines == 0 && told.N > 0:
		v.fault(path, 0, fmt.Sprintf("the record is gone; it had lines up to %d", told.N))
	case v.report.Last < told.N:
		v.fault(path, 0, fmt.Sprintf("lines %d to %d are missing at the end", v.report.Last+1, told.N))
	case v.report.Lines > 0 && v.report.First > told.First && told.First > 0:
		v.fault(path, 0, fmt.Sprintf("lines %d to %d are missing at the beginning", told.First, v.report.First-1))
	case v.before != nil && v.before.N == told.N && v.before.Hash != told.Hash:
		v.fault(path, 0, "the last line is not the one that the gateway wrote")
	}
}
