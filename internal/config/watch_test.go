package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
)

// watching runs Watch on a home; what it reports comes through the channels.
type watching struct {
	path    string
	home    string
	changed chan *Config
	broken  chan error
}

func watch(t *testing.T, opts Options) watching {
	t.Helper()
	current, _, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	return watchFrom(t, opts, current)
}

func watchFrom(t *testing.T, opts Options, current *Config) watching {
	t.Helper()
	w := watching{current.Path, current.Home, make(chan *Config, 10), make(chan error, 10)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- Watch(ctx, opts, current, func(c *Config, _ []Warning) { w.changed <- c }, func(err error) { w.broken <- err })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
		if len(w.changed) > 0 || len(w.broken) > 0 {
			t.Errorf("%d changes and %d faults too many", len(w.changed), len(w.broken))
		}
		goleak.VerifyNone(t)
	})
	return w
}

func (w watching) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// next waits for the next report; Watch promises a second, a busy machine gets
// more.
func (w watching) next(t *testing.T) (*Config, error) {
	t.Helper()
	select {
	case c := <-w.changed:
		return c, nil
	case err := <-w.broken:
		return nil, err
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was reported")
	}
	return nil, nil
}

func (w watching) port(t *testing.T, want int) {
	t.Helper()
	c, err := w.next(t)
	if err != nil || c.Gateway.Port != want {
		t.Fatalf("got %v, %v; want port %d", c, err, want)
	}
}

func (w watching) fault(t *testing.T, want string) {
	t.Helper()
	c, err := w.next(t)
	var problems Problems
	if !errors.As(err, &problems) || !strings.Contains(err.Error(), want) {
		t.Fatalf("got %v, %v; want %q", c, err, want)
	}
}

func TestWatch(t *testing.T) {
	w := watch(t, write(t, "gateway: {port: 1}\n"))
	w.write(t, w.path, "gateway: {port: 2}\n")
	w.port(t, 2)

	w.write(t, w.path, "gateway: {prot: 3}\n")
	w.fault(t, "gateway.prot")
	w.write(t, w.path, "gateway: {port: 2}\n") // sound again, and as before
	w.port(t, 2)

	if err := os.Rename(w.path, w.path+".old"); err != nil {
		t.Fatal(err)
	}
	w.fault(t, "is gone or empty")
	if err := os.WriteFile(w.path+".new", []byte("gateway: {port: 4}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(w.path+".new", w.path); err != nil {
		t.Fatal(err)
	}
	w.port(t, 4)

	w.write(t, w.path, "") // as an editor does before it writes
	w.fault(t, "is gone or empty")
	w.write(t, w.path, "gateway: {port: 4}\n")
	w.port(t, 4)

	w.write(t, filepath.Join(w.home, ".env"), "OPENCLAW_PORT=5\n")
	w.port(t, 5)
}

// The directory also holds the database; its files are none of Watch's
// business.
func TestWatchIgnoresOtherFiles(t *testing.T) {
	r := &reloader{names: watchedNames(&Config{Home: "/h", Path: "/etc/oc/config.yml"})}
	for name, want := range map[string]bool{
		"/etc/oc/config.yml": true, "/h/.env": true, "/etc/oc/..data": true,
		"/etc/oc/openclaw.db-wal": false, "/etc/oc/config.yml~": false, "/h/config.yml": false,
	} {
		if r.concerns(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestWatchFileAppears(t *testing.T) {
	opts := write(t, "")
	path := filepath.Join(strings.TrimPrefix(opts.Environ[0], "HOME="), ".openclaw/config.yml")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w := watch(t, opts)
	w.write(t, path, "gateway: {port: 2}\n")
	w.port(t, 2)
}

// A change between Load and Watch is not lost.
func TestWatchStartsFromWhatIsInForce(t *testing.T) {
	opts := write(t, "gateway: {port: 1}\n")
	current, _, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(current.Path, []byte("gateway: {port: 2}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	watchFrom(t, opts, current).port(t, 2)
}

func TestWatchFollowsLink(t *testing.T) {
	opts := write(t, "")
	path := filepath.Join(strings.TrimPrefix(opts.Environ[0], "HOME="), ".openclaw/config.yml")
	target := filepath.Join(t.TempDir(), "real.yml")
	if err := os.WriteFile(target, []byte("gateway: {port: 1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(path), os.Symlink(target, path)); err != nil {
		t.Fatal(err)
	}
	w := watch(t, opts)
	w.write(t, target, "gateway: {port: 2}\n")
	w.port(t, 2)
}

func TestWatchNeedsDirectory(t *testing.T) {
	opts := Options{Environ: []string{"HOME=" + filepath.Join(t.TempDir(), "none")}}
	current, _, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := Watch(t.Context(), opts, current, nil, nil); err == nil {
		t.Error("a directory that does not exist is watched")
	}
	goleak.VerifyNone(t)
}

// A run of events is one change; an endless one is not waited for.
func TestFollowSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		events, failures, start := make(chan fsnotify.Event), make(chan error), time.Now()
		var settled []time.Duration
		var faults int
		done := make(chan struct{})
		go func() {
			defer close(done)
			follow(ctx, events, failures, func(name string) bool { return name == "config.yml" },
				func() { settled = append(settled, time.Since(start)) }, func(error) { faults++ })
		}()
		send := func(name string, n int, every time.Duration) {
			for range n {
				events <- fsnotify.Event{Name: name}
				time.Sleep(every)
			}
		}
		send("openclaw.db-wal", 5, time.Second)    // 0 s to 5 s: settles once, at the beginning
		send("config.yml", 3, 10*time.Millisecond) // settles at 5.12 s
		time.Sleep(970 * time.Millisecond)
		send("config.yml", 17, 60*time.Millisecond) // 6 s to 6.96 s: at 6.5 s and, from 6.54 s on, at 7.04 s
		time.Sleep(980 * time.Millisecond)
		failures <- errors.New("overflow") // at 8 s, settles at 8.1 s
		time.Sleep(time.Second)
		cancel()
		<-done
		ms := time.Millisecond
		want := []time.Duration{100 * ms, 5120 * ms, 6500 * ms, 7040 * ms, 8100 * ms}
		if len(settled) != len(want) || faults != 1 {
			t.Fatalf("settled at %v, %d faults", settled, faults)
		}
		for i, at := range settled {
			if at != want[i] {
				t.Errorf("settled at %v, want %v", settled, want)
				break
			}
		}
	})
}
