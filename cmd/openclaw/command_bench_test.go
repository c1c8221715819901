package main

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/openclaw/openclaw-go/internal/sandbox"
)

// BenchmarkCommand is what one command costs in each layer, with this whole
// program as its supervisor; the sandbox costs the difference to plain. cpu is
// the time of processors, here and in the processes, which a busy machine bends
// less.
func BenchmarkCommand(b *testing.B) {
	b.Run("plain", func(b *testing.B) {
		measure(b, func() error { return exec.Command("/bin/true").Run() })
	})
	runner, err := sandbox.New(sandbox.Options{})
	if err != nil {
		b.Fatal(err)
	}
	job := sandbox.Job{Argv: []string{"/bin/true"}, Dir: "/", WantDir: true}
	b.Run("supervised", func(b *testing.B) {
		measure(b, func() error { _, err := runner.Run(b.Context(), job); return err })
	})
	for _, without := range [][]sandbox.Layer{{sandbox.LayerNamespaces, sandbox.LayerBubblewrap}, {sandbox.LayerNamespaces}, nil} {
		runner, err := sandbox.New(sandbox.Options{Without: without})
		if err != nil {
			b.Fatal(err)
		}
		home := b.TempDir()
		box, err := runner.Box(sandbox.Rules{
			Workspace: home + "/workspace", State: home, Blocked: []string{home + "/.ssh", home + "/.openclaw/openclaw.db"},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(box.Layer()), func(b *testing.B) {
			measure(b, func() error { _, err := box.Run(b.Context(), job); return err })
		})
	}
}

func measure(b *testing.B, run func() error) {
	cpu := func() (total time.Duration) {
		for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
			var u syscall.Rusage
			if err := syscall.Getrusage(who, &u); err != nil {
				b.Fatal(err)
			}
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
		return total
	}
	if err := run(); err != nil { // looks at the machine once
		b.Fatal(err)
	}
	before := cpu()
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N)/1000, "cpu-ms/op")
}
