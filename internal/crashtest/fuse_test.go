package crashtest

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"

	openclaw "github.com/openclaw/openclaw-go"
	"github.com/openclaw/openclaw-go/internal/store/sqlite"
)

// A place is where a gateway can kill itself: moments so short that a kill
// from outside would rarely hit them.
type place string

const (
	beforeAppend place = "before an append"
	afterAppend  place = "after an append, before anybody sees it"
	inTool       place = "in a tool, before it has done anything"
	afterTool    place = "after a tool, before its result is stored"
	inModel      place = "while the model thinks"
	beforeResume place = "before the unfinished turns are counted"
	afterResume  place = "after the unfinished turns are counted"
)

var places = []place{beforeAppend, afterAppend, inTool, afterTool, inModel, beforeResume, afterResume}

// fuse kills its process the n-th time that comes to the place; without a
// place it does nothing.
type fuse struct {
	place place
	n     int64
	been  atomic.Int64
}

// at says that the process has come to the place.
func (f *fuse) at(p place) {
	if p != f.place || f.been.Add(1) != f.n {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // cannot fail
	select {}
}

// fused is a store with a fuse.
type fused struct {
	*sqlite.Store
	fuse *fuse
}

// Append implements session.Log.
func (s fused) Append(ctx context.Context, events []openclaw.Event) error {
	s.fuse.at(beforeAppend)
	err := s.Store.Append(ctx, events)
	s.fuse.at(afterAppend)
	return err
}

// Unfinished implements session.Catalog.
func (s fused) Unfinished(ctx context.Context) ([]openclaw.Unfinished, error) {
	s.fuse.at(beforeResume)
	list, err := s.Store.Unfinished(ctx)
	s.fuse.at(afterResume)
	return list, err
}
